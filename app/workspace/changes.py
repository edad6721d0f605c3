"""The history of a record in words: who, when, which field from what to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.modules.manifest.fields import RefField
from app.runtime.data.history import HistoryEntry
from app.workspace.cells import Cell, cell_of, text_of
from app.workspace.desk import Desk
from app.workspace.facets import record_options
from app.workspace.labels import field_label

_WORDS = {"insert": "created it", "delete": "deleted it", "restore": "brought it back", "update": "changed it"}
_ICONS = {"insert": "plus", "delete": "trash-2", "restore": "rotate-ccw", "update": "pencil"}


@dataclass(frozen=True, slots=True)
class Step:
    """One field of a change. before and after: None where only the fact is told (a secret, a long text)."""

    label: str
    before: Cell | None
    after: Cell | None


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history."""

    who: str
    did: str
    icon: str
    at: datetime
    steps: tuple[Step, ...]


def events(desk: Desk, table: str, entries: Iterable[HistoryEntry], record: Mapping[str, Any]) -> list[Event]:
    """Entries in words, newest first. References are named in one further round trip for each table referred to."""
    entries = list(entries)
    names = _names(desk, table, entries)
    return [_event(desk, table, entry, record, names) for entry in entries]


def _event(desk: Desk, table: str, entry: HistoryEntry, record: Mapping[str, Any], names: Mapping[str, str]) -> Event:
    steps = tuple(_step(desk, table, name, pair, record, names) for name, pair in entry.changes.items())
    return Event(desk.actor_name(entry.actor), _WORDS[entry.op], _ICONS[entry.op], entry.at, steps)


def _step(
    desk: Desk, table: str, name: str, pair: tuple[Any, Any], record: Mapping[str, Any], names: Mapping[str, str]
) -> Step:
    field = desk.table(table).fields[name]
    label = field_label(desk.table(table), name)
    if field.type in ("secret", "json", "hours", "richtext"):
        return Step(label, None, None)
    cells = [_cell(desk, table, name, value, record, names) for value in pair]
    if any(len(text_of(one)) > 120 for one in cells):
        return Step(label, None, None)
    return Step(label, cells[0], cells[1])


def _cell(desk: Desk, table: str, name: str, value: Any, record: Mapping[str, Any], names: Mapping[str, str]) -> Cell:
    field = desk.table(table).fields[name]
    if isinstance(field, RefField) and value is not None:
        return Cell("text", names.get(str(value), "a record that is gone"))
    return cell_of(desk, table, name, value, record)


def _names(desk: Desk, table: str, entries: list[HistoryEntry]) -> dict[str, str]:
    """{id: title} of the records that changed references lead to."""
    wanted: dict[str, set[str]] = {}
    for entry in entries:
        for name, pair in entry.changes.items():
            field = desk.table(table).fields[name]
            if isinstance(field, RefField):
                wanted.setdefault(field.to, set()).update(str(value) for value in pair if value is not None)
    found: dict[str, str] = {}
    for target, ids in wanted.items():
        found |= dict(record_options(desk, target, ids=sorted(ids))[0]) if ids else {}
    return found
