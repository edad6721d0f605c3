"""What the webhook screens share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, g, make_response, render_template, url_for

from app.access.permissions import Permission
from app.web.htmx import respond
from app.webhooks.models import Webhook

bp = Blueprint("webhooks", __name__)


def page(name: str, /, *, status: int = 200, **context: Any) -> Response:
    return make_response(render_template(f"webhooks/{name}.html", **context), status)


def back(webhook: Webhook) -> Response:
    return respond(redirect_to=url_for("webhooks.show", webhook_id=webhook.public_id))


def can_manage() -> bool:
    return bool(g.actor.can(Permission.WEBHOOKS_MANAGE))


def plain_http_works() -> bool:
    """Whether addresses of this machine may be called, as in development."""
    return bool(current_app.config["DRAMAC"].development)
