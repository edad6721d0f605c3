"""site_looks, site_pages, site_page_versions, site_page_steps, site_redirects, site_images."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Created, Identified

ACCENT = "#3b46c8"


class Look(Base):
    """How all pages of a site look. accent: #rrggbb; generation: goes up with every change that visitors can see."""

    __tablename__ = "site_looks"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    agency_id: Mapped[UUID]
    accent: Mapped[str] = mapped_column(default=ACCENT)
    font: Mapped[str] = mapped_column(default="modern")
    theme: Mapped[str] = mapped_column(default="auto")
    tagline: Mapped[str] = mapped_column(default="")
    footer: Mapped[str] = mapped_column(default="")
    listed: Mapped[bool] = mapped_column(default=True)
    lost_title: Mapped[str] = mapped_column(default="")
    lost_text: Mapped[str] = mapped_column(default="")
    generation: Mapped[int] = mapped_column(BigInteger, default=1)


class SitePage(Identified, Created, Base):
    """A page. draft: app.pages.content.Content as JSON, with `revision` counting its changes; live: its version, if any."""

    __tablename__ = "site_pages"
    public_prefix = "pag"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    parent_id: Mapped[UUID | None]
    path: Mapped[str]
    in_menu: Mapped[bool] = mapped_column(default=True)
    menu_label: Mapped[str] = mapped_column(default="")
    menu_order: Mapped[int] = mapped_column(default=0)
    draft: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(BigInteger, default=1)
    changed_at: Mapped[datetime]
    changed_by_name: Mapped[str] = mapped_column(default="")
    live_version_id: Mapped[UUID | None]
    published_at: Mapped[datetime | None]
    planned_version_id: Mapped[UUID | None]
    publish_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @property
    def title(self) -> str:
        return str(self.draft["title"]) or "Untitled"

    @property
    def status(self) -> str:
        """deleted, scheduled (whatever is live meanwhile), published or draft."""
        if self.deleted_at:
            return "deleted"
        if self.publish_at:
            return "scheduled"
        return "published" if self.published_at else "draft"


class PageVersion(Identified, Base):
    """What a page was. reason: published · planned · kept (before an older one was restored)."""

    __tablename__ = "site_page_versions"
    public_prefix = "pgv"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "page_id"], ["site_pages.agency_id", "site_pages.id"]),)

    agency_id: Mapped[UUID]
    page_id: Mapped[UUID]
    number: Mapped[int]
    reason: Mapped[str]
    content: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    made_by_name: Mapped[str] = mapped_column(default="")


class PageStep(Base):
    """A draft as it was at `revision`, before the change that `said` names."""

    __tablename__ = "site_page_steps"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "page_id"], ["site_pages.agency_id", "site_pages.id"]),)

    page_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    agency_id: Mapped[UUID]
    said: Mapped[str]
    content: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Redirect(Identified, Created, Base):
    """An address that leads to another. target: a path of the site or an https address."""

    __tablename__ = "site_redirects"
    public_prefix = "rdr"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    source: Mapped[str]
    target: Mapped[str]
    automatic: Mapped[bool] = mapped_column(default=False)


class SiteImage(Identified, Created, Base):
    """A picture of a site, re-encoded. small: there is one of 800 px as well."""

    __tablename__ = "site_images"
    public_prefix = "img"
    __table_args__ = (ForeignKeyConstraint(["agency_id", "site_id"], ["sites.agency_id", "sites.id"]),)

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(default="")
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    small: Mapped[bool]
