"""install_rehearsals: upgrades tried on a copy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base
from app.modules.models import Version
from app.rollouts.runs import Run


class Rehearsal(Run, Base):
    """status: running, done, failed. steps: as of an install. result: as rehearsing.rehearsal() tells it."""

    __tablename__ = "install_rehearsals"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
    )
    public_prefix = "reh"

    from_version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    to_version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    steps: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    result: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)

    before: Mapped[Version] = relationship(lazy="raise", foreign_keys=[from_version_id], viewonly=True)
    after: Mapped[Version] = relationship(lazy="raise", foreign_keys=[to_version_id], viewonly=True)
