"""inbound_hooks, inbound_receipts and inbound_refusals as tables; inbound_seen is written by one statement alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, Written

Status = Literal["due", "done", "failed"]
Reason = Literal["no_secret", "no_signature", "signature", "timestamp"]


class Hook(Identified, Base):
    """The secret of one declared inbound webhook of an install. Until previous_until the secret before it holds too."""

    __tablename__ = "inbound_hooks"
    public_prefix = "hok"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID]
    name: Mapped[str]
    secret_sealed: Mapped[str]
    set_by: Mapped[UUID | None]
    set_at: Mapped[datetime]
    previous_sealed: Mapped[str] = mapped_column(server_default="", default="")
    previous_until: Mapped[datetime | None]


class Receipt(Identified, Written, Base):
    """A message that was taken. run: how often it was ordered; attempts: of this run. repeats: it came so often once more.

    headers: {name: value} that the function may see. message_id: the sender's, '' for none.
    """

    __tablename__ = "inbound_receipts"
    public_prefix = "rct"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
    )

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID]
    name: Mapped[str]
    message_id: Mapped[str]
    request_id: Mapped[str] = mapped_column(server_default="", default="")
    content_type: Mapped[str] = mapped_column(server_default="", default="")
    headers: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    body_sealed: Mapped[str]
    size_bytes: Mapped[int]
    status: Mapped[str] = mapped_column(server_default="due", default="due")
    run: Mapped[int] = mapped_column(server_default="1", default=1)
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    due_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(server_default="", default="")
    repeats: Mapped[int] = mapped_column(server_default="0", default=0)
    received_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Refusal(Base):
    """What was turned away within one hour for one reason."""

    __tablename__ = "inbound_refusals"

    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    times: Mapped[int] = mapped_column(server_default="1", default=1)
    last_at: Mapped[datetime]
    last_ip: Mapped[str | None] = mapped_column(INET)
    last_request_id: Mapped[str] = mapped_column(server_default="", default="")
