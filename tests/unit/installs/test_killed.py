"""Jobs killed with SIGKILL in the middle of their work: what they began is undone, and the next run finishes it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from app.installs import jobs
from app.installs.actions import remove_install, restore_install
from app.installs.models import Install
from app.lib.clock import utcnow
from tests.unit.installs.conftest import Desk
from tests.unit.installs.test_lifecycle import content, fill

WORKER = """
import sys
from uuid import UUID
from app.config import Config
from app.db.scope import tenant_scope
from app.factory import create_platform_app, wire
from app.installs import jobs

config = Config.from_env()
wire(config)
with create_platform_app(config).app_context(), tenant_scope(UUID(sys.argv[2])):
    getattr(jobs, sys.argv[1])(sys.argv[3])
"""


@contextmanager
def worker(desk: Desk, job: str, install: Install) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own that runs one job."""
    config = desk.config
    environment = {
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": ",".join(config.secret_keys),
        "DATA_DIR": str(config.data_dir),
        "PLATFORM_URL": config.platform_url,
        "RUNTIME_URL": config.runtime_url,
    }
    arguments = [sys.executable, "-c", WORKER, job, str(install.agency_id), str(install.id)]
    process = subprocess.Popen(arguments, env=environment, cwd=Path(__file__).parents[3], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def kill_when_waiting_for(desk: Desk, process: subprocess.Popen[bytes], statement: str) -> None:
    """SIGKILL the worker at the moment its connection waits for a lock in this statement."""
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(desk.config.database_url, autocommit=True) as connection:
        deadline = time.monotonic() + 30
        while not (found := connection.execute(waiting, [statement]).fetchone()):
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
        process.wait(10)
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [found[0]])  # it would only notice at its next word


def test_provisioning_killed_after_its_tables_were_made_undoes_them_and_the_next_run_finishes(desk: Desk) -> None:
    version = desk.publish()
    before = desk.catalogue(version)
    install = desk.order(version)
    with psycopg.connect(desk.config.database_url) as blocker, worker(desk, "provision", install) as process:
        blocker.execute("LOCK TABLE module_database_registry IN SHARE MODE")
        kill_when_waiting_for(desk, process, "%INSERT INTO module_database_registry%")
    killed = desk.reload(install)
    assert (killed.status, [step["key"] for step in killed.steps if step["state"] == "now"]) == (
        "provisioning",
        ["permissions"],
    )
    assert desk.catalogue(version) == before
    finished = desk.run(jobs.provision, install)
    assert (finished.status, {step["state"] for step in finished.steps}) == ("active", {"done"})
    fill(desk, version)


def test_a_removal_killed_while_it_deletes_keeps_every_record_and_the_next_run_finishes(desk: Desk) -> None:
    version = desk.publish()
    before = desk.catalogue(version)
    install = desk.install(version)
    fill(desk, version)
    kept = content(desk, version)
    removing = desk.do(remove_install, install, now=utcnow())
    guests = sql.Identifier(desk.schema(version), "guests")
    with psycopg.connect(desk.config.database_url) as blocker, worker(desk, "deprovision", removing) as process:
        blocker.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(guests))
        kill_when_waiting_for(desk, process, "%DELETE FROM%guests%")
    assert (desk.reload(install).status, content(desk, version)) == ("removing", kept)
    assert desk.run(jobs.deprovision, install).status == "removed"
    assert desk.catalogue(version) == before
    desk.run(jobs.provision, desk.do(restore_install, install, now=utcnow()))
    assert content(desk, version) == kept


def test_a_second_job_for_the_same_install_leaves_it_to_the_first(desk: Desk) -> None:
    version = desk.publish()
    install = desk.order(version)
    with psycopg.connect(desk.config.database_url, autocommit=True) as first:
        first.execute("SELECT pg_advisory_lock(hashtextextended('install:' || %s::text, 0))", [install.id])
        assert desk.run(jobs.provision, install).status == "provisioning"
    assert desk.run(jobs.provision, install).status == "active"
