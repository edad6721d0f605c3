"""What the figure of an expression is a figure of: money, percent, a length of time, a plain number; how it is shown, and
what it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.numbers import get_currency_precision

from app.modules.expressions import Aggregate
from app.modules.expressions.tree import Apply, Constant, Field, Node
from app.modules.kinds import Kind
from app.workspace.cells import NOTHING, Cell, clock, currency_code, kind_of
from app.workspace.desk import Desk
from app.workspace.labels import field_label, inside, many

PLAIN = "number"
_MEASURES = ("money", "percent", "duration")
_OF_FIRST = ("negate", "abs", "round", "round to", "floor", "ceil", "nullif", "modulo")
_OF_ALIKE = ("add", "subtract", "coalesce", "least", "greatest")
_OF_FIELD = {"sum": "{} in all", "avg": "{} on average", "min": "Least {}", "max": "Most {}"}
_OF_MOMENT = {"min": "Earliest {}", "max": "Latest {}"}
_OF_FORMULA = {"sum": "Sum of {}", "avg": "Average of {}", "min": "Least of {}", "max": "Most of {}"}
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_BY_KIND = {Kind.DATE: "date", Kind.DATETIME: "datetime", Kind.TIME: "time", Kind.DURATION: "duration"}


@dataclass(frozen=True, slots=True)
class Unit:
    """look: number, money, percent, duration, date, datetime or time; currencies: the fields that hold that of an amount."""

    look: str
    currencies: tuple[str, ...] = ()


def unit_of(desk: Desk, table: str, aggregate: Aggregate) -> Unit:
    """The unit of an aggregate over a table. A count has none, whatever it counts."""
    if aggregate.fn == "count" or aggregate.of is None:
        return Unit(PLAIN)
    root = aggregate.of.root
    look = _BY_KIND.get(aggregate.of.kind) or _measure(desk, table, root)
    return Unit(look, tuple(sorted(set(_currencies(desk, table, root)))) if look == "money" else ())


def figure_label(desk: Desk, table: str, text: str) -> str:
    """What the figure of an expression is called: "Deals", "Amount in all", "Average of amount × chance / 100"."""
    nouns, spec, columns = many(desk.manifest, table), desk.table(table), desk.data.model.tables[table].columns
    fn, _, rest = text.strip().partition("(")
    fn, inner = fn.strip(), " ".join(rest.removesuffix(")").split())
    if not inner:
        return nouns
    said = _NAME.sub(lambda name: inside(field_label(spec, name[0])) if name[0] in columns else name[0], inner)
    if fn == "count":
        return f"{nouns} with {said}"
    if inner not in columns:
        return _OF_FORMULA[fn].format(said.replace("*", "×"))
    made = (_OF_MOMENT if columns[inner].kind in (Kind.DATE, Kind.DATETIME) else _OF_FIELD)[fn]
    return made.format(field_label(spec, inner) if made.startswith("{") else said)


def figure(unit: Unit, value: Any, currency: str) -> Cell:
    """A figure as a cell; an amount in `currency`."""
    if value is None:
        return NOTHING
    match unit.look:
        case "money":
            return Cell("money", _whole(value), unit=currency_code(currency))
        case "duration":
            return Cell("text", clock(_whole(value)))
        case "percent":
            return Cell("percent", Decimal(value))
        case "date":
            return Cell("date", date.fromisoformat(value))
        case "datetime":
            return Cell("datetime", datetime.fromisoformat(value))
        case "time":
            return Cell("text", str(value)[:5])
        case _:
            return Cell("number", value)


def drawn(unit: Unit, value: Any, currency: str) -> float | None:
    """The height of a figure in a chart: amounts in whole units of their currency, lengths of time in hours."""
    if value is None:
        return None
    if unit.look == "money":
        return float(Decimal(value).scaleb(-get_currency_precision(currency_code(currency))))
    return float(value) / 3600 if unit.look == "duration" else float(value)


def _whole(value: Any) -> int:
    return int(Decimal(value).to_integral_value(ROUND_HALF_UP))


def _measure(desk: Desk, table: str, node: Node) -> str:
    if isinstance(node, Field):
        kind = kind_of(desk, table, node.name)
        return kind if kind in _MEASURES else PLAIN
    if isinstance(node, Constant):
        return PLAIN
    if node.operation in _OF_FIRST:
        return _measure(desk, table, node.arguments[0])
    if node.operation in ("multiply", "divide"):
        return _product(node.operation, [_measure(desk, table, part) for part in node.arguments])
    parts = node.arguments
    if node.operation == "case":
        parts = (*parts[1::2], parts[-1])
    elif node.operation not in _OF_ALIKE:
        return PLAIN
    # a number that is written out takes the unit of what it is added to
    known = {_measure(desk, table, part) for part in parts if not isinstance(part, Constant)}
    return known.pop() if len(known) == 1 else PLAIN


def _product(operation: str, parts: list[str]) -> str:
    """An amount times or by a number or a share stays one; anything else is a plain number."""
    if parts.count("money") != 1 or (operation == "divide" and parts[0] != "money"):
        return PLAIN
    return "money"


def _currencies(desk: Desk, table: str, node: Node) -> Iterator[str]:
    """The fields that hold the currencies of the amounts in an expression, also of those in its formulas."""
    if isinstance(node, Apply):
        for part in node.arguments:
            yield from _currencies(desk, table, part)
    elif isinstance(node, Field):
        formula = desk.data.model.tables[table].formulas.get(node.name)
        if formula is not None:
            yield from _currencies(desk, table, formula.root)
        elif currency := getattr(desk.table(table).fields.get(node.name), "currency", None):
            yield currency
