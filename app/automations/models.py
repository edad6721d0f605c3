"""automations, automation_states and automation_runs as tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, SmallInteger
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.access.actors import Actor, job
from app.access.permissions import Role
from app.automations.steps import seen_of
from app.db.base import Base, Created, Identified


class Automation(Identified, Created, Base):
    """site_id None: the events of every site and of the agency itself. steps: see steps.py."""

    __tablename__ = "automations"
    public_prefix = "aut"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    site_id: Mapped[UUID | None]
    name: Mapped[str]
    event_type: Mapped[str]
    conditions: Mapped[str] = mapped_column(server_default="")
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    role: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default="false")
    off_reason: Mapped[str] = mapped_column(server_default="")
    retries: Mapped[int] = mapped_column(SmallInteger, server_default="3")
    off_after: Mapped[int] = mapped_column(SmallInteger, server_default="10")
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    revision: Mapped[int] = mapped_column(BigInteger, server_default="1")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    @property
    def settings(self) -> dict[str, Any]:
        """What its own form changes."""
        names = ("name", "event_type", "conditions", "retries", "off_after")
        return {name: getattr(self, name) for name in names}

    @property
    def seen(self) -> str:
        """Tells whether the settings are still those that somebody saw."""
        return seen_of(self.settings)

    @property
    def granted_role(self) -> Role:
        return Role(self.role)

    @property
    def actor(self) -> Actor:
        """Whoever acts in its runs; what it changes is signed so."""
        return job(f"automation {self.public_id}", agency_id=self.agency_id)


class State(Base):
    """What an automation was before a change: its settings, steps and active. said: what the change was."""

    __tablename__ = "automation_states"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "automation_id"], ["automations.agency_id", "automations.id"]),
    )

    agency_id: Mapped[UUID]
    automation_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    said: Mapped[str]
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime]


class Run(Identified, Created, Base):
    """One event for one automation. steps: as they were when it began, each with outcome ("", done, failed) and detail."""

    __tablename__ = "automation_runs"
    public_prefix = "arn"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "automation_id"], ["automations.agency_id", "automations.id"]),
    )

    agency_id: Mapped[UUID]
    automation_id: Mapped[UUID]
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"))
    event_type: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="due")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime]
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    finished_at: Mapped[datetime | None]
