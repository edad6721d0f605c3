"""A formula, ready to be SQL or a value."""

from __future__ import annotations

import decimal
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from psycopg import sql

from app.errors import Invalid
from app.modules.expressions.operations import OPERATIONS
from app.modules.expressions.syntax import parse
from app.modules.expressions.tree import Apply, Constant, Field, FormulaInvalid, Node, fields_in
from app.modules.kinds import NUMBERS, Columns, Kind
from app.modules.values import MAX_BIGINT, MIN_BIGINT, read_value

ColumnSql = Callable[[str], sql.Composable]
# Room for products of bigints of every depth a formula can have; PostgreSQL's numeric has no such limit to speak of.
_CONTEXT = decimal.Context(prec=2000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


class FormulaOverflow(Invalid):
    """The formula's result is outside what its field can hold."""

    code = "formula_overflow"


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked formula. It reads real columns and rollups of its row; other formulas are written out in it."""

    root: Node
    kind: Kind

    @property
    def result_type(self) -> Kind:
        """The kind of the value."""
        return self.kind

    @property
    def fields_used(self) -> frozenset[str]:
        """The names of the fields it reads."""
        return fields_in(self.root)

    def as_kind(self, kind: Kind) -> Formula:
        """The same formula giving `kind`; to whole numbers rounded half away from zero. Raises FormulaInvalid."""
        castable = (
            kind is self.kind or {kind, self.kind} <= NUMBERS or (self.kind, kind) == (Kind.DURATION, Kind.INTEGER)
        )
        if not castable:
            raise FormulaInvalid(f"the formula gives {self.kind}, not {kind}", 1)
        return Formula(self.root, kind)

    def to_sql(self, column: ColumnSql = sql.Identifier) -> sql.Composable:
        """The formula as SQL without parameters, IMMUTABLE; `column` gives the SQL of a field."""
        if isinstance(self.root, Field) and self.root.kind is self.kind:
            return column(self.root.name)
        body = _sql(self.root, column)
        if self.kind in (Kind.INTEGER, Kind.DURATION):
            return sql.SQL("({})::bigint").format(body)  # numeric to bigint rounds half away from zero
        return body

    def evaluate(self, record: Mapping[str, Any]) -> Any:
        """The value for one record, as PostgreSQL would compute it: int, Decimal, text, bool, date, datetime or None.

        Raises FormulaOverflow for a number or moment outside its range.
        """
        try:
            with decimal.localcontext(_CONTEXT):
                value = _evaluate(self.root, record)
                return self._finish(value)
        except (OverflowError, decimal.Overflow) as error:
            raise FormulaOverflow() from error

    def _finish(self, value: Any) -> Any:
        if value is None:
            return None
        if self.kind in (Kind.INTEGER, Kind.DURATION):
            whole = int(Decimal(value).to_integral_value(ROUND_HALF_UP))
            if not MIN_BIGINT <= whole <= MAX_BIGINT:
                raise OverflowError
            return whole
        return Decimal(value) if self.kind is Kind.DECIMAL else value


def parse_formula(text: str, fields: Columns) -> Formula:
    """The formula of a text over `fields`. Raises FormulaInvalid with the column of the fault."""

    def lookup(name: str, at: int) -> Node:
        if name not in fields:
            raise _unknown(name, at, fields)
        return Field(name, fields[name].kind, at)

    return _formula(parse(text, lookup))


def resolve_formulas(
    texts: Mapping[str, tuple[str, Kind | None]], fields: Columns
) -> tuple[dict[str, Formula], dict[str, FormulaInvalid]]:
    """The formulas of one table, which may use each other: {name: formula}, {name: what is wrong}.

    texts: {field: (formula, kind of its field or None for the formula's own)}; fields: everything else of the row.
    """
    done: dict[str, Formula] = {}
    failed: dict[str, FormulaInvalid] = {}
    for name in texts:
        _resolve(name, (), texts, fields, done, failed)
    return done, failed


def _resolve(
    name: str,
    above: tuple[str, ...],
    texts: Mapping[str, tuple[str, Kind | None]],
    fields: Columns,
    done: dict[str, Formula],
    failed: dict[str, FormulaInvalid],
) -> None:
    if name in done or name in failed:
        return
    text, kind = texts[name]

    def lookup(used: str, at: int) -> Node:
        if used in fields:
            return Field(used, fields[used].kind, at)
        if used not in texts:
            raise _unknown(used, at, {*fields, *texts})
        if used in (*above, name):
            circle = " → ".join((*(*above, name)[(*above, name).index(used) :], used))
            raise FormulaInvalid(f"formulas use each other in a circle: {circle}", at)
        _resolve(used, (*above, name), texts, fields, done, failed)
        if used in failed:
            raise FormulaInvalid(f'the formula "{used}" has an error', at)
        found = done[used]
        return _rounded(found, at)

    try:
        formula = _formula(parse(text, lookup))
        done[name] = formula if kind is None else formula.as_kind(kind)
    except FormulaInvalid as error:
        failed[name] = error
    except RecursionError:
        failed[name] = FormulaInvalid("too many formulas use each other", 1)


def _rounded(formula: Formula, at: int) -> Node:
    """The tree of a formula another one uses, rounded when its own field rounds it."""
    if formula.kind is Kind.INTEGER and formula.root.kind is Kind.DECIMAL:
        return Apply("round", (formula.root,), Kind.INTEGER, at)
    root = formula.root
    return Apply(root.operation, root.arguments, formula.kind, at) if isinstance(root, Apply) else root


def _formula(root: Node) -> Formula:
    assert root.kind is not None
    if root.kind in (Kind.LIST, Kind.JSON):
        raise FormulaInvalid(f"a formula cannot give {root.kind}", root.at)
    return Formula(root, root.kind)


def _unknown(name: str, at: int, known: Any) -> FormulaInvalid:
    near = difflib.get_close_matches(name, list(known), n=1)
    return FormulaInvalid(f'no field "{name}"' + (f'; did you mean "{near[0]}"?' if near else ""), at, near=name)


def _sql(node: Node, column: ColumnSql) -> sql.Composable:
    if isinstance(node, Field):
        cast = sql.SQL("::numeric") if node.kind in (Kind.INTEGER, Kind.DURATION) else sql.SQL("")
        return sql.Composed([column(node.name), cast])
    if isinstance(node, Constant):
        return _constant(node)
    if not fields_in(node):
        # PostgreSQL 18 folds constants of a generated column before it knows their collation, and fails on lower('X')
        with decimal.localcontext(_CONTEXT):
            return _constant(Constant(_evaluate(node, {}), node.kind, node.at))
    return _filled(OPERATIONS[node.operation].sql, [_sql(argument, column) for argument in node.arguments])


_NULL_CASTS = {Kind.TEXT: "::text", Kind.BOOLEAN: "::boolean"}


def _constant(node: Constant) -> sql.Composable:
    if node.value is None:
        return sql.SQL("NULL" + _NULL_CASTS.get(node.kind, "::numeric")) if node.kind else sql.SQL("NULL")
    if isinstance(node.value, bool):
        return sql.SQL("TRUE" if node.value else "FALSE")
    cast = "::text" if node.kind is Kind.TEXT else "::numeric"
    return sql.Composed([sql.Literal(node.value), sql.SQL(cast)])


def _filled(template: str, arguments: list[sql.Composable]) -> sql.Composable:
    """An operation's SQL with its arguments in place."""
    if template == "{case}":
        pairs = zip(arguments[:-1:2], arguments[1::2], strict=True)
        whens = [sql.SQL("WHEN {} THEN {}").format(test, result) for test, result in pairs]
        return sql.SQL("(CASE {} ELSE {} END)").format(sql.SQL(" ").join(whens), arguments[-1])
    if template == "({concat})":
        return sql.SQL("({})").format(sql.SQL(" || ").join(sql.SQL("coalesce({}, '')").format(a) for a in arguments))
    if "{all:" in template:
        before, _, rest = template.partition("{all:")
        joint, _, after = rest.partition("}")
        return sql.Composed([sql.SQL(before), sql.SQL(joint).join(arguments), sql.SQL(after)])
    return sql.SQL(template).format(*arguments)


def _evaluate(node: Node, record: Mapping[str, Any]) -> Any:
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Field):
        assert node.kind is not None
        return read_value(node.kind, record.get(node.name))
    operation = OPERATIONS[node.operation]
    values = [_evaluate(argument, record) for argument in node.arguments]
    if operation.strict and any(value is None for value in values):
        return None
    return operation.python(*values)
