"""external_webhooks, external_webhook_deliveries and external_webhook_attempts as tables."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, ForeignKeyConstraint, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.access.permissions import Role
from app.db.base import Base, Created, Identified, Written

Status = Literal["due", "sending", "delivered", "failed", "missed"]
SLOW_MS = 5000  # sql/queries/webhooks/turns.sql says the same
State = Literal["active", "failing", "paused", "disabled"]


class Webhook(Identified, Created, Base):
    """An endpoint. site_id None: the events of every site and of the agency itself."""

    __tablename__ = "external_webhooks"
    public_prefix = "whk"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    site_id: Mapped[UUID | None]
    url: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    patterns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    role: Mapped[str]
    headers_sealed: Mapped[str] = mapped_column(server_default="")
    secret_sealed: Mapped[str]
    previous_secret_sealed: Mapped[str] = mapped_column(server_default="")
    previous_secret_until: Mapped[datetime | None]
    concurrency: Mapped[int] = mapped_column(SmallInteger, server_default="4")
    rate_per_minute: Mapped[int | None]
    calls_kept: Mapped[float] = mapped_column(server_default="6000")
    calls_kept_at: Mapped[datetime] = mapped_column(server_default=func.now())
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    version: Mapped[int] = mapped_column(server_default="1")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    paused_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str] = mapped_column(server_default="")
    failing_since: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")
    failed_at: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)), server_default="{}")
    counted_since: Mapped[datetime | None]
    warned: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    held_until: Mapped[datetime | None]
    latency_ms: Mapped[int | None]
    served_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def state(self) -> State:
        if self.disabled_at is not None:
            return "disabled"
        if self.paused_at is not None:
            return "paused"
        return "failing" if self.failing_since is not None else "active"

    @property
    def slow(self) -> bool:
        """Called as those that fail are, for its last answer took so long."""
        return self.failing_since is None and (self.latency_ms or 0) > SLOW_MS

    def held(self, now: datetime) -> bool:
        """Left alone, because it said that it has too much to do."""
        return self.held_until is not None and self.held_until > now

    def old_secret_signs(self, now: datetime) -> bool:
        return bool(self.previous_secret_sealed) and (self.previous_secret_until or now) > now

    def forget_failures(self) -> None:
        """A clean slate: as after a success."""
        self.failing_since = self.counted_since = self.held_until = None
        self.failures, self.failed_at, self.warned = 0, [], 0

    @property
    def granted_role(self) -> Role:
        return Role(self.role)


class Delivery(Identified, Created, Base):
    """One event for one endpoint."""

    __tablename__ = "external_webhook_deliveries"
    public_prefix = "dlv"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "webhook_id"], ["external_webhooks.agency_id", "external_webhooks.id"]),
    )

    agency_id: Mapped[UUID]
    webhook_id: Mapped[UUID]
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    event_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="due")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    given_back: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(server_default="")
    response_status: Mapped[int | None] = mapped_column(SmallInteger)
    response_excerpt: Mapped[str] = mapped_column(server_default="")
    latency_ms: Mapped[int | None]


class Attempt(Written, Base):
    """One call of the endpoint for a delivery."""

    __tablename__ = "external_webhook_attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "delivery_id"], ["external_webhook_deliveries.agency_id", "external_webhook_deliveries.id"]
        ),
    )

    delivery_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    agency_id: Mapped[UUID]
    at: Mapped[datetime]
    outcome: Mapped[str]
    response_status: Mapped[int | None] = mapped_column(SmallInteger)
    response_excerpt: Mapped[str] = mapped_column(server_default="")
    latency_ms: Mapped[int]
