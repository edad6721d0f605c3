"""events, event_deliveries, audit_log and audit_heads as tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, LargeBinary, SmallInteger, func, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, Written, Xid8


class Event(Identified, Base):
    __tablename__ = "events"
    public_prefix = "evt"

    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    transaction: Mapped[str] = mapped_column(Xid8, server_default=func.pg_current_xact_id())
    agency_id: Mapped[UUID]
    site_id: Mapped[UUID | None]
    install_id: Mapped[UUID | None]
    type: Mapped[str]
    subject: Mapped[str] = mapped_column(server_default="")
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    actor: Mapped[str] = mapped_column(server_default="")
    request_id: Mapped[str] = mapped_column(server_default="")
    depth: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())
    dispatched_at: Mapped[datetime | None]


class EventDelivery(Written, Base):
    __tablename__ = "event_deliveries"

    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    subscriber: Mapped[str] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(server_default="due")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(server_default="")


class AuditRow(Identified, Written, Base):
    __tablename__ = "audit_log"
    public_prefix = "aud"

    agency_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(BigInteger, server_default="0")
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    actor: Mapped[str]
    actor_name: Mapped[str] = mapped_column(server_default="")
    action: Mapped[str]
    target: Mapped[str] = mapped_column(server_default="")
    target_name: Mapped[str] = mapped_column(server_default="")
    changes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str] = mapped_column(server_default="")
    request_id: Mapped[str] = mapped_column(server_default="")
    site_id: Mapped[UUID | None]
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary, server_default="\\x00")
    hash: Mapped[bytes] = mapped_column(LargeBinary, server_default="\\x00")


class AuditHead(Base):
    """Where an agency's chain ends; the trigger writes it. checked_at, fault: of the last check, '' when all was well.

    first_number, first_hash: of the last line that was let go after its year.
    """

    __tablename__ = "audit_heads"

    agency_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    checked_at: Mapped[datetime | None]
    fault: Mapped[str] = mapped_column(server_default="")
    first_number: Mapped[int] = mapped_column(BigInteger, server_default="0")
    first_hash: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("'\\x00'"))
