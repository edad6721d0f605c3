"""module_publications."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified


class Publication(Identified, Created, Base):
    """One try to publish a version. steps and tests grow while it runs; problems say what to mend when it failed."""

    __tablename__ = "module_publications"
    public_prefix = "pub"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    status: Mapped[str] = mapped_column(server_default="running", default="running")
    tier: Mapped[str] = mapped_column(server_default="", default="")
    steps: Mapped[list[Any]]
    tests: Mapped[list[Any]]
    problems: Mapped[list[Any]]
    risk: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    approved: Mapped[bool] = mapped_column(server_default="false", default=False)
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_name: Mapped[str] = mapped_column(server_default="", default="")
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="", default="")
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    ordered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    ordered_name: Mapped[str] = mapped_column(server_default="", default="")
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
