"""Which pages of an install open only with a token, and the tokens."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified


class ClosedPage(Base):
    """A page of an install that opens only with a token; one without a row is open to everybody."""

    __tablename__ = "module_embed_pages"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    page: Mapped[str] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class EmbedToken(Identified, Created, Base):
    """What a host site shows to open closed pages of one install. Only its hash is kept."""

    __tablename__ = "module_embed_tokens"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)
    public_prefix = "emt"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID]
    name: Mapped[str]
    shown: Mapped[str]
    kid: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    origins: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    usage_count: Mapped[int] = mapped_column(server_default="0")
    last_used_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    def status(self, now: datetime) -> str:
        """active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.expires_at > now else "expired"
