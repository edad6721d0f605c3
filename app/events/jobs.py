"""events.dispatch: works off the outbox. Safe to run in parallel and to be killed at any line."""

from __future__ import annotations

import logging
import math
import time
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.base import db as flask_db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events import bus
from app.events.models import Event, EventDelivery
from app.lib.clock import utcnow
from app.queue.enqueue import wake

log = logging.getLogger(__name__)

BATCH = 100
TURN_S = 1.0
LEASE_S = 120  # a delivery whose worker died is due again after this
KEEP_DAYS = 30


def dispatch_in_turns() -> None:
    """events.dispatch: a turn, and the order for the next while there is more. Other jobs, and a stop, come between."""
    if not _dispatch(until=time.monotonic() + TURN_S):
        wake("events.dispatch")


def dispatch() -> None:
    """Fan out new events and hand over what is due; returns when nothing is left for now."""
    _dispatch(until=math.inf)


def _dispatch(*, until: float) -> bool:
    """Both by turns, so that a flood of events does not keep the first of them from being handed over; whether all is done."""
    while _fan_out(flask_db.session()) + _deliver_due(flask_db.session()):
        if time.monotonic() > until:
            return False
    return True


def forget_old() -> None:
    """Drop events past their retention, delivered or given up."""
    with platform_scope("events past retention"), transaction(flask_db.session()) as db:
        db.execute(
            delete(Event).where(
                Event.occurred_at < utcnow() - timedelta(days=KEEP_DAYS), Event.dispatched_at.is_not(None)
            )
        )


def _fan_out(db: Session) -> int:
    """Give each of a batch of new events a delivery per receiver; returns how many events there were."""
    with platform_scope("dispatch events"), transaction(db):
        events = db.scalars(
            select(Event)
            .where(Event.dispatched_at.is_(None))
            .order_by(Event.sequence)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        deliveries = [
            {"event_id": event.id, "agency_id": event.agency_id, "subscriber": f"{kind}:{key}"}
            for event in events
            for kind, receivers in bus.kinds().items()
            for key in receivers.members(db, event)
        ]
        if deliveries:
            db.execute(insert(EventDelivery).on_conflict_do_nothing(), deliveries)
        db.execute(update(Event).where(Event.id.in_([event.id for event in events])).values(dispatched_at=utcnow()))
        return len(events)


def _deliver_due(db: Session) -> int:
    due = _claim(db, now=utcnow())
    for event_id, subscriber, agency_id, attempts in due:
        error = _deliver(db, event_id, subscriber, agency_id)
        _finish(db, event_id, subscriber, attempts=attempts, error=error, now=utcnow())
    return len(due)


def _claim(db: Session, *, now: datetime) -> list[tuple[UUID, str, UUID, int]]:
    with platform_scope("claim event deliveries"), transaction(db):
        rows = db.scalars(
            select(EventDelivery)
            .join(Event, Event.id == EventDelivery.event_id)
            .where(EventDelivery.status == "due", EventDelivery.due_at <= now)
            .order_by(EventDelivery.due_at, Event.sequence)  # those fanned out together are due together
            .limit(BATCH)
            .with_for_update(skip_locked=True, of=EventDelivery)
        ).all()
        for row in rows:
            row.attempts += 1
            row.due_at = now + timedelta(seconds=LEASE_S)
        return [(row.event_id, row.subscriber, row.agency_id, row.attempts) for row in rows]


def _deliver(db: Session, event_id: UUID, subscriber: str, agency_id: UUID) -> str:
    """Hand one event to one receiver; returns "" or what went wrong."""
    kind, _, key = subscriber.partition(":")
    receivers = bus.kinds().get(kind)
    if receivers is None:
        return f"no receivers of kind {kind}"
    try:
        with tenant_scope(agency_id), transaction(db):
            receivers.deliver(db, db.get_one(Event, event_id), key)
    except Exception as error:  # whatever a receiver does, the others get theirs
        log.warning("event %s to %s: %s: %s", event_id, subscriber, type(error).__name__, error)
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def _finish(db: Session, event_id: UUID, subscriber: str, *, attempts: int, error: str, now: datetime) -> None:
    with platform_scope("finish event delivery"), transaction(db):
        row = db.get_one(EventDelivery, (event_id, subscriber))
        row.last_error = error
        if not error:
            row.status, row.finished_at = "done", now
        elif attempts > len(bus.RETRY_S):
            row.status, row.finished_at = "given_up", now
        else:
            row.due_at = now + timedelta(seconds=bus.RETRY_S[attempts - 1])
