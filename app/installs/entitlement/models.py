"""module_entitlements."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class Leave(Identified, Base):
    """A trial of a module, or leave to use it that platform staff gave. ends_at: None for good."""

    __tablename__ = "module_entitlements"
    public_prefix = "ent"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id", ondelete="CASCADE"))
    kind: Mapped[str]
    starts_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ends_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default="", default="")
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    revoked_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
