"""external_domains as a table."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified

State = Literal["pending", "verified", "failing", "lost"]
PURPOSES = ("embed", "api", "pages", "platform")
HOLDING = ("verified", "failing")  # the states in which a domain may do what it is for


class Domain(Identified, Created, Base):
    """A host name. site_id None: the platform's own screens are served there (purpose "platform")."""

    __tablename__ = "external_domains"
    public_prefix = "dom"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),
        ForeignKeyConstraint(["agency_id", "target_install_id"], ["modules_v2.agency_id", "modules_v2.id"]),
    )

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    site_id: Mapped[UUID | None]
    host: Mapped[str]
    purposes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(server_default="pending")
    token: Mapped[str]
    token_expires_at: Mapped[datetime]
    method: Mapped[str] = mapped_column(server_default="")
    verified_at: Mapped[datetime | None]
    checking_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    found: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    www: Mapped[str] = mapped_column(server_default="none")
    target_install_id: Mapped[UUID | None]
    target_page: Mapped[str] = mapped_column(server_default="")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    @property
    def holds(self) -> bool:
        return self.state in HOLDING
