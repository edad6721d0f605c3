"""What the screens of tenancy share: the blueprint, and answers as a page, a part of it, or a way on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for

from app.config import Config
from app.web.forms import clean
from app.web.htmx import is_htmx

bp = Blueprint("tenancy", __name__)

SEARCH_CHARACTERS = 100


def agency_id() -> UUID:
    """The agency this request is about; in views that are declared requires()."""
    return cast(UUID, g.agency.agency_id)


def config() -> Config:
    return cast(Config, current_app.config["DRAMAC"])


def show(template: str, part: str, /, *, status: int = 200, **context: Any) -> Response:
    """The page tenancy/<template>.html for a browser, its part tenancy/_<part>.html for htmx."""
    name = f"tenancy/_{part}.html" if is_htmx() else f"tenancy/{template}.html"
    return make_response(render_template(name, **context), status)


def page(template: str, /, **context: Any) -> Response:
    """The page tenancy/<template>.html, whoever asks."""
    return make_response(render_template(f"tenancy/{template}.html", **context))


def words_asked() -> str:
    """What is searched for, at most 100 characters."""
    return clean(request.args.get("q"))[:SEARCH_CHARACTERS]


def letter_link(endpoint: str) -> Callable[[str], str]:
    """From a token to the address in a letter: on the configured host, never on what the Host header claims."""
    return lambda token: config().platform_url + url_for(endpoint, token=token)
