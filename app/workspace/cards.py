"""Records as cards: their title, and those of their fields that have a value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.workspace.cells import Cell, cell, title
from app.workspace.desk import Desk
from app.workspace.labels import field_label

PLAIN = frozenset(
    {"status", "ref", "refs", "person", "money", "tags", "text", "lines", "email", "phone", "url", "files", "rich"}
)
"""Looks of values that say by themselves what they are; the others stand beside their label on a card."""


@dataclass(frozen=True, slots=True)
class Card:
    """A record as a card. facts: (label, whether it is shown, cell) of its fields that have a value."""

    id: str
    title: str
    version: int
    facts: tuple[tuple[str, bool, Cell], ...]


def cards_of(
    desk: Desk, table: str, names: Iterable[str], rows: Iterable[dict[str, Any]], *, without: Iterable[str] = ()
) -> tuple[Card, ...]:
    """Records as cards. names: the fields on them; without: those that the place of the card already says."""
    left_out = {desk.table(table).title_field, *without}
    shown = [name for name in names if name not in left_out]
    return tuple(_card(desk, table, shown, row) for row in rows)


def _card(desk: Desk, table: str, names: list[str], row: dict[str, Any]) -> Card:
    cells = [(field_label(desk.table(table), name), cell(desk, table, name, row)) for name in names]
    facts = tuple((label, one.look not in PLAIN, one) for label, one in cells if not one.empty)
    return Card(str(row["id"]), title(desk, table, row), row["version"], facts)
