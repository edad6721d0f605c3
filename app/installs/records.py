"""The rows of one site in a module's tables: put away into storage, brought back, filled with new defaults. As the owner."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from app.lib.storage import storage
from app.modules.kinds import Kind
from app.modules.manifest import Manifest
from app.modules.storage.export import drop_site_rows, enter_site, export_site, import_site, site_is_empty, snapshot
from app.modules.storage.layout import Layout, TableLayout
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
