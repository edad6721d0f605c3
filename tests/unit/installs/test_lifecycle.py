"""A module put on a site, used, taken off and brought back: rows, schema, role, schedules, events and keys."""

from __future__ import annotations

import threading
import time
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from flask import Flask, current_app
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select, text

from app.errors import NotFound
from app.events.models import Event
from app.installs import jobs
from app.installs.actions import (
    AlreadyInstalled,
    GoneForGood,
    NotNow,
    RequirementsMissing,
    VersionNotPublished,
    install_module,
    pause_install,
    remove_install,
    restore_install,
    resume_install,
)
from app.installs.models import Install, Schedule
from app.installs.settings import SettingsInvalid
from app.lib.clock import utcnow
from app.lib.storage import storage
from app.modules.models import Version
from app.queue.enqueue import redis
from app.queue.registry import QUEUES
from tests.unit.installs.conftest import CLOCK, Desk


def events_of(desk: Desk, install: Install) -> list[str]:
    with desk.scope() as session:
        rows = session.scalars(select(Event.type).where(Event.install_id == install.id).order_by(Event.sequence))
        return list(rows)


def fill(desk: Desk, version: Version) -> None:
    guest = desk.rows(
        version,
        "INSERT INTO guests (site_id, name) VALUES (current_site_id(), 'Ann'), (current_site_id(), 'Ben') RETURNING id",
    )[0][0]
    desk.rows(
        version,
        "WITH v AS (INSERT INTO visits (site_id, guest, cost) VALUES (current_site_id(), %s, 0.100) RETURNING id) "
        "INSERT INTO visits__friends (site_id, record_id, target_id) SELECT current_site_id(), v.id, %s FROM v",
        guest,
        guest,
    )
    desk.rows(version, "INSERT INTO _series VALUES (current_site_id(), 'guests.number', 7)")


def content(desk: Desk, version: Version) -> dict[str, Any]:
    tables = ("guests", "visits", "visits__friends", "_series")
    found: dict[str, Any] = {
        table: desk.rows(version, f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1") for table in tables
    }
    return {**found, "_history": desk.rows(version, "SELECT to_jsonb(h)::text FROM _history h ORDER BY 1")}


def test_installing_makes_the_tables_and_activates(desk: Desk) -> None:
    version = desk.publish(head=CLOCK)
    ordered = desk.order(version)
    assert (ordered.status, [step["state"] for step in ordered.steps]) == ("provisioning", ["todo"] * 6)
    install = desk.run(jobs.provision, ordered)
    assert (install.status, install.failure) == ("active", "")
    assert [(step["key"], step["state"]) for step in install.steps] == [
        (key, "done") for key in ("check", "schema", "tables", "permissions", "schedules", "ready")
    ]
    assert events_of(desk, install) == ["install.created", "install.activated"]
    assert install.granted["by"] == desk.actor.ref
    with desk.scope() as session:
        schedule = session.get_one(Schedule, (install.id, "tidy"))
    assert (schedule.function, schedule.cron, schedule.time_zone) == ("tidy", "0 6 * * *", "Europe/Lisbon")
    assert schedule.next_at.astimezone(UTC).minute == 0


def test_the_job_run_again_changes_nothing(desk: Desk) -> None:
    install = desk.install(desk.publish())
    again = desk.run(jobs.provision, install)
    assert (again.steps, again.changed_at) == (install.steps, install.changed_at)


def test_a_site_has_a_module_once(desk: Desk) -> None:
    version = desk.publish()
    desk.install(version)
    with pytest.raises(AlreadyInstalled):
        desk.order(version)


def test_two_clicks_at_once_install_it_once(desk: Desk) -> None:
    version = desk.publish()
    outcomes: list[str] = []
    start = threading.Barrier(2)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def click() -> None:
        with app.app_context():
            start.wait()
            try:
                desk.order(version)
                outcomes.append("installed")
            except AlreadyInstalled:
                outcomes.append("refused")

    threads = [threading.Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["installed", "refused"]


def test_a_draft_and_a_foreign_private_module_cannot_be_installed(desk: Desk) -> None:
    version = desk.publish()
    other = desk.world.agency()
    site = desk.world.site(other)
    with pytest.raises(NotFound):
        _install(desk, version, site)
    version.status = "draft"
    with pytest.raises(VersionNotPublished):
        _install(desk, version, site)


def _install(desk: Desk, version: Version, site: Any) -> None:
    with desk.scope() as session:
        install_module(
            session, site=site, version=version, settings={}, keys=desk.config.secret_keys, by=desk.actor, now=utcnow()
        )


def test_what_a_module_requires_must_be_there_in_the_right_version(desk: Desk) -> None:
    base = desk.publish()
    needing = desk.publish(head=f"requires: [{{module: {desk.slug(base)}, version: '>=1.0 <2'}}]")
    with pytest.raises(RequirementsMissing) as error:
        desk.order(needing)
    assert [(e.pointer, e.code) for e in error.value.errors] == [(f"/requires/{desk.slug(base)}", "missing")]
    needed = desk.install(base)
    desk.install(needing)
    with pytest.raises(NotNow, match="Guest book on this site needs Guest book"):
        desk.do(remove_install, needed, now=utcnow())


def test_wrong_settings_leave_no_install(desk: Desk) -> None:
    version = desk.publish(head="settings: [{label: Mail, fields: {greeting: {type: text, required: true}}}]")
    with pytest.raises(SettingsInvalid):
        desk.order(version)
    with desk.scope() as session:
        assert session.scalars(select(Install).where(Install.site_id == desk.site.id)).all() == []


def test_pausing_and_resuming_tell_the_processes_that_serve(desk: Desk) -> None:
    install = desk.install(desk.publish())
    listener = redis().pubsub()
    listener.subscribe("dramac:install-changed")
    assert desk.do(pause_install, install, now=utcnow()).status == "paused"
    told, until = [], time.monotonic() + 10
    while str(install.id).encode() not in told and time.monotonic() < until:  # others' installs are told of as well
        told.append((listener.get_message(timeout=0.5) or {}).get("data"))
    assert str(install.id).encode() in told
    assert desk.do(resume_install, install, now=utcnow()).status == "active"
    with pytest.raises(NotNow):
        desk.do(resume_install, install, now=utcnow())
    listener.close()


def test_after_removal_the_catalogue_is_as_before(desk: Desk) -> None:
    version = desk.publish(head=CLOCK)
    before = desk.catalogue(version)
    install = desk.install(version)
    fill(desk, version)
    assert desk.catalogue(version) != before
    removing = desk.do(remove_install, install, now=utcnow())
    assert removing.status == "removing"
    removed = desk.run(jobs.deprovision, removing)
    assert (removed.status, removed.failure) == ("removed", "")
    assert {step["state"] for step in removed.steps} == {"done"}
    assert desk.catalogue(version) == before


def test_another_sites_rows_stay_when_one_site_removes_the_module(desk: Desk) -> None:
    version = desk.publish()
    other = desk.world.site(desk.agency)
    mine, theirs = desk.install(version), desk.install(version, site=other)
    fill(desk, version)
    desk.rows(version, "INSERT INTO guests (site_id, name) VALUES (current_site_id(), 'Eve')", site_id=other.id)
    desk.run(jobs.deprovision, desk.do(remove_install, mine, now=utcnow()))
    assert desk.rows(version, "SELECT name FROM guests") == []
    assert desk.rows(version, "SELECT name FROM guests", site_id=other.id) == [("Eve",)]
    assert desk.rows(version, "SELECT count(*) FROM _history") == [(0,)]
    assert theirs.status == "active"


def test_a_removed_module_comes_back_with_every_record(desk: Desk) -> None:
    version = desk.publish()
    install = desk.install(version)
    fill(desk, version)
    kept = content(desk, version)
    assert [len(kept[name]) for name in ("guests", "visits", "visits__friends", "_series", "_history")] == [
        2,
        1,
        1,
        1,
        1,
    ]
    desk.run(jobs.deprovision, desk.do(remove_install, install, now=utcnow()))
    restored = desk.run(jobs.provision, desk.do(restore_install, install, now=utcnow()))
    assert (restored.status, restored.failure, restored.purge_after) == ("active", "", None)
    assert content(desk, version) == kept
    assert desk.rows(version, "SELECT cost FROM visits") == [(Decimal("0.100"),)]
    assert storage().exists(f"exports/{desk.agency.id}/{install.id}.zip") is False
    assert events_of(desk, install)[-2:] == ["install.restored", "install.activated"]


def test_a_restore_interrupted_after_its_rows_came_back_finishes(desk: Desk) -> None:
    version = desk.publish()
    install = desk.install(version)
    fill(desk, version)
    desk.run(jobs.deprovision, desk.do(remove_install, install, now=utcnow()))
    ordered = desk.do(restore_install, install, now=utcnow())
    copy = storage().read(f"exports/{desk.agency.id}/{install.id}.zip")
    desk.run(jobs.provision, ordered)
    kept = content(desk, version)
    storage().write(f"exports/{desk.agency.id}/{install.id}.zip", copy)
    _set(desk, install, "status = 'provisioning', task = 'restore'")
    assert desk.run(jobs.provision, install).status == "active"
    assert content(desk, version) == kept


def _set(desk: Desk, install: Install, what: str) -> None:
    with desk.scope() as session:
        session.execute(text(f"UPDATE modules_v2 SET {what} WHERE id = :id"), {"id": install.id})


def test_a_removal_interrupted_after_its_rows_went_keeps_the_copy(desk: Desk) -> None:
    version = desk.publish()
    other = desk.world.site(desk.agency)
    desk.install(version, site=other)  # so that the tables stay
    install = desk.install(version)
    fill(desk, version)
    kept = content(desk, version)
    desk.run(jobs.deprovision, desk.do(remove_install, install, now=utcnow()))
    _set(desk, install, "status = 'removing'")
    assert desk.run(jobs.deprovision, install).status == "removed"
    desk.run(jobs.provision, desk.do(restore_install, install, now=utcnow()))
    assert content(desk, version) == kept


def test_after_thirty_days_the_copy_is_deleted_and_cannot_be_asked_for(desk: Desk) -> None:
    version = desk.publish()
    install = desk.install(version)
    removed = desk.run(jobs.deprovision, desk.do(remove_install, install, now=utcnow() - timedelta(days=31)))
    name = f"exports/{desk.agency.id}/{install.id}.zip"
    assert storage().exists(name) is True
    jobs.purge()
    assert storage().exists(name) is False
    assert removed.purge_after is not None
    with pytest.raises(GoneForGood):
        desk.do(restore_install, install, now=utcnow())


def test_removal_revokes_the_keys_of_this_install_alone(desk: Desk) -> None:
    install = desk.install(desk.publish())
    with desk.scope() as session:
        for name, install_id in (("own", install.id), ("site", None)):
            session.execute(
                text(
                    "INSERT INTO api_keys (agency_id, site_id, install_id, name, kind, shown, token_hash)"
                    " VALUES (:agency, :site, :install, :name, 'secret', 'dmc_sk_x', :hash)"
                ),
                {
                    "agency": desk.agency.id,
                    "site": desk.site.id,
                    "install": install_id,
                    "name": name,
                    "hash": uuid4().bytes,
                },
            )
    desk.do(remove_install, install, now=utcnow())
    with desk.scope() as session:
        rows = session.execute(text("SELECT name, revoked_at IS NOT NULL FROM api_keys ORDER BY name")).all()
    assert [tuple(row) for row in rows] == [("own", True), ("site", False)]


def test_a_failed_install_says_what_was_undone_and_leaves_nothing(desk: Desk) -> None:
    version = desk.publish()
    before = desk.catalogue(version)
    schema = desk.schema(version)
    ordered = desk.order(version)
    with psycopg.connect(desk.config.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())  # somebody was here
        failed = desk.run(jobs.provision, ordered)
        connection.execute(f"DROP SCHEMA {schema}".encode())
    assert failed.status == "failed"
    assert failed.failure == (
        "An unexpected error (DuplicateSchema). It was written to the log. "
        "Nothing was left behind on the site or in the database."
    )
    assert [step["state"] for step in failed.steps] == ["done", "done", "failed", "todo", "todo", "todo"]
    assert events_of(desk, failed) == ["install.created", "install.failed"]
    assert desk.catalogue(version) == before


def test_the_sweep_orders_what_stood_still_again(desk: Desk) -> None:
    install = desk.order(desk.publish())
    redis().flushdb()
    jobs.sweep()
    assert _ordered(install) == []
    _set(desk, install, "changed_at = now() - interval '2 minutes'")
    jobs.sweep()
    assert _ordered(install) == ["installs.provision"]


def _ordered(install: Install) -> list[str]:
    """The jobs ordered for it; installs of other tests may stand still, too."""
    queues = [Queue(name, connection=redis(), serializer=JSONSerializer) for name in QUEUES]
    return [job.args[0] for queue in queues for job in queue.jobs if str(install.id) in job.args[2].values()]
