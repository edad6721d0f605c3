"""The marketplace: a list that can be searched, a page per module."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, render_template, request

from app.access.permissions import Permission
from app.errors import NotFound
from app.marketplace.queries import sites_with_module
from app.modules.consent import asks_of
from app.modules.manifest import Manifest
from app.modules.queries import (
    categories_in_use,
    file_content,
    latest_published,
    marketplace,
    module_by_slug,
    publisher_name,
    versions_of,
)
from app.web.forms import asked, page_number
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx
from app.web.markdown import to_html

bp = Blueprint("marketplace", __name__, url_prefix="/marketplace")

SORTS = (("name", "Name"), ("-published_at", "Newest"))


@bp.get("/")
@requires(Permission.MARKETPLACE_VIEW)
def index() -> str:
    text = request.args.get("q", "").strip()[:100]
    chosen = [category for category in request.args.getlist("category") if category][:20]
    sort = asked("sort", tuple(key for key, _ in SORTS), "name")
    context = {
        "modules": marketplace(g.db, text=text, categories=chosen, sort=sort, page=page_number()),
        "categories": categories_in_use(g.db, text=text),
        "chosen": chosen,
        "q": text,
        "sort": sort,
        "sorts": SORTS,
        "site": request.args.get("site", ""),
        "can_author": g.actor.can(Permission.MODULES_AUTHOR),
    }
    if is_htmx():
        return fragment("marketplace/_results.html", **context)
    return render_template("marketplace/index.html", **context)


@bp.get("/<slug>")
@requires(Permission.MARKETPLACE_VIEW)
def module(slug: str) -> str:
    found = module_by_slug(g.db, slug)
    version = latest_published(g.db, module_id=found.id) if found is not None else None
    if found is None or version is None:
        raise NotFound()
    manifest = Manifest.from_dict(version.manifest)
    versions = versions_of(g.db, module_id=found.id)
    sites = sites_with_module(g.db, module_id=found.id)
    return render_template(
        "marketplace/module.html",
        module=found,
        version=version,
        manifest=manifest,
        publisher=publisher_name(g.db, found),
        readme=to_html(version.readme),
        description=to_html(version.listing.get("description", "")),
        changelog=to_html(version.changelog),
        asks=asks_of(manifest),
        version_options=[(row.version, row.version) for row in versions if row.status == "published"],
        sites=sites,
        site=request.args.get("site", ""),
        site_options=[(site.public_id, site.name) for site in sites if site.install_id is None],
        can_install=g.actor.can(Permission.INSTALLS_CREATE),
    )


@bp.get("/<slug>/icon")
@requires(Permission.MARKETPLACE_VIEW)
def icon(slug: str) -> Response:
    """The module's own icon; the reader of packages has taken scripts and outside references out of it."""
    found = module_by_slug(g.db, slug)
    content = file_content(g.db, version_id=found.latest_version_id, path=found.icon) if found else None
    if content is None:
        raise NotFound()
    answer = make_response(content)
    answer.mimetype = {"svg": "image/svg+xml", "png": "image/png", "webp": "image/webp"}.get(
        found.icon.rpartition(".")[2] if found else "", "application/octet-stream"
    )
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
