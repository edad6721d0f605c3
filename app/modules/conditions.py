"""Conditions as data, evaluated on a record here and in SQL; the browser has a third evaluator with the same vectors.

    {status: open}   {amount: {gte: 100, lt: 500}}   {any: [...]}   {all: [...]}   {not: {...}}

Several keys are joined by "and". One rule for no value (null, or no such key): every test is true or false, never
unknown. `eq null` and `is null` match it; `ne`, `nin` match it unless they name null; gt gte lt lte contains starts
and eq or in of a value do not. So `ne` is always the opposite of `eq`, `nin` of `in`, and `not` of what it holds.
`contains` ignores case on texts and is membership on lists; `starts` respects case, as an index can answer it.
Texts are ordered by code point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from psycopg import sql

from app.errors import FieldError, Invalid
from app.modules.kinds import SQL_TYPES, Column, Columns, Kind
from app.modules.values import WrongValue, read_text, read_value

MAX_DEPTH = 6
MAX_TESTS = 60
MAX_VALUES = 500

ORDERED = frozenset(
    {Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.DURATION, Kind.UUID}
)
_EQUALITY = ("eq", "ne", "in", "nin", "is")
_ORDER = ("gt", "gte", "lt", "lte")
OPERATORS = (*_EQUALITY[:2], *_ORDER, "in", "nin", "contains", "starts", "is")
_IS = {None: "null", "null": "null", "not_null": "not_null", True: "true", False: "false"}


def operators_for(kind: Kind) -> tuple[str, ...]:
    """The operators a field of this kind has."""
    if kind is Kind.JSON:
        return ("is",)
    if kind is Kind.LIST:
        return ("contains", "is")
    if kind is Kind.BOOLEAN:
        return _EQUALITY
    text = ("contains", "starts") if kind is Kind.TEXT else ()
    return (*_EQUALITY, *_ORDER, *text)


@dataclass(frozen=True, slots=True)
class Test:
    """One field against one value. `value` has the Python type of `kind`; a tuple for in and nin."""

    field: str
    op: str
    value: Any
    kind: Kind


@dataclass(frozen=True, slots=True)
class All:
    """True when every part is; so the empty condition matches everything."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is not."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Box:
    """A place, a field of type geo, between two parallels and two meridians, these included. west > east: over the 180th.

    Screens ask for it; a manifest or a query string cannot. No index helps: the table's rows of the site are looked through.
    """

    field: str
    south: float
    west: float
    north: float
    east: float


Condition: TypeAlias = Test | Box | All | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a condition: the keys that lead to it, a stable code, a sentence; `near` for suggestions."""

    path: tuple[str | int, ...]
    code: str
    message: str
    near: str = ""


class ConditionInvalid(Invalid):
    """The condition cannot be used."""

    code = "condition_invalid"

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        errors = [FieldError("/" + "/".join(map(str, fault.path)), fault.code, fault.message) for fault in faults]
        super().__init__("; ".join(fault.message for fault in faults), errors=errors)


def parse_condition(data: Any, fields: Columns, *, text_values: bool = False) -> Condition:
    """The condition of data, its fields and values checked against `fields`. Raises ConditionInvalid with every fault.

    text_values: values are texts from a query string and are read by the field's kind.
    """
    parser = _Parser(fields, text_values)
    condition = parser.condition(data, (), 0)
    if parser.faults:
        raise ConditionInvalid(parser.faults)
    return condition


def fields_of(condition: Condition) -> frozenset[str]:
    """The names of the fields a condition tests."""
    if isinstance(condition, (Test, Box)):
        return frozenset({condition.field})
    if isinstance(condition, Not):
        return fields_of(condition.part)
    return frozenset().union(*(fields_of(part) for part in condition.parts))


class _Parser:
    def __init__(self, fields: Columns, text_values: bool) -> None:
        self.fields = fields
        self.read = read_text if text_values else read_value
        self.faults: list[Fault] = []
        self.tests = 0

    def fault(self, path: tuple[str | int, ...], code: str, message: str, near: str = "") -> All:
        self.faults.append(Fault(path, code, message, near))
        return All(())

    def condition(self, data: Any, path: tuple[str | int, ...], depth: int) -> Condition:
        if not isinstance(data, Mapping):
            return self.fault(path, "condition", "must be a condition: {field: value}")
        if depth > MAX_DEPTH:
            return self.fault(path, "condition", f"conditions are nested deeper than {MAX_DEPTH} levels")
        parts = [self._entry(key, value, (*path, str(key)), depth) for key, value in data.items()]
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _entry(self, key: Any, value: Any, path: tuple[str | int, ...], depth: int) -> Condition:
        if key in ("any", "all"):
            if not isinstance(value, (list, tuple)) or not value:
                return self.fault(path, "condition", f'"{key}" needs a list of at least one condition')
            parts = tuple(self.condition(item, (*path, index), depth + 1) for index, item in enumerate(value))
            return AnyOf(parts) if key == "any" else All(parts)
        if key == "not":
            return Not(self.condition(value, path, depth + 1))
        column = self.fields.get(key) if isinstance(key, str) else None
        if column is None:
            return self.fault(path, "unknown_field", f'no field "{key}"', str(key))
        if isinstance(value, Mapping):
            if not value:
                return self.fault(path, "condition", f"needs an operator: {', '.join(operators_for(column.kind))}")
            tests = [self._test(str(key), str(op), operand, column, (*path, str(op))) for op, operand in value.items()]
            return tests[0] if len(tests) == 1 else All(tuple(tests))
        if isinstance(value, (list, tuple)):
            return self.fault(path, "value", "a list needs an operator: {in: [...]}")
        return self._test(str(key), "eq", value, column, path)

    def _test(self, field: str, op: str, operand: Any, column: Column, path: tuple[str | int, ...]) -> Condition:
        self.tests += 1
        if self.tests == MAX_TESTS + 1:
            return self.fault(path, "condition", f"more than {MAX_TESTS} tests in one condition")
        if op == "eq" and operand is None:
            op = "is"
        if op not in operators_for(column.kind):
            known = ", ".join(operators_for(column.kind))
            return self.fault(
                path,
                "operator",
                f'{"an" if column.kind is Kind.INTEGER else "a"} {column.kind} has no operator "{op}"; it has {known}',
            )
        try:
            value = self._operand(op, operand, column, path)
        except WrongValue as error:
            return self.fault(path, "value", str(error))
        return Test(field, op, value, column.kind)

    def _operand(self, op: str, operand: Any, column: Column, path: tuple[str | int, ...]) -> Any:
        if op == "is":
            return self._is(operand, column.kind, path)
        if op in ("in", "nin"):
            if isinstance(operand, str) and self.read is read_text:
                operand = operand.split(",")
            if not isinstance(operand, (list, tuple)) or not 0 < len(operand) <= MAX_VALUES:
                self.fault(path, "value", f'"{op}" needs a list of 1 to {MAX_VALUES} values')
                return ()
            return tuple(self._value(item, column, (*path, index)) for index, item in enumerate(operand))
        if op == "ne" and operand is None:
            return None
        if operand is None:
            self.fault(path, "value", f'"{op}" needs a value; use {{is: null}} to test for no value')
            return None
        if op in ("contains", "starts"):
            kind = Kind.TEXT
            return self._value(operand, Column(kind, column.options if column.kind is Kind.LIST else ()), path)
        return self._value(operand, column, path)

    def _is(self, operand: Any, kind: Kind, path: tuple[str | int, ...]) -> str:
        word = _IS.get(operand) if operand is None or isinstance(operand, (str, bool)) else None
        if self.read is read_text and operand in ("true", "false"):
            word = operand
        if word is None or (word in ("true", "false") and kind is not Kind.BOOLEAN):
            also = ", true or false" if kind is Kind.BOOLEAN else ""
            self.fault(path, "value", f'"is" takes null or not_null{also}')
            return "null"
        return word

    def _value(self, value: Any, column: Column, path: tuple[str | int, ...]) -> Any:
        found = self.read(column.kind, value)
        if column.options and found is not None and found not in column.options:
            self.fault(path, "option", f'"{found}" is not an option; it has {", ".join(column.options)}', str(found))
        return found


def matches(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether a record matches; values may be as in JSON or as PostgreSQL gives them."""
    if isinstance(condition, Test):
        return _test(condition, read_value(condition.kind, record.get(condition.field)))
    if isinstance(condition, Box):
        return _in_box(condition, record.get(condition.field))
    if isinstance(condition, Not):
        return not matches(condition.part, record)
    combine = all if isinstance(condition, All) else any
    return combine(matches(part, record) for part in condition.parts)


def _test(test: Test, value: Any) -> bool:
    if test.op == "is":
        return {"null": value is None, "not_null": value is not None, "true": value is True, "false": value is False}[
            test.value
        ]
    if test.op in ("in", "nin"):
        return (value in test.value) == (test.op == "in")
    if test.op == "ne":
        return bool(value != test.value)
    return value is not None and bool(_COMPARE[test.op](value, test.value))


def _in_box(box: Box, place: Any) -> bool:
    if place is None:
        return False
    lat, lng = place["lat"], place["lng"]
    east_of, west_of = bool(lng >= box.west), bool(lng <= box.east)
    return box.south <= lat <= box.north and (east_of or west_of if box.west > box.east else east_of and west_of)


def _contains(value: Any, wanted: str) -> bool:
    return wanted.lower() in value.lower() if isinstance(value, str) else wanted in value


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "contains": _contains,
    "starts": lambda value, wanted: value.startswith(wanted),
}

ColumnSql: TypeAlias = Callable[[str], sql.Composable]


def to_sql(condition: Condition, column: ColumnSql = sql.Identifier) -> tuple[sql.Composable, list[Any]]:
    """The condition for WHERE, and its parameters in order. `column` gives the SQL of a field.

    The SQL is true exactly where matches() is; elsewhere it is false or null, which WHERE and the predicates of
    indexes treat alike. Around it, `(…) IS TRUE` makes it strictly true or false.
    """
    parameters: list[Any] = []

    def bind(value: Any) -> sql.Composable:
        parameters.append(value)
        return sql.Placeholder()

    return _sql(condition, column, bind), parameters


def to_sql_literal(condition: Condition, column: ColumnSql = sql.Identifier) -> sql.Composable:
    """The condition with its values written in, for constraints and indexes, which take no parameters.

    Execute it without parameters too: a % in a value would be taken for a placeholder beside others.
    """
    return _sql(condition, column, sql.Literal)


def _sql(condition: Condition, column: ColumnSql, bind: Callable[[Any], sql.Composable]) -> sql.Composable:
    if isinstance(condition, Test):
        return _test_sql(condition, column(condition.field), bind)
    if isinstance(condition, Box):
        return _box_sql(condition, column(condition.field), bind)
    if isinstance(condition, Not):
        return sql.SQL("({}) IS NOT TRUE").format(_sql(condition.part, column, bind))
    if not condition.parts:
        return sql.SQL("TRUE")
    joint = sql.SQL(" AND " if isinstance(condition, All) else " OR ")
    return sql.SQL("({})").format(joint.join(_sql(part, column, bind) for part in condition.parts))


_SYMBOLS = {"eq": "=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_IS_SQL = {"null": "IS NULL", "not_null": "IS NOT NULL", "true": "IS TRUE", "false": "IS FALSE"}


def _test_sql(test: Test, field: sql.Composable, bind: Callable[[Any], sql.Composable]) -> sql.Composable:
    if test.op == "is":
        return sql.SQL("{} {}").format(field, sql.SQL(_IS_SQL[test.value]))
    if test.op in ("in", "nin"):
        return _membership_sql(test, field, bind)
    if test.op == "contains" and test.kind is Kind.LIST:
        # tags are text[], refs and files are uuid[]: compared as texts, as the value was given
        return sql.SQL("{} = ANY({}::text[])").format(bind(test.value), field)
    if test.op == "contains":
        return sql.SQL("position(lower({}::text) in lower({})) > 0").format(bind(test.value), field)
    if test.op == "starts":
        return sql.SQL("{} ^@ {}").format(field, bind(test.value))
    if test.op == "ne":
        return sql.SQL("{} IS DISTINCT FROM {}").format(field, _typed(test.value, test.kind, bind))
    if test.kind is Kind.TEXT and test.op != "eq":
        return sql.SQL('{} COLLATE "C" {} {}').format(field, sql.SQL(_SYMBOLS[test.op]), bind(test.value))
    return sql.SQL("{} {} {}").format(field, sql.SQL(_SYMBOLS[test.op]), _typed(test.value, test.kind, bind))


def _box_sql(box: Box, field: sql.Composable, bind: Callable[[Any], sql.Composable]) -> sql.Composable:
    return sql.SQL(
        "(({at} -> 'lat')::float8 BETWEEN {south}::float8 AND {north}::float8 AND (({at} -> 'lng')::float8 >= {west}::float8 "
        + ("OR" if box.west > box.east else "AND")
        + " ({at} -> 'lng')::float8 <= {east}::float8))"
    ).format(at=field, south=bind(box.south), north=bind(box.north), west=bind(box.west), east=bind(box.east))


def _typed(value: Any, kind: Kind, bind: Callable[[Any], sql.Composable]) -> sql.Composable:
    return sql.SQL("{}::{}").format(bind(value), sql.SQL(SQL_TYPES[kind]))


def _membership_sql(test: Test, field: sql.Composable, bind: Callable[[Any], sql.Composable]) -> sql.Composable:
    values = [value for value in test.value if value is not None]
    found = sql.SQL("{} = ANY({}::{}[])").format(field, bind(values), sql.SQL(SQL_TYPES[test.kind]))
    if None in test.value:
        found = sql.SQL("({} OR {} IS NULL)").format(found, field)
    return sql.SQL("({}) IS NOT TRUE").format(found) if test.op == "nin" else found
