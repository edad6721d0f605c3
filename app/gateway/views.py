"""The key screens: the list, a new key (shown once), one key, revoking it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, NotFound
from app.gateway.actions import KeyAlreadyRevoked, create_key, revoke_key
from app.gateway.forms import KeyForm
from app.gateway.models import SCOPES, ApiKey
from app.gateway.queries import SORTS, STATUSES, installs_of_module, key_row
from app.gateway.queries import keys as keys_of
from app.gateway.reference import reference as reference_of
from app.installs.models import Install
from app.installs.places import targets
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import decode, encode
from app.runtime.context import InstallNotReady, load_install
from app.tenancy.models import Site
from app.web.errors import status_of
from app.web.forms import asked, clean, page_number
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast
from app.web.once import not_sent, sent_before

bp = Blueprint("gateway", __name__)


@bp.get("/keys")
@requires(Permission.KEYS_VIEW)
def keys() -> Response:
    chosen = tuple(_site_id(text) for text in request.args.getlist("site")[:50])
    search, status = clean(request.args.get("q"))[:80], asked("status", STATUSES, "active")
    sort = asked("sort", SORTS, "-created_at")
    listing = keys_of(
        g.db, agency_id=g.agency.agency_id, now=utcnow(), search=search, status=status, site_ids=chosen, sort=sort,
        page=page_number(),
    )  # fmt: skip
    sites = {encode("ste", target.site_id): target.site_name for target in targets(g.db, agency_id=g.agency.agency_id)}
    context: dict[str, Any] = {
        "listing": listing, "sites": sites, "chosen": [encode("ste", one) for one in chosen], "q": search, "status": status,
        "sort": sort, "scopes": SCOPES, "can_manage": g.actor.can(Permission.KEYS_MANAGE),
    }  # fmt: skip
    if is_htmx() and htmx_target() == "results":
        return make_response(fragment("gateway/keys.html", "results", **context))
    return make_response(render_template("gateway/keys.html", **context))


@bp.get("/keys/new")
@requires(Permission.KEYS_MANAGE)
def new_key() -> Response:
    form = KeyForm()
    found = targets(g.db, agency_id=g.agency.agency_id)
    form.offer(found)
    form.target.data = request.args.get("for", "")
    return make_response(render_template("gateway/new_key.html", form=form, has_sites=bool(found)))


@bp.post("/keys")
@requires(Permission.KEYS_MANAGE)
def create() -> Response:
    form = KeyForm()
    found = targets(g.db, agency_id=g.agency.agency_id)
    form.offer(found)
    if not form.validate():
        return _form_again(form, 422)
    if sent_before():
        trigger_toast(
            "info", "This key was made already", "It was shown once. Revoke it and make another if it was not kept."
        )
        return respond(redirect_to=url_for(".keys"))
    site_id, install_id = form.place(found)
    site, now = g.db.get_one(Site, site_id), utcnow()
    try:
        made = create_key(g.db, site=site, install_id=install_id, by=g.actor, now=now, **form.values(now))
    except AppError as error:
        not_sent()
        form.take(error, "target")
        return _form_again(form, status_of(error))
    # the token exists in this one answer: no redirect could carry it without keeping it somewhere
    page = render_template("gateway/key_created.html", key=key_row(g.db, key_id=made.key.id, now=now), token=made.token)
    return make_response(page, 201)


@bp.get("/keys/<public_id:key_id>")
@requires(Permission.KEYS_VIEW, key=ApiKey)
def key(key: ApiKey) -> Response:
    row = key_row(g.db, key_id=key.id, now=utcnow())
    can_manage = g.actor.can(Permission.KEYS_MANAGE)
    return make_response(render_template("gateway/key.html", key=row, scopes=SCOPES, can_manage=can_manage))


@bp.post("/keys/<public_id:key_id>/revoke")
@requires(Permission.KEYS_MANAGE, key=ApiKey)
def revoke(key: ApiKey) -> Response:
    try:
        revoke_key(g.db, key=key, by=g.actor, now=utcnow())
        trigger_toast("success", f"{key.name} is revoked", "It is refused from now on.")
    except KeyAlreadyRevoked:
        trigger_toast("info", f"{key.name} was revoked already")
    return respond(redirect_to=url_for(".key", key_id=key.public_id))


@bp.get("/installs/<public_id:install_id>/api")
@requires(Permission.KEYS_VIEW, install=Install)
def reference(install: Install) -> Response:
    """How to use one install over the API: what openapi.json says, for people."""
    shown = install_with_parts(g.db, install_id=install.id) or install
    base = current_app.config["DRAMAC"].platform_url
    sections, why = None, ""
    try:
        sections = reference_of(load_install(install.id), base_url=base, functions=True)
    except (NotFound, InstallNotReady) as error:
        why = error.message
    context = {
        "install": shown, "tab": "api", "sections": sections, "why": why, "base": f"{base}/api/modules/{shown.module.slug}",
        "can_manage": g.actor.can(Permission.KEYS_MANAGE),
    }  # fmt: skip
    return make_response(render_template("gateway/reference.html", **context))


@bp.get("/api-docs/<module>")
@requires(Permission.KEYS_VIEW)
def module_docs(module: str) -> Response:
    """Where `/api/modules/{module}/docs` leads: the API page of this agency's install, or the list of its installs."""
    found = installs_of_module(g.db, agency_id=g.agency.agency_id, module=module[:64])
    if not found:
        raise NotFound()
    if len(found) == 1:
        return make_response(redirect(url_for(".reference", install_id=encode("ins", found[0]))))
    return make_response(redirect(url_for("installs.index", q=module)))


def _form_again(form: KeyForm, status: int) -> Response:
    return make_response(render_template("gateway/new_key.html", form=form, has_sites=True), status)


def _site_id(text: str) -> UUID:
    try:
        return decode("ste", text)
    except NotFound:
        return UUID(int=0)  # a filter nobody has: nothing is found
