"""What happened to one record, from the history its triggers wrote: in fields of this version, not in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import sql

from app.runtime.data.access import Access
from app.runtime.data.compile import Statement, cached, own_rows
from app.runtime.data.model import TableModel
from app.runtime.data.sqltext import PARAM, q


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change. op: insert, update, delete or restore; actor: usr_…, key_…, visitor, job:… or system.

    changes: {field: (before, after)} of an update, values as JSON; of a secret only that it changed.
    """

    at: datetime
    actor: str
    op: str
    batch: UUID
    changes: dict[str, tuple[Any, Any]]


def history_of_record(model: TableModel, access: Access, site_id: UUID, record_id: UUID, limit: int) -> Statement:
    """Rows (at, actor, op, batch, before, after), newest first; none for a record the caller may not see."""

    def build() -> sql.Composable:
        return q(
            "SELECT h.at, h.actor, h.op, h.batch, h.before, h.after FROM {history} h "
            "WHERE h.site_id = {p}::uuid AND h.table_name = {p}::text AND h.record_id = {p}::uuid AND EXISTS ("
            "SELECT FROM {table} t WHERE t.site_id = h.site_id AND t.id = h.record_id AND {rows}) "
            "ORDER BY h.id DESC LIMIT {p}::integer",
            history=model.relation("_history"), table=model.sql, rows=own_rows(model, access), p=PARAM,
        )  # fmt: skip

    text = cached(model, ("history of record", access.view), build)
    return text, [site_id, model.layout.name, record_id, limit]


def entry_of(model: TableModel, access: Access, row: tuple[Any, ...]) -> HistoryEntry:
    """One row of history_of_record()."""
    at, actor, op, batch, before, after = row
    return HistoryEntry(at, actor, op, batch, _changes(model, access, before, after) if op == "update" else {})


def _changes(
    model: TableModel, access: Access, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> dict[str, tuple[Any, Any]]:
    old, new = before or {}, after or {}
    found = {}
    for name, field in model.visible(access).items():
        column = model.layout.column(name)
        if column is None or column.generated or old.get(column.name) == new.get(column.name):
            continue
        sealed = field.type == "secret"
        found[name] = (None, None) if sealed else (old.get(column.name), new.get(column.name))
    return found
