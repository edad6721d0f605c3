"""Brings a database to the state of sql/: roles first, then each numbered file once, in its own transaction.

Forward only. An applied file is held to its checksum: a change to it is refused, since databases elsewhere ran the old text.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from app.db.roles import LOGIN_ROLES, role_password
from app.lib.sql import ROOT

LOCK = 0x6472616D  # "dram": one migrating process at a time per database
ROLES_LOCK = 0x726F6C65  # "role": roles belong to the cluster, which several databases may share
MINIMUM_SERVER = 180000


class MigrationFailed(RuntimeError):
    """The database cannot be brought up to date; the message says which file and why."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    checksum: str  # sha256 hex of the text
    text: str


@dataclass(frozen=True, slots=True)
class Applied:
    name: str
    checksum: str
    applied_at: datetime


def migrations(folder: Path = ROOT / "migrations") -> list[Migration]:
    """The files of sql/migrations in the order of their numbers."""
    found = []
    for path in sorted(folder.glob("[0-9]*.sql")):
        text = path.read_text()
        found.append(Migration(path.stem, hashlib.sha256(text.encode()).hexdigest(), text))
    return found


def migrate(owner_url: str, secret_key: str) -> list[str]:
    """Apply what is missing; returns the names applied. Raises MigrationFailed; a failed file leaves nothing behind."""
    with psycopg.connect(owner_url, autocommit=True) as connection:
        if connection.info.server_version < MINIMUM_SERVER:
            raise MigrationFailed(f"PostgreSQL 18 or later is needed, this server is {connection.info.server_version}")
        prepare_roles(connection, secret_key)
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        done = {row.name: row for row in applied(connection)}
        new = []
        for migration in migrations():
            if migration.name in done:
                if done[migration.name].checksum != migration.checksum:
                    raise MigrationFailed(
                        f"{migration.name}: was applied with another text; write a new migration instead"
                    )
                continue
            _apply(connection, migration)
            new.append(migration.name)
        return new


def applied(connection: psycopg.Connection) -> list[Applied]:
    """What this database has, in order."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations "
        "(name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    rows = connection.execute("SELECT name, checksum, applied_at FROM schema_migrations ORDER BY name")
    return [Applied(*row) for row in rows]


def prepare_roles(connection: psycopg.Connection, secret_key: str) -> None:
    """Make the roles of sql/roles.sql and give the ones that sign in their derived passwords."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLES_LOCK])
        connection.execute((ROOT / "roles.sql").read_text().encode())
        for role in LOGIN_ROLES:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(role), sql.Literal(role_password(secret_key, role))
                )
            )


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.text.encode())
            connection.execute(
                "INSERT INTO schema_migrations (name, checksum) VALUES (%s, %s)", [migration.name, migration.checksum]
            )
    except psycopg.Error as error:
        raise MigrationFailed(f"{migration.name}: {error}") from error
