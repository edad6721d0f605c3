"""What people do about failed runs of jobs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict
from app.queue.enqueue import order_again
from app.queue.models import JobRun
from app.queue.registry import JOBS


class NotToSettle(Conflict):
    """This run did not fail, or somebody has dealt with it already."""


class JobGone(Conflict):
    """This version of the platform has no such job any more. Discard the run."""


def retry_run(db: Session, *, run: JobRun, by: Actor, now: datetime) -> None:
    """Order the same work again, in the scope it was ordered in. Jobs bear being run twice. Raises NotToSettle, JobGone."""
    if run.name not in JOBS:
        raise JobGone()
    _settle(db, run, "retried", by, now)
    order_again(db, run)


def discard_run(db: Session, *, run: JobRun, by: Actor, now: datetime) -> None:
    """Give a failed run up: it stays on the timeline and is counted no more. Raises NotToSettle."""
    _settle(db, run, "discarded", by, now)


def _settle(db: Session, run: JobRun, what: str, by: Actor, now: datetime) -> None:
    if not run.can_be_settled(now):
        raise NotToSettle()
    # two clicks can race: the row as it is decides
    statement = update(JobRun).where(JobRun.id == run.id, JobRun.settled == "")
    done = db.execute(statement.values(settled=what, settled_at=now, settled_by=by.name))
    if not done.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
        raise NotToSettle()
