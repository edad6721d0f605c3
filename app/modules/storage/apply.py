"""Makes, changes and removes the schemas of modules. As the owner, in jobs only, one transaction per change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from app.errors import AppError
from app.modules.manifest import Manifest
from app.modules.naming import role_name, schema_name
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Index, Layout, TableLayout
from app.modules.storage.merge import merge
from app.modules.storage.plan import Plan, Step, plan
from app.modules.storage.verify import verify

log = logging.getLogger(__name__)

Needed = Callable[[], Sequence[Manifest]]


class StorageDrifted(AppError):
    """The module's tables are not as the registry says; nothing was changed."""

    code = "storage_drifted"


def registered(connection: psycopg.Connection, module_id: UUID) -> Layout | None:
    """The layout as last applied, or None when the module has no schema."""
    row = connection.execute("SELECT layout FROM module_database_registry WHERE module_id = %s", [module_id]).fetchone()
    return Layout.from_dict(row[0]) if row else None


def needed_layout(manifests: Sequence[Manifest]) -> Layout:
    """The union of what these versions need, oldest first."""
    layout = Layout()
    for manifest in manifests:
        layout = merge(layout, desired_layout(manifest))
    return layout


def lock_module(connection: psycopg.Connection, module_id: UUID) -> None:
    """Wait until nobody else changes this module's tables, until the transaction ends."""
    connection.execute("SET LOCAL lock_timeout = '20s'")
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('module:' || %s::text, 0))", [module_id])
    connection.execute("SET LOCAL lock_timeout = '3s'")
    connection.execute("SET LOCAL statement_timeout = '120s'")


def provision(
    connection: psycopg.Connection,
    *,
    module_id: UUID,
    short_id: str,
    needed: Needed,
    progress: Callable[[str], None] = lambda stage: None,
) -> Plan:
    """Bring a module's schema to what the needed versions ask for; all of it or nothing, again and again the same.

    needed: the manifests of all versions that have rows or are about to, oldest first; asked under the module's lock.
    progress: told "schema", "tables", "permissions" as each begins. Raises StorageDrifted before changing anything.
    """
    schema, role = schema_name(short_id), role_name(short_id)
    with connection.transaction():
        lock_module(connection, module_id)
        progress("schema")
        current = registered(connection, module_id)
        if current is not None:
            must_match(connection, current, schema, role)
        else:
            make_role(connection, role)
        made = plan(current, needed_layout(needed()), schema=schema, role=role)
        if not made.steps and current is not None and made.layout == current:
            return made  # the tables serve these versions already: what was just verified is not looked at twice
        progress("tables")
        layout = apply_plan(connection, made)
        progress("permissions")
        must_match(connection, layout, schema, role)
        _register(connection, module_id, short_id, layout)
    return replace(made, layout=layout)


def make_role(connection: psycopg.Connection, role: str) -> None:
    """The module's role: nobody signs in as it, the runtime enters it for one transaction."""
    name = sql.Identifier(role)
    # roles are the cluster's: a grant of dramac_module waits for every other provisioning that is under way
    connection.execute("SET LOCAL lock_timeout = '30s'")
    if connection.execute("SELECT to_regrole(%s)", [role]).fetchall()[0][0] is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(name))
    connection.execute(sql.SQL("GRANT {} TO dramac_runtime WITH INHERIT FALSE, SET TRUE").format(name))
    connection.execute(sql.SQL("GRANT dramac_module TO {} WITH INHERIT TRUE").format(name))
    connection.execute("SET LOCAL lock_timeout = '3s'")


def drop_schema(connection: psycopg.Connection, *, module_id: UUID, short_id: str) -> None:
    """Remove schema, role and registry row. In the caller's transaction, under lock_module()."""
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema_name(short_id))))
    connection.execute("DELETE FROM module_database_registry WHERE module_id = %s", [module_id])
    try:
        with connection.transaction():
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role_name(short_id))))
    except psycopg.errors.DependentObjectsStillExist:
        # roles belong to the cluster: another database of it has the same module
        log.info("role %s stays: another database needs it", role_name(short_id))


def must_match(connection: psycopg.Connection, layout: Layout, schema: str, role: str) -> None:
    drift = verify(connection, layout, schema=schema, role=role)
    if drift:
        raise StorageDrifted(f"{schema}: {'; '.join(drift[:10])}")


def apply_plan(connection: psycopg.Connection, made: Plan) -> Layout:
    """Do the steps in the caller's transaction; the layout there is then, without the rules that rows contradict."""
    layout = made.layout
    if (
        made.steps and made.steps[0].kind == "schema"
    ):  # no rows yet that could contradict a rule: one round trip for all
        every = [statement for step in made.steps for statement in step.statements]
        connection.execute(sql.SQL(";\n").join(every))
        return layout
    for step in made.steps:
        if step.part is None:
            _run(connection, step)
            continue
        try:
            with connection.transaction():
                _run(connection, step)
        except psycopg.errors.IntegrityError as error:
            log.warning("%s: left to the data layer, as rows contradict it: %s", step.sentence, error)
            layout = _without(layout, step)
    return layout


def _run(connection: psycopg.Connection, step: Step) -> None:
    for statement in step.statements:
        connection.execute(statement)


def _without(layout: Layout, step: Step) -> Layout:
    """The layout without the rule of a step that could not be made."""

    def lacking(table: TableLayout) -> TableLayout:
        if step.kind == "require":
            columns = [replace(one, required=False) if one.name == step.part.name else one for one in table.columns]
            return replace(table, columns=tuple(columns))
        if isinstance(step.part, Index):
            return replace(table, indexes=tuple(one for one in table.indexes if one != step.part))
        without: dict[str, Any] = {
            name: tuple(one for one in getattr(table, name) if one != step.part)
            for name in ("checks", "rules", "no_overlap")
        }
        return replace(table, **without)

    return Layout(tuple(lacking(table) if table.name == step.table else table for table in layout.tables))


def _register(connection: psycopg.Connection, module_id: UUID, short_id: str, layout: Layout) -> None:
    connection.execute(
        """
        INSERT INTO module_database_registry (module_id, short_id, schema_name, role_name, layout, layout_digest)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT (module_id) DO UPDATE
        SET layout = excluded.layout, layout_digest = excluded.layout_digest, changed_at = now()
        WHERE module_database_registry.layout_digest <> excluded.layout_digest
        """,
        [module_id, short_id, schema_name(short_id), role_name(short_id), Jsonb(layout.to_dict()), layout.digest],
    )
