"""The Embed page of an install: a page and its options, live, as code to copy; who may frame it; closed pages and tokens."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.config import Config
from app.domains.known import platform_origins, verified_origins
from app.embed.actions import TokenAlreadyRevoked, create_token, revoke_token, set_closed
from app.embed.forms import CORNERS, PARAM, TokenForm, read_choice
from app.embed.models import EmbedToken
from app.embed.queries import closed_pages, tokens_of
from app.embed.snippets import MODES, PLATFORMS, Choice, code_for, how_to, modes_of
from app.embed.tokens import make_session
from app.errors import AppError, NotFound
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.modules.manifest import Manifest
from app.modules.manifest.pages import Page
from app.web.assets import STATIC
from app.web.errors import status_of
from app.web.forms import asked, clean
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast
from app.web.once import not_sent, sent_before

bp = Blueprint("embeds", __name__)

THEMES = [("light", "Light"), ("dark", "Dark")]
WRONG_COLOR = "Write a colour as # and six digits from 0 to f, such as #0f766e."


@bp.get("/installs/<public_id:install_id>/embed")
@requires(Permission.INSTALLS_VIEW, install=Install)
def show(install: Install) -> Response:
    context = _context(install)
    if is_htmx() and htmx_target() == "embed-view":
        return make_response(fragment("embed/install.html", "view", **context))
    return make_response(render_template("embed/install.html", **context))


@bp.post("/installs/<public_id:install_id>/embed/pages/<page_name>")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def change_page(install: Install, page_name: str) -> Response:
    closed = request.form.get("closed") == "1"
    set_closed(g.db, install=install, page=page_name, pages=_pages(install), closed=closed, by=g.actor, now=utcnow())
    words = "opens only with a token" if closed else "is open to everybody"
    trigger_toast("success", f"{page_name} {words}", "Visitors notice within seconds.")
    return respond(redirect_to=url_for(".show", install_id=install.public_id, page=page_name))


@bp.get("/installs/<public_id:install_id>/embed/tokens/new")
@requires(Permission.KEYS_MANAGE, install=Install)
def new_token(install: Install) -> Response:
    return make_response(_token_page(install, _form(install)))


@bp.post("/installs/<public_id:install_id>/embed/tokens")
@requires(Permission.KEYS_MANAGE, install=Install)
def create(install: Install) -> Response:
    form, config, now = _form(install), _config(), utcnow()
    if not form.validate():
        return make_response(_token_page(install, form), 422)
    if sent_before():
        trigger_toast(
            "info", "This token was made already", "It was shown once. Revoke it and make another if it was not kept."
        )
        return respond(redirect_to=url_for(".show", install_id=install.public_id))
    try:
        made = create_token(
            g.db, install=install, verified=verified_origins(install.site_id), keys=config.secret_keys, by=g.actor, now=now,
            **form.values(now),
        )  # fmt: skip
    except AppError as error:
        not_sent()
        form.take(error)
        return make_response(_token_page(install, form), status_of(error))
    # the token exists in this one answer: no redirect could carry it without keeping it somewhere
    page = render_template("embed/token_created.html", install=_parts(install), token=made.row, text=made.text)
    return make_response(page, 201)


@bp.post("/embed-tokens/<public_id:token_id>/revoke")
@requires(Permission.KEYS_MANAGE, token=EmbedToken)
def revoke(token: EmbedToken) -> Response:
    try:
        revoke_token(g.db, token=token, by=g.actor, now=utcnow())
        trigger_toast("success", f"{token.name} is revoked", "It and its sessions open nothing from now on.")
    except TokenAlreadyRevoked:
        trigger_toast("info", f"{token.name} was revoked already")
    return respond(redirect_to=url_for(".show", install_id=encode("ins", token.install_id)))


def _context(install: Install) -> dict[str, Any]:
    shown, config, now = _parts(install), _config(), utcnow()
    pages, closed = _pages(shown), closed_pages(g.db, install_id=install.id)
    can_see_tokens = g.actor.can(Permission.KEYS_VIEW)
    context: dict[str, Any] = {
        "install": shown, "tab": "embed", "words": {shown.status: shown.status.capitalize()},
        "tones": {shown.status: "ok" if shown.status == "active" else "warn"},
        "pages": pages, "closed": closed, "choice": None, "verified": verified_origins(install.site_id), "now": now,
        "tokens": tokens_of(g.db, install_id=install.id) if can_see_tokens else [], "can_see_tokens": can_see_tokens,
        "can_manage_tokens": g.actor.can(Permission.KEYS_MANAGE), "can_configure": g.actor.can(Permission.INSTALLS_CONFIGURE),
        "sdk": f"{config.runtime_url}/sdk/v{_release()[0]}/dramac.js", "integrity": _release()[1],
    }  # fmt: skip
    if pages and shown.status == "active":
        context |= _chosen(shown, pages, closed, config)
    return context


def _chosen(install: Install, pages: dict[str, Page], closed: set[str], config: Config) -> dict[str, Any]:
    locales = list(dict.fromkeys([install.site.locale, *install.version.manifest.get("locales", [])]))
    choice = read_choice(
        request.args, pages, runtime_url=config.runtime_url, install=install.public_id, closed=closed, locales=locales
    )
    platform = asked("for", tuple(PLATFORMS), "html")
    preview = ""
    if choice.closed:  # what the platform shows to its own people needs no token
        preview = make_session(
            config.secret_keys, install_id=install.id, origin=_origin_here(install), token_id=None, now=utcnow()
        )
    spec, accent = pages[choice.page], clean(request.args.get("accent"))[:40]
    # a frame that is alone with its page cannot ask what the site around it looks like
    follows = "As the visitor's device" if choice.mode == "iframe" else "As the site around it"
    return {
        "choice": choice, "spec": spec, "fields": _fields(spec, choice),
        "platforms": PLATFORMS, "platform": platform, "how_to": how_to(choice, platform), "code": code_for(choice, platform),
        "modes": [(mode, MODES[mode]) for mode in modes_of(spec.modes, closed=choice.closed)],
        "no_iframe": choice.closed and "iframe" in modes_of(spec.modes),
        "accent": accent, "accent_errors": [WRONG_COLOR] if accent and not choice.accent else [],
        "themes": [("auto", follows), *THEMES], "locales": locales, "corners": list(CORNERS.items()), "preview": preview,
    }  # fmt: skip


def _origin_here(install: Install) -> str:
    """Where this person sees the platform: at its usual address, or at a host of their agency's own."""
    own, here = platform_origins(agency_id=install.agency_id), request.host_url.rstrip("/")
    return here if here in own else own[0]


def _fields(page: Page, choice: Choice) -> list[dict[str, Any]]:
    """The page's own parameters as controls. The accent is asked for by itself."""
    found = []
    for name, spec in page.params.items():
        options = {
            "enum": [(one, one) for one in spec.options or ()],
            "boolean": [("true", "Yes"), ("false", "No")],
        }.get(spec.type, [])
        kind = "select" if options else "date" if spec.type == "date" else "text"
        label = spec.label or name.replace("_", " ").capitalize()
        field = {"kind": kind, "name": f"{PARAM}{name}", "label": label, "value": choice.params.get(name, "")}
        found.append({**field, "options": [("", "Default"), *options]})
    return [field for field in found if field["name"] != f"{PARAM}accent"]


def _pages(install: Install) -> dict[str, Page]:
    """The pages of the installed version that other sites may embed."""
    manifest = Manifest.from_dict(_parts(install).version.manifest)
    return {name: page for name, page in manifest.pages.items() if page.modes}


def _parts(install: Install) -> Install:
    found = install_with_parts(g.db, install_id=install.id)
    if found is None:
        raise NotFound()
    return found


def _form(install: Install) -> TokenForm:
    form = TokenForm()
    form.offer(verified_origins(install.site_id))
    return form


def _token_page(install: Install, form: TokenForm) -> str:
    return render_template("embed/new_token.html", install=_parts(install), form=form)


def _config() -> Config:
    config: Config = current_app.config["DRAMAC"]
    return config


@cache
def _release() -> tuple[str, str]:
    """(version, integrity) of the newest SDK."""
    releases = json.loads((STATIC / "sdk" / "releases.json").read_text(encoding="utf-8"))
    newest = max(releases, key=lambda version: [int(part) for part in version.split(".")])
    return newest, releases[newest]["integrity"]
