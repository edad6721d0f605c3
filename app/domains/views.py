"""The domain screens: the agency's list, a site's new domain, one domain with its proof and what it may do."""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.domains import actions, queries
from app.domains.forms import DomainForm, HostForm, ServingForm
from app.domains.known import served_at
from app.domains.models import Domain
from app.domains.proof import meta_tag, record_name, record_value
from app.domains.setup import current_setup
from app.domains.standing import hosts_of
from app.domains.words import check_steps, standing_steps
from app.errors import AppError, NotFound
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.tenancy.models import Site
from app.web.brand import PLATFORM, Brand
from app.web.dispatch import own_hosts, plain_host
from app.web.errors import status_of
from app.web.filters import day
from app.web.forms import asked, clean, page_number
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast

log = logging.getLogger(__name__)
bp = Blueprint("domains", __name__)


@bp.get("/domains")
@requires(Permission.DOMAINS_VIEW)
def index() -> Response:
    """Every domain of the agency, or with ?site= of one site."""
    site = _site_asked()
    search, state = clean(request.args.get("q"))[:80], asked("status", queries.STATES, "all")
    listing = queries.domains(
        g.db, agency_id=g.agency.agency_id, site_id=site.id if site else None, search=search, state=state,
        page=page_number(),
    )  # fmt: skip
    context: dict[str, Any] = {
        "listing": listing,
        "site": site,
        "q": search,
        "state": state,
        "can_manage": _can_manage(),
        "can_brand": g.actor.can(Permission.AGENCY_MANAGE),
    }
    if is_htmx() and htmx_target() == "results":
        return make_response(fragment("domains/_results.html", **context))
    return _page("index", **context)


@bp.get("/sites/<public_id:site_id>/domains/new")
@requires(Permission.DOMAINS_MANAGE, site=Site)
def new(site: Site) -> Response:
    return _new_page(site, DomainForm(formdata=None))


@bp.post("/sites/<public_id:site_id>/domains/new")
@requires(Permission.DOMAINS_MANAGE, site=Site)
def create(site: Site) -> Response:
    form = DomainForm()
    if not form.validate():
        return _new_page(site, form, status=422)
    return _create(site, form, form.purposes.data or [])


@bp.get("/domains/new")
@requires(Permission.AGENCY_MANAGE)
def new_platform() -> Response:
    """The platform's own screens under the agency's name."""
    return _new_page(None, HostForm(formdata=None))


@bp.post("/domains/new")
@requires(Permission.AGENCY_MANAGE)
def create_platform() -> Response:
    form = HostForm()
    if not form.validate():
        return _new_page(None, form, status=422)
    return _create(None, form, [])


def _create(site: Site | None, form: HostForm, purposes: list[str]) -> Response:
    try:
        domain = actions.add_domain(
            g.db, site=site, host=form.host.data, purposes=purposes, by=g.actor, setup=current_setup(), now=utcnow()
        )
    except AppError as error:
        form.take(error, "host")
        return _new_page(site, form, status=status_of(error))
    trigger_toast("success", f"{domain.host} is added", "Prove that it is yours, then it works.")
    return _back(domain)


@bp.get("/domains/<public_id:domain_id>")
@requires(Permission.DOMAINS_VIEW, domain=Domain)
def show(domain: Domain) -> Response:
    """The domain; to htmx, while its check runs, where that stands alone. The end of it changes the whole page."""
    context = _check(domain)
    if is_htmx() and htmx_target() == "check":
        return make_response(fragment("domains/_check.html", **context)) if domain.checking_at else _back(domain)
    hosts = hosts_of(domain)
    return _page(
        "show", **context, row=queries.domain_row(g.db, domain=domain), record=record_name(domain.host),
        value=record_value(domain.token), tag=meta_tag(domain.token),
        records=[(host, *record) for host in hosts for record in current_setup().front.records(host)],
        target=_target_words(domain),
    )  # fmt: skip


@bp.get("/domains/<public_id:domain_id>/edit")
@requires(Permission.DOMAINS_MANAGE, domain=Domain)
def edit(domain: Domain) -> Response:
    target = f"{encode('ins', domain.target_install_id)}/{domain.target_page}" if domain.target_install_id else ""
    kept = {"purposes": domain.purposes, "www": domain.www, "target": target}
    return _edit_page(domain, ServingForm(formdata=None, data=kept))


@bp.post("/domains/<public_id:domain_id>/edit")
@requires(Permission.DOMAINS_MANAGE, domain=Domain)
def change(domain: Domain) -> Response:
    form = ServingForm()
    _offer(domain, form)
    if not form.validate():
        return _edit_page(domain, form, status=422)
    install_id, _, page = form.target.data.partition("/")
    target = (g.db.get_one(Install, decode("ins", install_id)), page) if page else None
    try:
        actions.change_domain(
            g.db, domain=domain, purposes=form.purposes.data or [], www=form.www.data, target=target, by=g.actor
        )
    except AppError as error:
        form.take(error, "purposes")
        return _edit_page(domain, form, status=status_of(error))
    trigger_toast("success", "Domain saved")
    return _back(domain)


@bp.post("/domains/<public_id:domain_id>/check")
@requires(Permission.DOMAINS_MANAGE, domain=Domain)
def check(domain: Domain) -> Response:
    try:
        actions.order_check(g.db, domain=domain, now=utcnow())
    except actions.TokenExpired as error:
        trigger_toast("error", "Not checked", error.message)
    return _back(domain)


@bp.post("/domains/<public_id:domain_id>/token")
@requires(Permission.DOMAINS_MANAGE, domain=Domain)
def token(domain: Domain) -> Response:
    try:
        actions.renew_token(g.db, domain=domain, by=g.actor, now=utcnow())
    except actions.StillProven as error:
        trigger_toast("error", "The token stays", error.message)
        return _back(domain)
    trigger_toast("success", "There is a new token", "Put it in the place of the old one.")
    return _back(domain)


@bp.post("/domains/<public_id:domain_id>/remove")
@requires(Permission.DOMAINS_MANAGE, domain=Domain)
def remove(domain: Domain) -> Response:
    row = queries.domain_row(g.db, domain=domain)
    actions.remove_domain(g.db, domain=domain, by=g.actor)
    trigger_toast("success", f"{domain.host} is removed")
    return respond(redirect_to=url_for(".index", site=row.site_public_id))


def brand() -> Brand:
    """What the platform's pages carry: on an agency's own host the agency's name, colour and logo. For templates."""
    host = plain_host(request.host)
    if host in own_hosts(current_app.config["DRAMAC"]):
        return PLATFORM
    try:
        served = served_at(host)
    except psycopg.Error as error:
        log.warning("whose host this is could not be asked: %s", error)
        return PLATFORM
    if served is None or served.site_id is not None:
        return PLATFORM
    logo = url_for("tenancy.logo", digest=served.agency_logo) if served.agency_logo else ""
    return Brand(served.agency_name, own=True, hue=served.agency_hue, logo=logo)


def _check(domain: Domain) -> dict[str, Any]:
    now, running = utcnow(), domain.checking_at is not None
    steps = check_steps(domain.found, running=running)
    standing = standing_steps(domain.found, hosts_of(domain), running=running and domain.holds, when=day)
    return {
        "domain": domain, "steps": steps, "standing": standing if domain.holds else [], "now": now,
        "expired": domain.verified_at is None and domain.token_expires_at <= now, "can_manage": _can_manage(),
    }  # fmt: skip


def _new_page(site: Site | None, form: HostForm, *, status: int = 200) -> Response:
    return _page("new", status=status, site=site, form=form, local=current_setup().development)


def _offer(domain: Domain, form: ServingForm) -> None:
    if domain.site_id is None:
        raise NotFound()  # what stands there is the platform
    choices = queries.standable(g.db, site_id=domain.site_id)
    form.offer(domain.host, choices, own_pages=_own_pages())


def _edit_page(domain: Domain, form: ServingForm, *, status: int = 200) -> Response:
    _offer(domain, form)
    return _page("edit", status=status, domain=domain, form=form)


def _own_pages() -> bool:
    return "pages" in current_app.blueprints


def _target_words(domain: Domain) -> str | None:
    """What stands there, in words; None for a domain without pages."""
    if domain.site_id is None:
        return "This platform"
    if "pages" not in domain.purposes:
        return None
    found = [
        one for one in queries.standable(g.db, site_id=domain.site_id) if one.install_id == domain.target_install_id
    ]
    chosen = next((one for one in found if one.page == domain.target_page), None)
    if chosen is not None:
        return f"{chosen.module}: {chosen.title}"
    return "The site’s own pages" if domain.target_install_id is None and _own_pages() else "Nothing yet"


def _page(name: str, /, *, status: int = 200, **context: Any) -> Response:
    return make_response(render_template(f"domains/{name}.html", **context), status)


def _back(domain: Domain) -> Response:
    return respond(redirect_to=url_for(".show", domain_id=domain.public_id))


def _site_asked() -> Site | None:
    wanted = request.args.get("site", "")
    if not wanted:
        return None
    site: Site | None = g.db.get(Site, decode("ste", wanted))
    if site is None or site.agency_id != g.agency.agency_id:
        raise NotFound()
    return site


def _can_manage() -> bool:
    return bool(g.actor.can(Permission.DOMAINS_MANAGE))
