"""The rows of one site in a module's tables: put away into storage, brought back, filled with new defaults. As the owner."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.lib.storage import storage
from app.modules.kinds import Kind
from app.modules.manifest import Manifest
from app.modules.storage.export import drop_site_rows, enter_site, export_site, import_site, site_is_empty, snapshot
from app.modules.storage.layout import Layout, TableLayout
from app.modules.storage.plan import Loss
from app.modules.values import WrongValue, read_value

log = logging.getLogger(__name__)


def put_away(
    owner: psycopg.Connection,
    *,
    schema: str,
    layout: Layout,
    site_id: UUID,
    name: str,
    exported: Callable[[], None] = lambda: None,
) -> None:
    """Copy a site's rows to storage and delete them, in one transaction: rows changed meanwhile make it fail, not lie.

    A copy that is there while the site has no rows was made by a run that ended too soon after; it stays.
    """
    if storage().exists(name) and site_is_empty(owner, schema=schema, layout=layout, site_id=site_id):
        return
    with snapshot(owner):
        with storage().writing(name) as file:
            export_site(owner, schema=schema, layout=layout, site_id=site_id, into=file)
        exported()
        drop_site_rows(owner, schema=schema, layout=layout, site_id=site_id)


def bring_back(owner: psycopg.Connection, *, schema: str, layout: Layout, site_id: UUID, name: str) -> None:
    """Put the rows of a copy back; done already when the site has rows. Raises ObjectMissing, ExportUnreadable."""
    if not site_is_empty(owner, schema=schema, layout=layout, site_id=site_id):
        return
    with storage().reading(name) as file:
        import_site(owner, schema=schema, layout=layout, site_id=site_id, source=file)


def used_options(owner: psycopg.Connection, *, schema: str, site_id: UUID, lost: Sequence[Loss]) -> list[str]:
    """The options among the losses that a site's records have, in words with how many."""
    found = []
    with owner.transaction():
        enter_site(owner, site_id)
        for one in lost:
            if one.kind != "option":
                continue
            statement = sql.SQL(
                "SELECT count(*) FROM {} WHERE site_id = %s AND to_jsonb({}) @> to_jsonb(%s::text)"
            ).format(sql.Identifier(schema, one.table), sql.Identifier(one.column))
            row = owner.execute(statement, [site_id, one.value]).fetchone()
            if row and row[0]:
                records = "1 record has" if row[0] == 1 else f"{row[0]} records have"
                found.append(f'{records} "{one.value}" as {one.column}')
    return found


def drop_hidden(owner: psycopg.Connection, *, schema: str, layout: Layout, seen: Layout, site_id: UUID) -> None:
    """Delete what a site has in tables and columns that its version does not see, in one transaction."""
    with owner.transaction():
        enter_site(owner, site_id)
        for name, table in layout.physical.items():
            mine = seen.physical.get(name)
            if mine is None:
                _delete(owner, schema, name, site_id)
                continue
            links = {link.name for link in mine.links}
            for link in table.links:
                if link.name not in links:
                    _delete(owner, schema, link.name, site_id)
            hidden = [
                column.name
                for column in table.columns
                if column.fields and not column.generated and column.name not in mine.physical
            ]
            if hidden:
                _empty(owner, schema, name, hidden, site_id)


def _delete(owner: psycopg.Connection, schema: str, name: str, site_id: UUID) -> None:
    owner.execute(sql.SQL("DELETE FROM {} WHERE site_id = %s").format(sql.Identifier(schema, name)), [site_id])


def _empty(owner: psycopg.Connection, schema: str, name: str, columns: Sequence[str], site_id: UUID) -> None:
    names = [sql.Identifier(column) for column in columns]
    statement = sql.SQL("UPDATE {} SET {} WHERE site_id = %s AND num_nonnulls({}) > 0").format(
        sql.Identifier(schema, name),
        sql.SQL(", ").join(sql.SQL("{} = NULL").format(one) for one in names),
        sql.SQL(", ").join(names),
    )
    owner.execute(statement, [site_id])


def fill_defaults(
    owner: psycopg.Connection, *, schema: str, layout: Layout, manifest: Manifest, before: Manifest, site_id: UUID
) -> None:
    """Give a site's existing rows the defaults of fields that the version before did not have."""
    with owner.transaction():
        enter_site(owner, site_id)
        for table_name, values in _new_defaults(manifest, before).items():
            _fill(owner, schema, layout.table(table_name), values, site_id)


def _new_defaults(manifest: Manifest, before: Manifest) -> dict[str, dict[str, Any]]:
    """{table: {field: default}} of fields that are new in a table that was there."""
    found: dict[str, dict[str, Any]] = {}
    for table_name, table in manifest.tables.items():
        old = before.tables.get(table.was or table_name)
        for name, field in table.fields.items() if old else ():
            known = old is not None and (name in old.fields or field.was in old.fields)
            if field.stored and field.default is not None and not known:
                found.setdefault(table_name, {})[name] = _value(field.column.kind, field.default)
    return found


def _value(kind: Kind, default: Any) -> Any:
    try:
        value = read_value(kind, default)
    except WrongValue:  # "today" and "now" mean the moment a record is made, which is over
        return None
    return list(value) if isinstance(value, tuple) else value


def _fill(owner: psycopg.Connection, schema: str, table: TableLayout, values: dict[str, Any], site_id: UUID) -> None:
    for name, value in values.items():
        column = table.column(name)
        if column is None or value is None or column.type == "jsonb":
            continue
        owner.execute(
            sql.SQL("UPDATE {} SET {} = %s WHERE site_id = %s AND {} IS NULL").format(
                sql.Identifier(schema, table.name), sql.Identifier(column.name), sql.Identifier(column.name)
            ),
            [value, site_id],
        )
