"""The list of endpoints, one with its log, its form, and what is done to it."""

from __future__ import annotations

from typing import Any

from flask import Response, g, make_response, request, url_for

from app.access.permissions import Permission
from app.errors import AppError, VersionMismatch
from app.lib.clock import utcnow
from app.lib.ids import decode_or_none, encode
from app.tenancy.models import Site
from app.web.errors import status_of
from app.web.forms import asked, clean
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast
from app.webhooks import actions, queries
from app.webhooks.delivering import DISABLE_AFTER
from app.webhooks.forms import AGENCY, SavedFirst, SecretForm, WebhookForm
from app.webhooks.models import Webhook
from app.webhooks.secrets import open_headers
from app.webhooks.setup import current_setup
from app.webhooks.views.common import back, bp, can_manage, page, plain_http_works
from app.webhooks.views.events import groups
from app.webhooks.views.secrets import show_once
from app.webhooks.views.sending import SINCE


@bp.get("/webhooks")
@requires(Permission.WEBHOOKS_VIEW)
def index() -> Response:
    rows = queries.endpoints(g.db, agency_id=g.agency.agency_id, now=utcnow())
    return page("index", rows=rows, can_manage=can_manage(), most=actions.MOST_ENDPOINTS)


@bp.get("/webhooks/new")
@requires(Permission.WEBHOOKS_MANAGE)
def new() -> Response:
    form = _form(WebhookForm(formdata=None, data={"site": request.args.get("site", AGENCY), "concurrency": 4}))
    return _edit_page(None, form)


@bp.post("/webhooks")
@requires(Permission.WEBHOOKS_MANAGE)
def create() -> Response:
    form = _form(WebhookForm())
    if not form.validate() or form.doubt(groups()):
        return _edit_page(None, form, status=422)
    site = g.db.get_one(Site, form.site_id) if form.site_id else None
    setup, now = current_setup(), utcnow()
    try:
        webhook = actions.create_webhook(g.db, site=site, by=g.actor, setup=setup, now=now, **form.values())
    except AppError as error:
        form.take(error)
        return _edit_page(None, form, status=status_of(error))
    return show_once(webhook, "new")


@bp.get("/webhooks/<public_id:webhook_id>")
@requires(Permission.WEBHOOKS_VIEW, webhook=Webhook)
def show(webhook: Webhook) -> Response:
    status, event_type = asked("status", queries.STATUSES, "all"), clean(request.args.get("q"))[:80]
    before = decode_or_none("dlv", request.args.get("cursor", ""))
    context: dict[str, Any] = {
        "row": queries.endpoint(g.db, webhook_id=webhook.id, now=utcnow()), "chosen": status, "q": event_type,
        "log": queries.deliveries(g.db, webhook_id=webhook.id, status=status, event_type=event_type, before=before),
        "first": before is None, "can_manage": can_manage(), "since": SINCE, "now": utcnow(),
        "headers": sorted(open_headers(current_setup().keys, webhook.id, webhook.headers_sealed)),
        "cursor": lambda delivery_id: encode("dlv", delivery_id), "form": SecretForm(formdata=None),
        "off_at": webhook.counted_since + DISABLE_AFTER if webhook.counted_since else None,
    }  # fmt: skip
    if is_htmx() and htmx_target() == "results":
        return make_response(fragment("webhooks/show.html", "results", **context))
    return page("show", **context)


@bp.get("/webhooks/<public_id:webhook_id>/edit")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def edit(webhook: Webhook) -> Response:
    return _edit_page(webhook, WebhookForm(formdata=None, data=_kept(webhook)), version=webhook.version)


@bp.post("/webhooks/<public_id:webhook_id>/edit")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def change(webhook: Webhook) -> Response:
    form = _form(WebhookForm())
    version = form.version.data
    if not form.validate() or form.doubt(groups(), patterns=webhook.patterns, fields=webhook.fields):
        return _edit_page(webhook, form, version=version, status=422)
    try:
        actions.change_webhook(
            g.db, webhook=webhook, if_version=version, by=g.actor, setup=current_setup(), **form.values()
        )
    except VersionMismatch as error:  # saving once more is meant: it is then known what the others wrote
        conflict = SavedFirst(queries.changed_by(g.db, webhook=webhook), form.differing(_kept(webhook)))
        return _edit_page(webhook, form, version=webhook.version, conflict=conflict, status=status_of(error))
    except AppError as error:
        form.take(error)
        return _edit_page(webhook, form, version=version, status=status_of(error))
    trigger_toast("success", "Webhook saved")
    return back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/pause")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def pause(webhook: Webhook) -> Response:
    actions.pause_webhook(g.db, webhook=webhook, by=g.actor, now=utcnow())
    trigger_toast("success", "Webhook paused", "What happens meanwhile waits.")
    return back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/disable")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def disable(webhook: Webhook) -> Response:
    actions.disable_webhook(g.db, webhook=webhook, by=g.actor, now=utcnow())
    trigger_toast("success", "Webhook switched off", "What it misses can be sent later.")
    return back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/enable")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def enable(webhook: Webhook) -> Response:
    actions.enable_webhook(g.db, webhook=webhook, by=g.actor)
    trigger_toast("success", "Webhook switched on")
    return back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/reset")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def reset(webhook: Webhook) -> Response:
    actions.reset_webhook(g.db, webhook=webhook, by=g.actor, now=utcnow())
    trigger_toast("success", "Webhook set going again", "What waits for it is sent now.")
    return back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/remove")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def remove(webhook: Webhook) -> Response:
    actions.delete_webhook(g.db, webhook=webhook, by=g.actor)
    trigger_toast("success", "Webhook deleted")
    return respond(redirect_to=url_for(".index"))


def _kept(webhook: Webhook) -> dict[str, Any]:
    """What the form shows of an endpoint, by name of the field."""
    headers = open_headers(current_setup().keys, webhook.id, webhook.headers_sealed)
    return {
        "url": webhook.url, "description": webhook.description, "patterns": "\n".join(webhook.patterns),
        "headers": "\n".join(f"{name}: {value}" for name, value in headers.items()), "concurrency": webhook.concurrency,
        "rate_per_minute": webhook.rate_per_minute, "fields": "\n".join(webhook.fields), "site": AGENCY,
    }  # fmt: skip


def _edit_page(
    webhook: Webhook | None, form: WebhookForm, *, version: int | None = None, conflict: SavedFirst | None = None, status: int = 200
) -> Response:  # fmt: skip
    """version: of the endpoint that the values were written for, which comes back with them."""
    return page(
        "edit", status=status, form=_form(form), webhook=webhook, local=plain_http_works(), version=version, conflict=conflict
    )  # fmt: skip


def _form(form: WebhookForm) -> WebhookForm:
    form.offer(queries.sites(g.db, agency_id=g.agency.agency_id))
    return form
