"""Hears of every event and writes a delivery for each endpoint that wants it, in the scope of the event's agency."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.session import after_commit
from app.events.bus import Receivers
from app.events.models import Event
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.queue.enqueue import wake
from app.webhooks.models import Delivery, Webhook
from app.webhooks.patterns import wants

ENDPOINTS = "endpoints"


def members(db: Session, event: Event) -> list[str]:
    """One key for all endpoints of the event's agency, when any of them wants it."""
    return [ENDPOINTS] if _wanting(db, event) else []


def deliver(db: Session, event: Event, key: str) -> None:
    """A delivery per endpoint; handing the event over again adds none. An endpoint that is off misses it, on the record."""
    now = utcnow()
    rows = [
        {
            "id": uuid7(), "agency_id": event.agency_id, "webhook_id": endpoint.id, "event_id": event.id,
            "event_type": event.type, "status": "due" if endpoint.disabled_at is None else "missed", "due_at": now,
            "created_at": now, "finished_at": None if endpoint.disabled_at is None else now,
        }
        for endpoint in _wanting(db, event)
    ]  # fmt: skip
    if rows:
        db.execute(insert(Delivery).on_conflict_do_nothing(index_elements=["event_id", "webhook_id"]), rows)
        after_commit(db, lambda: wake("webhooks.deliver"))


def _wanting(db: Session, event: Event) -> list[Webhook]:
    endpoints = db.scalars(select(Webhook).where(Webhook.agency_id == event.agency_id))
    return [endpoint for endpoint in endpoints if wants(endpoint, event)]


ENDPOINTS_OF_AGENCY = Receivers(members, deliver)
