"""modules_v2 (an install), install_moves, module_settings (levels above it), module_member_roles, module_schedules."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Text, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, Identified
from app.modules.models import Module, Version
from app.tenancy.models import Site


class Install(Identified, Base):
    """One module on one site.

    settings: what the site gives by itself ({name: value}); what is in force is resolve() of inheritance.py.
    status: provisioning, active, failed, paused, removing, removed. task: what the last or current job is for (install,
    upgrade, rollback, remove, restore). steps: [{key, label, state, at, detail}] of the last
    job, state being todo, now, done or failed. secrets: {setting name: sealed text}. granted: what was consented to.
    """

    __tablename__ = "modules_v2"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)
    public_prefix = "ins"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    site_id: Mapped[UUID]
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    previous_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("module_versions.id"))
    status: Mapped[str]
    task: Mapped[str] = mapped_column(server_default="install", default="install")
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    secrets: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    granted: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    steps: Mapped[list[Any]] = mapped_column(server_default="[]", default=list)
    failure: Mapped[str] = mapped_column(server_default="", default="")
    installed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    installed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    removed_at: Mapped[datetime | None]
    purge_after: Mapped[datetime | None]
    parked_until: Mapped[datetime | None]

    site: Mapped[Site] = relationship(
        lazy="raise",
        primaryjoin="and_(Install.agency_id == Site.agency_id, Install.site_id == Site.id)",
        foreign_keys="[Install.agency_id, Install.site_id]",
        viewonly=True,
    )
    module: Mapped[Module] = relationship(lazy="raise", viewonly=True)
    version: Mapped[Version] = relationship(lazy="raise", foreign_keys=[version_id], viewonly=True)


class ModuleSettings(Identified, Base):
    """What an agency (client_id None) or one of its clients gives to all its installs of a module.

    settings: {name: value}; secrets: {name: sealed text}; locks: {name: {by, name, at, reason}}.
    """

    __tablename__ = "module_settings"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "client_id"], ["clients.agency_id", "clients.id"]),)
    public_prefix = "lvl"

    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id", ondelete="CASCADE"))
    client_id: Mapped[UUID | None]
    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id"))
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    secrets: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    locks: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Move(Identified, Base):
    """An install going to another version. kind: upgrade, rollback.

    state: ordered, watching, settled, unhealthy (does worse, or was to go back, and could not), undone, failed.
    records, of a rollback: keep (those written since stay where the older version can hold them) or put_back (as the copy
    says). figures: {base, now, breach}, as rollouts.watch keeps them. own_before, own_after: {settings, secrets} that the
    site gave by itself, secrets sealed; None of old moves. file_rows, of a rollback: {created, changed, deleted, not_held,
    settings_left: names} of the file of what was written since.
    """

    __tablename__ = "install_moves"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
    )
    public_prefix = "mov"

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID]
    kind: Mapped[str]
    from_version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    to_version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id"))
    state: Mapped[str] = mapped_column(server_default="ordered", default="ordered")
    undoes_id: Mapped[UUID | None]
    records: Mapped[str] = mapped_column(server_default="keep", default="keep")
    by_itself: Mapped[bool] = mapped_column(server_default="false", default=False)
    ordered_by: Mapped[str] = mapped_column(server_default="", default="")
    reason: Mapped[str] = mapped_column(server_default="", default="")
    ordered_at: Mapped[datetime]
    moved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    watch_until: Mapped[datetime | None]
    figures: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    copied_at: Mapped[datetime | None]
    copied_tables: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", default=list)
    copied_rows: Mapped[int] = mapped_column(server_default="0", default=0)
    file_rows: Mapped[dict[str, Any]] = mapped_column(server_default="{}", default=dict)
    own_before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    own_after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    keep_until: Mapped[datetime | None]

    before: Mapped[Version] = relationship(lazy="raise", foreign_keys=[from_version_id], viewonly=True)
    after: Mapped[Version] = relationship(lazy="raise", foreign_keys=[to_version_id], viewonly=True)


class MemberRole(Base):
    """The role a member has inside one installed module; without a row the agency role decides."""

    __tablename__ = "module_member_roles"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["agency_id", "user_id"], ["memberships.agency_id", "memberships.user_id"], ondelete="CASCADE"
        ),
    )

    agency_id: Mapped[UUID]
    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]


class Schedule(Base):
    """When a job of an install's module runs next. cron is read in time_zone; due_at: a run that is ordered, not over."""

    __tablename__ = "module_schedules"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agency_id", "install_id"], ["modules_v2.agency_id", "modules_v2.id"], ondelete="CASCADE"
        ),
    )

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    function: Mapped[str]
    cron: Mapped[str]
    time_zone: Mapped[str]
    next_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    last_outcome: Mapped[str] = mapped_column(server_default="", default="")
