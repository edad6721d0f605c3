"""The short way in for /api/modules/… and /api/events: Flask's routes and guarded views, without Flask's contexts around each call.

The table is compiled from the application's own url_map, so a route exists here exactly when Flask has it, and what runs is
the view as protect() wrapped it. Everything else goes on to Flask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask

from app.gateway.cors import preflight
from app.gateway.gateway import Gateway
from app.gateway.guard import CREDENTIAL, GATEWAY
from app.gateway.http import Answer, Call

PREFIX = "/api/"
OURS = ("/api/modules/", "/api/events")  # what below it is ours
_PART = re.compile(r"<(?:(path):)?([a-z_]+)>")
View = Callable[..., Answer]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class _Route:
    """One rule. parts: (fixed text or None, name of the variable or None) per segment; rest: the variable of a <path:…>."""

    parts: tuple[tuple[str | None, str | None], ...]
    rest: str | None
    methods: dict[str, View | None]  # None: Flask answers, as for the redirect to the readable form

    @property
    def allowed(self) -> list[str]:
        return sorted({*self.methods, "OPTIONS"})

    @property
    def fixed(self) -> tuple[bool, ...]:
        return tuple(text is not None for text, _ in self.parts)

    def takes(self, length: int) -> bool:
        """Whether an address of so many segments can be this one."""
        return length == len(self.parts) if self.rest is None else length > len(self.parts)

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The variables of an address whose length takes() agreed to; None when it is another one."""
        found = {}
        for (text, name), segment in zip(self.parts, segments, strict=False):
            if text is None and name is not None and segment:
                found[name] = segment
            elif text != segment:
                return None
        if self.rest is not None:
            found[self.rest] = "/".join(segments[len(self.parts) :])
            return found if found[self.rest] else None
        return found


class Door:
    """A WSGI application before Flask's own."""

    def __init__(self, app: Flask, gateway: Gateway) -> None:
        self._next = app.wsgi_app
        self.gateway = gateway
        routes = _compiled(app)
        self._open_ended = [route for route in routes if route.rest is not None]
        lengths = {len(route.parts) for route in routes}
        self._routes = {length: [route for route in routes if route.takes(length)] for length in lengths}
        self._lost: View = cast(View, app.view_functions["api.nothing"])

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(OURS):
            return self._next(environ, start_response)
        environ[GATEWAY] = self.gateway
        return self._answering(environ, path)(environ, start_response)

    def _answering(self, environ: dict[str, Any], path: str) -> Wsgi:
        text = path if path.isascii() else path.encode("latin-1", "replace").decode("utf-8", "replace")
        segments = text[len(PREFIX) :].split("/")
        method = environ["REQUEST_METHOD"]
        for route in self._routes.get(len(segments), self._open_ended):
            parts = route.match(segments)
            if parts is None:
                continue
            if method in route.methods:
                view = route.methods[method]
                return view(environ, **parts) if view is not None else self._next
            if method == "OPTIONS":
                return self._preflight(environ, route.allowed)
            return self._lost(environ, methods=route.allowed)
        return self._lost(environ)

    def _preflight(self, environ: dict[str, Any], methods: list[str]) -> Answer:
        call = Call(environ)
        answer = preflight(call.origin, methods, self.gateway.knows_origin)
        answer.headers.append(("X-Request-Id", call.request_id))
        return answer


def _compiled(app: Flask) -> list[_Route]:
    """Our routes below PREFIX, fixed text before variables: `events` is the stream, never a table of that name."""
    routes: dict[str, dict[str, View | None]] = {}
    access = app.extensions["access"]
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(OURS) and rule.endpoint != "api.nothing":
            methods = routes.setdefault(rule.rule, {})
            ours = access[rule.endpoint].label.startswith(CREDENTIAL)
            view = cast(View, app.view_functions[rule.endpoint]) if ours else None
            methods.update({name: view for name in (rule.methods or ()) if name != "OPTIONS"})
    found = [_route(rule, methods) for rule, methods in routes.items()]
    return sorted(found, key=lambda route: ([not fixed for fixed in route.fixed], route.rest is not None))


def _route(rule: str, methods: dict[str, View | None]) -> _Route:
    parts: list[tuple[str | None, str | None]] = []
    rest = None
    for segment in rule[len(PREFIX) :].split("/"):
        match = _PART.fullmatch(segment)
        if match is None:
            parts.append((segment, None))
        elif match[1]:
            rest = match[2]
        else:
            parts.append((None, match[2]))
    return _Route(tuple(parts), rest, methods)
