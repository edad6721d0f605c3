"""support_switches and support_accesses as tables."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified

MODES = ("allow", "ask", "refuse")
HOURS = (1, 4, 24)


class SupportSwitch(Base):
    """What an agency lets platform staff do; without a row they have to ask."""

    __tablename__ = "support_switches"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"), primary_key=True)
    mode: Mapped[str]
    changed_at: Mapped[datetime]


class SupportAccess(Identified, Base):
    """One person of the staff, for one agency. status: asked, active, refused, ended; active ones end at expires_at."""

    __tablename__ = "support_accesses"
    public_prefix = "sup"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    staff_name: Mapped[str]
    reason: Mapped[str]
    hours: Mapped[int] = mapped_column(SmallInteger)
    status: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(server_default="")
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(server_default="")

    def state(self, now: datetime) -> str:
        """asked, active, refused, ended, or "over" for one whose time has run out."""
        over = self.status == "active" and self.expires_at is not None and self.expires_at <= now
        over = over or (self.status == "ended" and not self.ended_by)  # nobody ended it: it made room for the next
        return "over" if over else self.status
