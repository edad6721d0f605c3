"""Reads for the webhook screens. Each function is one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, String, func, literal_column, select, text
from sqlalchemy.orm import Session

from app.events.catalog import WEBHOOK_CHANGED
from app.events.models import AuditRow, Event
from app.modules.manifest import Manifest
from app.tenancy.models import Site
from app.webhooks.models import Attempt, Delivery, Webhook

LOG_ROWS = 50
STATUSES = ("all", "due", "delivered", "failed", "missed")
_CREATOR = literal_column("(SELECT u.name FROM users u WHERE u.id = external_webhooks.created_by)", String)
_MANIFESTS = text(
    """
    SELECT DISTINCT ON (m.id) m.name, v.manifest FROM modules_v2 i
    JOIN module_source m ON m.id = i.module_id JOIN module_versions v ON v.id = i.version_id
    WHERE i.agency_id = :agency AND i.status <> 'removed' ORDER BY m.id, i.changed_at DESC
    """
)


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint as lists show it. delivered, failed: of the last day; failed counts what was given up or missed."""

    webhook: Webhook
    site_name: str | None
    creator: str | None
    delivered: int
    failed: int

    @property
    def public_id(self) -> str:
        return self.webhook.public_id


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the delivery log, newest first. next: id to go on before, None on the last page."""

    rows: list[Delivery]
    next: UUID | None


def endpoints(db: Session, *, agency_id: UUID, now: datetime) -> list[EndpointRow]:
    """The agency's endpoints by address, at most 50."""
    query = _rows(now).where(Webhook.agency_id == agency_id).order_by(Webhook.url, Webhook.id)
    return [EndpointRow(*row) for row in db.execute(query)]


def endpoint(db: Session, *, webhook_id: UUID, now: datetime) -> EndpointRow:
    """One endpoint with what stands around it."""
    return EndpointRow(*db.execute(_rows(now).where(Webhook.id == webhook_id)).one())


def _rows(now: datetime) -> Any:
    # ids are made from the clock, so the log's own index finds the last day
    first = UUID(int=int((now - timedelta(days=1)).timestamp() * 1000) << 80)
    recent = (
        select(
            Delivery.webhook_id,
            func.count().filter(Delivery.status == "delivered").label("delivered"),
            func.count().filter(Delivery.status.in_(("failed", "missed"))).label("failed"),
        )
        .where(Delivery.agency_id == Webhook.agency_id, Delivery.webhook_id == Webhook.id, Delivery.id >= first)
        .group_by(Delivery.webhook_id)
        .lateral()
    )
    return (
        select(
            Webhook, Site.name, _CREATOR.label("creator"), func.coalesce(recent.c.delivered, 0, type_=Integer),
            func.coalesce(recent.c.failed, 0, type_=Integer),
        )
        .outerjoin(Site, Site.id == Webhook.site_id)
        .outerjoin(recent, recent.c.webhook_id == Webhook.id)
    )  # fmt: skip


def deliveries(
    db: Session, *, webhook_id: UUID, status: str = "all", event_type: str = "", before: UUID | None = None
) -> LogPage:
    """A page of an endpoint's log. status: one of STATUSES, "due" includes what is being sent; event_type: its beginning."""
    query = select(Delivery).where(Delivery.webhook_id == webhook_id)
    if status == "due":
        query = query.where(Delivery.status.in_(("due", "sending")))
    elif status != "all":
        query = query.where(Delivery.status == status)
    if event_type:
        query = query.where(func.starts_with(Delivery.event_type, event_type))
    if before is not None:
        query = query.where(Delivery.id < before)
    found = list(db.scalars(query.order_by(Delivery.id.desc()).limit(LOG_ROWS + 1)))
    return LogPage(found[:LOG_ROWS], found[LOG_ROWS - 1].id if len(found) > LOG_ROWS else None)


def attempts(db: Session, *, delivery_id: UUID) -> list[Attempt]:
    """Every call that was made for a delivery, newest first."""
    query = select(Attempt).where(Attempt.delivery_id == delivery_id).order_by(Attempt.number.desc())
    return list(db.scalars(query))


def changed_by(db: Session, *, webhook: Webhook) -> str:
    """The name of who last changed an endpoint's settings, as the audit trail has it; '' when it has none."""
    query = select(AuditRow.actor_name).where(
        AuditRow.agency_id == webhook.agency_id, AuditRow.target == webhook.public_id, AuditRow.action == WEBHOOK_CHANGED.name
    )  # fmt: skip
    return db.scalar(query.order_by(AuditRow.number.desc()).limit(1)) or ""


def event_of(db: Session, *, delivery: Delivery) -> Event:
    return db.get_one(Event, delivery.event_id)


def sites(db: Session, *, agency_id: UUID) -> list[Site]:
    """The agency's sites that are not archived, by name."""
    query = select(Site).where(Site.agency_id == agency_id, Site.archived_at.is_(None))
    return list(db.scalars(query.order_by(func.lower(Site.name), Site.id)))


def manifests(db: Session, *, agency_id: UUID) -> list[tuple[str, Manifest]]:
    """(name, manifest) of every module the agency has installed somewhere, by name."""
    found = [(row.name, Manifest.from_dict(row.manifest)) for row in db.execute(_MANIFESTS, {"agency": agency_id})]
    return sorted(found, key=lambda one: one[0].lower())
