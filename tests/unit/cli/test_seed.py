"""The demo world can be cut off at any moment and is whole after the next run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app.db.migrate import migrate
from tests.support.live import PASSWORD, ROOT, SECRET_KEY, flask
from tests.support.servers import TestServers

pytestmark = [pytest.mark.xdist_group("live"), pytest.mark.timeout(180)]


@pytest.fixture
def empty(test_servers: TestServers, worker_id: str, tmp_path: Path) -> dict[str, str]:
    """The environment of a migrated database with nothing in it."""
    test_servers.make_template(lambda url: migrate(url, SECRET_KEY))
    environ = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return environ | {
        "DATABASE_URL": test_servers.clone(f"{worker_id}_seed"), "REDIS_URL": test_servers.redis_url("gw60"),
        "SECRET_KEY": SECRET_KEY, "DATA_DIR": str(tmp_path), "DEMO_PASSWORD": PASSWORD,
    }  # fmt: skip


@pytest.fixture
def admin(empty: dict[str, str], test_servers: TestServers, worker_id: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(test_servers.admin_url(f"{worker_id}_seed"), autocommit=True) as connection:
        yield connection


def counts(admin: psycopg.Connection) -> dict[str, int]:
    """How many rows of everything the seed makes; records of modules included."""
    names = [
        ("public", name)
        for name in ("users", "agencies", "memberships", "clients", "sites", "modules_v2", "api_keys", "invitations")
    ]
    schemas = admin.execute("SELECT schema_name FROM module_database_registry").fetchall()
    names += [(schema, table) for (schema,) in schemas for table in ("forms", "questions", "enquiries")]
    found = {}
    for schema, table in names:
        row = admin.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def test_a_seed_that_was_killed_is_finished_by_the_next(empty: dict[str, str], admin: psycopg.Connection) -> None:
    first = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "seed", "demo"],
        env=empty, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and counts(admin)["modules_v2"] < 2:
        time.sleep(0.02)
    first.kill()
    first.wait()
    assert counts(admin)["invitations"] == 0  # which is made last

    people = flask(empty, "seed", "demo").stdout.splitlines()
    assert counts(admin) == {
        "users": 11, "agencies": 3, "memberships": 12, "clients": 6, "sites": 10, "modules_v2": 4, "api_keys": 1,
        "invitations": 1, "forms": 6, "questions": 8, "enquiries": 41,
    }  # fmt: skip
    states = admin.execute("SELECT status, count(*) FROM modules_v2 GROUP BY 1 ORDER BY 1").fetchall()
    assert states == [("active", 3), ("paused", 1)]
    spread = admin.execute(
        sql.SQL("SELECT extract(day FROM max(created_at) - min(created_at)) FROM {}").format(
            sql.Identifier(
                admin.execute("SELECT schema_name FROM module_database_registry").fetchall()[0][0], "enquiries"
            )
        )
    ).fetchone()
    assert spread is not None
    assert spread[0] >= 28
    assert flask(empty, "seed", "demo").stdout.splitlines() == people
    assert len(people) == 11
