"""The inbound webhooks of an install: where senders post to, their secrets, what came and what became of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for

from app.access.permissions import Permission
from app.errors import Invalid, NotFound
from app.inbound import actions, queries
from app.inbound.forms import SecretForm
from app.inbound.models import Receipt
from app.inbound.setup import Setup
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import decode_or_none, encode
from app.modules.manifest import Manifest
from app.web.forms import asked, clean
from app.web.guard import requires
from app.web.htmx import fragment, htmx_target, is_htmx, respond, trigger_toast

bp = Blueprint("inbound", __name__)


@bp.get("/installs/<public_id:install_id>/inbound")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def index(install: Install) -> Response:
    return _index(install)


@bp.post("/installs/<public_id:install_id>/inbound/<hook>/new-secret")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def make(install: Install, hook: str) -> Response:
    """Make a secret, or replace the present one by a new one. It is shown in this answer and never again."""
    made = actions.make_secret(g.db, install=install, name=hook, setup=_setup(), by=g.actor, now=utcnow())
    shown = _with_parts(install)
    row = next(row for row in _rows(shown) if row.name == hook)
    answer = _page("secret", install=shown, row=row, secret=made, address=_address(shown, hook), now=utcnow())
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/installs/<public_id:install_id>/inbound/<hook>/secret")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def enter(install: Install, hook: str) -> Response:
    """Keep the secret that the sender gave."""
    form = SecretForm(prefix=hook)
    if not form.validate():
        return _index(install, forms={hook: form}, status=422)
    try:
        actions.enter_secret(
            g.db, install=install, name=hook, secret=form.entered, setup=_setup(), by=g.actor, now=utcnow()
        )
    except Invalid as error:
        form.take(error)
        return _index(install, forms={hook: form}, status=422)
    trigger_toast("success", "The secret is kept", "Messages signed with it are taken from now on.")
    return _back(install)


@bp.post("/installs/<public_id:install_id>/inbound/<hook>/end-previous")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def end_previous(install: Install, hook: str) -> Response:
    actions.end_previous(g.db, install=install, name=hook, by=g.actor)
    trigger_toast("success", "The old secret holds no longer")
    return _back(install)


@bp.get("/inbound-messages/<public_id:receipt_id>")
@requires(Permission.INSTALLS_CONFIGURE, receipt=Receipt)
def receipt(receipt: Receipt) -> Response:
    install = _with_parts(g.db.get_one(Install, receipt.install_id))
    declared = Manifest.from_dict(install.version.manifest).inbound.get(receipt.name)
    body, more = queries.shown_body(receipt, keys=_setup().keys)
    return _page("receipt", install=install, receipt=receipt, declared=declared, body=body, more=more)


@bp.post("/inbound-messages/<public_id:receipt_id>/run")
@requires(Permission.INSTALLS_CONFIGURE, receipt=Receipt)
def run(receipt: Receipt) -> Response:
    """Have the function run once more for a message."""
    try:
        actions.run_again(g.db, receipt=receipt, by=g.actor, now=utcnow())
        trigger_toast("success", "Runs again", "What becomes of it shows here in a moment.")
    except actions.StillToRun as error:
        trigger_toast("info", error.message)
    return respond(redirect_to=url_for(".receipt", receipt_id=receipt.public_id))


def _index(install: Install, *, forms: dict[str, SecretForm] | None = None, status: int = 200) -> Response:
    shown = _with_parts(install)
    rows = _rows(shown)
    chosen, before = asked("status", queries.STATUSES, "all"), decode_or_none("rct", request.args.get("cursor", ""))
    name, message = asked("hook", ("", *(row.name for row in rows)), ""), clean(request.args.get("q"))[:200]
    context: dict[str, Any] = {
        "install": shown, "rows": rows, "now": utcnow(), "chosen": chosen, "hook": name, "q": message, "first": before is None,
        "log": queries.receipts(g.db, install_id=install.id, status=chosen, name=name, message=message, before=before),
        "titles": {row.name: row.declared.title for row in rows}, "cursor": lambda found: encode("rct", found),
    }  # fmt: skip
    if is_htmx() and htmx_target() == "results":
        return make_response(fragment("inbound/index.html", "results", **context))
    given = forms or {}
    context["forms"] = {row.name: given.get(row.name) or SecretForm(formdata=None, prefix=row.name) for row in rows}
    context["addresses"] = {row.name: _address(shown, row.name) for row in rows}
    return _page("index", status=status, **context)


def _rows(install: Install) -> list[queries.HookRow]:
    manifest = Manifest.from_dict(install.version.manifest)
    return queries.hooks_of(g.db, install=install, manifest=manifest, now=utcnow())


def _address(install: Install, name: str) -> str:
    return _setup().address(module=install.module.slug, install_id=install.id, name=name)


def _with_parts(install: Install) -> Install:
    found = install_with_parts(g.db, install_id=install.id)
    if found is None:
        raise NotFound()
    return found


def _page(name: str, /, *, status: int = 200, **context: Any) -> Response:
    return make_response(render_template(f"inbound/{name}.html", **context), status)


def _back(install: Install) -> Response:
    return respond(redirect_to=url_for(".index", install_id=install.public_id))


def _setup() -> Setup:
    return Setup.of(current_app.config["DRAMAC"])
