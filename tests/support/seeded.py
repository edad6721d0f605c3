"""The demo world as the tests of the running product get it: its seed was killed in the middle and finished by the next."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

ROOT = Path(__file__).parents[2]
NAMES = ("users", "agencies", "memberships", "clients", "sites", "modules_v2", "api_keys", "invitations")
RECORDS = ("forms", "questions", "enquiries")


@dataclass(frozen=True)
class Seeded:
    """What was there when the first seed was killed, and when the second had ended.

    people: the lines it printed. counts: rows by table. states: installs by status. days: from the first enquiry to the last.
    """

    people: tuple[str, ...]
    cut_off: dict[str, int]
    counts: dict[str, int]
    states: dict[str, int]
    days: int


def seed(environ: dict[str, str], admin_url: str, again: Callable[[], str]) -> Seeded:
    """Seed an empty database. admin_url: as the superuser, who sees every row; again: runs the seed, gives what it printed."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        first = subprocess.Popen(
            [sys.executable, "-m", "flask", "--app", "wsgi", "seed", "demo"],
            env=environ, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and _counts(admin)["modules_v2"] < 2:
            time.sleep(0.02)
        first.kill()
        first.wait()
        cut_off = _counts(admin)
        people = tuple(again().splitlines())
        states = admin.execute("SELECT status, count(*) FROM modules_v2 GROUP BY 1").fetchall()
        return Seeded(people, cut_off, _counts(admin), dict(states), _days(admin))


def _enquiries(admin: psycopg.Connection) -> list[str]:
    """The schema of the module of enquiries, once it has one."""
    query = (
        "SELECT r.schema_name FROM module_database_registry r JOIN module_source m ON m.id = r.module_id "
        "WHERE m.slug = 'enquiries'"
    )
    return [schema for (schema,) in admin.execute(query)]


def _counts(admin: psycopg.Connection) -> dict[str, int]:
    """How many rows of everything the seed makes; records of modules included."""
    names = [("public", name) for name in NAMES]
    names += [(schema, table) for schema in _enquiries(admin) for table in RECORDS]
    found = {}
    for schema, table in names:
        row = admin.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def _days(admin: psycopg.Connection) -> int:
    row = admin.execute(
        sql.SQL("SELECT extract(day FROM max(created_at) - min(created_at)) FROM {}").format(
            sql.Identifier(_enquiries(admin)[0], "enquiries")
        )
    ).fetchone()
    assert row is not None
    return int(row[0])
