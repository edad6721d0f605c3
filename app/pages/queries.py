"""Reads of the screens of pages. Each function is one statement unless it says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from app.installs.models import Install
from app.lib.ids import encode
from app.modules.manifest import Manifest
from app.modules.manifest.pages import Page as ModulePageSpec
from app.modules.models import Module, Version
from app.pages.models import PageVersion, Redirect, SiteImage, SitePage
from app.runtime.pages.view import SERVED

ROWS, DAYS = 25, 30
STATES = ("all", "published", "draft", "scheduled", "deleted")
_VIEWS = text(
    """
    SELECT v.page_id, v.day, v.views FROM site_page_views v JOIN site_pages p ON p.id = v.page_id
    WHERE p.site_id = :site AND v.day > :before
    """
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list. number: which one, from 1."""

    rows: list[SitePage]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // ROWS))


@dataclass(frozen=True, slots=True)
class Views:
    """Views of the last 30 days. days: their dates, oldest first; site: of all pages together; by_page: of each."""

    days: list[date]
    site: list[int]
    by_page: dict[UUID, list[int]]

    @property
    def labels(self) -> list[str]:
        """The days as a chart says them: 3 Mar."""
        return [f"{day.day} {day:%b}" for day in self.days]

    def of(self, page_id: UUID) -> list[int]:
        return self.by_page.get(page_id, [0] * len(self.days))


@dataclass(frozen=True, slots=True)
class Offered:
    """A page of an installed module that a block can show. status: of its install."""

    install_id: str
    module_name: str
    name: str
    spec: ModulePageSpec
    status: str

    @property
    def key(self) -> str:
        return f"{self.install_id}:{self.name}"

    @property
    def title(self) -> str:
        return self.spec.title or self.name.replace("-", " ").capitalize()


def pages_of(db: Session, *, site_id: UUID, q: str = "", state: str = "all", number: int = 1) -> Listing:
    """Pages of a site by menu order. q: in title or path; state: one of STATES. Two statements."""
    query = select(SitePage).where(SitePage.site_id == site_id)
    query = query.where(SitePage.deleted_at.is_not(None) if state == "deleted" else SitePage.deleted_at.is_(None))
    if state == "published":
        query = query.where(SitePage.published_at.is_not(None))
    elif state == "draft":
        query = query.where(SitePage.published_at.is_(None), SitePage.publish_at.is_(None))
    elif state == "scheduled":
        query = query.where(SitePage.publish_at.is_not(None))
    if q:
        title = SitePage.draft["title"].astext
        query = query.where(or_(title.icontains(q, autoescape=True), SitePage.path.icontains(q, autoescape=True)))
    total = db.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = min(number, max(1, -(-total // ROWS)))
    ordered = query.order_by(SitePage.menu_order, SitePage.path).limit(ROWS).offset((number - 1) * ROWS)
    return Listing(list(db.scalars(ordered)), total, number)


def views_of(db: Session, *, site_id: UUID, today: date) -> Views:
    """What was counted for the pages of a site, today included as far as it was written down."""
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    place = {day: number for number, day in enumerate(days)}
    total = [0] * DAYS
    by_page: dict[UUID, list[int]] = {}
    for row in db.execute(_VIEWS, {"site": site_id, "before": days[0] - timedelta(days=1)}):
        if row.day in place:
            by_page.setdefault(row.page_id, [0] * DAYS)[place[row.day]] += row.views
            total[place[row.day]] += row.views
    return Views(days, total, by_page)


def parents_for(db: Session, *, site_id: UUID, without: UUID | None = None) -> list[SitePage]:
    """Pages that another can be put below, by path."""
    query = select(SitePage).where(SitePage.site_id == site_id, SitePage.deleted_at.is_(None))
    return [page for page in db.scalars(query.order_by(SitePage.path)) if page.id != without]


def versions_of(db: Session, *, page_id: UUID, before: int | None = None) -> list[PageVersion]:
    """Versions of a page, newest first, at most 51."""
    query = select(PageVersion).where(PageVersion.page_id == page_id)
    if before is not None:
        query = query.where(PageVersion.number < before)
    return list(db.scalars(query.order_by(PageVersion.number.desc()).limit(ROWS + 1)))


def live_content(db: Session, *, page: SitePage) -> dict[str, object] | None:
    """What visitors see of a page now; None when they see nothing."""
    if page.live_version_id is None:
        return None
    return db.scalar(select(PageVersion.content).where(PageVersion.id == page.live_version_id))


def redirects_of(db: Session, *, site_id: UUID, q: str = "", number: int = 1) -> tuple[list[Redirect], int]:
    """(redirects by source, how many in all). Two statements."""
    query = select(Redirect).where(Redirect.site_id == site_id)
    if q:
        query = query.where(
            or_(Redirect.source.icontains(q, autoescape=True), Redirect.target.icontains(q, autoescape=True))
        )
    total = db.scalar(select(func.count()).select_from(query.subquery())) or 0
    return list(db.scalars(query.order_by(Redirect.source).limit(ROWS).offset((number - 1) * ROWS))), total


def recent_images(db: Session, *, site_id: UUID) -> list[SiteImage]:
    """The site's pictures to choose from, newest first, at most 200."""
    query = select(SiteImage).where(SiteImage.site_id == site_id).order_by(SiteImage.id.desc()).limit(200)
    return list(db.scalars(query))


def offered_pages(db: Session, *, site_id: UUID) -> list[Offered]:
    """Every page of the modules on a site that visitors may open, by module and name."""
    query = (
        select(Install.id, Install.status, Module.name, Version.manifest)
        .join(Module, Module.id == Install.module_id)
        .join(Version, Version.id == Install.version_id)
        .where(Install.site_id == site_id, Install.status.not_in(("removing", "removed")))
    )
    found = [
        Offered(encode("ins", row.id), row.name, name, spec, row.status)
        for row in db.execute(query)
        for name, spec in Manifest.from_dict(row.manifest).pages.items()
        if spec.kind in SERVED
    ]
    return sorted(found, key=lambda one: (one.module_name.lower(), one.install_id, one.name))


def due_pages(db: Session, *, now: datetime, most: int) -> list[tuple[UUID, UUID]]:
    """(page, agency) of pages whose time has come; in platform scope."""
    query = select(SitePage.id, SitePage.agency_id).where(SitePage.publish_at <= now, SitePage.deleted_at.is_(None))
    return [(row.id, row.agency_id) for row in db.execute(query.order_by(SitePage.publish_at).limit(most))]
