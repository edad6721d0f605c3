"""Sites: the list, one site, make, edit, archive, restore."""

from __future__ import annotations

from typing import Any

from flask import Response, g, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, Conflict, Invalid, NotFound
from app.events.catalog import CATALOG
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.tenancy import queries
from app.tenancy.actions import sites as actions
from app.tenancy.forms import NewSiteForm, SiteForm
from app.tenancy.models import Agency, Client, Site
from app.tenancy.views.common import agency_id, bp, show, words_asked
from app.tenancy.views.common import page as page_of
from app.tenancy.views.home import readable_actions
from app.web.forms import asked, page_number
from app.web.guard import requires
from app.web.htmx import respond, trigger_toast
from app.web.navigation import forget_counts

SORTS = ("name", "-name", "client", "-client", "modules", "-modules", "created_at", "-created_at")
SITE_FIELDS = ("name", "url", "time_zone", "locale", "currency")
STATES = ("active", "archived", "all")


@bp.get("/sites")
@requires(Permission.SITES_VIEW)
def sites() -> Response:
    search, state, sort = words_asked(), asked("status", STATES, "active"), asked("sort", SORTS, "name")
    chosen = request.args.getlist("client")[:50]
    listing = queries.sites(
        g.db,
        agency_id=agency_id(),
        search=search,
        status=state,
        client_ids=tuple(_uuids(chosen)),
        sort=sort,
        page=page_number(),
    )
    return show(
        "sites",
        "sites_results",
        page="sites",
        listing=listing,
        q=search,
        state=state,
        sort=sort,
        clients=queries.client_choices(g.db, agency_id=agency_id()),
        chosen=chosen,
        can_create=g.actor.can(Permission.SITES_MANAGE),
    )


def _uuids(public_ids: list[str]) -> list[Any]:
    found = []
    for text in public_ids:
        try:
            found.append(decode("cli", text))
        except NotFound:
            continue
    return found


@bp.get("/sites/new")
@requires(Permission.SITES_MANAGE)
def new_site() -> Response:
    agency = g.db.get_one(Agency, agency_id())
    begin = {"time_zone": agency.time_zone, "currency": agency.currency, "locale": g.locale}
    form = NewSiteForm(formdata=None, data={**begin, "client": request.args.get("client", "")})
    form.client.choices = _client_choices()
    return show("site_new", "site_new_form", page="sites", form=form)


@bp.post("/sites/new")
@requires(Permission.SITES_MANAGE)
def create_site() -> Response:
    form = NewSiteForm()
    form.client.choices = _client_choices()
    if not form.validate():
        return show("site_new", "site_new_form", status=422, page="sites", form=form)
    try:
        site = actions.create_site(
            g.db,
            client=_client(form.client.data),
            slug=form.slug.data,
            by=g.actor,
            now=utcnow(),
            **_values(form),
        )
    except (Conflict, Invalid) as error:
        form.take(error, "client")
        return show("site_new", "site_new_form", status=_status(error), page="sites", form=form)
    forget_counts(g.db, agency_id())
    trigger_toast("success", f"{site.name} is there", "Install the first module on it.")
    return respond(redirect_to=url_for(".site", site_id=site.public_id))


@bp.get("/sites/<public_id:site_id>")
@requires(Permission.SITES_VIEW, site=Site)
def site(site: Site) -> Response:
    installs = queries.installs_on(g.db, site_id=site.id) if g.actor.can(Permission.INSTALLS_VIEW) else []
    return page_of(
        "site",
        page="sites",
        site=site,
        client=g.db.get_one(Client, site.client_id),
        installs=installs,
        activity=queries.recent_activity(
            g.db,
            agency_id=agency_id(),
            actions=readable_actions(),
            targets=[site.public_id, *(install.public_id for install in installs)],
            limit=8,
        ),
        catalog=CATALOG,
        can_manage=g.actor.can(Permission.SITES_MANAGE),
        can_install=g.actor.can(Permission.INSTALLS_CREATE),
    )


@bp.get("/sites/<public_id:site_id>/edit")
@requires(Permission.SITES_MANAGE, site=Site)
def edit_site(site: Site) -> Response:
    client = g.db.get_one(Client, site.client_id)
    kept = {name: getattr(site, name) for name in SITE_FIELDS}
    form = SiteForm(formdata=None, data={**kept, "client": client.public_id})
    form.client.choices = _client_choices(with_id=site.client_id)
    return show("site_edit", "site_edit_form", page="sites", form=form, site=site)


@bp.post("/sites/<public_id:site_id>/edit")
@requires(Permission.SITES_MANAGE, site=Site)
def change_site(site: Site) -> Response:
    form = SiteForm()
    form.client.choices = _client_choices(with_id=site.client_id)
    if not form.validate():
        return show("site_edit", "site_edit_form", status=422, page="sites", form=form, site=site)
    try:
        actions.change_site(g.db, site=site, client=_client(form.client.data), by=g.actor, **_values(form))
    except Conflict as error:
        form.take(error, "client")
        return show("site_edit", "site_edit_form", status=409, page="sites", form=form, site=site)
    trigger_toast("success", "Site saved")
    return respond(redirect_to=url_for(".site", site_id=site.public_id))


@bp.post("/sites/<public_id:site_id>/archive")
@requires(Permission.SITES_MANAGE, site=Site)
def archive_site(site: Site) -> Response:
    actions.archive_site(g.db, site=site, by=g.actor, now=utcnow())
    forget_counts(g.db, agency_id())
    undo = url_for(".restore_site", site_id=site.public_id)
    trigger_toast("success", f"{site.name} is archived", "Its modules do not answer any more.", undo=undo)
    return respond(redirect_to=url_for(".site", site_id=site.public_id))


@bp.post("/sites/<public_id:site_id>/restore")
@requires(Permission.SITES_MANAGE, site=Site)
def restore_site(site: Site) -> Response:
    where = url_for(".site", site_id=site.public_id)
    try:
        actions.restore_site(g.db, site=site, client=g.db.get_one(Client, site.client_id), by=g.actor)
    except Conflict as error:
        trigger_toast("error", "Not restored", error.message)
        return respond(redirect_to=where)
    forget_counts(g.db, agency_id())
    trigger_toast("success", f"{site.name} is back in use")
    return respond(redirect_to=where)


def _client_choices(with_id: Any = None) -> list[tuple[str, str]]:
    return queries.client_choices(g.db, agency_id=agency_id(), with_id=with_id)


def _client(public_id: str) -> Client:
    client: Client | None = g.db.get(Client, decode("cli", public_id))
    if client is None:
        raise NotFound()
    return client


def _values(form: NewSiteForm | SiteForm) -> dict[str, Any]:
    return {name: form[name].data or "" for name in SITE_FIELDS}


def _status(error: AppError) -> int:
    return 422 if isinstance(error, Invalid) else 409
