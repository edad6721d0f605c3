"""job_runs as a table."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified, Written


class JobRun(Identified, Written, Base):
    """One run of a job. agency_id None: the platform's own. trace: for platform staff only, and read only when asked for.

    settled: "retried" or "discarded" once somebody has dealt with its failure.
    """

    __tablename__ = "job_runs"
    public_prefix = "job"

    agency_id: Mapped[UUID | None]
    site_id: Mapped[UUID | None]
    install_id: Mapped[UUID | None]
    name: Mapped[str]
    given: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    request_id: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str]
    error: Mapped[str] = mapped_column(server_default="")
    trace: Mapped[str] = mapped_column(server_default="", deferred=True)
    started_at: Mapped[datetime]
    gives_up_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    scoped: Mapped[bool] = mapped_column(server_default="true")
    settled: Mapped[str] = mapped_column(server_default="")
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str] = mapped_column(server_default="")

    def state(self, now: datetime) -> str:
        """running, done, failed, or "lost" for one that was killed."""
        return "lost" if self.status == "running" and self.gives_up_at < now else self.status

    def can_be_settled(self, now: datetime) -> bool:
        return not self.settled and self.state(now) in ("failed", "lost")
