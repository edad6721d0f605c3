"""Undoing a batch from the history its triggers wrote: what was deleted comes back, what was changed is as before."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from app.errors import Conflict
from app.runtime.data.compile import Statement, as_json, cached, document
from app.runtime.data.compile_writes import EVENT_ACCESS, STAMP, Stamp, telling
from app.runtime.data.model import TableModel
from app.runtime.data.sqltext import PARAM, commas, q

HISTORY = (
    "SELECT table_name, record_id, op, before, after FROM {history} "
    "WHERE site_id = {p}::uuid AND batch = {p}::uuid ORDER BY id DESC LIMIT 5001"
)
MOST = 5000
UNTOUCHED = frozenset({"version", "updated_at"})


class ChangedSince(Conflict):
    """Some of these records were changed since. Undo those changes first."""

    code = "changed_since"


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the history. table: physical."""

    table: str
    record_id: UUID
    op: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def history_statement(model: TableModel, site_id: UUID, batch: UUID) -> Statement:
    """The changes of a batch, last first."""

    def build() -> sql.Composable:
        return q(HISTORY, history=model.relation("_history"), p=PARAM)

    return cached(model, ("history",), build), [site_id, batch]


def begin_statements() -> list[Statement]:
    """Order does not matter inside: references are checked when all is back."""
    return [("SET CONSTRAINTS ALL DEFERRED", []), ("SELECT set_config('app.restoring', 'on', true)", [])]


def end_statements() -> list[Statement]:
    return [("SET CONSTRAINTS ALL IMMEDIATE", []), ("SELECT set_config('app.restoring', '', true)", [])]


def bring_back(model: TableModel, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Statement:
    """Deleted records again, with a new version; rows (id)."""

    def build() -> sql.Composable:
        names = [sql.Identifier(name) for name in columns if name not in UNTOUCHED]
        return q(
            "INSERT INTO {table} ({names}, version, updated_at) SELECT {names}, version + 1, now() "
            "FROM jsonb_populate_recordset(NULL::{table}, {p}::jsonb) RETURNING id",
            table=model.sql, names=commas(list(names)), p=PARAM,
        )  # fmt: skip

    return cached(model, ("bring back", tuple(columns)), build), [json.dumps(list(rows))]


def bring_back_links(model: TableModel, link: str, rows: Sequence[Mapping[str, Any]]) -> Statement:
    """Deleted links again; a link that came back by itself stays."""

    def build() -> sql.Composable:
        names = sql.SQL("site_id, record_id, target_id, position")
        return q(
            "INSERT INTO {table} ({names}) SELECT {names} FROM jsonb_populate_recordset(NULL::{table}, {p}::jsonb) "
            "ON CONFLICT DO NOTHING RETURNING record_id",
            table=model.relation(link), names=names, p=PARAM,
        )  # fmt: skip

    return cached(model, ("bring back link", link), build), [json.dumps(list(rows))]


def put_back(model: TableModel, change: Change, generated: frozenset[str]) -> Statement | None:
    """The values a change took, when what it wrote is still there; row (id)."""
    before, after = change.before or {}, change.after or {}
    names = tuple(
        sorted(name for name in before if before[name] != after.get(name) and name not in UNTOUCHED | generated)
    )
    if not names:
        return None

    def build() -> sql.Composable:
        sets = [q("{0} = b.{0}", sql.Identifier(name)) for name in names]
        same = [q("t.{0} IS NOT DISTINCT FROM a.{0}", sql.Identifier(name)) for name in names]
        return q(
            "UPDATE {table} t SET {sets}, version = t.version + 1, updated_at = now() "
            "FROM jsonb_populate_record(NULL::{table}, {p}::jsonb) b, jsonb_populate_record(NULL::{table}, {p}::jsonb) a "
            "WHERE t.site_id = b.site_id AND t.id = b.id AND {same} RETURNING t.id",
            table=model.sql, sets=commas(list(sets)), same=sql.SQL(" AND ").join(same), p=PARAM,
        )  # fmt: skip

    return cached(model, ("put back", names), build), [json.dumps(before), json.dumps(after)]


def take_away(model: TableModel, change: Change) -> Statement:
    """A record that was made, gone again when nobody changed it since; row (id)."""

    def build() -> sql.Composable:
        return q(
            "DELETE FROM {table} t WHERE t.site_id = {p}::uuid AND t.id = {p}::uuid AND t.version = {p}::integer RETURNING t.id",
            table=model.sql, p=PARAM,
        )  # fmt: skip

    after = change.after or {}
    return cached(model, ("take away",), build), [after["site_id"], change.record_id, after["version"]]


def told_statement(model: TableModel, event: str, ids: Sequence[UUID], stamp: Stamp) -> Statement:
    """An event for each of these records as they are now."""

    def build() -> sql.Composable:
        return q(
            "{telling} SELECT {stamp}, {p}::text, t.id::text, "
            "jsonb_build_object('record', {event}, 'restored', true) FROM {table} t "
            "WHERE t.site_id = {p}::uuid AND t.id = ANY({p}::uuid[])",
            telling=telling(model), stamp=STAMP, event=as_json(document(model, EVENT_ACCESS)), table=model.sql, p=PARAM,
        )  # fmt: skip

    return cached(model, ("restored",), build), [*stamp.values, event, stamp.site_id, list(ids)]


def told_gone_statement(model: TableModel, change: Change, stamp: Stamp) -> Statement:
    """The event of a record that is gone again."""

    def build() -> sql.Composable:
        return q(
            "{telling} SELECT {stamp}, {p}::text, t.id::text, "
            "jsonb_build_object('record', {event}, 'restored', true) FROM jsonb_populate_record(NULL::{table}, {p}::jsonb) t",
            telling=telling(model), stamp=STAMP, event=as_json(document(model, EVENT_ACCESS)), table=model.sql, p=PARAM,
        )  # fmt: skip

    return cached(model, ("restored gone",), build), [*stamp.values, model.deleted, json.dumps(change.after)]


def by_table(changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.table].append(change)
    return found
