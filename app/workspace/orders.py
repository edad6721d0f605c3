"""The orders that somebody chooses from where there are no headings of columns to click on."""

from __future__ import annotations

from collections.abc import Iterator

from app.modules.kinds import NUMBERS, Kind
from app.workspace.desk import Desk
from app.workspace.labels import field_label
from app.workspace.listing import ListState
from app.workspace.screens import sortable

USUAL = ("", "Usual order")
NEWEST = "-created_at"
_WORDS = {
    Kind.TEXT: ("A to Z", "Z to A"),
    Kind.DATE: ("earliest first", "latest first"),
    Kind.DATETIME: ("earliest first", "latest first"),
    Kind.DURATION: ("shortest first", "longest first"),
    **dict.fromkeys(NUMBERS, ("lowest first", "highest first")),
}
_UNORDERED = ("enum", "color", "rrule", "number")
"""Types whose values are stored as something whose order means nothing to people, or what their making says already."""


def orders(desk: Desk, state: ListState) -> tuple[list[tuple[str, str]], str]:
    """([(key, label)], the key that is on) of what a view shows of its records; "" for the order of the manifest."""
    own = state.screen.sort
    found = [(NEWEST, "Newest first"), ("created_at", "Oldest first")]
    for name in dict.fromkeys([desk.table(state.screen.table).title_field, *state.screen.columns]):
        found += _both_ways(desk, state.screen.table, name) if name else ()
    keys = [f"-{one.field}" if one.descending else one.field for one in own] or [NEWEST]
    if len(keys) > 1 or keys[0] not in dict(found):
        found.insert(0, USUAL)
        keys = [USUAL[0]]
    return found, keys[0] if state.sort == own or (not own and state.sort_key == NEWEST) else state.sort_key


def _both_ways(desk: Desk, table: str, name: str) -> Iterator[tuple[str, str]]:
    field = desk.table(table).fields.get(name)
    if field is None or field.type in _UNORDERED or not sortable(desk, table, name):
        return
    ways = _WORDS.get(desk.data.model.tables[table].columns[name].kind)
    if ways:
        label = field_label(desk.table(table), name)
        yield name, f"{label}, {ways[0]}"
        yield f"-{name}", f"{label}, {ways[1]}"
