"""studio_projects, studio_files and studio_trials as tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified

TrialKind = Literal["tests", "preview", "call"]


class Project(Identified, Created, Base):
    """A module being written. revision counts its changes."""

    __tablename__ = "studio_projects"
    public_prefix = "prj"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    name: Mapped[str]
    starter: Mapped[str]
    revision: Mapped[int] = mapped_column(server_default="0", default=0)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


class FileState(Base):
    """A file as one change left it; content None: that change deleted it."""

    __tablename__ = "studio_files"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "project_id"], ["studio_projects.agency_id", "studio_projects.id"]),
    )

    project_id: Mapped[UUID] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(server_default="")
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    author_name: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime]


class Trial(Identified, Created, Base):
    """Something to try with the project. asked: {page} or {function, input}; result: by kind, see jobs.py."""

    __tablename__ = "studio_trials"
    public_prefix = "trl"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "project_id"], ["studio_projects.agency_id", "studio_projects.id"]),
    )

    agency_id: Mapped[UUID]
    project_id: Mapped[UUID]
    kind: Mapped[str]
    revision: Mapped[int]
    asked: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(server_default="waiting", default="waiting")
    result: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    finished_at: Mapped[datetime | None]
