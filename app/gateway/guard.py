"""Access of the API's routes: a credential with a scope. One function for every call, whichever server brings it.

Order: where the key stands, whose it is, whether it may be used from here, its quota, its scope, then the route.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from flask import request
from psycopg_pool import PoolTimeout

from app.errors import AppError, Forbidden, Unauthenticated, Unavailable
from app.gateway.cors import cors_headers
from app.gateway.credentials import CredentialInWrongPlace, NoCredential, bearer
from app.gateway.gateway import Gateway
from app.gateway.http import MAX_BODY_BYTES, Answer, Call, problem, problem_answer
from app.gateway.idempotency import once
from app.gateway.limits import limit_headers
from app.gateway.requestlog import MOST_RECORDED, Entry, Recorded
from app.lib.clock import utcnow
from app.web.guard import Access, declare

log = logging.getLogger(__name__)

CREDENTIAL = "credential"  # how the label of a route of ours begins
GATEWAY = "dramac.gateway"  # where the environment of a request carries the Gateway
READS = frozenset({"GET", "HEAD", "OPTIONS"})
INTERNAL = "We have logged it. Nothing you sent was half-saved; try again, or give support the request id."
_PEEK_BYTES = 8192
MOST_QUERY = 2000

View = Callable[..., Any]
AnyView = TypeVar("AnyView", bound=View)


class InsufficientScope(Forbidden):
    """This credential does not have the scope that the call needs."""

    code = "insufficient_scope"


def requires_scope(
    scope: str, *, route_class: str | None = None, max_body_bytes: int = MAX_BODY_BYTES
) -> Callable[[AnyView], AnyView]:
    """A credential that has `scope`. The view gets the Call first, then the route's parts, and gives an Answer.

    route_class: what the quota counts it under; by default reads and writes by the method. max_body_bytes: of a call.
    """

    def decorate(view: AnyView) -> AnyView:
        def enter(inner: View) -> View:
            return _guarded(inner, scope, route_class, max_body_bytes)

        return declare(view, Access(f"{CREDENTIAL}: {scope}", enter))

    return decorate


def any_credential(view: AnyView) -> AnyView:
    """A credential, whatever its scopes."""
    return declare(view, Access(CREDENTIAL, lambda inner: _guarded(inner, None, "read")))


def _guarded(view: View, scope: str | None, route_class: str | None, max_body_bytes: int = MAX_BODY_BYTES) -> View:
    def guarded(environ: dict[str, Any] | None = None, **parts: Any) -> Answer:
        call = Call(environ if environ is not None else request.environ)
        call.max_body_bytes = max_body_bytes
        gateway: Gateway = call.environ[GATEWAY]
        try:
            answer = _answer(gateway, call, view, scope, route_class, parts)
        except AppError as error:
            answer = problem_answer(call, error)
            if answer.status >= 500:
                log.error("%s %s [%s]: %s", call.method, call.path, call.request_id, error, exc_info=error)
        except (PoolTimeout, psycopg.OperationalError) as error:
            log.error("%s %s [%s]: %s", call.method, call.path, call.request_id, error)
            answer = problem_answer(call, Unavailable())
        except Exception:
            log.exception("%s %s [%s] failed", call.method, call.path, call.request_id)
            answer = problem(call, 500, "internal", INTERNAL)
        return _finished(gateway, call, answer)

    guarded.__name__ = view.__name__
    return guarded


def _answer(
    gateway: Gateway, call: Call, view: View, scope: str | None, route_class: str | None, parts: dict[str, Any]
) -> Answer:
    _authenticate(gateway, call)
    credential = call.credential
    reading = call.method in READS
    kind = route_class or ("read" if reading else "write")
    _count(gateway, call, kind)
    if scope is not None and scope not in credential.scopes:
        raise InsufficientScope(f'This credential lacks the scope "{scope}". Make a key that has it.', scope=scope)
    if reading or "HTTP_IDEMPOTENCY_KEY" not in call.environ:
        answer: Answer = view(call, **parts)
        return answer
    return once(call, lambda: view(call, **parts))


def _authenticate(gateway: Gateway, call: Call) -> None:
    """Fill in call.credential. Raises one of the errors of credentials.py."""
    _refuse_misplaced(call)
    try:
        credential = gateway.find(bearer(call.environ.get("HTTP_AUTHORIZATION", "")))
        call.credential = credential
        credential.must_be_usable(address=call.address, origin=call.origin, now=utcnow())
    except NoCredential:
        _refuse_in_body(call)
        raise
    except Unauthenticated:
        gateway.leases.take(f"failures:{call.address}", gateway.policies.per_failure)
        raise


def _refuse_misplaced(call: Call) -> None:
    query = call.query_string
    if query and ("access_token=" in query or "dmc_sk_" in query or "dmc_pk_" in query or "dmc_at_" in query):
        raise CredentialInWrongPlace()


def _refuse_in_body(call: Call) -> None:
    length = call.environ.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > _PEEK_BYTES:
        return
    if any(mark in call.body for mark in (b"access_token", b"dmc_sk_", b"dmc_pk_", b"dmc_at_")):
        raise CredentialInWrongPlace()


def _count(gateway: Gateway, call: Call, kind: str) -> None:
    """Take one call of every quota that applies. Raises QuotaExceeded."""
    credential, policies = call.credential, gateway.policies
    if credential.kind == "publishable":
        call.taken.append(gateway.leases.take(f"{credential.quota_key}:{call.address}", policies.per_address))
    call.taken.append(gateway.leases.take(credential.quota_key, policies.of(credential.kind, kind)))


def is_of_code(path: str) -> bool:
    """Whether a path of the API is one of a module's own routes."""
    return path.split("/", 5)[4:5] == ["fn"]


def _query(call: Call) -> str:
    """What a read of records or a call of module code asked for, to be asked again by a replay or a rehearsal."""
    if not call.query_string or call.install_id is None or not (call.method == "GET" or is_of_code(call.path)):
        return ""
    return "" if len(call.query_string) > MOST_QUERY else call.query_string.replace("\x00", "")


def _recorded(call: Call) -> Recorded | None:
    """The body of a write of records or a call of code, where somebody of the agency has it recorded for now."""
    if call.recording_until is None or call.method in READS or call.recording_until <= utcnow():
        return None
    parts = call.path.split("/")
    if call.credential.kind == "oauth" or not (is_of_code(call.path) or (len(parts) <= 6 and parts[4:5] != ["files"])):
        return None
    body, if_match, kind = call.read_body, call.header("If-Match"), call.environ.get("CONTENT_TYPE", "")
    if len(body) > MOST_RECORDED or max(len(if_match), len(kind)) > 200 or b"\x00" in body:
        return None
    return Recorded(if_match.replace("\x00", ""), kind.replace("\x00", ""), body.decode("utf-8", "replace"))


def _finished(gateway: Gateway, call: Call, answer: Answer) -> Answer:
    credential = getattr(call, "credential", None)
    headers = answer.headers
    headers.append(("X-Request-Id", call.request_id))
    headers.append(("Vary", "Origin"))
    headers += limit_headers(call.taken)
    if call.origin:
        headers += cors_headers(call.origin, credential)
    if credential is not None:
        environ = call.environ
        gateway.log.answered(
            Entry(
                utcnow(),
                call.request_id,
                credential.agency_id,
                credential.site_id,
                call.install_id,
                credential.ref,
                "api",
                call.method,
                call.path.replace("\x00", "")[:500],
                answer.status,
                (time.perf_counter_ns() - call.started_ns) // 1000,
                answer.size_bytes,
                call.address or None,
                environ.get("HTTP_USER_AGENT", "").replace("\x00", "")[:300],
                call.origin.replace("\x00", "")[:300],
                answer.error_code,
                _query(call),
                _recorded(call),
            ),
            credential.id if credential.kind != "oauth" else None,
        )
    return answer
