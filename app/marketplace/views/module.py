"""A module's page: the story, the facts, the way to install it; and the files it shows."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request

from app.access.permissions import Permission
from app.errors import NotFound
from app.installs.entitlement.queries import entitlement_of
from app.installs.entitlement.rules import entitled, refusal
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.marketplace.facts import facts_of
from app.marketplace.queries import listing_of, measures_of, related, sites_with_module
from app.marketplace.ratings import REASONS, own_rating, reviews
from app.marketplace.search import installed_among
from app.marketplace.views.common import bp
from app.marketplace.wishes import is_wished
from app.modules.consent import asks_of
from app.modules.manifest import Manifest
from app.modules.queries import file_content, latest_published, module_by_slug, publisher_name, versions_of
from app.runtime.trials.actions import why_not
from app.web.forms import page_number
from app.web.guard import requires
from app.web.markdown import to_html

RELEASES = 10  # on one page
IMAGES = {"svg": "image/svg+xml", "png": "image/png", "webp": "image/webp", "jpg": "image/jpeg", "jpeg": "image/jpeg"}


@bp.get("/marketplace/<slug>")
@requires(Permission.MARKETPLACE_VIEW)
def module(slug: str) -> str:
    found = module_by_slug(g.db, slug)
    version = latest_published(g.db, module_id=found.id) if found is not None else None
    if found is None or version is None:
        raise NotFound()
    manifest = Manifest.from_dict(version.manifest)
    versions = [row for row in versions_of(g.db, module_id=found.id) if row.status == "published"]
    skip = RELEASES * (page_number("releases") - 1)
    sites = sites_with_module(g.db, module_id=found.id)
    listing = listing_of(g.db, module_id=found.id)
    may_use = entitlement_of(g.db, agency_id=g.agency.agency_id, version_id=version.id)
    others = related(g.db, module_id=found.id)
    return render_template(
        "marketplace/module.html",
        module=found,
        version=version,
        manifest=manifest,
        publisher=publisher_name(g.db, found),
        readme=to_html(version.readme),
        description=to_html(version.listing.get("description", "")),
        listing=listing,
        publisher_id=encode("agc", found.agency_id),
        changes=[(row.version, row.published_at, to_html(row.changelog)) for row in versions[skip : skip + RELEASES]],
        releases=(page_number("releases"), -(-len(versions) // RELEASES)),
        facts=facts_of(listing, measures_of(g.db, module_id=found.id)),
        reviews=reviews(g.db, module_id=found.id, agency_id=g.agency.agency_id, page=page_number("reviews")),
        own=own_rating(g.db, module=found, agency_id=g.agency.agency_id),
        reasons=REASONS,
        wished=is_wished(g.db, module_id=found.id, agency_id=g.agency.agency_id),
        can_rate=g.actor.can(Permission.INSTALLS_CREATE),
        is_publisher=found.agency_id == g.agency.agency_id,
        can_answer=g.actor.can(Permission.MODULES_PUBLISH),
        related=others,
        installed=installed_among(g.db, [card.id for card in others]),
        asks=asks_of(manifest),
        version_options=[
            (row.version, f"{row.version} – early access" if row.prerelease else row.version) for row in versions
        ],
        sites=sites,
        site=request.args.get("site", ""),
        site_options=[(site.public_id, site.name) for site in sites if site.install_id is None],
        can_install=g.actor.can(Permission.INSTALLS_CREATE),
        not_to_try=why_not(manifest),
        entitlement=may_use,
        not_entitled="" if may_use.can_begin_trial or entitled(may_use, now=utcnow()) else refusal(may_use),
    )


@bp.get("/marketplace/<slug>/icon")
@requires(Permission.MARKETPLACE_VIEW)
def icon(slug: str) -> Response:
    """The module's own icon; the reader of packages has taken scripts and outside references out of it."""
    found = module_by_slug(g.db, slug)
    content = file_content(g.db, version_id=found.latest_version_id, path=found.icon) if found else None
    if content is None:
        raise NotFound()
    return _image(found.icon if found else "", content)


@bp.get("/marketplace/<slug>/screenshots/<int:number>")
@requires(Permission.MARKETPLACE_VIEW)
def screenshot(slug: str, number: int) -> Response:
    """A picture of the latest release, counted from 1 in the order of its listing."""
    found = module_by_slug(g.db, slug)
    version = latest_published(g.db, module_id=found.id) if found is not None else None
    names = version.listing.get("screenshots", []) if version is not None else []
    if version is None or not 1 <= number <= len(names):
        raise NotFound()
    path = f"screenshots/{names[number - 1].removeprefix('screenshots/')}"
    content = file_content(g.db, version_id=version.id, path=path)
    if content is None:
        raise NotFound()
    return _image(path, content)


def _image(path: str, content: bytes) -> Response:
    answer = make_response(content)
    answer.mimetype = IMAGES.get(path.rpartition(".")[2].lower(), "application/octet-stream")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
