"""Pages on trial, for the Studio's frame alone: GET of the page and its assets. A form that is sent says so and keeps nothing."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from app.domains.known import platform_origins
from app.embed.views import TYPES
from app.errors import NotFound
from app.runtime.pages.markup import link_assets
from app.runtime.previews import Preview, find_preview, find_preview_asset
from app.web.guard import public
from app.web.headers import allow_framing, nonce

bp = Blueprint("previews", __name__, url_prefix="/preview")
_SENT = (
    '<section class="w-card" role="status"><h1>Sent, if this were not a preview</h1>'
    "<p>A preview keeps nothing. Run the tests to see what sending does, or install the draft on a test site.</p></section>"
)


@bp.get("/<name>/page")
@public
def page(name: str) -> Response:
    found = _found(name)
    return _answer(found, name, found.shown.html)


@bp.post("/<name>/page")
@public
def send(name: str) -> Response:
    return _answer(_found(name), name, _SENT)


@bp.get("/<name>/assets/<path:path>")
@public
def asset(name: str, path: str) -> Response:
    content, kind = find_preview_asset(name, path), TYPES.get(path.rpartition(".")[2].lower())
    if content is None or kind is None:
        raise NotFound()
    answer = Response(content, content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer


def _found(name: str) -> Preview:
    preview = find_preview(name) if len(name) < 100 else None
    if preview is None:
        raise NotFound("This preview is over. Make a new one in the Studio.")
    return preview


def _answer(preview: Preview, name: str, html: str) -> Response:
    """?theme=light or dark shows it so whatever it says itself."""
    framers = platform_origins(agency_id=preview.agency_id)
    allow_framing(framers)
    shown, asked = preview.shown, request.args.get("theme", "")
    theme = asked if asked in ("light", "dark") else shown.theme
    if preview.kind == "screen":
        # drawn by the workspace's own templates, which escape every value
        body = Markup(html)  # noqa: S704
        answer = make_response(
            render_template("embed/screen.html", page_title=shown.title, theme=theme, body=body, framers=framers)
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer
    answer = make_response(
        render_template(
            "embed/preview.html",
            framers=framers,
            page_title=shown.title,
            site_name=preview.module,
            theme=theme,
            accent=shown.accent,
            lang=shown.locale,
            embedded=False,  # nothing speaks to the frame: it scrolls by itself
            parents=(),
            page_name=name,
            sent=False,
            # as on the page itself: the sandbox has escaped every value, the rest is the author's
            body=Markup(link_assets(html, version=preview.digest[:16], nonce=nonce())),  # noqa: S704
        )
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
