"""The pages of a site: their list with what was viewed, a new page, addresses and menu, redirects, the look."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, NotFound
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.pages import actions, queries, structure
from app.pages.content import Content
from app.pages.forms import LookForm, NewPageForm, PlacedForm, PlaceForm, RedirectForm
from app.pages.models import Redirect, SitePage
from app.pages.paths import path_from_title
from app.pages.showing import look_now, look_of
from app.pages.views.common import bp, config, page_of, site_of, to_editor, to_list
from app.tenancy.models import Site
from app.web.errors import status_of
from app.web.forms import asked, clean, page_number
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast


@bp.get("/sites/<public_id:site_id>/pages")
@requires(Permission.PAGES_VIEW, site=Site)
def index(site: Site) -> Response:
    q, state = clean(request.args.get("q"))[:80], asked("status", queries.STATES, "all")
    listing = queries.pages_of(g.db, site_id=site.id, q=q, state=state, number=page_number())
    context: dict[str, Any] = {
        "site": site, "listing": listing, "q": q, "state": state,
        "views": queries.views_of(g.db, site_id=site.id, today=utcnow().astimezone(ZoneInfo(site.time_zone)).date()),
        "home_url": f"{config().runtime_url}/s/{site.slug}/",
    }  # fmt: skip
    if is_htmx() and htmx_target() == "results":
        return make_response(
            fragment(
                "pages/_results.html",
                can_edit=g.actor.can(Permission.PAGES_EDIT),
                can_publish=_may_publish(),
                **context,
            )
        )
    return page_of("index", **context)


@bp.get("/sites/<public_id:site_id>/pages/new")
@requires(Permission.PAGES_EDIT, site=Site)
def new(site: Site) -> Response:
    first = queries.pages_of(g.db, site_id=site.id).total == 0
    data = {"path": "/" if first else "", "title": "Home" if first else "", "in_menu": True}
    return page_of("new", site=site, form=_offered(NewPageForm(formdata=None, data=data), site))


@bp.post("/sites/<public_id:site_id>/pages/new")
@requires(Permission.PAGES_EDIT, site=Site)
def create(site: Site) -> Response:
    form = _offered(NewPageForm(), site)
    if not form.validate():
        return page_of("new", status=422, site=site, form=form)
    parent = _parent(form.parent.data, site)
    path = form.path.data or path_from_title(form.title.data, parent=parent.path if parent else "")
    try:
        page = actions.create_page(
            g.db, site=site, content=Content(title=form.title.data), path=path, parent=parent, in_menu=form.in_menu.data,
            by=g.actor, now=utcnow(),
        )  # fmt: skip
    except AppError as error:
        form.take(error, "path")
        return page_of("new", status=status_of(error), site=site, form=form)
    trigger_toast("success", "The page is there", "Put blocks on it, then publish it.")
    return to_editor(page)


@bp.get("/pages/<public_id:page_id>/place")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def place(page: SitePage) -> Response:
    site = site_of(page)
    parent = g.db.get(SitePage, page.parent_id) if page.parent_id else None
    data = {
        "path": page.path, "in_menu": page.in_menu, "menu_label": page.menu_label,
        "parent": parent.public_id if parent and not parent.deleted_at else "",
    }  # fmt: skip
    form = _offered(PlaceForm(formdata=None, data=data), site, page)
    return page_of("place", site=site, page=page, form=form)


@bp.post("/pages/<public_id:page_id>/place")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def change_place(page: SitePage) -> Response:
    site = site_of(page)
    form = _offered(PlaceForm(), site, page)
    if not form.validate():
        return page_of("place", status=422, site=site, page=page, form=form)
    was = page.path
    try:
        structure.place_page(
            g.db, page=page, path=form.path.data, parent=_parent(form.parent.data, site), in_menu=form.in_menu.data,
            menu_label=form.menu_label.data, by=g.actor,
        )  # fmt: skip
    except AppError as error:
        form.take(error, "path")
        return page_of("place", status=status_of(error), site=site, page=page, form=form)
    moved = page.path != was and page.published_at is not None
    trigger_toast("success", "Saved", f"{was} leads to {page.path} now." if moved else "")
    return to_editor(page)


@bp.post("/pages/<public_id:page_id>/order")
@requires(Permission.PAGES_PUBLISH, page=SitePage)
def order(page: SitePage) -> Response:
    """One place up or down in the menu."""
    structure.move_in_menu(g.db, page=page, by_places=-1 if request.form.get("way") == "up" else 1)
    return to_list(site_of(page))


@bp.get("/sites/<public_id:site_id>/pages/look")
@requires(Permission.PAGES_PUBLISH, site=Site)
def look(site: Site) -> Response:
    form = LookForm(formdata=None, obj=look_now(g.db, site=site))
    return page_of("look", site=site, form=form)


@bp.post("/sites/<public_id:site_id>/pages/look")
@requires(Permission.PAGES_PUBLISH, site=Site)
def change_look(site: Site) -> Response:
    form = LookForm()
    if not form.validate():
        return page_of("look", status=422, site=site, form=form)
    structure.change_look(g.db, look=look_of(g.db, site=site), values=form.values(), by=g.actor, site=site)
    trigger_toast("success", "Look saved", "Every page of the site shows it now.")
    return respond(redirect_to=url_for(".look", site_id=site.public_id))


@bp.get("/sites/<public_id:site_id>/pages/redirects")
@requires(Permission.PAGES_VIEW, site=Site)
def redirects(site: Site) -> Response:
    return _redirects(site, RedirectForm(formdata=None))


@bp.post("/sites/<public_id:site_id>/pages/redirects")
@requires(Permission.PAGES_PUBLISH, site=Site)
def add_redirect(site: Site) -> Response:
    form = RedirectForm()
    if not form.validate():
        return _redirects(site, form, status=422)
    look_of(g.db, site=site)
    try:
        structure.add_redirect(g.db, site=site, source=form.source.data, target=form.target.data, by=g.actor)
    except AppError as error:
        form.take(error, "source")
        return _redirects(site, form, status=status_of(error))
    trigger_toast("success", "Redirect added")
    return respond(redirect_to=url_for(".redirects", site_id=site.public_id))


@bp.post("/page-redirects/<public_id:redirect_id>/remove")
@requires(Permission.PAGES_PUBLISH, redirect=Redirect)
def remove_redirect(redirect: Redirect) -> Response:
    site = g.db.get_one(Site, redirect.site_id)
    structure.remove_redirect(g.db, redirect=redirect, by=g.actor)
    trigger_toast("success", f"{redirect.source} leads nowhere any more")
    return respond(redirect_to=url_for(".redirects", site_id=site.public_id))


def _redirects(site: Site, form: RedirectForm, *, status: int = 200) -> Response:
    q, number = clean(request.args.get("q"))[:80], page_number()
    rows, total = queries.redirects_of(g.db, site_id=site.id, q=q, number=number)
    return page_of(
        "redirects", status=status, site=site, form=form, rows=rows, total=total, q=q, number=number,
        pages=max(1, -(-total // queries.ROWS)),
    )  # fmt: skip


def _offered(form: PlacedForm, site: Site, page: SitePage | None = None) -> PlacedForm:
    form.offer(queries.parents_for(g.db, site_id=site.id, without=page.id if page else None))
    return form


def _parent(public_id: str, site: Site) -> SitePage | None:
    """The page chosen as parent. Raises NotFound for one of another site."""
    if not public_id:
        return None
    found: SitePage | None = g.db.get(SitePage, decode("pag", public_id))
    if found is None or found.site_id != site.id:
        raise NotFound()
    return found


def _may_publish() -> bool:
    return bool(g.actor.can(Permission.PAGES_PUBLISH))
