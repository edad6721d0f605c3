"""What people do with a site's pages as a whole: addresses and menu, redirects, the look."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid
from app.events.catalog import PAGE_MOVED, SITE_LOOK_CHANGED, SITE_REDIRECTS_CHANGED
from app.events.outbox import changed, publish
from app.lib.ids import uuid7
from app.pages.actions import PathTaken, tell
from app.pages.models import Look, Redirect, SitePage
from app.pages.paths import page_path, redirect_source, redirect_target
from app.pages.showing import visitors_see
from app.tenancy.models import Site

MOST_REDIRECTS = 500


class RedirectLoop(Invalid):
    """This redirect would lead in a circle."""

    code = "redirect_loop"


def place_page(
    db: Session, *, page: SitePage, path: str, parent: SitePage | None, in_menu: bool, menu_label: str, by: Actor
) -> None:
    """Address, parent and menu of a page; they hold at once. A page that is live leaves a redirect at its old address.

    Raises Invalid (path, a parent below itself), PathTaken.
    """
    path = page_path(path)
    if parent is not None and page.id in _ancestors(db, parent):
        raise Invalid.field("parent", "A page cannot be below itself.")
    before = {
        "path": page.path,
        "parent": _public(page.parent_id),
        "in_menu": page.in_menu,
        "menu_label": page.menu_label,
    }
    old = page.path
    try:
        with db.begin_nested():
            page.path, page.parent_id = path, parent.id if parent else None
            page.in_menu, page.menu_label = in_menu, menu_label
            db.flush()
    except IntegrityError as error:
        db.refresh(page)
        if isinstance(error.orig, UniqueViolation):
            raise PathTaken() from error
        raise
    after = {"path": path, "parent": _public(page.parent_id), "in_menu": in_menu, "menu_label": menu_label}
    if old != path and page.live_version_id is not None:
        _lead_on(db, page, old)
    if changes := changed(before, after):
        visitors_see(db, page.site_id)
        tell(db, PAGE_MOVED, page, by=by, data={"before": old}, changes=changes)


def move_in_menu(db: Session, *, page: SitePage, by_places: int) -> None:
    """One place up (-1) or down (1) among the pages of the site."""
    order = select(SitePage).where(SitePage.site_id == page.site_id, SitePage.deleted_at.is_(None))
    pages = list(db.scalars(order.order_by(SitePage.menu_order, SitePage.path).with_for_update()))
    place = next(number for number, one in enumerate(pages) if one.id == page.id)
    aim = place + by_places
    if not 0 <= aim < len(pages):
        return
    pages[place], pages[aim] = pages[aim], pages[place]
    for number, one in enumerate(pages):
        if one.menu_order != number * 10:
            one.menu_order = number * 10
    visitors_see(db, page.site_id)
    db.flush()


def add_redirect(db: Session, *, site: Site, source: str, target: str, by: Actor) -> Redirect:
    """Lead an old address to a new one. Raises Invalid, RedirectLoop, Conflict (the source is a page or leads already)."""
    source, target = redirect_source(source), redirect_target(target)
    known = _redirects(db, site.id)
    if len(known) >= MOST_REDIRECTS:
        raise Conflict(f"A site has at most {MOST_REDIRECTS} redirects. Remove one first.")
    if _page_at(db, site.id, source):
        raise Conflict("There is a page at this address, and a page comes before a redirect.")
    if _leads_back(known, source, target):
        raise RedirectLoop.field("target", "This would lead in a circle.", code="redirect_loop")
    redirect = Redirect(id=uuid7(), agency_id=site.agency_id, site_id=site.id, source=source, target=target)
    try:
        with db.begin_nested():
            db.add(redirect)
            db.flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise Conflict("This address leads somewhere already. Remove that redirect first.") from error
        raise
    _tell_redirects(db, redirect, by=by, data={"added": source, "target": target})
    return redirect


def remove_redirect(db: Session, *, redirect: Redirect, by: Actor) -> None:
    """The old address answers as one that was never there."""
    db.delete(redirect)
    _tell_redirects(db, redirect, by=by, data={"removed": redirect.source})


def change_look(db: Session, *, look: Look, values: dict[str, Any], by: Actor, site: Site) -> None:
    """Colour, font, theme, words around all pages. values: of the columns of Look that people choose."""
    changes = changed({name: getattr(look, name) for name in values}, values)
    if not changes:
        return
    for name in changes:
        setattr(look, name, values[name])
    db.flush()
    visitors_see(db, site.id)
    publish(
        db, SITE_LOOK_CHANGED, by=by, agency_id=site.agency_id, site_id=site.id, target=site.public_id,
        target_name=site.name, data={"changed": sorted(changes)}, changes=changes,
    )  # fmt: skip


def _tell_redirects(db: Session, redirect: Redirect, *, by: Actor, data: dict[str, Any]) -> None:
    visitors_see(db, redirect.site_id)
    site = db.get_one(Site, redirect.site_id)
    publish(
        db, SITE_REDIRECTS_CHANGED, by=by, agency_id=redirect.agency_id, site_id=redirect.site_id, target=site.public_id,
        target_name=site.name, data=data,
    )  # fmt: skip


def _lead_on(db: Session, page: SitePage, old: str) -> None:
    """From the page's old address to its new one, in one step; what led to the old one leads to the new one too."""
    of_site = Redirect.site_id == page.site_id
    db.execute(delete(Redirect).where(of_site, Redirect.source == page.path))
    db.execute(update(Redirect).where(of_site, Redirect.target == old).values(target=page.path))
    known = db.scalar(select(func.count()).select_from(Redirect).where(of_site)) or 0
    if old != "/" and known < MOST_REDIRECTS:
        db.execute(delete(Redirect).where(of_site, Redirect.source == old))
        db.add(
            Redirect(
                id=uuid7(), agency_id=page.agency_id, site_id=page.site_id, source=old, target=page.path, automatic=True
            )
        )
    db.flush()


def _redirects(db: Session, site_id: UUID) -> dict[str, str]:
    rows = db.execute(select(Redirect.source, Redirect.target).where(Redirect.site_id == site_id))
    return {row.source: row.target for row in rows}


def _leads_back(known: dict[str, str], source: str, target: str) -> bool:
    """Whether following redirects from the target comes to the source again."""
    for _ in range(len(known) + 1):
        if target == source:
            return True
        if target not in known:
            return False
        target = known[target]
    return True


def _page_at(db: Session, site_id: UUID, path: str) -> bool:
    there = select(SitePage.id).where(
        SitePage.site_id == site_id, SitePage.path == path, SitePage.deleted_at.is_(None),
        SitePage.live_version_id.is_not(None),
    )  # fmt: skip
    return db.scalar(there) is not None


def _ancestors(db: Session, page: SitePage) -> set[UUID]:
    rows = db.execute(select(SitePage.id, SitePage.parent_id).where(SitePage.site_id == page.site_id))
    parents = {row.id: row.parent_id for row in rows}
    found: set[UUID] = set()
    above: UUID | None = page.id
    while above is not None and above not in found:
        found.add(above)
        above = parents.get(above)
    return found


def _public(page_id: UUID | None) -> str | None:
    return str(page_id) if page_id else None
