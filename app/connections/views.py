"""The connections of an install: register with the service, connect, reconnect, disconnect; and where services send people back."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_login import current_user

from app.access.permissions import Permission
from app.accounts.identity import Person
from app.connections.actions import (
    NoRegistration,
    NotAgreed,
    NotAnswered,
    answered,
    begin,
    complete,
    disconnect,
    save_client,
)
from app.connections.forms import ClientForm
from app.connections.queries import connections_of
from app.connections.setup import Setup
from app.domains.hosting import own_platform_host
from app.domains.hosts import origin_of
from app.errors import Invalid, NotFound
from app.installs.models import Install
from app.installs.queries import install_with_parts
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.modules.manifest import Manifest
from app.web.guard import public, requires
from app.web.headers import allow_sending
from app.web.htmx import respond, trigger_toast

bp = Blueprint("connections", __name__)


@bp.get("/installs/<public_id:install_id>/connections")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def index(install: Install) -> Response:
    return _page(install)


@bp.post("/installs/<public_id:install_id>/connections/<connection>/client")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def client(install: Install, connection: str) -> Response:
    form = ClientForm(prefix=connection)
    if not form.validate():
        return _page(install, forms={connection: form}, status=422)
    try:
        save_client(
            g.db, install=install, name=connection, client_id=form.client_id.data, secret=form.secret.data or "", setup=_setup(),
            by=g.actor,
        )  # fmt: skip
    except Invalid as error:
        form.take(error)
        return _page(install, forms={connection: form}, status=422)
    trigger_toast("success", "The registration is kept", "Connect the service now.")
    return _back(install)


@bp.post("/installs/<public_id:install_id>/connections/<connection>/connect")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def connect(install: Install, connection: str) -> Response:
    session_id = cast(Person, current_user).session_id
    try:
        where = begin(
            g.db, install=install, name=connection, session_id=session_id, host=own_platform_host(request.host),
            setup=_setup(), now=utcnow(),
        )  # fmt: skip
    except NoRegistration as error:
        trigger_toast("error", error.message)
        return _back(install)
    answer = make_response("", 303)
    answer.headers["Location"] = where
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/connections/callback")
@public
def callback() -> Response:
    """Where services send people back: on to the host where they are signed in, which may be one of their agency's own."""
    host = own_platform_host(request.args.get("state", "").partition(".")[2])
    origin = origin_of(host, development=current_app.config["DRAMAC"].development) if host else ""
    answer = redirect(f"{origin or ''}{url_for('.finish')}?{request.query_string.decode('ascii', 'ignore')}", code=303)
    answer.headers["Referrer-Policy"] = "no-referrer"  # the code stands in this address
    answer.headers["Cache-Control"] = "no-store"
    return make_response(answer)


@bp.get("/connections/answered")
@requires(Permission.INSTALLS_CONFIGURE)
def finish() -> Response:
    """What the service answered. It is used up with the first look, whatever comes of it."""
    session_id, now = cast(Person, current_user).session_id, utcnow()
    try:
        connection, verifier = answered(g.db, state=request.args.get("state", ""), session_id=session_id, now=now)
    except NotAnswered as error:
        trigger_toast("error", "Not connected", error.message)
        return make_response(redirect(url_for("installs.index"), code=303))
    code = request.args.get("code") if "error" not in request.args else None
    try:
        complete(
            g.db, connection=connection, verifier=verifier, code=code, issuer=request.args.get("iss"), setup=_setup(), by=g.actor,
            now=now,
        )  # fmt: skip
        trigger_toast("success", "Connected")
    except NotAgreed as error:
        trigger_toast("error", "Not connected", error.message)
    answer = redirect(url_for(".index", install_id=encode("ins", connection.install_id)), code=303)
    answer.headers["Referrer-Policy"] = "no-referrer"  # the code stands in this address
    return make_response(answer)


@bp.post("/installs/<public_id:install_id>/connections/<connection>/disconnect")
@requires(Permission.INSTALLS_CONFIGURE, install=Install)
def end(install: Install, connection: str) -> Response:
    disconnect(g.db, install=install, name=connection, setup=_setup(), by=g.actor)
    trigger_toast("success", "Disconnected", "The module can no longer act there.")
    return _back(install)


def _page(install: Install, *, forms: dict[str, ClientForm] | None = None, status: int = 200) -> Response:
    found = install_with_parts(g.db, install_id=install.id)
    if found is None:
        raise NotFound()
    rows = connections_of(g.db, install=found, manifest=Manifest.from_dict(found.version.manifest))
    shown = forms or {}
    for row in rows:
        if row.name not in shown:
            shown[row.name] = ClientForm(formdata=None, prefix=row.name, client_id=row.client_id)
    # browsers check every step that the answer to a form leads to, and services send people through several hosts
    allow_sending("https:")
    page = render_template(
        "connections/index.html", install=found, rows=rows, forms=shown,
        redirect_uri=_setup().redirect_uri,
    )  # fmt: skip
    return make_response(page, status)


def _back(install: Install) -> Response:
    return respond(redirect_to=url_for(".index", install_id=install.public_id))


def _setup() -> Setup:
    return Setup.of(current_app.config["DRAMAC"])
