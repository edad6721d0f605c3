"""Jobs of modules: rows of module_schedules, ordered when they are due. A run that was missed is run once."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access.actors import job
from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import AppError, NotFound
from app.events.bus import Receivers
from app.events.catalog import SITE_CHANGED
from app.events.models import Event
from app.installs.models import Install
from app.installs.schedules import set_schedules
from app.lib.clock import utcnow
from app.modules.cron import next_run
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.queue.enqueue import enqueue
from app.runtime.context import load_install
from app.runtime.functions.run import AlreadyDone, run_function
from app.tenancy.models import Site

log = logging.getLogger(__name__)

BATCH = 200
LEASE_S = 120  # a run whose worker died is ordered again after this
KEEP_DAYS = 30

_CLAIM = text(
    "SELECT install_id, name, agency_id, cron, time_zone, next_at, due_at FROM module_schedules "
    "WHERE (due_at IS NULL AND next_at <= :now) OR lease_until <= :now "
    "ORDER BY next_at LIMIT :most FOR UPDATE SKIP LOCKED"
)
_CLAIMED = text(
    "UPDATE module_schedules SET due_at = :due, next_at = :next_at, lease_until = :lease "
    "WHERE install_id = :install AND name = :name"
)
_FINISH = text(
    "UPDATE module_schedules SET due_at = NULL, lease_until = NULL, last_at = :now, last_outcome = :outcome "
    "WHERE install_id = :install AND name = :name AND due_at = :due"
)


def tick() -> None:
    """Order every run that is due: functions.tick, every 20 s."""
    db = flask_db.session()
    while order_due(db, now=utcnow()) == BATCH:
        pass


def order_due(db: Session, *, now: datetime) -> int:
    """Claim due schedules and order a run of each; returns how many."""
    with platform_scope("due jobs of modules"), transaction(db):
        rows = db.execute(_CLAIM, {"now": now, "most": BATCH}).all()
        for row in rows:
            due = row.due_at or row.next_at
            # from now, not from when it was due: what was missed while nothing ran is made up for once
            following = next_run(row.cron, time_zone=row.time_zone, after=now) if row.next_at <= now else row.next_at
            lease = now + timedelta(seconds=LEASE_S)
            key = {"install": row.install_id, "name": row.name}
            db.execute(_CLAIMED, {**key, "due": due, "next_at": following, "lease": lease})
            enqueue(db, "functions.run_scheduled", install_id=row.install_id, schedule=row.name, due=due.isoformat())
        return len(rows)


def run_scheduled(install_id: str, schedule: str, due: str) -> None:
    """Run one job for the moment it was due: functions.run_scheduled."""
    outcome = _run(UUID(install_id), schedule, due)
    with platform_scope("finish a job of a module"), transaction(flask_db.session()) as db:
        key = {"install": UUID(install_id), "name": schedule, "due": datetime.fromisoformat(due)}
        db.execute(_FINISH, {**key, "now": utcnow(), "outcome": outcome})


def _run(install_id: UUID, name: str, due: str) -> str:
    try:
        context = load_install(install_id)
        spec = context.manifest.jobs.get(name)
        if spec is None:
            return "gone"
        actor = job(f"{context.module_slug}.{name}", agency_id=context.agency_id)
        given = {"job": name, "due": due}
        run_function(
            context, spec.call, given, trigger="schedule", cause=name, actor=actor, depth=1, once=f"job:{name}:{due}"
        )
    except AlreadyDone:
        return "ok"
    except NotFound:
        return "gone"
    except AppError as error:
        log.warning("job %s of install %s: %s", name, install_id, error)
        return error.code
    return "ok"


def forget_old() -> None:
    """Drop accounts and marks of runs past their retention: functions.forget_old."""
    before = utcnow() - timedelta(days=KEEP_DAYS)
    with platform_scope("function runs past retention"), transaction(flask_db.session()) as db:
        db.execute(text("DELETE FROM module_function_runs WHERE started_at < :before"), {"before": before})
        # events are forgotten after the same time, so nobody can hand one over again
        db.execute(text("DELETE FROM module_done WHERE at < :before"), {"before": before - timedelta(days=1)})


def _members(db: Session, event: Event) -> list[str]:
    return [str(event.site_id)] if event.type == SITE_CHANGED.name and event.site_id else []


def _deliver(db: Session, event: Event, key: str) -> None:
    """A site may have moved to another time zone."""
    site = db.get(Site, UUID(key))
    if site is None:
        return
    found = select(Install, Version).join(Version, Version.id == Install.version_id)
    for install, version in db.execute(found.where(Install.site_id == site.id, Install.status == "active")):
        manifest = Manifest.from_dict(version.manifest)
        set_schedules(db, install=install, manifest=manifest, site_zone=site.time_zone, now=utcnow())


SITES = Receivers(_members, _deliver)
