"""Inboxes: the list of one, and the record that is chosen in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.modules.conditions import All, Test
from app.modules.kinds import Kind
from app.modules.manifest.views import InboxView
from app.workspace.cards import Card, cards_of
from app.workspace.cells import Cell, text_of
from app.workspace.desk import Desk
from app.workspace.listing import ListState, expandable, page_of

_LINKED = frozenset({"ref", "refs", "email", "phone", "url", "files"})
_MOMENTS = ("datetime", "date")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in the list: its card without links, for all of it is one. when: (label, moment) for its corner."""

    card: Card
    when: tuple[str, Cell] | None


@dataclass(frozen=True, slots=True)
class Inbox:
    """The list of an inbox. count: of all records, none after the first page."""

    view: InboxView
    entries: tuple[Entry, ...]
    count: int | None
    next_cursor: str


def read_inbox(desk: Desk, view: InboxView, state: ListState) -> tuple[Inbox, ListState]:
    """A page of the list as somebody sees it, and from where it is. One round trip for any number of records."""
    found, state = page_of(desk, state)
    cards = cards_of(desk, view.table, state.columns, found.records)
    return Inbox(view, tuple(map(entry_of, cards)), found.count, found.next_cursor), state


def entry_of(card: Card) -> Entry:
    """A card as a line of the list: the first moment among its facts stands by itself, and nothing leads elsewhere."""
    moment = next((fact for fact in card.facts if fact[2].look in _MOMENTS), None)
    facts = tuple((label, named, _plain(cell)) for label, named, cell in card.facts if (label, named, cell) != moment)
    return Entry(replace(card, facts=facts), (moment[0], moment[2]) if moment else None)


def _plain(cell: Cell) -> Cell:
    return Cell("text", text_of(cell)) if cell.look in _LINKED else cell


def find_record(desk: Desk, state: ListState, record_id: str) -> dict[str, Any] | None:
    """A record with the references its panels name, where it is among those of a list. One round trip."""
    try:
        wanted = UUID(record_id)
    except ValueError:
        return None
    table = state.screen.table
    query = replace(
        state.query,
        where=All((state.query.where, Test("id", "eq", wanted, Kind.UUID))),
        expand=expandable(desk, table, tuple(desk.table(table).fields)),
        limit=1,
        cursor="",
        count=False,
    )
    return next(iter(desk.data.list(table, query).records), None)
