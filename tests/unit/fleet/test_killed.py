"""A fleet run whose worker is killed with SIGKILL: nothing is left in between, and the next worker goes on where it was."""

from __future__ import annotations

import time

import psycopg
import pytest

from app.config import Config
from app.db.roles import STAFF, role_url
from app.fleet.actions import undo_run
from app.fleet.models import Run
from app.installs.models import Install
from tests.support.fleet import Fleet, new_fleet
from tests.support.killed import kill_when_waiting_for, worker
from tests.support.world import World
from tests.unit.fleet.test_runs import do, start, states


@pytest.fixture
def fleet(world: World, config: Config, wired: Config) -> Fleet:
    return new_fleet(world, config)


def test_killed_while_it_changes_the_tables_of_the_first(fleet: Fleet) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch", "Cedar")]
    fleet.release("1.1.0", extra="      mood: {type: text, default: good}")
    run = start(fleet, installs)
    with (
        psycopg.connect(fleet.config.database_url) as blocker,
        worker(fleet.config, "app.fleet.jobs:work", fleet.agency.id, run.id) as process,
    ):
        blocker.execute("LOCK TABLE module_database_registry IN SHARE MODE")
        kill_when_waiting_for(fleet.config, process, "%module_database_registry%")
    assert states(fleet, run) == ["running", "waiting", "waiting"]
    assert [fleet.now(one).status for one in installs] == ["provisioning", "active", "active"]
    _goes_on(fleet, run, installs)


def test_killed_between_the_order_of_the_second_and_its_work(fleet: Fleet) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch", "Cedar")]
    fleet.release("1.1.0")
    run = start(fleet, installs)
    with (
        psycopg.connect(fleet.config.database_url, autocommit=True) as busy,
        worker(fleet.config, "app.fleet.jobs:work", fleet.agency.id, run.id) as process,
    ):
        busy.execute("SELECT pg_advisory_lock(hashtextextended('install:' || %s::text, 0))", [installs[1].id])
        deadline = time.monotonic() + 90
        while fleet.now(installs[1]).status != "provisioning":
            assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.kill()
        process.wait(10)
    assert states(fleet, run) == ["done", "running", "waiting"]
    assert [fleet.now(one).status for one in installs] == ["active", "provisioning", "active"]
    _goes_on(fleet, run, installs)


def _staff(fleet: Fleet) -> str:
    """The address of a role that sees the rows of every agency, which their owner does not."""
    return role_url(fleet.config.database_url, fleet.config.secret_keys[0], STAFF)


def _goes_on(fleet: Fleet, run: Run, installs: list[Install]) -> None:
    """The next worker finishes it, each install is moved once, and all of it can be taken back."""
    run = fleet.work(run)
    assert (run.status, states(fleet, run)) == ("done", ["done"] * 3)
    assert [(fleet.version_of(one), fleet.now(one).status) for one in installs] == [("1.1.0", "active")] * 3
    with psycopg.connect(_staff(fleet)) as staff:
        moves = staff.execute(
            "SELECT count(*) FROM install_moves WHERE install_id = ANY (%s) AND kind = 'upgrade'",
            [[one.id for one in installs]],
        ).fetchone()
    assert moves == (3,)
    back = fleet.work(do(fleet, run, undo_run))
    assert (back.status, [fleet.version_of(one) for one in installs]) == ("done", ["1.0.0"] * 3)
