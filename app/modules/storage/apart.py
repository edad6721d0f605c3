"""The tables of one version in a schema of their own, which nobody else's rows or versions have a part in: for trials.

As the owner, in jobs only. Making and dropping are one transaction each, so a killed job leaves all of it or nothing.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

from app.modules.manifest import Manifest
from app.modules.storage.apply import apply_plan, make_role, must_match
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.plan import plan


def provision_apart(connection: psycopg.Connection, *, name: str, manifest: Manifest) -> Layout:
    """Make schema and role `name` with the tables of a manifest; returns their layout."""
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = '60s'")
        make_role(connection, name)
        layout = apply_plan(connection, plan(None, desired_layout(manifest), schema=name, role=name))
        must_match(connection, layout, name, name)
    return layout


def drop_apart(connection: psycopg.Connection, *, name: str) -> None:
    """Remove schema and role `name`; what is gone already is no failure. Waits at most 3 s for who still reads it."""
    with connection.transaction():
        connection.execute("SET LOCAL lock_timeout = '3s'")
        connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


def apart_names(connection: psycopg.Connection, *, prefix: str) -> set[str]:
    """The schemas whose names begin with `prefix`."""
    rows = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [prefix])
    return {str(row[0]) for row in rows}
