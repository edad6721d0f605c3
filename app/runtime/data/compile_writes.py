"""Writes as statements: one JSON parameter carries the values, the event is written by the statement itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import sql

from app.modules.manifest.fields import RefsField
from app.modules.storage.layout import Column
from app.runtime.data.access import Access, Surface
from app.runtime.data.compile import Statement, as_json, cached, document, own_rows
from app.runtime.data.model import TableModel
from app.runtime.data.sqltext import PARAM, commas, q

# Whoever receives an event sees what a secret key would: nothing private, no secret.
EVENT_ACCESS = Access(Surface.API)
FULL_ACCESS = Access(Surface.SYSTEM)


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a change is signed with. depth: how many hooks of events led to it. tells: whether anybody hears of it."""

    agency_id: UUID
    site_id: UUID
    install_id: UUID
    actor: str
    request_id: str
    depth: int
    tells: bool = True

    @property
    def values(self) -> list[Any]:
        return [self.agency_id, self.site_id, self.install_id, self.actor, self.request_id, self.depth]


EVENT_COLUMNS = sql.SQL("agency_id, site_id, install_id, actor, request_id, depth, type, subject, data")
STAMP = sql.SQL("$::uuid, $::uuid, $::uuid, $::text, $::text, $::smallint".replace("$", "{0}")).format(PARAM)


def telling(model: TableModel) -> sql.Composable:
    """What makes the SELECT after it write events. Nothing does on a trial: there the same SELECT tells nobody."""
    return q("INSERT INTO public.events ({})", EVENT_COLUMNS) if model.module.tells else sql.SQL("")


def columns_of(model: TableModel) -> tuple[Column, ...]:
    """The columns a new record is written to: those of this version's fields."""
    return tuple(column for column in model.layout.writable if column.fields)


def refs_of(model: TableModel) -> tuple[str, ...]:
    return tuple(name for name, field in model.spec.fields.items() if isinstance(field, RefsField))


def insert_statement(
    model: TableModel, access: Access, rows: Sequence[Mapping[str, Any]], stamp: Stamp, *, seen: bool
) -> Statement:
    """Rows (id, version, document text) in order. rows: values by field, each with its id. seen: the caller may read."""
    refs = refs_of(model)

    def build() -> sql.Composable:
        columns = columns_of(model)
        names = commas([sql.Identifier(column.name) for column in columns])
        record = [q("id uuid"), *(q("{} {}", sql.Identifier(one.name), sql.SQL(one.type)) for one in columns)]
        record += [q("{} jsonb", sql.Identifier(f"{name}__refs")) for name in refs]
        given = {name: q("coalesce(g.{}, '[]'::jsonb)", sql.Identifier(f"{name}__refs")) for name in refs}
        answer = document(model, access, None if seen else ("id",), given=given)
        return q(
            "WITH given AS MATERIALIZED (SELECT * FROM jsonb_to_recordset({p}::jsonb) AS r({record})), "
            "new AS (INSERT INTO {table} (id, site_id, created_by{comma}{names}) "
            "SELECT g.id, {p}::uuid, {p}::text{comma}{given} FROM given g RETURNING *){links}, "
            "told AS ({telling} SELECT {stamp}, {p}::text, t.id::text, "
            "jsonb_build_object('record', {event}) FROM new t{with_refs}) "
            "SELECT t.id, t.version, {answer}::text FROM new t{with_refs} ORDER BY t.id",
            p=PARAM,
            record=commas(record),
            table=model.sql,
            comma=sql.SQL(", " if columns else ""),
            names=names,
            given=commas([sql.Identifier("g", column.name) for column in columns]),
            links=sql.SQL("").join(_new_links(model, name) for name in refs),
            with_refs=sql.SQL(" JOIN given g USING (id)" if refs else ""),
            telling=telling(model),
            stamp=STAMP,
            event=as_json(document(model, EVENT_ACCESS, given=given)),
            answer=as_json(answer),
        )

    text = cached(model, ("insert", access.view, seen), build)
    linked = [stamp.site_id for _ in refs]
    values = [to_json(model, rows), stamp.site_id, stamp.actor, *linked, *stamp.values, model.created]
    return text, values


def _new_links(model: TableModel, name: str) -> sql.Composable:
    link = model.layout.link(name)
    assert link is not None
    return q(
        ", {cte} AS (INSERT INTO {link} (site_id, record_id, target_id, position) "
        "SELECT {p}::uuid, g.id, x.target::uuid, x.position FROM given g, "
        "jsonb_array_elements_text(g.{refs}) WITH ORDINALITY AS x(target, position))",
        cte=sql.Identifier(f"link_{name}"),
        link=model.relation(link.name),
        refs=sql.Identifier(f"{name}__refs"),
        p=PARAM,
    )


def lock_statement(model: TableModel, access: Access, site_id: UUID, record_id: UUID) -> Statement:
    """The whole record (text, version, a mark in time), locked until the transaction ends; none when it is not the caller's."""

    def build() -> sql.Composable:
        return q(
            "SELECT {doc}::text, t.version, uuidv7() FROM {table} t "
            "WHERE t.site_id = {p}::uuid AND t.id = {p}::uuid AND {rows} FOR UPDATE OF t",
            doc=as_json(document(model, FULL_ACCESS)), table=model.sql, p=PARAM, rows=own_rows(model, access),
        )  # fmt: skip

    return cached(model, ("lock", access.view), build), [site_id, record_id]


def relink_statements(
    model: TableModel, name: str, site_id: UUID, record_id: UUID, targets: Sequence[UUID]
) -> list[Statement]:
    """Give a refs field of one record these targets instead."""
    link = model.layout.link(name)
    assert link is not None
    table = model.relation(link.name)

    def clear() -> sql.Composable:
        return q("DELETE FROM {t} WHERE site_id = {p}::uuid AND record_id = {p}::uuid", t=table, p=PARAM)

    def fill() -> sql.Composable:
        return q(
            "INSERT INTO {t} (site_id, record_id, target_id, position) SELECT {p}::uuid, {p}::uuid, x.target, x.position "
            "FROM unnest({p}::uuid[]) WITH ORDINALITY AS x(target, position)",
            t=table, p=PARAM,
        )  # fmt: skip

    return [
        (cached(model, ("unlink", name), clear), [site_id, record_id]),
        (cached(model, ("link", name), fill), [site_id, record_id, list(targets)]),
    ]


def update_statement(
    model: TableModel, access: Access, record_id: UUID, values: Mapping[str, Any], stamp: Stamp, *, seen: bool
) -> Statement:
    """One row (id, version, document text). values: the changed fields, refs apart written already."""
    fields = tuple(name for name in values if model.layout.column(name) is not None)

    def build() -> sql.Composable:
        columns = [column for name in fields if (column := model.layout.column(name)) is not None]
        record = [q("{} {}", sql.Identifier(one.name), sql.SQL(one.type)) for one in columns] or [q("nothing int")]
        sets = [q("{0} = g.{0}", sql.Identifier(one.name)) for one in columns]
        return q(
            "WITH given AS (SELECT * FROM jsonb_to_recordset({p}::jsonb) AS r({record})), "
            "new AS (UPDATE {table} u SET {sets} FROM given g "
            "WHERE u.site_id = {p}::uuid AND u.id = {p}::uuid RETURNING u.*), "
            "told AS ({telling} SELECT {stamp}, {p}::text, t.id::text, "
            "jsonb_build_object('record', {event}, 'changed', {p}::jsonb) FROM new t) "
            "SELECT t.id, t.version, {answer}::text FROM new t",
            p=PARAM,
            record=commas(record),
            table=model.sql,
            sets=commas([*sets, sql.SQL("updated_at = now()"), sql.SQL("version = u.version + 1")]),
            telling=telling(model),
            stamp=STAMP,
            event=as_json(document(model, EVENT_ACCESS)),
            answer=as_json(document(model, access, None if seen else ("id",))),
        )

    text = cached(model, ("update", access.view, seen, fields), build)
    # receivers learn which fields changed, but not of those they may not see
    changed = [name for name in values if EVENT_ACCESS.sees(model.name, name, model.spec.fields[name])]
    data = to_json(model, [{name: values[name] for name in fields}])
    return text, [data, stamp.site_id, record_id, *stamp.values, model.updated, json.dumps(changed)]


def delete_statement(model: TableModel, record_id: UUID, stamp: Stamp) -> Statement:
    """One row (id) when it was there."""

    def build() -> sql.Composable:
        return q(
            "WITH gone AS (DELETE FROM {table} d WHERE d.site_id = {p}::uuid AND d.id = {p}::uuid RETURNING d.*), "
            "told AS ({telling} SELECT {stamp}, {p}::text, t.id::text, "
            "jsonb_build_object('record', {event}) FROM gone t) SELECT t.id FROM gone t",
            p=PARAM,
            table=model.sql,
            telling=telling(model),
            stamp=STAMP,
            event=as_json(document(model, EVENT_ACCESS)),
        )

    return cached(model, ("delete",), build), [stamp.site_id, record_id, *stamp.values, model.deleted]


def followed_statements(model: TableModel, record_id: UUID, mark: UUID, stamp: Stamp) -> list[Statement]:
    """Events of what a delete took with it: records that went by cascade, references that became empty.

    mark: a uuidv7 made by this connection just before; the history rows of the delete are younger.
    """
    found = []
    for child in dependents(model):
        text = cached(child, ("followed",), _Followed(child))
        place = [stamp.site_id, mark, child.layout.name, record_id]
        found.append((text, [*stamp.values, child.deleted, child.updated, *place]))
    return found


def dependents(model: TableModel) -> list[TableModel]:
    """The tables a delete may reach: by cascade through any number of them, or by emptying a reference."""
    found: dict[str, TableModel] = {}
    waiting = [model]
    while waiting:
        parent = waiting.pop()
        for child in model.module.tables.values():
            ways = {one.on_delete for one in child.layout.references if one.target == parent.layout.name}
            if "cascade" in ways and child.name not in found:
                waiting.append(child)
            if ways & {"cascade", "set_null"}:
                found[child.name] = child
    return list(found.values())


@dataclass(frozen=True)
class _Followed:
    child: TableModel

    def __call__(self) -> sql.Composable:
        """Read back from the history that the triggers wrote."""
        child = self.child
        emptied = [
            q(
                "CASE WHEN h.before ->> {0} IS NOT NULL AND h.after ->> {0} IS NULL THEN {1} END",
                sql.Literal(one.column),
                sql.Literal(child.layout.physical[one.column].fields[0]),
            )
            for one in child.layout.references
        ]
        return q(
            "{telling} SELECT {stamp}, "
            "CASE h.op WHEN 'delete' THEN {p}::text ELSE {p}::text END, h.record_id::text, "
            "jsonb_build_object('record', {event}) || CASE h.op WHEN 'delete' THEN '{{}}'::jsonb "
            "ELSE jsonb_build_object('changed', to_jsonb(array_remove(ARRAY[{emptied}]::text[], NULL))) END "
            "FROM {history} h, jsonb_populate_record(NULL::{table}, coalesce(h.after, h.before)) t "
            "WHERE h.site_id = {p}::uuid AND h.id > {p}::uuid AND h.table_name = {p}::text AND h.record_id <> {p}::uuid",
            telling=telling(child),
            stamp=STAMP,
            p=PARAM,
            event=as_json(document(child, EVENT_ACCESS)),
            emptied=commas(emptied),
            history=child.relation("_history"),
            table=child.sql,
        )


def series_statement(model: TableModel, site_id: UUID, name: str, start: int, count: int) -> Statement:
    """One row (last number given). The row stays locked until the transaction ends, so a number is never lost."""

    def build() -> sql.Composable:
        return q(
            "INSERT INTO {series} AS s (site_id, name, value) VALUES ({p}::uuid, {p}::text, {p}::bigint) "
            "ON CONFLICT (site_id, name) DO UPDATE SET value = s.value + {p}::bigint RETURNING s.value",
            series=model.relation("_series"), p=PARAM,
        )  # fmt: skip

    return cached(model, ("series",), build), [site_id, name, start + count - 1, count]


def event_statement(stamp: Stamp, event: str, subject: str, data: Any) -> Statement:
    """An event of the module's own; on a trial a statement that does nothing."""
    if not stamp.tells:
        return "SELECT", []
    text = (
        "INSERT INTO public.events (agency_id, site_id, install_id, actor, request_id, depth, type, subject, data) "
        "VALUES ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::smallint, $7::text, $8::text, $9::jsonb)"
    )
    return text, [*stamp.values, event, subject, json.dumps(data)]


def to_json(model: TableModel, rows: Sequence[Mapping[str, Any]]) -> str:
    """Values by field as a JSON array of records by column."""
    return json.dumps([_by_column(model, row) for row in rows], default=plain)


def _by_column(model: TableModel, row: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, value in row.items():
        column = model.layout.column(name)
        found[column.name if column else f"{name}__refs"] = value
    return found


def plain(value: Any) -> Any:
    """For json.dumps: what JSON has no type for."""
    if isinstance(value, (UUID, Decimal)):
        return str(value)  # a text keeps every digit; PostgreSQL reads it as the column's type
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    raise TypeError(type(value).__name__)
