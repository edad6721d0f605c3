"""Aggregates of cards and reports: count, sum(amount), avg(amount * probability / 100)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import sql

from app.modules.expressions.formula import ColumnSql, Formula, parse_formula
from app.modules.expressions.operations import divide
from app.modules.expressions.tree import FormulaInvalid
from app.modules.kinds import NUMBERS, Columns, Kind

_SHAPE = re.compile(r"\s*([a-z]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_ALLOWED = {
    "count": frozenset(Kind),
    "sum": NUMBERS | {Kind.DURATION},
    "avg": NUMBERS | {Kind.DURATION},
    "min": NUMBERS | {Kind.DURATION, Kind.DATE, Kind.DATETIME, Kind.TIME},
    "max": NUMBERS | {Kind.DURATION, Kind.DATE, Kind.DATETIME, Kind.TIME},
}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One figure over many records. `of` is None for a plain count."""

    fn: str
    of: Formula | None

    @property
    def result_type(self) -> Kind:
        """The kind of the figure."""
        if self.fn == "count" or self.of is None:
            return Kind.INTEGER
        return Kind.DECIMAL if self.fn == "avg" else self.of.kind

    @property
    def fields_used(self) -> frozenset[str]:
        """The names of the fields it reads."""
        return self.of.fields_used if self.of else frozenset()

    def to_sql(self, column: ColumnSql = sql.Identifier) -> sql.Composable:
        """The aggregate for a select list. A sum over no records is 0; avg, min and max are null."""
        if self.of is None:
            return sql.SQL("count(*)")
        inner = self.of.to_sql(column)
        if self.fn == "sum":
            cast = "numeric" if self.result_type is Kind.DECIMAL else "bigint"
            return sql.SQL("coalesce(sum({}), 0)::{}").format(inner, sql.SQL(cast))
        if self.fn == "avg":
            return sql.SQL("round((sum({0}) + 0.000000000000) / nullif(count({0}), 0), 10)").format(inner)
        return sql.SQL("{}({})").format(sql.SQL({"count": "count", "min": "min", "max": "max"}[self.fn]), inner)

    def evaluate(self, records: Iterable[Mapping[str, Any]]) -> Any:
        """The figure over records, as PostgreSQL would compute it."""
        rows = list(records)
        if self.of is None:
            return len(rows)
        values = [value for value in map(self.of.evaluate, rows) if value is not None]
        if self.fn == "count":
            return len(values)
        if self.fn == "sum":
            return sum(values, Decimal(0) if self.result_type is Kind.DECIMAL else 0)
        if not values:
            return None
        return divide(sum(values), len(values)) if self.fn == "avg" else {"min": min, "max": max}[self.fn](values)


def parse_aggregate(text: str, fields: Columns) -> Aggregate:
    """The aggregate of a text over `fields`. Raises FormulaInvalid with the column of the fault."""
    match = _SHAPE.fullmatch(text)
    if match is None or match.group(1) not in _ALLOWED:
        raise FormulaInvalid("write count, or sum, avg, min or max of a field, such as sum(amount)", 1)
    fn, inner = match.groups()
    if not (inner or "").strip():
        if fn == "count":
            return Aggregate(fn, None)
        raise FormulaInvalid(f"{fn} needs a field, such as {fn}(amount)", 1)
    formula = _inner(inner, match.start(2), fields)
    if formula.kind not in _ALLOWED[fn]:
        raise FormulaInvalid(f"{fn} cannot take {formula.kind}", match.start(2) + 1)
    return Aggregate(fn, formula)


def _inner(text: str, offset: int, fields: Columns) -> Formula:
    try:
        return parse_formula(text, fields)
    except FormulaInvalid as error:
        raise FormulaInvalid(error.reason, error.column + offset, near=error.near) from error
