"""The marketplace: a list that can be searched, a page per module."""

from __future__ import annotations

from flask import Blueprint, Response, g, make_response, render_template, request

from app.access.permissions import Permission
from app.errors import NotFound
from app.marketplace.forms import SORTS, facets_of, read_search
from app.marketplace.names import written
from app.marketplace.queries import sites_with_module
from app.marketplace.search import MOST_PAGES, PER_PAGE, installed_among, search
from app.modules.consent import asks_of
from app.modules.manifest import Manifest
from app.modules.queries import file_content, latest_published, module_by_slug, publisher_name, versions_of
from app.web.guard import requires
from app.web.htmx import fragment, is_htmx
from app.web.markdown import to_html

bp = Blueprint("marketplace", __name__, url_prefix="/marketplace")
bp.add_app_template_filter(written, "category")


@bp.get("/")
@requires(Permission.MARKETPLACE_VIEW)
def index() -> str:
    asked, typed = read_search(request.args)
    found = search(g.db, asked)
    context = {
        "found": found,
        "facets": facets_of(found, asked),
        "installed": installed_among(g.db, [card.id for card in found.items]),
        "q": typed,
        "respelt": " ".join(found.respelt),
        "sort": asked.sort,
        "sorts": SORTS,
        "most": MOST_PAGES * PER_PAGE,
        "site": request.args.get("site", ""),
    }
    if is_htmx():
        return fragment("marketplace/_found.html", **context)
    return render_template("marketplace/index.html", can_author=g.actor.can(Permission.MODULES_AUTHOR), **context)


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
