"""Statements as text with numbered parameters, rendered once per shape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import sql


def render(part: sql.Composable) -> str:
    """The SQL with $1, $2 … for its placeholders, in their order. Percent signs of literals stay as they are."""
    number = 0
    pieces: list[str] = []
    for leaf in _leaves(part):
        if isinstance(leaf, sql.Placeholder):
            number += 1
            pieces.append(f"${number}")
        else:
            pieces.append(leaf.as_string(None))
    return "".join(pieces)


def _leaves(part: sql.Composable) -> Iterator[sql.Composable]:
    if isinstance(part, sql.Composed):
        for inner in part:
            yield from _leaves(inner)
    else:
        yield part


def q(text: str, *parts: Any, **named: Any) -> sql.Composed:
    """sql.SQL(text).format(…); `text` is always a constant of this package."""
    return sql.SQL(text).format(*parts, **named)


def commas(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)


PARAM = sql.Placeholder()
