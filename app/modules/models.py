"""module_source, module_versions, module_version_files, module_blobs, module_database_registry, module_naming_conflicts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified
from app.lib.ids import encode


class Module(Created, Base):
    """What an agency publishes. Its id is random, not ordered in time: the first 8 hex digits name its schema."""

    __tablename__ = "module_source"
    public_prefix = "mod"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    agency_id: Mapped[UUID] = mapped_column(ForeignKey("agencies.id"))
    slug: Mapped[str]
    short_id: Mapped[str]
    name: Mapped[str]
    summary: Mapped[str] = mapped_column(server_default="", default="")
    category: Mapped[str] = mapped_column(server_default="", default="")
    icon: Mapped[str] = mapped_column(server_default="package", default="package")
    type: Mapped[str]
    tier: Mapped[str] = mapped_column(server_default="internal", default="internal")
    latest_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("module_versions.id"))
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    @property
    def public_id(self) -> str:
        return encode(self.public_prefix, self.id)


class Version(Identified, Created, Base):
    """One release. status: draft, then published and unchangeable, perhaps yanked."""

    __tablename__ = "module_versions"
    public_prefix = "ver"

    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id"))
    agency_id: Mapped[UUID]
    version: Mapped[str]
    major: Mapped[int]
    minor: Mapped[int]
    patch: Mapped[int]
    prerelease: Mapped[str] = mapped_column(server_default="", default="")
    status: Mapped[str] = mapped_column(server_default="draft", default="draft")
    manifest: Mapped[dict[str, Any]]
    listing: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    readme: Mapped[str] = mapped_column(server_default="", default="")
    changelog: Mapped[str] = mapped_column(server_default="", default="")
    digest: Mapped[str]
    size_bytes: Mapped[int]
    report: Mapped[list[Any]] = mapped_column(server_default="[]")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    published_at: Mapped[datetime | None]
    yanked_at: Mapped[datetime | None]
    cleared_at: Mapped[datetime | None]
    yank_reason: Mapped[str] = mapped_column(server_default="", default="")
    offered_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("module_versions.id"))


class Blob(Base):
    __tablename__ = "module_blobs"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class VersionFile(Base):
    __tablename__ = "module_version_files"

    version_id: Mapped[UUID] = mapped_column(ForeignKey("module_versions.id", ondelete="CASCADE"), primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    sha256: Mapped[str] = mapped_column(ForeignKey("module_blobs.sha256"))
    size_bytes: Mapped[int]


class Registry(Base):
    """The schema that holds a module's tables, and the physical layout it has now."""

    __tablename__ = "module_database_registry"

    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id"), primary_key=True)
    short_id: Mapped[str]
    schema_name: Mapped[str]
    role_name: Mapped[str]
    layout: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    layout_digest: Mapped[str] = mapped_column(server_default="")
    provisioned_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class NamingConflict(Identified, Base):
    __tablename__ = "module_naming_conflicts"
    public_prefix = "con"

    module_id: Mapped[UUID] = mapped_column(ForeignKey("module_source.id"))
    wanted_short_id: Mapped[str]
    given_short_id: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())
