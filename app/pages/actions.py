"""What people do with a page's words: begin it, write, undo, publish, plan, take off, delete, bring back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid
from app.events.catalog import (
    PAGE_CREATED,
    PAGE_DELETED,
    PAGE_PLANNED,
    PAGE_PUBLISHED,
    PAGE_RESTORED,
    PAGE_UNPUBLISHED,
    EventType,
)
from app.events.outbox import publish
from app.lib.ids import uuid7
from app.pages.content import Content, faults, stored
from app.pages.models import PageStep, PageVersion, SitePage
from app.pages.paths import page_path
from app.pages.references import checked
from app.pages.showing import look_of, visitors_see
from app.tenancy.models import Site

MOST_PAGES, MOST_STEPS, MOST_CHARACTERS = 500, 30, 300_000
JOIN_S = 20  # words typed within this time are undone together
TYPED = "Words changed"


class PathTaken(Conflict):
    """Another page of the site has this address. Choose another, or move that page first."""

    code = "path_taken"


class DraftChanged(Conflict):
    """Somebody saved this page after you opened it."""

    code = "draft_changed"


class NotReady(Invalid):
    """The page cannot go live yet."""

    code = "not_ready"


class NothingToUndo(Conflict):
    """There is nothing left to undo."""

    code = "nothing_to_undo"


class PageDeleted(Conflict):
    """This page is deleted. Restore it first."""

    code = "page_deleted"


def create_page(
    db: Session,
    *,
    site: Site,
    content: Content,
    path: str,
    by: Actor,
    now: datetime,
    parent: SitePage | None = None,
    in_menu: bool = True,
) -> SitePage:
    """A new page as a draft, last in the menu. Raises Invalid (path), PathTaken."""
    count, last = db.execute(
        select(func.count(), func.coalesce(func.max(SitePage.menu_order), 0)).where(
            SitePage.site_id == site.id, SitePage.deleted_at.is_(None)
        )
    ).one()
    if count >= MOST_PAGES:
        raise Conflict(f"A site has at most {MOST_PAGES} pages. Delete one first.")
    look_of(db, site=site)
    page = SitePage(
        id=uuid7(), agency_id=site.agency_id, site_id=site.id, parent_id=parent.id if parent else None,
        path=page_path(path), in_menu=in_menu, menu_order=last + 10, revision=1,
        changed_at=now, changed_by_name=by.name, created_at=now,
    )  # fmt: skip
    page.draft = Content(title=content.title).to_json()
    page.draft = checked(db, page=page, content=content).to_json()
    insert_at_path(db, page)
    tell(db, PAGE_CREATED, page, by=by)
    return page


def insert_at_path(db: Session, page: SitePage) -> None:
    """Write a page whose path may be taken. Raises PathTaken: the unique key decides, not a query before it."""
    try:
        with db.begin_nested():
            db.add(page)
            db.flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise PathTaken() from error
        raise


def save_draft(
    db: Session,
    *,
    page: SitePage,
    content: Content,
    revision: int,
    by: Actor,
    now: datetime,
    said: str = TYPED,
) -> SitePage:
    """Keep a new draft. revision: of the draft it was made from.

    Nothing that visitors see changes. Raises DraftChanged, PageDeleted, Invalid.
    """
    page = _locked(db, page)
    if page.revision != revision:
        raise DraftChanged(facts_of(page))
    kept = checked(db, page=page, content=content).to_json()
    if kept == page.draft:
        return page
    if len(str(kept)) > MOST_CHARACTERS:
        raise Invalid("This page is too long. Split it into several pages.")
    _remember(db, page, said=said, now=now)
    _replace(page, kept, by=by, now=now)
    db.flush()
    return page


def undo(db: Session, *, page: SitePage, revision: int, by: Actor, now: datetime) -> str:
    """Put the draft back to what it was before its last change; returns what that was.

    Raises NothingToUndo, DraftChanged, PageDeleted.
    """
    page = _locked(db, page)
    if page.revision != revision:
        raise DraftChanged(facts_of(page))
    step = db.scalars(
        select(PageStep).where(PageStep.page_id == page.id).order_by(PageStep.revision.desc()).limit(1)
    ).first()
    if step is None:
        raise NothingToUndo()
    _replace(page, step.content, by=by, now=now)
    db.delete(step)
    db.flush()
    return step.said


def publish_page(db: Session, *, page: SitePage, by: Actor, now: datetime) -> PageVersion:
    """The draft goes live as it is now, and a plan is dropped. Raises NotReady, PageDeleted."""
    page = _locked(db, page)
    version = _version(db, page, reason="published", by=by, now=now)
    _go_live(db, page, version, by=by, now=now)
    return version


def plan_page(db: Session, *, page: SitePage, at: datetime, by: Actor, now: datetime) -> PageVersion:
    """The draft as it is now goes live at a time to come; what is written meanwhile does not.

    Raises Invalid (a time that is over, or more than two years off), NotReady, PageDeleted.
    """
    if not now < at <= now + timedelta(days=731):
        raise Invalid.field("publish_at", "Choose a time that is still to come, within two years.")
    page = _locked(db, page)
    version = _version(db, page, reason="planned", by=by, now=now)
    page.planned_version_id, page.publish_at = version.id, at
    tell(db, PAGE_PLANNED, page, by=by, data={"publish_at": at.isoformat()})
    db.flush()
    return version


def publish_planned(db: Session, *, page: SitePage, by: Actor, now: datetime) -> None:
    """Its time has come. Nothing happens when the plan was dropped meanwhile."""
    page = _locked(db, page)
    if page.publish_at is None or page.publish_at > now or page.planned_version_id is None:
        return
    _go_live(db, page, db.get_one(PageVersion, page.planned_version_id), by=by, now=now)


def drop_plan(db: Session, *, page: SitePage, by: Actor) -> None:
    """The page stays as it is; its plan is forgotten."""
    page = _locked(db, page)
    if page.publish_at is not None:
        page.planned_version_id = page.publish_at = None
        tell(db, PAGE_PLANNED, page, by=by, data={"publish_at": None})
        db.flush()


def unpublish_page(db: Session, *, page: SitePage, by: Actor) -> None:
    """Visitors do not see it any more; its draft, versions and address stay."""
    page = _locked(db, page)
    if page.live_version_id is None:
        return
    page.live_version_id = page.published_at = None
    visitors_see(db, page.site_id)
    tell(db, PAGE_UNPUBLISHED, page, by=by)
    db.flush()


def restore_version(
    db: Session, *, page: SitePage, version: PageVersion, by: Actor, now: datetime
) -> PageVersion | None:
    """The draft becomes what that version was. A draft that stands in no version is kept as one, and returned."""
    page = _locked(db, page)
    kept = None
    if not db.scalar(select(PageVersion.id).where(PageVersion.page_id == page.id, PageVersion.content == page.draft)):
        kept = _write_version(db, page, reason="kept", by=by, now=now)
    _remember(db, page, said=f"Version {version.number} restored", now=now)
    _replace(page, version.content, by=by, now=now)
    db.flush()
    return kept


def delete_page(db: Session, *, page: SitePage, by: Actor, now: datetime) -> None:
    """Take a page away for visitors and out of the list; it can be restored for 30 days."""
    if page.deleted_at:
        return
    page = _locked(db, page)
    page.deleted_at = now
    page.planned_version_id = page.publish_at = None
    if page.live_version_id:
        visitors_see(db, page.site_id)
    tell(db, PAGE_DELETED, page, by=by)
    db.flush()


def restore_page(db: Session, *, page: SitePage, by: Actor) -> None:
    """Bring a deleted page back as it was, live if it was live. Raises PathTaken."""
    if page.deleted_at is None:
        return
    try:
        with db.begin_nested():
            page.deleted_at = None
            db.flush()
    except IntegrityError as error:
        db.refresh(page)
        if isinstance(error.orig, UniqueViolation):
            raise PathTaken(f"Another page has the address {page.path} now. Move it, then restore this one.") from error
        raise
    visitors_see(db, page.site_id)
    tell(db, PAGE_RESTORED, page, by=by)


def facts_of(page: SitePage) -> str:
    """Who saved a draft, in words."""
    return f"{page.changed_by_name or 'Somebody'} saved this page after you opened it."


def tell(
    db: Session,
    event: EventType,
    page: SitePage,
    *,
    by: Actor,
    data: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Publish an event about a page."""
    publish(
        db, event, by=by, agency_id=page.agency_id, site_id=page.site_id, target=page.public_id,
        target_name=page.title, data={"title": page.title, "path": page.path, **(data or {})}, changes=changes,
    )  # fmt: skip


def _locked(db: Session, page: SitePage) -> SitePage:
    """The row as it is now, and nobody else's until this transaction ends. Raises PageDeleted."""
    db.refresh(page, with_for_update=True)
    if page.deleted_at:
        raise PageDeleted()
    return page


def _replace(page: SitePage, content: dict[str, Any], *, by: Actor, now: datetime) -> None:
    page.draft = content
    page.revision += 1
    page.changed_at, page.changed_by_name = now, by.name


def _remember(db: Session, page: SitePage, *, said: str, now: datetime) -> None:
    """Keep the draft for undoing; words typed in one go are one step."""
    newest = db.scalars(
        select(PageStep).where(PageStep.page_id == page.id).order_by(PageStep.revision.desc()).limit(1)
    ).first()
    if newest and said == newest.said == TYPED and newest.at > now - timedelta(seconds=JOIN_S):
        return
    db.add(
        PageStep(
            agency_id=page.agency_id, page_id=page.id, revision=page.revision, said=said, content=page.draft, at=now
        )
    )
    db.flush()
    kept = (
        select(PageStep.revision).where(PageStep.page_id == page.id).order_by(PageStep.revision.desc())
        .limit(MOST_STEPS).scalar_subquery()
    )  # fmt: skip
    db.execute(delete(PageStep).where(PageStep.page_id == page.id, PageStep.revision.not_in(kept)))


def _version(db: Session, page: SitePage, *, reason: str, by: Actor, now: datetime) -> PageVersion:
    if wanting := faults(stored(page.draft)):
        raise NotReady("This page cannot go live yet.", errors=wanting)
    return _write_version(db, page, reason=reason, by=by, now=now)


def _write_version(db: Session, page: SitePage, *, reason: str, by: Actor, now: datetime) -> PageVersion:
    last = db.scalar(select(func.max(PageVersion.number)).where(PageVersion.page_id == page.id)) or 0
    version = PageVersion(
        id=uuid7(), agency_id=page.agency_id, page_id=page.id, number=last + 1, reason=reason, content=page.draft,
        made_at=now, made_by=_person(by), made_by_name=by.name,
    )  # fmt: skip
    db.add(version)
    db.flush()
    return version


def _person(by: Actor) -> UUID | None:
    return by.id if by.kind == "person" else None


def _go_live(db: Session, page: SitePage, version: PageVersion, *, by: Actor, now: datetime) -> None:
    page.live_version_id, page.published_at = version.id, now
    page.planned_version_id = page.publish_at = None
    visitors_see(db, page.site_id)
    tell(db, PAGE_PUBLISHED, page, by=by, data={"version": version.number})
    db.flush()
