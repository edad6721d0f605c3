"""What a function may do besides records: events, numbers, letters, calls of other servers and of its own module."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.lib.judged import OutgoingFailed, is_own
from app.runtime.functions import connections, letters, process
from app.runtime.sandbox.pool import HostError

if TYPE_CHECKING:  # host knows this module
    from app.runtime.functions.host import Session

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HTTP_S = 4.0
# An open transaction may hold locks that others wait for: a call made inside it gets half the time a lock waits.
HTTP_IN_TRANSACTION_S = 2.0
MAX_ANSWER, MAX_BODY, MAX_HEADERS = 512_000, 256_000, 30
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_REFUSED_HEADERS = {
    "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive",
    "proxy-authorization", "proxy-connection", "accept-encoding", "user-agent",
}  # fmt: skip
_OPTIONS = ("method", "headers", "body", "json", "timeout_ms", "connection")


def emit(session: Session, event: Any, data: Any = None) -> None:
    """Send an event the manifest declares, in the transaction."""
    if not isinstance(event, str):
        raise HostError("invalid_argument", None, "Name the event to send.")
    if event not in session.context.manifest.events:
        raise HostError("unknown_event", None, f"The manifest declares no event {event[:80]}.")
    session.tx.emit(event, data if data is not None else {})


def sequence(session: Session, name: Any) -> int:
    """The next number of a gap-free series of the module."""
    if not isinstance(name, str):
        raise HostError("invalid_argument", None, "Name the series.")
    return session.tx.next_number(name)


def mail(session: Session, given: Any) -> None:
    """Post a letter: {to, subject, template | text | html, data, reply_to}. It leaves when the transaction is in."""
    permissions = session.context.manifest.permissions
    if not (permissions.email and (session.context.granted.get("email") or session.context.on_trial)):
        raise HostError("not_granted", None, "This module may not send e-mail on this site.")
    letters.post_letter(session.context, session.tx, given, request_id=session.request_id)
    session.after_commit("mail.deliver")


def call(session: Session, name: Any, given: Any = None) -> Any:
    """The output of another function of the module, run inside the same transaction."""
    if not isinstance(name, str) or name not in session.context.manifest.functions:
        raise HostError("unknown_function", None, "The module has no such function.")
    return session.call(name, given)


def http_request(session: Session, method: Any, url: Any, options: Any) -> dict[str, Any]:
    """{status, headers, body} of a call to a declared host. Any status is an answer; no answer is a HostError.

    The option connection names one of the manifest: its token is added here and taken out of whatever comes back.
    """
    if method not in METHODS or not isinstance(url, str) or not isinstance(options, dict):
        raise HostError("invalid_argument", None, "A call needs a method, an address and options.")
    if unknown := [key for key in options if key not in _OPTIONS]:
        raise HostError("invalid_argument", None, f"ctx.http takes {', '.join(_OPTIONS)}, not {unknown[0][:60]}.")
    if session.context.on_trial:
        raise HostError("on_trial", None, "What is tried out calls no other servers. Install the module for that.")
    _must_be_granted(session, method, url)
    headers, body = _headers(options.get("headers")), _body(options)
    if "json" in options:
        headers.setdefault("content-type", "application/json")
    token = connections.token_for(session.context, options.get("connection"), url) if "connection" in options else None
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    try:
        answer = process.egress().request(
            method, url, headers=headers, body=body, timeout_s=_timeout_s(session, options), max_bytes=MAX_ANSWER
        )
    except OutgoingFailed as error:
        raise HostError(f"http_{error.kind}", None, str(error)) from None
    found = {"status": answer.status, "headers": answer.headers, "body": answer.body.decode("utf-8", "replace")}
    return found if token is None else connections.without(token, found)


def _must_be_granted(session: Session, method: str, url: str) -> None:
    """The host and method are in the manifest and in what the site consented to, and the host is not the platform's."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port or 443
    except ValueError:
        host, port = "", 443
    asked = [one for one in session.context.manifest.permissions.network if one.host.lower() == host]
    agreed = [one for one in session.context.granted.get("network", ()) if str(one.get("host", "")).lower() == host]
    allowed = {m for one in asked for m in one.methods} & {m for one in agreed for m in one.get("methods", ("GET",))}
    if method not in allowed:
        raise HostError("not_granted", None, f"This module may not {method} {host[:100] or 'this address'}.")
    if is_own(host, port):
        raise HostError("http_blocked", None, "This is an address of the platform itself; functions have ctx for that.")


def _headers(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict) or len(given) > MAX_HEADERS:
        raise HostError("invalid_argument", None, f"headers is an object of at most {MAX_HEADERS} texts.")
    found = {}
    for name, value in given.items():
        plain = isinstance(value, str) and value.isprintable() and value.isascii() and len(value) <= 4000
        if not plain or not _HEADER.fullmatch(name) or name.lower() in _REFUSED_HEADERS:
            raise HostError("invalid_argument", None, f"The header {name[:60]} cannot be sent.")
        found[name.lower()] = value
    return found


def _body(options: dict[str, Any]) -> bytes:
    if "json" in options:
        body = json.dumps(options["json"]).encode()
    else:
        text = options.get("body")
        if text is not None and not isinstance(text, str):
            raise HostError("invalid_argument", None, "body is a text; give an object as json.")
        body = (text or "").encode("utf-8", "replace")
    if len(body) > MAX_BODY:
        raise HostError("too_large", None, f"A body has at most {MAX_BODY // 1000} kB.")
    return body


def _timeout_s(session: Session, options: dict[str, Any]) -> float:
    most = HTTP_IN_TRANSACTION_S if session.holds_locks else HTTP_S
    wanted = options.get("timeout_ms", most * 1000)
    if isinstance(wanted, bool) or not isinstance(wanted, (int, float)) or wanted <= 0:
        raise HostError("invalid_argument", None, "timeout_ms is a number of milliseconds.")
    return float(min(wanted / 1000, most))
