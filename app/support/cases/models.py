"""case_bundles as a table."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class CaseBundle(Identified, Base):
    """for_user_id: a member; for_agency_id: the module's publisher; neither: the platform's support.

    content: as collect() makes it.
    """

    __tablename__ = "case_bundles"
    public_prefix = "cas"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID]
    note: Mapped[str]
    for_user_id: Mapped[UUID | None]
    for_agency_id: Mapped[UUID | None]
    created_by: Mapped[UUID]
    created_by_name: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    content: Mapped[dict[str, Any]] = mapped_column(deferred=True)

    @property
    def whom(self) -> str:
        """Who its link opens for: member, publisher or support."""
        return "member" if self.for_user_id else "publisher" if self.for_agency_id else "support"

    def holds(self, now: datetime) -> bool:
        """Whether its link still opens."""
        return self.revoked_at is None and self.expires_at > now
