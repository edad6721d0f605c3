"""module_trials."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.lib.ids import encode

PREFIX = "try_"


class Trial(Base):
    """A module tried out. status: making, ready, failed (with failure, for people), ending. site_id: of no site."""

    __tablename__ = "module_trials"
    public_prefix = "try"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    site_id: Mapped[UUID] = mapped_column(default=uuid4)
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    layout: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    status: Mapped[str] = mapped_column(server_default="making", default="making")
    failure: Mapped[str] = mapped_column(server_default="", default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ready_at: Mapped[datetime | None]
    ends_at: Mapped[datetime]

    @property
    def public_id(self) -> str:
        return encode(self.public_prefix, self.id)

    @property
    def install_id(self) -> str:
        """Its name where installs are named: in addresses of its pages and records."""
        return encode("ins", self.id)


def schema_of(trial_id: UUID) -> str:
    """The schema of a trial's tables, and the role that reaches them."""
    return f"{PREFIX}{trial_id.hex}"
