"""The typed tree of a formula."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from app.errors import Invalid
from app.modules.kinds import Kind

MAX_LENGTH = 2000
MAX_DEPTH = 100
MAX_NODES = 1000


class FormulaInvalid(Invalid):
    """The formula cannot be used."""

    code = "formula_invalid"

    def __init__(self, message: str, column: int, *, near: str = "") -> None:
        """`column` counts the formula's characters from 1; `near` is a misspelt name, for a suggestion."""
        super().__init__(f"{message} (column {column})")
        self.reason = message
        self.column = column
        self.near = near


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written in the formula; kind None is null."""

    value: int | Decimal | str | bool | None
    kind: Kind | None
    at: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the row."""

    name: str
    kind: Kind | None
    at: int


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation of operations.py on its arguments."""

    operation: str
    arguments: tuple[Node, ...]
    kind: Kind | None
    at: int


Node: TypeAlias = Constant | Field | Apply


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below."""
    return node.arguments if isinstance(node, Apply) else ()


def measure(node: Node) -> tuple[int, int]:
    """(nodes, depth) of a tree; counts a node below as often as it is used, as the SQL will repeat it."""
    count, depth = 1, 0
    level: tuple[Node, ...] = children(node)
    while level:
        count, depth = count + len(level), depth + 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            break
        level = tuple(below for above in level for below in children(above))
    return count, depth


def fields_in(node: Node) -> frozenset[str]:
    """The names of the fields a tree reads."""
    if isinstance(node, Field):
        return frozenset({node.name})
    return frozenset().union(*(fields_in(child) for child in children(node)))
