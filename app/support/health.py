"""How an install has been: its figures of a while, and what stands still until somebody sets it going again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from app.lib.sql import load_sql
from app.webhooks.models import SLOW_MS, Webhook


@dataclass(frozen=True, slots=True)
class Health:
    """Figures since a moment. Times in ms, None where nothing was measured. jobs_failed: those nobody has dealt with."""

    calls: int
    calls_failed: int
    calls_refused: int
    median_ms: float | None
    p95_ms: float | None
    runs: int
    runs_failed: int
    cpu_p95_ms: float | None
    jobs_failed: int
    mails_given_up: int
    events_given_up: int

    @property
    def error_rate(self) -> float | None:
        """Share of calls and runs that failed by no fault of the caller, in percent; None when there were none."""
        tried = self.calls + self.runs
        return (self.calls_failed + self.runs_failed) * 100 / tried if tried else None

    @property
    def troubled(self) -> bool:
        given_up = self.jobs_failed + self.mails_given_up + self.events_given_up
        return bool(given_up or (self.error_rate or 0) >= 5)


def health(db: Session, *, agency_id: UUID, install_id: UUID, since: datetime) -> Health:
    """The figures of one install, in one statement."""
    given = {"agency": agency_id, "install": install_id, "since": since}
    return Health(**db.execute(text(load_sql("support/health")), given).one()._mapping)


def breakers(db: Session, *, agency_id: UUID, site_id: UUID, now: datetime) -> list[Webhook]:
    """Endpoints that hear of this site's events and stand still or go slowly: failures or slow answers have slowed them down
    or switched them off, they asked to be left alone, or a person has paused them."""
    found = select(Webhook).where(
        Webhook.agency_id == agency_id,
        or_(Webhook.site_id == site_id, Webhook.site_id.is_(None)),
        or_(
            Webhook.disabled_at.is_not(None),
            Webhook.failing_since.is_not(None),
            Webhook.paused_at.is_not(None),
            Webhook.held_until > now,
            Webhook.latency_ms > SLOW_MS,
        ),
    )  # fmt: skip
    return list(db.scalars(found.order_by(Webhook.url, Webhook.id).limit(50)))
