"""Routes of a module: …/fn/{path} of the API calls a function, which answers JSON or {status, headers, body}."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from redis import RedisError

from app.access.actors import Actor
from app.errors import Forbidden, NotFound, RateLimited
from app.lib.clock import utcnow
from app.modules.manifest.pages import Route
from app.queue.enqueue import redis
from app.runtime.context import InstallContext
from app.runtime.data import Transaction
from app.runtime.functions.account import Run
from app.runtime.functions.errors import FunctionFailed
from app.runtime.functions.run import closed, run_function

log = logging.getLogger(__name__)

AuthKind = Literal["public", "staff", "api"]
MAX_ANSWER = 1_000_000
_PASSED = ("content-type", "content-language", "user-agent", "accept", "accept-language", "idempotency-key")
_ANSWERED = ("content-type", "content-language", "cache-control", "location", "etag", "last-modified", "retry-after")
_TYPES = ("application/json", "text/plain", "text/csv", "text/calendar", "application/xml", "application/problem+json")
# Who may call a route: its auth, and whoever is known better than that.
_MAY: dict[str, tuple[str, ...]] = {"public": ("public", "staff", "api"), "staff": ("staff",), "api": ("api",)}


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """What a function answered: status 200 to 599, headers from a closed list, the body as bytes."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def run_route(
    context: InstallContext,
    method: str,
    path: str,
    *,
    query: Mapping[str, Any],
    body: Any,
    headers: Mapping[str, str],
    auth_kind: AuthKind,
    actor: Actor,
    caller: str = "",
    tx: Transaction | None = None,
    dry: list[Run] | None = None,
) -> RouteAnswer:
    """Call the function behind a route of the installed version.

    path: with its leading slash. body: the parsed JSON, a text, or None. caller: what the route's rate is counted by, the
    actor and its address when empty. tx: a transaction to take part in. dry: of what is undone whatever comes of it; gets the
    accounts of the runs, which are not kept. Raises NotFound, Forbidden, RateLimited and what run_function does.
    """
    name, route = _find(context, method, path)
    if auth_kind not in _MAY[route.auth]:
        raise NotFound() if auth_kind == "public" else Forbidden("This credential may not call this address.")
    if dry is None:
        _count(context, name, route, caller or f"{actor.ref}|{actor.ip or ''}")
    given = {
        "method": method,
        "path": path,
        "query": dict(query),
        "headers": {key.lower(): value for key, value in headers.items() if key.lower() in _PASSED},
        "body": body,
    }
    output = run_function(
        context if dry is None else closed(context), name, given, trigger="route" if dry is None else "test",
        cause=f"{method} {path}", actor=actor, tx=tx, accounts=dry,
    )  # fmt: skip
    return _answer(output)


def _find(context: InstallContext, method: str, path: str) -> tuple[str, Route]:
    routes = {
        function.route.method: (name, function.route)
        for name, function in context.manifest.functions.items()
        if function.route is not None and function.route.path == path
    }
    if method not in routes:
        raise NotFound()
    return routes[method]


def _count(context: InstallContext, name: str, route: Route, caller: str) -> None:
    """One more call in the caller's window of this route. Without Valkey calls pass: the gateway's own limit stands."""
    most, seconds = route.limit
    now = int(utcnow().timestamp())
    key = f"dramac:route:{context.install_id}:{name}:{now // seconds}:{caller}"
    try:
        with redis().pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, seconds + 1)
            calls = pipe.execute()[0]
    except RedisError as error:
        log.error("calls of a route are not counted: %s", error)
        return
    if calls > most:
        raise RateLimited(f"At most {route.rate} calls of this address.", retry_after_s=seconds - now % seconds)


def _answer(output: Any) -> RouteAnswer:
    if not (isinstance(output, dict) and "status" in output and set(output) <= {"status", "headers", "body"}):
        return _json(200, {}, output)
    status, headers = output["status"], output.get("headers") or {}
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise FunctionFailed("The module answered with a status that is no status.")
    if not isinstance(headers, dict):
        raise FunctionFailed("The module answered with headers that are no object.")
    return _json(status, _kept(headers), output.get("body"))


def _kept(headers: dict[str, Any]) -> dict[str, str]:
    """The headers a module may set; nothing that frames, scripts, redirects elsewhere or sets cookies."""
    found = {}
    for name, value in headers.items():
        if name.lower() not in _ANSWERED or not isinstance(value, str):
            continue
        if value.isprintable() and value.isascii() and len(value) <= 1000:
            found[name.lower()] = value
    if not found.get("location", "/").startswith("https://") and "location" in found:
        del found["location"]
    if found.get("content-type", "application/json").split(";")[0].strip().lower() not in _TYPES:
        del found["content-type"]  # HTML of a module belongs on the runtime origin, not on the API's
    return found


def _json(status: int, headers: dict[str, str], body: Any) -> RouteAnswer:
    if status in (204, 304):
        return RouteAnswer(status, headers, b"")
    if isinstance(body, str) and "content-type" in headers and "json" not in headers["content-type"]:
        data = body.encode("utf-8", "replace")
    else:
        headers = {**headers, "content-type": headers.get("content-type", "application/json")}
        data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    if len(data) > MAX_ANSWER:
        raise FunctionFailed("The module answered with more than 1 MB.")
    return RouteAnswer(status, headers, data)
