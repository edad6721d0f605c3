"""One site's rows out of a module's schema as a zip of JSON lines, back in, and away."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.errors import Invalid
from app.modules.storage.ddl import type_sql
from app.modules.storage.layout import Layout, TableLayout
from app.modules.storage.merge import align

FORMAT = 1
_BATCH = 500
_SERIES = {"name": "text", "value": "bigint"}
_HISTORY = {
    "id": "uuid", "batch": "uuid", "table_name": "text", "record_id": "uuid", "at": "timestamptz", "actor": "text",
    "op": "text", "before": "jsonb", "after": "jsonb",
}  # fmt: skip
_LINK = {"record_id": "uuid", "target_id": "uuid", "position": "integer"}


class ExportUnreadable(Invalid):
    """The file is not an export of this product."""

    code = "export_unreadable"


def enter_site(connection: psycopg.Connection, site_id: UUID) -> None:
    """Within this transaction: see one site's rows, with history, capacity and ledger out of the way."""
    connection.execute(
        "SELECT set_config('app.site_id', %s, true), set_config('app.maintenance', 'on', true)", [str(site_id)]
    )
    connection.execute("SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def snapshot(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction that sees all tables as they are now, and fails to change rows that others change meanwhile."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def export_site(
    connection: psycopg.Connection, *, schema: str, layout: Layout, site_id: UUID, into: IO[bytes], helpers: bool = True
) -> dict[str, int]:
    """Write one site's rows into a zip; returns {table: rows}. In the caller's snapshot(); holds a batch in memory.

    helpers: with numbers given so far and the history, which belong to a whole site.
    """
    counts: dict[str, int] = {}
    enter_site(connection, site_id)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as package:
        for name in _relations(layout, helpers=helpers):
            with package.open(f"{name}.jsonl", "w", force_zip64=True) as file:
                counts[name] = 0
                for row in _rows(connection, schema, name):
                    file.write(row.encode() + b"\n")
                    counts[name] += 1
        head = {"format": FORMAT, "layout": layout.to_dict(), "rows": counts}
        package.writestr("export.json", json.dumps(head))
    return counts


def import_site(
    connection: psycopg.Connection,
    *,
    schema: str,
    layout: Layout,
    site_id: UUID,
    source: IO[bytes],
    helpers: bool = True,
) -> dict[str, int]:
    """Put the rows of an export into the site, in one transaction; returns {table: rows}. Raises ExportUnreadable.

    Columns are found by the fields they held, whatever they are called by now; those nobody needs any more are left.
    """
    counts: dict[str, int] = {}
    with connection.transaction(), _opened(source) as package:
        exported = Layout.from_dict(_head(package)["layout"])
        enter_site(connection, site_id)
        for source_table in _sources(exported, layout, helpers=helpers):
            statement = _insert(schema, source_table)
            counts[source_table.name] = 0
            for lines in _batches(package, f"{source_table.exported}.jsonl"):
                connection.execute(statement, [site_id, "[" + ",".join(lines) + "]"])
                counts[source_table.name] += len(lines)
    return counts


def drop_site_rows(
    connection: psycopg.Connection, *, schema: str, layout: Layout, site_id: UUID, helpers: bool = True
) -> int:
    """Delete one site's rows from every table; returns how many. In the caller's transaction, as the owner."""
    enter_site(connection, site_id)
    deleted = 0
    for name in reversed(list(_relations(layout, helpers=helpers))):
        statement = sql.SQL("DELETE FROM {} WHERE site_id = %s").format(sql.Identifier(schema, name))
        deleted += connection.execute(statement, [site_id]).rowcount
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return deleted


def site_is_empty(connection: psycopg.Connection, *, schema: str, layout: Layout, site_id: UUID) -> bool:
    """Whether the site has no row in any table of the layout."""
    with connection.transaction():
        enter_site(connection, site_id)
        return not any(
            connection.execute(
                sql.SQL("SELECT 1 FROM {} WHERE site_id = %s LIMIT 1").format(sql.Identifier(schema, name)), [site_id]
            ).fetchone()
            for name in layout.physical
        )


def relations_of(layout: Layout) -> list[str]:
    """The tables of a layout with those behind refs fields, those that are referred to first."""
    return list(_relations(layout, helpers=False))


def _relations(layout: Layout, *, helpers: bool = True) -> Iterator[str]:
    """The names of all tables, those that are referred to first as far as that goes."""
    waiting = dict(layout.physical)
    while waiting:
        ready = [name for name, table in waiting.items() if not _targets_of(table) & (set(waiting) - {name})]
        for name in ready or list(waiting)[:1]:  # a circle is cut anywhere: references are checked at the end
            del waiting[name]
            yield name
    for table in layout.tables:
        yield from (link.name for link in table.links)
    if helpers:
        yield from ("_series", "_history")


def _targets_of(table: TableLayout) -> set[str]:
    return {reference.target for reference in table.references}


def _rows(connection: psycopg.Connection, schema: str, name: str) -> Iterator[str]:
    with connection.cursor(name="export") as cursor:
        cursor.itersize = _BATCH
        cursor.execute(sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(schema, name)))
        for (row,) in cursor:
            yield row


def _opened(source: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise ExportUnreadable() from error


def _head(package: zipfile.ZipFile) -> dict[str, Any]:
    try:
        head: dict[str, Any] = json.loads(package.read("export.json"))
    except (KeyError, ValueError) as error:
        raise ExportUnreadable() from error
    if head.get("format") != FORMAT:
        raise ExportUnreadable()
    return head


@dataclass(frozen=True, slots=True)
class _Source:
    """One file of an export and the table it goes to. columns: (name in the export, name now, SQL type)."""

    exported: str
    name: str
    columns: tuple[tuple[str, str, str], ...]


def _sources(exported: Layout, layout: Layout, *, helpers: bool) -> Iterator[_Source]:
    pairs = list(zip(exported.tables, align(layout, exported).tables, strict=True))
    now = layout.physical
    order = {name: place for place, name in enumerate(_relations(layout))}
    for old, new in sorted(pairs, key=lambda pair: order.get(pair[1].name, len(order))):
        if new.name in now:
            known = {column.name: column.type for column in now[new.name].writable if column.name != "site_id"}
            both = zip(old.columns, new.columns, strict=True)
            kept = [(a.name, b.name, known[b.name]) for a, b in both if b.name in known and not a.generated]
            yield _Source(old.name, new.name, tuple(kept))
    for old, new in pairs:
        links = {link.name for link in now[new.name].links} if new.name in now else set()
        for before, after in zip(old.links, new.links, strict=True):
            if after.name in links:
                yield _Source(before.name, after.name, _same(_LINK))
    if helpers:
        yield _Source("_series", "_series", _same(_SERIES))
        yield _Source("_history", "_history", _same(_HISTORY))


def _same(types: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, name, kind) for name, kind in types.items())


def _batches(package: zipfile.ZipFile, name: str) -> Iterator[list[str]]:
    with package.open(name) as file:
        while lines := [line.decode() for line in islice(file, _BATCH)]:
            yield lines


def _insert(schema: str, source: _Source) -> sql.Composed:
    """Rows as PostgreSQL wrote them go back as they are: no number passes through a float on the way."""
    return sql.SQL("INSERT INTO {} (site_id, {}) SELECT %s, {} FROM jsonb_to_recordset(%s::jsonb) AS r ({})").format(
        sql.Identifier(schema, source.name),
        sql.SQL(", ").join(sql.Identifier(now) for _, now, _ in source.columns),
        sql.SQL(", ").join(sql.Identifier("r", then) for then, _, _ in source.columns),
        sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(then), type_sql(kind)) for then, _, kind in source.columns
        ),
    )
