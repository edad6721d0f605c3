"""automations.work: runs what is due, step by step. Safe to run in parallel and to be killed at any line.

What a step does is kept in the same transaction as that it was done, so a run that is taken up again does nothing twice.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.automations.doing import BESIDE, IN_TRANSACTION, why
from app.automations.models import Automation, Run
from app.automations.steps import Step
from app.db.base import db as flask_db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError
from app.events.catalog import AUTOMATION_OFF
from app.events.models import Event
from app.events.outbox import publish
from app.lib.clock import utcnow

log = logging.getLogger(__name__)

BATCH = 20
LEASE_S = 120  # a run whose worker died is due again after this
WAITS_S = (10, 60, 300, 1800, 7200)  # before the second try, the third …


def work() -> None:
    """Run everything that is due."""
    db = flask_db.session()
    while claimed := _claim(db, now=utcnow()):
        for run_id, agency_id in claimed:
            run_one(db, run_id=run_id, agency_id=agency_id)


def _claim(db: Session, *, now: datetime) -> list[tuple[UUID, UUID]]:
    with platform_scope("claim runs of automations"), transaction(db):
        query = (
            select(Run)
            .where(Run.status.in_(("due", "running")), Run.due_at <= now)
            .order_by(Run.due_at)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        rows = list(db.scalars(query))
        for row in rows:
            row.status, row.attempts, row.due_at = "running", row.attempts + 1, now + timedelta(seconds=LEASE_S)
        return [(row.id, row.agency_id) for row in rows]


def run_one(db: Session, *, run_id: UUID, agency_id: UUID) -> None:
    """The steps that are not done yet, in order; the first that fails ends the try."""
    with tenant_scope(agency_id):
        with transaction(db):
            run = db.get(Run, run_id)
            if run is None:
                return
            automation, event = db.get_one(Automation, run.automation_id), db.get_one(Event, run.event_id)
            steps = list(run.steps)
        for number, step in enumerate(steps):
            if step["outcome"] == "done":
                continue
            if not automation.active:
                _stopped(db, run_id, number)
                return
            if not _step(db, run_id, automation, event, number, step):
                _failed(db, run_id, automation)
                return
        with transaction(db):
            run = db.get_one(Run, run_id)
            run.status, run.finished_at = "done", utcnow()
            db.get_one(Automation, automation.id).failures = 0


def _step(db: Session, run_id: UUID, automation: Automation, event: Event, number: int, step: Step) -> bool:
    """Do one step and note it; whether it was done."""
    try:
        if step["kind"] in IN_TRANSACTION:
            with transaction(db):
                detail = IN_TRANSACTION[step["kind"]](db, automation, step, event)
                _note(db, run_id, number, "done", detail)
        else:  # no transaction of ours is open while a module's code runs
            detail = BESIDE[step["kind"]](automation, step, event, f"automation:{run_id}:{number}")
            with transaction(db):
                _note(db, run_id, number, "done", detail)
        return True
    except AppError as error:
        detail = why(error)
    except Exception as error:  # a fault of ours, or of a library: the run says so, and others go on
        log.exception("step %d of run %s", number, run_id)
        detail = f"{type(error).__name__}: something broke on our side."
    with transaction(db):
        _note(db, run_id, number, "failed", detail)
    return False


def _note(db: Session, run_id: UUID, number: int, outcome: str, detail: str) -> None:
    run = db.get_one(Run, run_id, with_for_update=True, populate_existing=True)
    noted = {"outcome": outcome, "detail": detail[:2000]}
    run.steps = [{**step, **noted} if at == number else step for at, step in enumerate(run.steps)]


def _stopped(db: Session, run_id: UUID, number: int) -> None:
    """What waited when somebody switched it off is not done."""
    with transaction(db):
        _note(db, run_id, number, "failed", "The automation was switched off.")
        run = db.get_one(Run, run_id)
        run.status, run.finished_at = "failed", utcnow()


def _failed(db: Session, run_id: UUID, automation: Automation) -> None:
    """Due again later, or given up; after so many given up in a row the automation is switched off."""
    now = utcnow()
    with transaction(db):
        run = db.get_one(Run, run_id)
        if run.attempts <= automation.retries:
            run.status, run.due_at = "due", now + timedelta(seconds=WAITS_S[run.attempts - 1])
            return
        run.status, run.finished_at = "failed", now
        row = db.get_one(Automation, automation.id, with_for_update=True)
        row.failures += 1
        if row.active and row.failures >= row.off_after:
            row.active, row.off_reason = False, "failing"
            publish(
                db, AUTOMATION_OFF, by=automation.actor, agency_id=row.agency_id, site_id=row.site_id,
                target=row.public_id, target_name=row.name,
                data={"automation": row.public_id, "name": row.name},
            )  # fmt: skip
