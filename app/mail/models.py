"""mails: letters on their way."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified, Written
from app.lib.trace import current_request_id


class Mail(Identified, Created, Written, Base):
    __tablename__ = "mails"
    public_prefix = "eml"
    # nothing is read back: who writes a letter for somebody unknown may not read it, and RETURNING counts as reading
    __mapper_args__: Any = {"eager_defaults": False}  # noqa: RUF012  # SQLAlchemy declares it per instance

    agency_id: Mapped[UUID | None]
    site_id: Mapped[UUID | None]
    install_id: Mapped[UUID | None]
    kind: Mapped[str]
    recipient: Mapped[str]
    reply_to: Mapped[str] = mapped_column(server_default="")
    subject: Mapped[str]
    body_sealed: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str] = mapped_column(server_default="due")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(server_default="")
    request_id: Mapped[str] = mapped_column(server_default="", default=current_request_id)
