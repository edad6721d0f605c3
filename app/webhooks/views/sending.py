"""What is sent: a test, one event again, a span of time again, and how a delivery goes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, make_response, request, url_for

from app.access.permissions import Permission
from app.errors import AppError
from app.lib.clock import utcnow
from app.web.errors import status_of
from app.web.filters import short_time, viewer
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast
from app.webhooks import actions, queries, replaying
from app.webhooks.forms import ReplayForm
from app.webhooks.message import message, selected
from app.webhooks.models import Delivery, Webhook
from app.webhooks.views.common import back, bp, can_manage, page

SINCE = {"1": "the last day", "7": "the last 7 days", "30": "the last 30 days"}
SOON = timedelta(minutes=1)  # what is due later is not waited for every two seconds


@bp.post("/webhooks/<public_id:webhook_id>/test")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def test(webhook: Webhook) -> Response:
    now = utcnow()
    delivery = actions.send_test(g.db, webhook=webhook, by=g.actor, now=now)
    _say_sent(webhook, "Test event on its way", "Its answer shows here in a moment.", now=now)
    return respond(redirect_to=url_for(".delivery", delivery_id=delivery.public_id))


@bp.post("/webhooks/<public_id:webhook_id>/again")
@requires(Permission.WEBHOOKS_MANAGE, webhook=Webhook)
def again(webhook: Webhook) -> Response:
    """Send again everything that failed or was missed within some days."""
    days = request.form.get("days", "1")
    now = utcnow()
    since = now - timedelta(days=int(days) if days in SINCE else 1)
    _say_replayed(webhook, replaying.replay(g.db, webhook=webhook, since=since, by=g.actor, now=now), now=now)
    return back(webhook)


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
    target, now = g.db.get_one(Webhook, form.target_id), utcnow()
    try:
        count = replaying.replay(
            g.db, webhook=webhook, target=target, since=since, until=until, everything=form.which.data == "all",
            by=g.actor, now=now,
        )  # fmt: skip
    except AppError as error:
        form.take(error)
        return _replay_page(webhook, form, status=status_of(error))
    _say_replayed(target, count, now=now)
    return back(target)


@bp.get("/webhook-deliveries/<public_id:delivery_id>")
@requires(Permission.WEBHOOKS_VIEW, delivery=Delivery)
def delivery(delivery: Delivery) -> Response:
    """A delivery; while it is undecided its page asks for what changes of it, and stops when it is decided."""
    webhook, now = g.db.get_one(Webhook, delivery.webhook_id), utcnow()
    context: dict[str, Any] = {
        "delivery": delivery, "webhook": webhook, "attempts": queries.attempts(g.db, delivery_id=delivery.id),
        "can_manage": can_manage(), "every": _look_again(webhook, delivery, now=now), "now": now,
    }  # fmt: skip
    event = queries.event_of(g.db, delivery=delivery)
    if is_htmx() and htmx_target() == "delivery":
        return make_response(fragment("webhooks/_delivery.html", event=event, **context))
    body = message(
        event_type=event.type, occurred_at=event.occurred_at, data=selected(event.data, webhook.fields),
        site_id=event.site_id, install_id=event.install_id,
    )  # fmt: skip
    return page("delivery", event=event, body=json.dumps(body, indent=2, ensure_ascii=False), **context)


@bp.post("/webhook-deliveries/<public_id:delivery_id>/again")
@requires(Permission.WEBHOOKS_MANAGE, delivery=Delivery)
def delivery_again(delivery: Delivery) -> Response:
    webhook, now = g.db.get_one(Webhook, delivery.webhook_id), utcnow()
    if replaying.resend(g.db, webhook=webhook, delivery=delivery, now=now):
        _say_sent(webhook, "On its way again", "Its webhook-id stays the same.", now=now)
    else:
        trigger_toast("info", "It is being sent at this moment", "Its answer shows here.")
    return respond(redirect_to=url_for(".delivery", delivery_id=delivery.public_id))


def _look_again(webhook: Webhook, delivery: Delivery, *, now: datetime) -> str | None:
    """How often the page asks how a delivery goes: None when nothing more happens by itself."""
    if delivery.status == "sending":
        return "2s"
    if delivery.status != "due" or webhook.paused_at is not None:
        return None
    return "2s" if max(delivery.due_at, webhook.held_until or now) - now < SOON else "30s"


def _say_sent(webhook: Webhook, title: str, text: str, *, now: datetime) -> None:
    """That something is on its way, or what it waits for."""
    if webhook.paused_at is not None:
        trigger_toast("info", "It waits", "The webhook is paused; what waits is sent when it is switched on.")
    elif webhook.held(now) and webhook.held_until is not None:
        until = short_time(webhook.held_until)
        trigger_toast(
            "info", f"It goes at {until}", "The receiver asked to be left alone until then. Reset sends it now."
        )
    else:
        trigger_toast("success", title, text)


def _say_replayed(webhook: Webhook, count: int, *, now: datetime) -> None:
    if count:
        _say_sent(webhook, f"{count:,} on their way again", "", now=now)
    else:
        trigger_toast("info", "Nothing to send again")


def _replay_page(webhook: Webhook, form: ReplayForm, *, status: int = 200) -> Response:
    form.offer(_targets(), webhook.public_id)
    return page("replay", status=status, form=form, webhook=webhook, most=replaying.MOST)


def _targets() -> list[tuple[str, str]]:
    """The endpoints that can be sent to, with what sets them apart."""
    rows = queries.endpoints(g.db, agency_id=g.agency.agency_id, now=utcnow())
    return [(row.public_id, f"{row.webhook.url[:80]}") for row in rows if row.webhook.disabled_at is None]


def _local_time(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(viewer().zone))
