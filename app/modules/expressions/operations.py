"""What a formula may do. Each operation has its SQL and its Python next to each other; tests run both and compare.

Numbers are numeric in SQL and int or Decimal in Python, so nothing overflows on the way. Every piece of SQL here is
IMMUTABLE in PostgreSQL, so that a formula can be a stored generated column. Division by zero gives null, division is
rounded to 10 digits after the point. `strict` operations give null for any null argument, as in SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

DIVISION = Decimal("1e-10")


@dataclass(frozen=True, slots=True)
class Operation:
    """SQL with {0}, {1} … for the arguments, or {all} for all of them; and what it does in Python."""

    sql: str
    python: Callable[..., Any]
    strict: bool = True


def divide(left: Any, right: Any) -> Decimal | None:
    if right == 0:
        return None
    return (Decimal(left) / Decimal(right)).quantize(DIVISION, ROUND_HALF_UP)


def _modulo(left: Any, right: Any) -> Decimal | int | None:
    if right == 0:
        return None
    rest = Decimal(left) % Decimal(right)  # takes the sign of the left side, as PostgreSQL does
    return int(rest) if isinstance(left, int) and isinstance(right, int) else rest


def _whole(rounding: str) -> Callable[[Any], int]:
    return lambda value: int(Decimal(value).to_integral_value(rounding))


def _round_to(value: Any, digits: int) -> Decimal:
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _seconds_between(later: datetime, earlier: datetime) -> int:
    gap = later - earlier
    whole = abs(gap) // timedelta(seconds=1)
    return whole if gap >= timedelta(0) else -whole


def _and(*values: bool | None) -> bool | None:
    return False if False in values else None if None in values else True


def _or(*values: bool | None) -> bool | None:
    return True if True in values else None if None in values else False


def _known(values: tuple[Any, ...]) -> list[Any]:
    return [value for value in values if value is not None]


def _case(*parts: Any) -> Any:
    """when, then, when, then, …, else."""
    pairs = zip(parts[:-1:2], parts[1::2], strict=True)
    return next((result for test, result in pairs if test is True), parts[-1])


def _shift(seconds_sql: str) -> str:
    # timestamptz + interval is only STABLE; through a timestamp in UTC it is IMMUTABLE and exact
    return (
        f"((({{0}} AT TIME ZONE 'UTC') + make_interval(secs => ({seconds_sql})::double precision)) AT TIME ZONE 'UTC')"
    )


# "+ 0.000000000000" raises the scale PostgreSQL divides with; without it large quotients keep 4 digits or fewer.
_DIVIDE = "round(({0} + 0.000000000000) / nullif({1}, 0), 10)"

OPERATIONS: dict[str, Operation] = {
    "negate": Operation("(- {0})", lambda a: -a),
    "add": Operation("({0} + {1})", lambda a, b: a + b),
    "subtract": Operation("({0} - {1})", lambda a, b: a - b),
    "multiply": Operation("({0} * {1})", lambda a, b: a * b),
    "divide": Operation(_DIVIDE, divide),
    "modulo": Operation("mod({0}, nullif({1}, 0))", _modulo),
    "join": Operation("({0} || {1})", lambda a, b: a + b),
    "=": Operation("({0} = {1})", lambda a, b: a == b),
    "<>": Operation("({0} <> {1})", lambda a, b: a != b),
    "<": Operation("({0} < {1})", lambda a, b: a < b),
    "<=": Operation("({0} <= {1})", lambda a, b: a <= b),
    ">": Operation("({0} > {1})", lambda a, b: a > b),
    ">=": Operation("({0} >= {1})", lambda a, b: a >= b),
    # texts are ordered by code point, whatever the collation of the database
    "text <": Operation('({0} COLLATE "C" < {1})', lambda a, b: a < b),
    "text <=": Operation('({0} COLLATE "C" <= {1})', lambda a, b: a <= b),
    "text >": Operation('({0} COLLATE "C" > {1})', lambda a, b: a > b),
    "text >=": Operation('({0} COLLATE "C" >= {1})', lambda a, b: a >= b),
    "and": Operation("({all: AND })", _and, strict=False),
    "or": Operation("({all: OR })", _or, strict=False),
    "not": Operation("(NOT {0})", lambda a: not a),
    "is null": Operation("({0} IS NULL)", lambda a: a is None, strict=False),
    "is not null": Operation("({0} IS NOT NULL)", lambda a: a is not None, strict=False),
    "case": Operation("{case}", _case, strict=False),
    "coalesce": Operation("coalesce({all:, })", lambda *v: next(iter(_known(v)), None), strict=False),
    "nullif": Operation("nullif({0}, {1})", lambda a, b: None if a == b else a, strict=False),
    "least": Operation("least({all:, })", lambda *v: min(_known(v), default=None), strict=False),
    "greatest": Operation("greatest({all:, })", lambda *v: max(_known(v), default=None), strict=False),
    "concat": Operation("({concat})", lambda *v: "".join(_known(v)), strict=False),
    "abs": Operation("abs({0})", abs),
    "round": Operation("round({0})", _whole(ROUND_HALF_UP)),
    "round to": Operation("round({0}, ({1})::integer)", _round_to),
    "floor": Operation("floor({0})", _whole(ROUND_FLOOR)),
    "ceil": Operation("ceil({0})", _whole(ROUND_CEILING)),
    "lower": Operation("lower({0})", str.lower),
    "upper": Operation("upper({0})", str.upper),
    "trim": Operation("btrim({0})", lambda a: a.strip(" ")),
    "length": Operation("length({0})::numeric", len),
    "text": Operation("({0})::bigint::text", str),
    "date + days": Operation("({0} + ({1})::integer)", lambda a, b: a + timedelta(days=b)),
    "date - days": Operation("({0} - ({1})::integer)", lambda a, b: a - timedelta(days=b)),
    "date - date": Operation("({0} - {1})::numeric", lambda a, b: (a - b).days),
    "moment + duration": Operation(_shift("{1}"), lambda a, b: a + timedelta(seconds=b)),
    "moment - duration": Operation(_shift("- {1}"), lambda a, b: a - timedelta(seconds=b)),
    "moment - moment": Operation("trunc(extract(epoch FROM ({0} - {1})))", _seconds_between),
    "date of moment": Operation("({0} AT TIME ZONE 'UTC')::date", lambda a: a.astimezone(UTC).date()),
    "year": Operation("extract(year FROM {0})", lambda a: a.year),
    "month": Operation("extract(month FROM {0})", lambda a: a.month),
    "day": Operation("extract(day FROM {0})", lambda a: a.day),
    "weekday": Operation("extract(isodow FROM {0})", lambda a: a.isoweekday()),
}
