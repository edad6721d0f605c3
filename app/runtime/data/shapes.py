"""What of a condition shapes a statement, and what are only its parameters: the same walk as conditions.to_sql()."""

from __future__ import annotations

from typing import Any

from app.modules.conditions import All, AnyOf, Box, Condition, Not, Test


def shape_of(condition: Condition) -> object:
    """Equal for conditions whose SQL differs only in parameters."""
    if isinstance(condition, Test):
        if condition.op == "is":
            return (condition.field, "is", condition.value)
        return (condition.field, condition.op, condition.op in ("in", "nin") and None in condition.value)
    if isinstance(condition, Box):
        return (condition.field, "box", condition.west > condition.east)
    if isinstance(condition, Not):
        return ("not", shape_of(condition.part))
    return (type(condition).__name__, *(shape_of(part) for part in condition.parts))


def values_of(condition: Condition) -> list[Any]:
    """The parameters of a condition, in the order of conditions.to_sql()."""
    found: list[Any] = []
    _collect(condition, found)
    return found


def _collect(condition: Condition, found: list[Any]) -> None:
    if isinstance(condition, Test):
        if condition.op in ("in", "nin"):
            found.append([value for value in condition.value if value is not None])
        elif condition.op != "is":
            found.append(condition.value)
    elif isinstance(condition, Box):
        found += [condition.south, condition.north, condition.west, condition.east]
    elif isinstance(condition, Not):
        _collect(condition.part, found)
    else:
        assert isinstance(condition, (All, AnyOf))
        for part in condition.parts:
            _collect(part, found)
