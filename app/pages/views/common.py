"""What the screens of pages share: the blueprint, and answers as a page or a way on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, render_template, url_for

from app.access.permissions import Permission
from app.config import Config
from app.lib.clock import utcnow
from app.pages.models import SitePage
from app.pages.preview import preview_token
from app.tenancy.models import Site
from app.web.htmx import respond

bp = Blueprint("pages", __name__)


def page_of(name: str, /, *, status: int = 200, **context: Any) -> Response:
    """templates/pages/<name>.html with what this person may do."""
    may = {
        "can_edit": g.actor.can(Permission.PAGES_EDIT),
        "can_publish": g.actor.can(Permission.PAGES_PUBLISH),
    }
    return make_response(render_template(f"pages/{name}.html", **may, **context), status)


def site_of(page: SitePage) -> Site:
    site: Site = g.db.get_one(Site, page.site_id)
    return site


def to_editor(page: SitePage, at: str = "") -> Response:
    """Back to the editor, at a block when one is named."""
    anchor = f"block-{at}" if at else None
    return respond(redirect_to=url_for(".edit", page_id=page.public_id, _anchor=anchor))


def to_list(site: Site) -> Response:
    return respond(redirect_to=url_for(".index", site_id=site.public_id))


def config() -> Config:
    found: Config = current_app.config["DRAMAC"]
    return found


def preview_url(page: SitePage, site: Site, *, version_id: UUID | None = None, framed: bool = False) -> str:
    """Where the draft, or a version, can be looked at for an hour."""
    token = preview_token(config().secret_keys, page.id, now=utcnow(), version_id=version_id, framed=framed)
    return f"{config().runtime_url}/s/{site.slug}/-/preview/{token}"


def live_url(page: SitePage, site: Site) -> str:
    """Where visitors see the page."""
    return f"{config().runtime_url}/s/{site.slug}{page.path}"
