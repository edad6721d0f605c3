"""GET and POST of a module's page, and its assets."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import MethodNotAllowed

from app.config import Config
from app.domains.hosting import PATH
from app.domains.known import platform_origins, verified_origins
from app.embed.access import visiting, visitor
from app.embed.closed import is_closed, session_for
from app.embed.served import part_of, signature
from app.embed.tokens import Session
from app.errors import NotFound
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.modules.manifest.pages import Page
from app.runtime.audience import audience
from app.runtime.context import InstallContext, version_files
from app.runtime.files.queries import open_bytes
from app.runtime.files.serving import chunks, file_headers
from app.runtime.own_pages import OWN_PAGE, PREVIEW, has_leave
from app.runtime.pages.markup import link_assets, protect_forms
from app.runtime.pages.params import read_theme
from app.runtime.pages.spam import STAMP, make_shared_stamp, make_stamp
from app.runtime.pages.submit import Outcome, submit_form
from app.runtime.pages.uploads import shown_file, upload_bytes
from app.runtime.pages.view import FormState, Shown, find_page, show_page
from app.web.headers import allow_framing, nonce
from app.web.visits import this_visit

bp = Blueprint("embed", __name__, url_prefix="/embed")

MAX_FORM_BYTES = 256 * 1024
SESSION_FIELD = "dramac_session"
OURS = (
    "theme",
    "lang",
    "accent",
    "sent",
    "styles",
)  # of the query string; a page's own parameters cannot take them over
TYPES = {
    "css": "text/css", "js": "text/javascript", "json": "application/json", "txt": "text/plain", "png": "image/png",
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp", "avif": "image/avif",
    "svg": "image/svg+xml", "ico": "image/x-icon", "woff": "font/woff", "woff2": "font/woff2",
}  # fmt: skip


@bp.get("/<public_id:install_id>/<name>")
@visitor
def page(context: InstallContext, name: str) -> Response:
    try:
        found = find_page(context, name)
    except NotFound:
        if request.headers.get("Sec-Fetch-Dest") != "iframe" or OWN_PAGE in request.args:
            raise
        return _missing(context, name)
    if _is_closed_here(context, name):
        return _door(context, name, found)
    return _answer(context, name, found, _show(context, found, _fresh(found)), framers=_framers(context, found.modes))


@bp.get("/<public_id:install_id>/<name>.html")
@visitor
def part(context: InstallContext, name: str) -> Response:
    """The page as a <dramac-module> that another server writes into its own pages; the SDK takes over what it finds there."""
    found = find_page(context, name)
    if "element" not in found.modes or is_closed(context, name):
        raise NotFound()
    config: Config = current_app.config["DRAMAC"]
    lang = asked_locale(context, request.args.get("lang", ""))
    shown = show_page(
        context, found, given=request.args.to_dict(), visitor=visiting(), locale=lang or context.site.locale,
        form=FormState() if found.kind == "form" else None,
    )  # fmt: skip
    params = {key: value for key, value in request.args.items() if key in found.params and key not in OURS}
    own = url_for(".page", install_id=encode("ins", context.install_id), name=name)
    shown_as = {key: value for key, value in request.args.items() if key in ("theme", "lang", "accent")}
    made = part_of(shown.html, found, address=config.runtime_url + own, query=urlencode(params | shown_as))
    if found.kind == "form":  # without scripts it is sent from here, and the first time shall be enough
        stamp = make_shared_stamp(config.secret_keys, context.install_id, name, now=utcnow())
        made = replace(made, html=protect_forms(made.html, stamp))
    answer = make_response(
        render_template(
            "embed/part.html", part=made, install=encode("ins", context.install_id),
            page_name=name, params=urlencode(params), theme=shown.theme, lang=lang, locale=shown.locale, accent=shown.accent,
            own_styles=request.args.get("styles") != "link", runtime_url=config.runtime_url,
            signature=signature(
                install=encode("ins", context.install_id), page=name, params=params, lang=lang,
            ),
        )
    )  # fmt: skip
    answer.headers["Cache-Control"] = "public, max-age=60, stale-while-revalidate=600"  # spam.PART_KEPT_S in all
    return answer


@bp.post("/<public_id:install_id>/<name>")
@visitor
def submit(context: InstallContext, name: str) -> Response:
    """A form that was sent; or a closed page being opened, with a session in the body since addresses end up in logs."""
    found = find_page(context, name)
    with_files = found.kind == "form" and request.mimetype == "multipart/form-data"
    request.max_content_length = MAX_FORM_BYTES + (upload_bytes(context, found) if with_files else 0)
    request.max_form_memory_size = MAX_FORM_BYTES  # of its texts
    framers = _framers(context, found.modes)
    if _is_closed_here(context, name):
        session = _session(context)
        if session is None:
            return _door(context, name, found)
        framers = [session.origin]
        if STAMP not in request.form:
            return _answer(context, name, found, _show(context, found, _fresh(found)), framers=framers)
    if found.kind != "form":
        raise MethodNotAllowed(valid_methods=["GET", "HEAD"])
    sent = [(key, part.filename, part.stream) for key, part in request.files.items(multi=True) if part.filename]
    outcome = submit_form(
        context, name, found, request.form.items(multi=True), files=sent, visitor=visiting(), now=utcnow()
    )
    if outcome.status == 303:
        if outcome.kept:
            audience().form_sent(context, name, this_visit(), now=utcnow())
        args = {key: value for key, value in request.args.items() if key != "sent"}
        return make_response(redirect(_address({**args, "sent": "1"}), code=303))
    return _answer(context, name, found, _show(context, found, outcome.form), framers=framers, outcome=outcome)


@bp.get("/<public_id:install_id>/assets/<path:path>")
@visitor
def asset(context: InstallContext, path: str) -> Response:
    """A file of the package's assets/. Under its version's address it never changes."""
    content = version_files(context).get(f"assets/{path}")
    kind = TYPES.get(path.rpartition(".")[2].lower())
    if content is None or kind is None:
        raise NotFound()
    answer = Response(content, content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
    if request.args.get("v") == _version(context):
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        answer.headers["Cache-Control"] = "public, max-age=300"
    answer.headers["Access-Control-Allow-Origin"] = "*"  # in a sandboxed frame even the module's own page is a stranger
    answer.set_etag(hashlib.sha256(content).hexdigest()[:32])
    return answer.make_conditional(request)  # type: ignore[return-value]  # it gives itself back


@bp.get("/<public_id:install_id>/files/<uuid:file_id>")
@visitor
def file(context: InstallContext, file_id: UUID) -> Response:
    """A file that a page of the module shows to visitors; ?size=small or medium for a smaller picture."""
    found = shown_file(context, file_id, visitor=visiting())
    content, media_type, size = open_bytes(context, found, size=request.args.get("size", ""))
    answer = Response(
        chunks(content), headers=file_headers(found, media_type=media_type, size=size), direct_passthrough=True
    )
    answer.content_length = content.seek(0, 2)
    content.seek(0)
    return answer.make_conditional(request)  # type: ignore[return-value]  # it gives itself back


def _is_closed_here(context: InstallContext, name: str) -> bool:
    """Whether the page opens only with a session: the site's own pages show it without one, in their frames alone."""
    if not is_closed(context, name):
        return False
    config: Config = current_app.config["DRAMAC"]
    framed = request.headers.get("Sec-Fetch-Dest", "iframe") == "iframe"  # older browsers do not say
    return not framed or not has_leave(
        config.secret_keys, request.args.get(OWN_PAGE, ""), install=encode("ins", context.install_id), page=name,
        params=request.args, now=utcnow(),
    )  # fmt: skip


def _show(context: InstallContext, found: Page, form: FormState | None) -> Shown:
    locales = [context.site.locale, *context.manifest.locales]
    locale = (
        asked_locale(context, request.args.get("lang", ""))
        or request.accept_languages.best_match(locales, default=context.site.locale)
        or context.site.locale
    )
    return show_page(context, found, given=request.args.to_dict(), visitor=visiting(), locale=locale, form=form)


def asked_locale(context: InstallContext, text: str) -> str:
    """The locale of the site or module that a host page names, such as pt-PT; "" for none of them."""
    plain = text.replace("_", "-").lower()
    locales = [context.site.locale, *context.manifest.locales]
    return next((one for one in locales if one.replace("_", "-").lower() == plain), "")


def _fresh(found: Page) -> FormState | None:
    return FormState(sent="sent" in request.args) if found.kind == "form" else None


def _session(context: InstallContext) -> Session | None:
    """What the SDK handed to the page over its port, and the page to us."""
    config: Config = current_app.config["DRAMAC"]
    text = request.form.get(SESSION_FIELD, "")
    return session_for(context, keys=config.secret_keys, text=text, now=utcnow())


def _door(context: InstallContext, name: str, found: Page) -> Response:
    """In place of a closed page: nothing of it, but what opens it once the host page has handed over a session."""
    framers = _framers(context, found.modes)
    allow_framing(framers)
    answer = make_response(
        render_template(
            "embed/door.html", page_title=context.module_name, site_name=context.site.name,
            theme=read_theme(request.args.get("theme")), accent=None, lang=context.site.locale,
            embedded=request.headers.get("Sec-Fetch-Dest") == "iframe", parents=framers, page_name=name, sent=False,
            closed=True, refused=request.method == "POST", field=SESSION_FIELD,
        )
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _missing(context: InstallContext, name: str) -> Response:
    """In a frame of a site that may show this install: no such page, which the host page is told instead of guessing."""
    framers = _framers(context, ("iframe",))
    allow_framing(framers)
    answer = make_response(
        render_template(
            "embed/missing.html", page_title=context.module_name, site_name=context.site.name,
            theme=read_theme(request.args.get("theme")), accent=None, lang=context.site.locale, embedded=True,
            parents=framers, page_name=name, sent=False, missing=True,
        ),
        404,
    )  # fmt: skip
    answer.headers["Cache-Control"] = "no-store"
    answer.vary.add("Sec-Fetch-Dest")
    return answer


def _answer(
    context: InstallContext,
    name: str,
    found: Page,
    shown: Shown,
    *,
    framers: list[str],
    outcome: Outcome | None = None,
) -> Response:
    html = shown.html
    if found.kind == "form":
        config: Config = current_app.config["DRAMAC"]
        issued = outcome.issued if outcome else 0
        html = protect_forms(
            html, make_stamp(config.secret_keys, context.install_id, name, now=utcnow(), issued=issued)
        )
    allow_framing(framers)
    answer = make_response(
        render_template(
            "embed/page.html",
            page_title=shown.title,
            site_name=context.site.name,
            theme=shown.theme,
            accent=shown.accent,
            lang=shown.locale,
            embedded=request.headers.get("Sec-Fetch-Dest") == "iframe",
            parents=framers,
            page_name=name,
            sent="sent" in request.args and outcome is None,
            closed=_is_closed_here(context, name),
            analytics=_told_of(context, name, again="sent" in request.args or outcome is not None),
            again="sent" in request.args or outcome is not None,
            # the sandbox has escaped every value in it; what is left is the author's, held by the origin and its CSP
            body=Markup(link_assets(html, version=_version(context), nonce=nonce())),  # noqa: S704
        ),
        outcome.status if outcome else 200,
    )
    answer.headers["Cache-Control"] = "no-store"  # it holds a stamp or records of this moment
    if context.on_trial:
        answer.headers["X-Robots-Tag"] = "noindex"
    answer.vary.update(["Sec-Fetch-Dest", "Accept-Language"])
    if outcome and outcome.retry_after_s:
        answer.headers["Retry-After"] = str(outcome.retry_after_s)
    return answer


def _told_of(context: InstallContext, name: str, *, again: bool) -> str:
    """The page's key for telling more; the platform's own previews, and trials, are nobody's views."""
    if request.method == "HEAD" or PREVIEW in request.args or context.on_trial:
        return ""
    return audience().page_shown(context, name, this_visit(), again=again, now=utcnow())


def answer_framed(context: InstallContext, name: str, shown: Shown, framer: str) -> Response:
    """The answer that a page's frame on another site gets: for checks, of an install that may be nobody's yet."""
    return _answer(context, name, find_page(context, name), shown, framers=[framer])


def _framers(context: InstallContext, modes: tuple[str, ...]) -> list[str]:
    """The site's verified origins and no others, for pages with modes of being embedded; of what is tried out, the platform.

    The platform shows its previews with ?_preview, and a site's own pages their modules with ?_page: either frames nowhere
    else. Own pages show modules of their site alone; they stand at the top, or in the platform's editor with both words.
    """
    own = ["'self'"] if OWN_PAGE in request.args else []
    if PREVIEW in request.args or context.on_trial:
        return [*own, *platform_origins(agency_id=context.agency_id)]
    if own:
        return own
    return verified_origins(context.site_id) if modes else []


def _version(context: InstallContext) -> str:
    return context.digest[:16]


def _address(args: dict[str, str]) -> str:
    return f"{request.environ.get(PATH, request.path)}?{urlencode(args)}"
