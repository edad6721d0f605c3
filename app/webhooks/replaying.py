"""Sending again: one delivery, or all of a span of time, to the endpoint that had them or to another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.errors import Invalid
from app.events import catalog
from app.events.models import Event
from app.lib.ids import uuid7
from app.queue.enqueue import wake
from app.webhooks.actions import WebhookOff, tell
from app.webhooks.models import Delivery, Webhook
from app.webhooks.patterns import may_receive

MOST = 10_000
"""Deliveries of one replay; the oldest come first, so that the next replay can begin where this one ended."""
_ANEW: dict[str, Any] = {"status": "due", "tries": 0, "finished_at": None}
_ENDED = ("delivered", "failed", "missed")


def resend(db: Session, *, webhook: Webhook, delivery: Delivery, now: datetime) -> bool:
    """Send one event again, under its old webhook-id, with the whole schedule before it; False while it is being sent.

    Raises WebhookOff.
    """
    if webhook.disabled_at is not None:
        raise WebhookOff()
    if delivery.status == "sending":
        return False
    delivery.status, delivery.due_at, delivery.tries, delivery.finished_at = "due", now, 0, None
    after_commit(db, lambda: wake("webhooks.deliver"))
    return True


def replay(
    db: Session, *, webhook: Webhook, target: Webhook | None = None, since: datetime, until: datetime | None = None,
    everything: bool = False, by: Actor, now: datetime,
) -> int:  # fmt: skip
    """Send what came for an endpoint since a moment (and before another) once more, the oldest 10,000; returns how many.

    target: another endpoint that gets them instead, whatever its patterns, but only what its site and its role allow.
    everything: delivered ones too, not only those that failed or were missed. Each keeps its webhook-id.
    Raises WebhookOff, and Invalid on until.
    """
    target = target or webhook
    if target.disabled_at is not None:
        raise WebhookOff()
    before = until or now
    if since >= before:
        raise Invalid.field("until", "The end must be after the beginning.")
    chosen = _chosen(webhook, since=since, before=before, everything=everything)
    count = _again(db, chosen, now=now) if target is webhook else _elsewhere(db, chosen, target, now=now)
    if count:
        span = {"since": since.isoformat(), "until": before.isoformat()}
        tell(db, catalog.WEBHOOK_REPLAYED, webhook, by=by, data={"to": target.public_id, **span, "events": count})
        after_commit(db, lambda: wake("webhooks.deliver"))
    return count


def send_event(db: Session, *, webhook: Webhook, event: Event, now: datetime) -> bool:
    """A delivery of an event to an endpoint whatever its patterns; whether it may have it. An event that it has had already
    is not sent twice.
    """
    if not may_get(webhook, event):
        return False
    row = {
        "agency_id": event.agency_id, "webhook_id": webhook.id, "event_id": event.id, "event_type": event.type,
        "due_at": now, "created_at": now, "id": uuid7(),
    }  # fmt: skip
    db.execute(insert(Delivery).on_conflict_do_nothing(index_elements=["event_id", "webhook_id"]), [row])
    after_commit(db, lambda: wake("webhooks.deliver"))
    return True


def may_get(webhook: Webhook, event: Event) -> bool:
    """Whether an endpoint may have an event: it is on, and its site and role allow it."""
    return (
        webhook.disabled_at is None
        and webhook.agency_id == event.agency_id
        and webhook.site_id in (None, event.site_id)
        and may_receive(webhook.granted_role, event.type, of_module=event.install_id is not None)
    )


def _chosen(webhook: Webhook, *, since: datetime, before: datetime, everything: bool) -> Select[Any]:
    return (
        select(Delivery.id)
        .where(
            Delivery.agency_id == webhook.agency_id, Delivery.webhook_id == webhook.id, Delivery.created_at >= since,
            Delivery.created_at < before, Delivery.status.in_(_ENDED if everything else ("failed", "missed")),
        )
        .order_by(Delivery.id)
        .limit(MOST)
    )  # fmt: skip


def _again(db: Session, chosen: Select[Any], *, now: datetime) -> int:
    query = update(Delivery).where(Delivery.id.in_(chosen)).values(due_at=now, **_ANEW)
    return len(db.execute(query.returning(Delivery.id)).all())


def _elsewhere(db: Session, chosen: Select[Any], target: Webhook, *, now: datetime) -> int:
    """A delivery of the same event for the other endpoint; one that it has had before is sent again."""
    events = select(Event).join(Delivery, Delivery.event_id == Event.id).where(Delivery.id.in_(chosen)).subquery()
    of_module = events.c.install_id.is_not(None)
    kinds = [tuple(row) for row in db.execute(select(events.c.type, of_module).distinct())]
    allowed = [
        and_(events.c.type == kind, of_module.is_(module))
        for kind, module in kinds
        if kind != catalog.WEBHOOK_TESTED.name and may_receive(target.granted_role, kind, of_module=module)
    ]
    rows = select(
        literal(target.agency_id), literal(target.id), events.c.id, events.c.type, literal(now), literal(now)
    ).where(events.c.agency_id == target.agency_id, or_(False, *allowed))
    if target.site_id is not None:
        rows = rows.where(events.c.site_id == target.site_id)
    names = ["agency_id", "webhook_id", "event_id", "event_type", "due_at", "created_at"]
    query = insert(Delivery).from_select(names, rows.order_by(events.c.id), include_defaults=False)
    query = query.on_conflict_do_update(
        index_elements=["event_id", "webhook_id"], set_={"due_at": now, **_ANEW}, where=Delivery.status.in_(_ENDED)
    )
    return len(db.execute(query.returning(Delivery.id)).all())
