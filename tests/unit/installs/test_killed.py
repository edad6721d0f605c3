"""Jobs killed with SIGKILL in the middle of their work: what they began is undone, and the next run finishes it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from app.installs import jobs
from app.installs.actions import remove_install, restore_install
from app.lib.clock import utcnow
from tests.support.killed import kill_when_waiting_for, worker
from tests.unit.installs.conftest import Desk
from tests.unit.installs.test_lifecycle import content, fill


def test_provisioning_killed_after_its_tables_were_made_undoes_them_and_the_next_run_finishes(desk: Desk) -> None:
    version = desk.publish()
    before = desk.catalogue(version)
    install = desk.order(version)
    with (
        psycopg.connect(desk.config.database_url) as blocker,
        worker(desk.config, "app.installs.jobs:provision", install.agency_id, install.id) as process,
    ):
        blocker.execute("LOCK TABLE module_database_registry IN SHARE MODE")
        kill_when_waiting_for(desk.config, process, "%INSERT INTO module_database_registry%")
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
    with (
        psycopg.connect(desk.config.database_url) as blocker,
        worker(desk.config, "app.installs.jobs:deprovision", removing.agency_id, removing.id) as process,
    ):
        blocker.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(guests))
        kill_when_waiting_for(desk.config, process, "%DELETE FROM%guests%")
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
