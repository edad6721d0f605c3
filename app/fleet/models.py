"""fleet_runs, fleet_run_items, fleet_policies, fleet_rollouts, fleet_rollout_sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Identified


class Run(Identified, Base):
    """One act over many installs. kind: upgrade, pause, resume, settings, undo. status: running, paused, stopped, done,
    cancelled. change: of settings {name, value, back, said}; said is what lists show of it.
    """

    __tablename__ = "fleet_runs"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "undoes_id"], ["fleet_runs.agency_id", "fleet_runs.id"]),)
    public_prefix = "run"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    kind: Mapped[str]
    undoes_id: Mapped[UUID | None]
    change: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    status: Mapped[str] = mapped_column(server_default="running", default="running")
    stop_at_first: Mapped[bool] = mapped_column(server_default="true", default=True)
    reason: Mapped[str] = mapped_column(server_default="", default="")
    ordered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    ordered_name: Mapped[str] = mapped_column(server_default="", default="")
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class RunItem(Base):
    """One install of a run. state: waiting, running, done, failed, skipped; detail says why it failed or was left out.

    moved: of settings {from, to}, each {} or {setting: the site's own value}; None before its turn.
    """

    __tablename__ = "fleet_run_items"
    __table_args__ = (
        ForeignKeyConstraint(["agency_id", "run_id"], ["fleet_runs.agency_id", "fleet_runs.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
    )

    agency_id: Mapped[UUID]
    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int]
    from_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("module_versions.id"))
    to_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("module_versions.id"))
    state: Mapped[str] = mapped_column(server_default="waiting", default="waiting")
    agreed: Mapped[bool] = mapped_column(server_default="false", default=False)
    detail: Mapped[str] = mapped_column(server_default="", default="")
    moved: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Policy(Identified, Base):
    """Which versions a site takes by itself. mode: off, patch, minor, None as the agency says; site_id None: the agency."""

    __tablename__ = "fleet_policies"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)
    public_prefix = "pol"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    site_id: Mapped[UUID | None]
    mode: Mapped[str | None]
    internal: Mapped[bool] = mapped_column(server_default="false", default=False)


class Rollout(Identified, Base):
    """A release going over an agency's sites by itself. status: running, stopped, done, cancelled. ring: internal, part, all."""

    __tablename__ = "fleet_rollouts"
    public_prefix = "rol"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    status: Mapped[str] = mapped_column(server_default="running", default="running")
    ring: Mapped[str] = mapped_column(server_default="internal", default="internal")
    reason: Mapped[str] = mapped_column(server_default="", default="")
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class RolloutSite(Base):
    """One install a release goes to. state: waiting, moving, watching, healthy, unhealthy, skipped."""

    __tablename__ = "fleet_rollout_sites"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "rollout_id"], ["fleet_rollouts.agency_id", "fleet_rollouts.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
    )

    agency_id: Mapped[UUID]
    rollout_id: Mapped[UUID] = mapped_column(primary_key=True)
    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    ring: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting", default="waiting")
    detail: Mapped[str] = mapped_column(server_default="", default="")
    changed_at: Mapped[datetime]
