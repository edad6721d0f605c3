"""The address that senders post to. The bytes are read first and proven as they came; 2xx says that they are kept."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.errors import NotFound, PayloadTooLarge, RateLimited, UnsupportedMedia
from app.inbound.receiving import Found, count_refusal, hook_at, keep
from app.inbound.signatures import Message, NotProven, proven
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.runtime.context import InstallNotReady, load_install
from app.runtime.pages import spam
from app.web.errors import problem
from app.web.guard import public

bp = Blueprint("inbound_api", __name__, url_prefix="/api/modules")

MOST_BYTES = 256 * 1024
PER_MINUTE = 300  # proven messages of one install
REFUSED_PER_MINUTE = 60  # of one address at one install: a wrong secret there holds up nobody else
AGAIN_S = 300  # when a sender whose module does not work right now should try again
ALWAYS = ("content-type", "user-agent")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)
_TYPES = ("application/x-www-form-urlencoded", "application/xml", "application/json")
NOT_PROVEN = "The signature, or the time it was made, is not what this address expects."


class MessageTooLarge(PayloadTooLarge):
    """A message may have 256 kB."""

    code = "message_too_large"


class NotText(UnsupportedMedia):
    """Send JSON, a form, XML or text, in UTF-8 and not compressed."""


@bp.post("/<module>/hooks/<install_id>/<hook>", provide_automatic_options=False)
@public
def receive(module: str, install_id: str, hook: str) -> Response:
    """One message for a module. 200 with the receipt's id when it is kept, also when it came before."""
    body = _body()
    found = _found(module, install_id, hook)
    try:
        message = proven(found.declared, headers=request.headers, body=body, known=found.known, now=utcnow())
    except NotProven as error:
        return _refused(found, error)
    if found.status in ("removing", "removed"):
        return problem(410, "gone", "This module was removed from its site. Send nothing more to this address.")
    _not_too_often(found, what="inbound", most=PER_MINUTE)
    text = _text(body)
    try:
        load_install(found.install_id)
    except InstallNotReady as error:  # proven: the sender may know, and keeps the message until later
        error.retry_after_s = AGAIN_S
        raise
    receipt, repeated = _kept(found, message, text, len(body))
    return _answer({"received": True, "id": receipt, "repeated": repeated})


def _body() -> bytes:
    request.max_content_length = MOST_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise MessageTooLarge() from error


def _found(module: str, install_id: str, hook: str) -> Found:
    """What the address leads to. Raises NotFound for every address that is none, alike."""
    if not _NAME.fullmatch(hook):
        raise NotFound()
    found = hook_at(decode("ins", install_id), hook, keys=_config().secret_keys, now=utcnow())
    if found is None or found.module != module:
        raise NotFound()
    return found


def _refused(found: Found, error: NotProven) -> Response:
    """The same answer whatever was wrong; the agency sees which it was."""
    reason = error.reason if found.known else "no_secret"
    _not_too_often(
        found, request.remote_addr or "", what=f"inbound-refused:{found.name}", most=REFUSED_PER_MINUTE
    )  # only what is refused counts here: a stranger's attempts turn nobody away who can sign
    with tenant_scope(found.agency_id), transaction(db.session.session_factory()) as session:
        count_refusal(
            session, found=found, reason=reason, ip=request.remote_addr, request_id=g.request_id, now=utcnow()
        )
    answer = problem(401, "not_proven", NOT_PROVEN)
    answer.headers["WWW-Authenticate"] = 'Signature realm="Dramac"'
    return answer


def _not_too_often(found: Found, address: str = "", *, what: str, most: int) -> None:
    """Count one more. Raises RateLimited."""
    if wait_s := spam.wait_s(found.install_id, address, what=what, most=most):
        raise RateLimited(f"At most {most} a minute.", retry_after_s=wait_s)


def _text(body: bytes) -> str:
    """The message as text. Raises NotText."""
    kind = request.mimetype
    readable = kind in _TYPES or kind.startswith("text/") or kind.endswith(("+json", "+xml")) or not (kind or body)
    if not readable or request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotText()
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotText() from error


def _kept(found: Found, message: Message, text: str, size_bytes: int) -> tuple[str, bool]:
    with tenant_scope(found.agency_id), transaction(db.session.session_factory()) as session:
        return keep(
            session, found=found, message=message, headers=_headers(found), body=text, size_bytes=size_bytes,
            content_type=_plain(request.headers.get("Content-Type", "")), request_id=g.request_id,
            keys=_config().secret_keys, now=utcnow(),
        )  # fmt: skip


def _headers(found: Found) -> dict[str, str]:
    """The headers that the function may see, by their names in lower case."""
    wanted = [*ALWAYS, *(name.lower() for name in found.declared.headers)]
    return {name: _plain(request.headers[name])[:1000] for name in wanted if name in request.headers}


def _plain(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _answer(body: dict[str, Any]) -> Response:
    answer = jsonify(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _config() -> Config:
    found: Config = current_app.config["DRAMAC"]
    return found
