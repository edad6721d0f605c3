"""The record before and the record after one, in the order of the list it was opened from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.runtime.data import keyset
from app.runtime.query import Query, Sort
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.listing import ListState

Neighbour = tuple[str, str] | None
"""(id, title)."""


def neighbours(desk: Desk, state: ListState, record: Mapping[str, Any]) -> tuple[Neighbour, Neighbour]:
    """The one before and the one after, also of a record that is not there any more. One round trip each."""
    record = _flat(record)
    query = replace(state.query, limit=1, count=False, cursor="", fields=None, expand=())
    turned = replace(query, sort=tuple(Sort(one.field, not one.descending) for one in query.sort))
    return _after(desk, state, turned, record, back=True), _after(desk, state, query, record, back=False)


def _after(desk: Desk, state: ListState, query: Query, record: Mapping[str, Any], *, back: bool) -> Neighbour:
    table = state.screen.table
    names = [one.field for one in query.sort if one.field != "id"]
    values = [record.get(name) for name in names]
    if back and any(value is None for value in values):
        return None  # records without a value stand last in both orders, so going back through them is not the way
    model = desk.data.model.tables[table]
    texts = [_text(value) for value in values]
    cursor = keyset.encode_cursor(keyset.fingerprint(model, query), [*texts, str(record["id"])])
    rows = desk.data.list(table, replace(query, cursor=cursor)).records
    if not rows or (back and any(rows[0].get(name) is None for name in names)):
        return None
    return rows[0]["id"], title(desk, table, rows[0])


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """With expanded references as ids again."""
    return {
        name: value["id"] if isinstance(value, dict) and "id" in value and "version" in value else value
        for name, value in values.items()
    }


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
