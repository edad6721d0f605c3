"""fleet.work, fleet.sweep: a run is worked off one install after the other, each with its end written down.

A job may be killed at any point. What it was at stands in the run as "running"; the next job looks what became of it
before it goes on, and the install's own job ends what it had begun.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, aliased

from app.access.actors import Actor, job
from app.db.base import db as flask_db
from app.db.pools import alone, owner_connection
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError
from app.events.catalog import FLEET_RUN_ENDED
from app.events.outbox import publish
from app.fleet.models import Run, RunItem
from app.fleet.run_queries import state_counts
from app.fleet.settings import own_value
from app.installs.actions import configure_install, pause_install, resume_install
from app.installs.jobs import provision
from app.installs.models import Install, Move
from app.installs.upgrades import rollback_install, upgrade_install
from app.lib.clock import utcnow
from app.modules.models import Module, Version
from app.queue.enqueue import enqueue
from app.tenancy.models import Site

log = logging.getLogger(__name__)

SLICE_S = 45.0  # then the job orders itself again, so that others get their turn
STALLED = timedelta(seconds=60)
WAIT_S = 30.0  # for an install that another process is setting up


def work(run_id: str) -> None:
    """Go on with a run. Nothing happens for one that is held or over."""
    db, wanted, until = flask_db.session(), UUID(run_id), time.monotonic() + SLICE_S
    with owner_connection() as owner, alone(owner, f"fleet-run:{wanted}") as mine:
        if not mine:
            return
        while (install_id := _next(db, wanted)) is not None:
            _see_to(db, wanted, install_id)
            if time.monotonic() > until:
                with transaction(db):
                    enqueue(db, "fleet.work", run_id=wanted)
                return


def sweep() -> None:
    """Order again what has stood still for a minute."""
    db = flask_db.session()
    with platform_scope("stalled fleet runs"), transaction(db):
        query = select(Run.id, Run.agency_id).where(Run.status == "running", Run.changed_at < utcnow() - STALLED)
        rows = db.execute(query).all()
    for row in rows:
        with tenant_scope(row.agency_id), transaction(db):
            enqueue(db, "fleet.work", run_id=row.id)


def _next(db: Session, run_id: UUID) -> UUID | None:
    """The install that is next, noted as running: first one that a job before was at. None when the run is held or over."""
    with transaction(db):
        run = db.get(Run, run_id, with_for_update=True)
        if run is None or run.status != "running":
            return None
        run.changed_at = utcnow()
        item = _item(db, run, "running") or _item(db, run, "waiting")
        if item is None:
            _end(db, run, "done", "")
            return None
        if item.state == "waiting" and run.stop_at_first and (taken_back := _taken_back(db, run)):
            _end(db, run, "stopped", taken_back)
            return None
        item.state, item.changed_at = "running", utcnow()
        return item.install_id


def _item(db: Session, run: Run, state: str) -> RunItem | None:
    return db.scalar(
        select(RunItem)
        .where(RunItem.agency_id == run.agency_id, RunItem.run_id == run.id, RunItem.state == state)
        .order_by(RunItem.position)
        .limit(1)
    )


def _taken_back(db: Session, run: Run) -> str:
    """What to say of an install of this run that the watch has taken back, or could not; "" when there is none."""
    back = aliased(Move)
    row = db.execute(
        select(Site.name, Move.state, Move.reason, back.reason.label("back_reason"))
        .join(RunItem, RunItem.install_id == Move.install_id)
        .join(Site, Site.id == Move.site_id)
        .outerjoin(back, and_(back.undoes_id == Move.id, back.by_itself))
        .where(
            RunItem.run_id == run.id, RunItem.state == "done", Move.kind == "upgrade",
            Move.to_version_id == RunItem.to_version_id, Move.ordered_at >= run.started_at,
            or_(Move.state == "unhealthy", and_(Move.state == "undone", back.id.is_not(None))),
        )
        .limit(1)
    ).first()  # fmt: skip
    if row is None:
        return ""
    if row.state == "unhealthy":
        return f"{row.name} does worse since its upgrade: {row.reason}"
    return f"The upgrade of {row.name} was taken back{f': {row.back_reason}' if row.back_reason else '.'}"


def _see_to(db: Session, run_id: UUID, install_id: UUID) -> None:
    """Do what is to be done with one install, and note how it ended. An unexpected error is the end of it too."""
    try:
        failure = _act(db, run_id, install_id)
    except AppError as error:
        failure = error.message
    except Exception as error:  # one install must not keep the others from their turn
        log.exception("run %s stumbled over install %s", run_id, install_id)
        failure = f"An unexpected error ({type(error).__name__}). It was written to the log."
    if failure is None:
        return  # another process is still at it; the next look will tell
    with transaction(db):
        run = db.get_one(Run, run_id, with_for_update=True)
        item = db.get_one(RunItem, (run_id, install_id))
        item.state, item.detail, item.changed_at = ("failed" if failure else "done"), failure[:1000], utcnow()
        run.changed_at = utcnow()
        if failure and run.stop_at_first and run.status == "running":
            site, module = _names(db, install_id)
            _end(db, run, "stopped", f"{module} on {site} failed: {failure}")


def _act(db: Session, run_id: UUID, install_id: UUID) -> str | None:
    """Order it unless that was done, and see it through. Returns "" when it went well, None while it is not over."""
    with transaction(db):
        run, item = db.get_one(Run, run_id), db.get_one(RunItem, (run_id, install_id))
        install, by, now = db.get_one(Install, install_id), _actor(run), utcnow()
        kind = _undone_kind(db, run) if run.kind == "undo" else run.kind
        if kind in ("pause", "resume"):
            if install.status != ("paused" if kind == "pause" else "active"):
                (pause_install if kind == "pause" else resume_install)(db, install=install, by=by, now=now)
            return ""
        if kind == "settings":
            return _set(db, run, item, install, by)
        ordered = install.version_id == item.to_version_id
        if not ordered and run.kind == "undo":
            rollback_install(db, install=install, by=by, now=now)
        elif not ordered:
            version = db.get_one(Version, item.to_version_id)
            upgrade_install(db, install=install, version=version, consent=item.agreed, by=by, now=now)
        target = item.to_version_id
    provision(str(install_id))  # the ordered job finds it done, or does it while we wait
    return _outcome(db, install_id, target)


def _set(db: Session, run: Run, item: RunItem, install: Install, by: Actor) -> str:
    """Set the run's setting on one install, or put back what was its own; noted in the same transaction, so done once."""
    assert run.change is not None
    name, own = run.change["name"], own_value(install.settings, run.change["name"])
    if run.kind == "undo":
        assert item.moved is not None
        if own == item.moved["to"]:
            return ""  # by a worker that was killed before it could say so
        if own != item.moved["from"]:
            return "It was set to something else since."
        settings, back = item.moved["to"], not item.moved["to"]
    elif item.moved is not None:
        return ""
    else:
        settings, back = {} if run.change["back"] else {name: run.change["value"]}, run.change["back"]
    configure_install(
        db, install=install, settings=settings, inherit=(name,) if back else (), keys=(), by=by, now=utcnow()
    )
    item.moved = {"from": own, "to": own_value(install.settings, name)}
    return ""


def _outcome(db: Session, install_id: UUID, target: UUID | None) -> str | None:
    until = time.monotonic() + WAIT_S
    while True:
        with transaction(db):
            install = db.get_one(Install, install_id)
            status, version_id, failure = install.status, install.version_id, install.failure
        if status != "provisioning":
            if status == "active" and version_id == target:
                return ""
            return failure or f"It is {status} and not on that version."
        if time.monotonic() > until:
            return None
        time.sleep(0.25)


def _undone_kind(db: Session, run: Run) -> str:
    """What takes it back: of a pause a resume."""
    before = db.get_one(Run, run.undoes_id)
    return {"upgrade": "upgrade", "pause": "resume", "resume": "pause", "settings": "settings"}[before.kind]


def _actor(run: Run) -> Actor:
    if run.ordered_by is None:
        return job("fleet.work", agency_id=run.agency_id)
    return Actor("person", run.ordered_by, run.ordered_name, run.agency_id)


def _names(db: Session, install_id: UUID) -> tuple[str, str]:
    install = db.get_one(Install, install_id)
    return db.get_one(Site, install.site_id).name, db.get_one(Module, install.module_id).name


def _end(db: Session, run: Run, status: str, reason: str) -> None:
    run.status, run.reason, run.ended_at, run.changed_at = status, reason[:1000], utcnow(), utcnow()
    db.flush()
    counts = state_counts(db, run=run)
    publish(
        db, FLEET_RUN_ENDED, by=_actor(run), agency_id=run.agency_id, target=run.public_id, target_name=run.kind,
        data={"run": run.public_id, "status": status, "done": counts.get("done", 0), "failed": counts.get("failed", 0)},
    )  # fmt: skip
