"""The webhook screens: the list, an endpoint with its log, its form, its secret, the catalogue of events."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for
from flask_login import current_user

from app.access.permissions import Permission
from app.accounts.actions import WrongPassword
from app.errors import AppError
from app.lib.clock import utcnow
from app.lib.ids import decode_or_none, encode
from app.tenancy.models import Site
from app.web.errors import status_of
from app.web.filters import viewer
from app.web.forms import asked, clean
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast
from app.web.limits import limiter
from app.webhooks import actions, queries, replaying
from app.webhooks.catalogue import catalogue
from app.webhooks.forms import AGENCY, ReplayForm, SecretForm, WebhookForm
from app.webhooks.message import message, selected
from app.webhooks.models import Delivery, Webhook
from app.webhooks.secrets import open_headers, open_secret
from app.webhooks.setup import current_setup

bp = Blueprint("webhooks", __name__)

SINCE = {"1": "the last day", "7": "the last 7 days", "30": "the last 30 days"}


@bp.get("/webhooks")
@requires(Permission.WEBHOOKS_VIEW)
def index() -> Response:
    rows = queries.endpoints(g.db, agency_id=g.agency.agency_id, now=utcnow())
    return _page("index", rows=rows, can_manage=_can_manage(), most=actions.MOST_ENDPOINTS)


@bp.get("/webhooks/events")
@requires(Permission.WEBHOOKS_VIEW)
def events() -> Response:
    modules = queries.manifests(g.db, agency_id=g.agency.agency_id)
    groups = catalogue(role=g.actor.role, modules=modules)
    return _page("events", groups=groups, shown=lambda data: json.dumps(data, indent=2, ensure_ascii=False))


@bp.get("/webhooks/new")
@requires(Permission.WEBHOOKS_MANAGE)
def new() -> Response:
    form = _form(WebhookForm(formdata=None, data={"site": request.args.get("site", AGENCY), "concurrency": 4}))
    return _page("edit", form=form, webhook=None, local=_local())


@bp.post("/webhooks")
@requires(Permission.WEBHOOKS_MANAGE)
def create() -> Response:
    form = _form(WebhookForm())
    if not form.validate():
        return _page("edit", status=422, form=form, webhook=None, local=_local())
    site = g.db.get_one(Site, form.site_id) if form.site_id else None
    setup, now = current_setup(), utcnow()
    try:
        webhook = actions.create_webhook(g.db, site=site, by=g.actor, setup=setup, now=now, **form.values())
    except AppError as error:
        form.take(error)
        return _page("edit", status=status_of(error), form=form, webhook=None, local=_local())
    made = open_secret(setup.keys, webhook.id, webhook.secret_sealed)
    return _page("secret", status=201, webhook=webhook, secret=made, why="new")


@bp.get("/webhooks/<public_id:webhook_id>")
@requires(Permission.WEBHOOKS_VIEW, webhook=Webhook)
def show(webhook: Webhook) -> Response:
    status, event_type = asked("status", queries.STATUSES, "all"), clean(request.args.get("q"))[:80]
    before = decode_or_none("dlv", request.args.get("cursor", ""))
    context: dict[str, Any] = {
        "row": queries.endpoint(g.db, webhook_id=webhook.id, now=utcnow()), "chosen": status, "q": event_type,
        "log": queries.deliveries(g.db, webhook_id=webhook.id, status=status, event_type=event_type, before=before),
        "first": before is None, "can_manage": _can_manage(), "since": SINCE, "now": utcnow(),
        "headers": sorted(open_headers(current_setup().keys, webhook.id, webhook.headers_sealed)),
        "cursor": lambda delivery_id: encode("dlv", delivery_id), "form": SecretForm(formdata=None),
    }  # fmt: skip
    if is_htmx() and htmx_target() == "results":
        return make_response(fragment("webhooks/show.html", "results", **context))
    return _page("show", **context)


@bp.get("/webhooks/<public_id:webhook_id>/edit")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def edit(webhook: Webhook) -> Response:
    headers = open_headers(current_setup().keys, webhook.id, webhook.headers_sealed)
    kept = {
        "url": webhook.url, "description": webhook.description, "patterns": "\n".join(webhook.patterns),
        "headers": "\n".join(f"{name}: {value}" for name, value in headers.items()), "concurrency": webhook.concurrency,
        "rate_per_minute": webhook.rate_per_minute, "fields": "\n".join(webhook.fields), "site": AGENCY,
    }  # fmt: skip
    return _page("edit", form=_form(WebhookForm(formdata=None, data=kept)), webhook=webhook, local=_local())


@bp.post("/webhooks/<public_id:webhook_id>/edit")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def change(webhook: Webhook) -> Response:
    form = _form(WebhookForm())
    if not form.validate():
        return _page("edit", status=422, form=form, webhook=webhook, local=_local())
    try:
        actions.change_webhook(g.db, webhook=webhook, by=g.actor, setup=current_setup(), **form.values())
    except AppError as error:
        form.take(error)
        return _page("edit", status=status_of(error), form=form, webhook=webhook, local=_local())
    trigger_toast("success", "Webhook saved")
    return _back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/secret")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
@limiter.limit("10 per hour", key_func=lambda: str(current_user.get_id()))
def secret(webhook: Webhook) -> Response:
    """Show the signing secret, to somebody who gives their password again."""
    form = SecretForm()
    if not form.validate():
        return _page("secret", status=422, webhook=webhook, secret=None, why="ask", form=form)
    try:
        shown = actions.secret_of(g.db, webhook=webhook, password=form.password.data, by=g.actor, setup=current_setup())
    except WrongPassword as error:
        form.take(error, "password")
        return _page("secret", status=422, webhook=webhook, secret=None, why="ask", form=form)
    return _page("secret", webhook=webhook, secret=shown, why="asked")


@bp.post("/webhooks/<public_id:webhook_id>/rotate")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def rotate(webhook: Webhook) -> Response:
    shown = actions.rotate_secret(g.db, webhook=webhook, by=g.actor, setup=current_setup(), now=utcnow())
    return _page("secret", webhook=webhook, secret=shown, why="rotated")


@bp.post("/webhooks/<public_id:webhook_id>/test")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def test(webhook: Webhook) -> Response:
    delivery = actions.send_test(g.db, webhook=webhook, by=g.actor, now=utcnow())
    trigger_toast("success", "Test event on its way", "Its answer shows here in a moment.")
    return respond(redirect_to=url_for(".delivery", delivery_id=delivery.public_id))


@bp.post("/webhooks/<public_id:webhook_id>/pause")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def pause(webhook: Webhook) -> Response:
    actions.pause_webhook(g.db, webhook=webhook, by=g.actor, now=utcnow())
    trigger_toast("success", "Webhook paused", "What happens meanwhile waits.")
    return _back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/disable")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def disable(webhook: Webhook) -> Response:
    actions.disable_webhook(g.db, webhook=webhook, by=g.actor, now=utcnow())
    trigger_toast("success", "Webhook switched off", "What it misses can be sent later.")
    return _back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/enable")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def enable(webhook: Webhook) -> Response:
    actions.enable_webhook(g.db, webhook=webhook, by=g.actor)
    trigger_toast("success", "Webhook switched on")
    return _back(webhook)


@bp.post("/webhooks/<public_id:webhook_id>/remove")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def remove(webhook: Webhook) -> Response:
    actions.delete_webhook(g.db, webhook=webhook, by=g.actor)
    trigger_toast("success", "Webhook deleted")
    return respond(redirect_to=url_for(".index"))


@bp.post("/webhooks/<public_id:webhook_id>/again")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def again(webhook: Webhook) -> Response:
    """Send again everything that failed or was missed within some days."""
    days = request.form.get("days", "1")
    now = utcnow()
    since = now - timedelta(days=int(days) if days in SINCE else 1)
    _say_replayed(replaying.replay(g.db, webhook=webhook, since=since, by=g.actor, now=now))
    return _back(webhook)


@bp.get("/webhooks/<public_id:webhook_id>/replay")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def replay_form(webhook: Webhook) -> Response:
    form = ReplayForm(formdata=None, data={"since": _local_time(utcnow() - timedelta(days=1)), "which": "failed"})
    return _replay_page(webhook, form)


@bp.post("/webhooks/<public_id:webhook_id>/replay")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def replay(webhook: Webhook) -> Response:
    """Send a span of time again, to this endpoint or another one."""
    form = ReplayForm()
    form.offer(_targets(), webhook.public_id)
    if not form.validate():
        return _replay_page(webhook, form, status=422)
    since, until = form.span()
    target = g.db.get_one(Webhook, form.target_id)
    try:
        count = replaying.replay(
            g.db, webhook=webhook, target=target, since=since, until=until, everything=form.which.data == "all",
            by=g.actor, now=utcnow(),
        )  # fmt: skip
    except AppError as error:
        form.take(error)
        return _replay_page(webhook, form, status=status_of(error))
    _say_replayed(count)
    return _back(target)


def _replay_page(webhook: Webhook, form: ReplayForm, *, status: int = 200) -> Response:
    form.offer(_targets(), webhook.public_id)
    return _page("replay", status=status, form=form, webhook=webhook, most=replaying.MOST)


def _targets() -> list[tuple[str, str]]:
    """The endpoints that can be sent to, with what sets them apart."""
    rows = queries.endpoints(g.db, agency_id=g.agency.agency_id, now=utcnow())
    return [(row.public_id, f"{row.webhook.url[:80]}") for row in rows if row.webhook.disabled_at is None]


def _say_replayed(count: int) -> None:
    trigger_toast("success" if count else "info", f"{count:,} on their way again" if count else "Nothing to send again")


def _local_time(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(viewer().zone))


@bp.get("/webhook-deliveries/<public_id:delivery_id>")
@requires(Permission.WEBHOOKS_VIEW, delivery=Delivery)
def delivery(delivery: Delivery) -> Response:
    event, webhook = queries.event_of(g.db, delivery=delivery), g.db.get_one(Webhook, delivery.webhook_id)
    body = message(
        event_type=event.type, occurred_at=event.occurred_at, data=selected(event.data, webhook.fields),
        site_id=event.site_id, install_id=event.install_id,
    )  # fmt: skip
    return _page(
        "delivery", delivery=delivery, webhook=webhook, event=event,
        attempts=queries.attempts(g.db, delivery_id=delivery.id), can_manage=_can_manage(),
        body=json.dumps(body, indent=2, ensure_ascii=False),
    )  # fmt: skip


@bp.post("/webhook-deliveries/<public_id:delivery_id>/again")
@requires(Permission.WEBHOOKS_MANAGE, delivery=Delivery)
def delivery_again(delivery: Delivery) -> Response:
    replaying.resend(g.db, webhook=g.db.get_one(Webhook, delivery.webhook_id), delivery=delivery, now=utcnow())
    trigger_toast("success", "On its way again", "Its webhook-id stays the same.")
    return respond(redirect_to=url_for(".delivery", delivery_id=delivery.public_id))


def _page(name: str, /, *, status: int = 200, **context: Any) -> Response:
    return make_response(render_template(f"webhooks/{name}.html", **context), status)


def _back(webhook: Webhook) -> Response:
    return respond(redirect_to=url_for(".show", webhook_id=webhook.public_id))


def _form(form: WebhookForm) -> WebhookForm:
    form.offer(queries.sites(g.db, agency_id=g.agency.agency_id))
    return form


def _can_manage() -> bool:
    return bool(g.actor.can(Permission.WEBHOOKS_MANAGE))


def _local() -> bool:
    return bool(current_app.config["DRAMAC"].development)
