"""A site's pages for visitors: GET of a page, its pictures, sitemap and robots.txt, and previews with a signed link.

At `/s/<slug>/…` of the runtime origin, and at `/…` of a site's own domain.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit
from uuid import UUID

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request

from app.config import Config
from app.domains.hosting import SERVED
from app.domains.known import platform_origins
from app.errors import NotFound
from app.lib.clock import utcnow
from app.pages import serving
from app.pages.content import ModulePage
from app.pages.images import read_image
from app.pages.preview import read_token
from app.pages.rendering import absolute, look_style, policy, render_page
from app.pages.serving import Found, Place, Shown
from app.runtime.audience import audience
from app.runtime.own_pages import give_leave
from app.web.guard import public
from app.web.visits import this_visit

bp = Blueprint("site", __name__, url_prefix="/s/<slug>")
_QUERY = "!$&'()*+,;=:@/?%~"  # what a query may hold as it is (RFC 3986); it comes from outside and becomes a header
YEAR = "public, max-age=31536000, immutable"


@bp.get("/", defaults={"path": ""})
@bp.get("/<path:path>")
@public
def page(slug: str, path: str) -> Response:
    return answer(_place(slug), f"/{path}")


@bp.get("/sitemap.xml")
@public
def sitemap(slug: str) -> Response:
    return answer_sitemap(_place(slug))


@bp.get("/robots.txt")
@public
def robots(slug: str) -> Response:
    return answer_robots(_place(slug))


@bp.get("/-/images/<name>")
@public
def image(slug: str, name: str) -> Response:
    return answer_image(_place(slug), name)


@bp.get("/-/preview/<token>")
@public
def preview(slug: str, token: str) -> Response:
    """A draft or an older version, for whoever has the link; in the editor's frame, or alone."""
    page_id, version_id, framed = read_token(_config().secret_keys, token, now=utcnow())
    of_site, found = serving.find_preview(page_id, version_id)
    if of_site != slug:
        raise NotFound()
    html, _ = render_page(_place(slug), found, leave=_leave, preview="framed" if framed else "whole")
    made = make_response(html)
    framers = " ".join(platform_origins(site_id=found.site_id)) if framed else "'none'"
    made.headers["Content-Security-Policy"] = policy(look_style(found.look), ancestors=framers)
    made.headers["Cache-Control"] = "no-store"
    made.headers["X-Robots-Tag"] = "noindex, nofollow"
    made.headers["Referrer-Policy"] = "no-referrer"  # the address is the key
    return made


def answer(place: Place, path: str) -> Response:
    """The page at a path of a site, or its redirect, or its page for what is not there."""
    if len(path) > 500 or not path.isprintable():
        raise NotFound()
    if path != "/" and path.endswith("/"):
        return make_response(redirect(with_query(place.url(quote(path.rstrip("/") or "/"))), code=308))
    shown = serving.show(
        place, path, lambda found: render_page(place, found, leave=_leave, canonical=_home_of(place, found))
    )
    if isinstance(shown, Found):
        return _redirected(place, shown) if shown.redirect_to else _lost(place, shown)
    if request.method == "GET":
        audience().site_page_shown(shown.site_id, shown.page_id, path, this_visit(), now=utcnow())
    return _html(shown)


def answer_sitemap(place: Place) -> Response:
    """Every live page that search engines may list; none of a site that is not listed."""
    listed, pages = serving.site_map(place)
    xml = render_template(
        "pages/sitemap.xml", pages=[(absolute(place, path), at) for path, at in pages] if listed else []
    )
    made = Response(xml, content_type="application/xml; charset=utf-8")
    made.headers["Cache-Control"] = "public, max-age=300"
    return made


def answer_robots(place: Place) -> Response:
    """Robots may go everywhere, or nowhere, as the site's look says."""
    listed, _ = serving.site_map(place)
    lines = ["User-agent: *", f"Disallow: {place.url('/-/preview/') if listed else place.url('/')}"]
    if listed:
        lines.append(f"Sitemap: {absolute(place, '/sitemap.xml')}")
    made = Response("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
    made.headers["Cache-Control"] = "public, max-age=300"
    return made


def answer_image(place: Place, name: str) -> Response:
    """An uploaded picture; under its name it never changes."""
    site_id = serving.site_id_of(place)
    _is_of(site_id)
    made = Response(read_image(site_id, name), content_type="image/webp")
    made.headers["Cache-Control"] = YEAR
    return made


def _html(shown: Shown) -> Response:
    made = Response(shown.body, content_type="text/html; charset=utf-8")
    made.headers["Content-Security-Policy"] = shown.policy
    made.headers["Cache-Control"] = "public, no-cache"  # kept, and asked for with its ETag each time
    made.set_etag(shown.etag)
    return made.make_conditional(request)  # type: ignore[return-value]  # it gives itself back


def _redirected(place: Place, found: Found) -> Response:
    assert found.redirect_to is not None
    made = make_response(redirect(with_query(place.url(found.redirect_to)), code=301))
    made.headers["Cache-Control"] = "public, max-age=300"  # browsers would keep a 301 for good
    return made


def with_query(target: str) -> str:
    """Where a redirect leads, with the query that was asked for: campaigns are counted by it. What the target names stays."""
    parts = urlsplit(target)
    named = {pair.partition("=")[0] for pair in parts.query.split("&")}
    asked = quote(request.query_string, safe=_QUERY).split("&")
    pairs = [parts.query, *(pair for pair in asked if pair.partition("=")[0] not in named)]
    return urlunsplit(parts._replace(query="&".join(pair for pair in pairs if pair)))


def _lost(place: Place, found: Found) -> Response:
    _is_of(found.site_id)
    html, rule = render_page(place, found, leave=_leave, request_id=g.request_id)
    made = make_response(html, 404)
    made.headers["Content-Security-Policy"] = rule
    made.headers["Cache-Control"] = "no-store"
    return made


def _leave(block: ModulePage) -> str:
    return give_leave(_config().secret_keys, install=block.install, page=block.page, params=block.params, now=utcnow())


def _home_of(place: Place, found: Found) -> str:
    """The one address of a page for search engines: on the site's own domain, where it has one."""
    return f"{found.home}{found.path}" if found.home else absolute(place, found.path)


def _place(slug: str) -> Place:
    served = request.environ.get(SERVED)
    if served is not None:  # the host says whose pages these are, and they begin at its top
        _is_of(served.site_id)
        return Place(origin=f"{request.scheme}://{served.main_host}", base="", site_id=served.site_id)
    return Place(origin=_config().runtime_url, base=f"/s/{slug}", slug=slug)


def _is_of(site_id: UUID | None) -> None:
    """From here on an error page is told of in the logs of the site's agency."""
    g.visited_site, g.site_known = site_id, True


def _config() -> Config:
    config: Config = current_app.config["DRAMAC"]
    return config
