"""module_connections: one row per connection of an install that somebody set up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class Connection(Identified, Base):
    """A connection of an install. state: new, connected, or broken (somebody has to connect it again)."""

    __tablename__ = "module_connections"
    public_prefix = "con"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID]
    name: Mapped[str]
    state: Mapped[str]
    client_id: Mapped[str]
    client_secret_sealed: Mapped[str]
    asked_state: Mapped[bytes | None] = mapped_column(LargeBinary)
    asked_verifier_sealed: Mapped[str]
    asked_session_id: Mapped[UUID | None]
    asked_at: Mapped[datetime | None]
    token_url: Mapped[str]
    access_sealed: Mapped[str]
    refresh_sealed: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime | None]
    refresh_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    failure: Mapped[str]
    connected_by: Mapped[UUID | None]
    connected_at: Mapped[datetime | None]
