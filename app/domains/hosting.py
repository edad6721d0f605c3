"""Customers' own hosts in front of the runtime: what stands at a host, the one address of each page, strict transport.

WSGI, inside of what believes the proxies: host and scheme are the visitor's. A host that nobody has proven serves nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any
from urllib.parse import parse_qs, quote

import psycopg

from app.domains.hosts import is_loopback
from app.domains.known import Served, served_at
from app.lib.ids import encode
from app.web.dispatch import ONE_HOST, Surface, for_one_host, plain_host

log = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

SERVED = "dramac.served"  # environ: the Served of this request's host, absent on the platform's own
PATH = "dramac.path"  # environ: the path as the visitor knows it
ASK = "/internal/domains/ask"  # may a certificate be made for ?domain=; for the server in front of us alone
MOST_STRANGERS = 50  # unknown hosts looked up for it a second and process
COMMON_PATHS = ("/embed/", "/sdk/", "/static/")  # the same on every host


class CustomHosts:
    """A WSGI callable around the runtime application. own: hosts on which it is reached under its own name."""

    def __init__(self, runtime: Wsgi, *, own: Collection[str], development: bool) -> None:
        self.runtime, self.own, self.development = runtime, frozenset(own), development
        self.strangers = Strangers()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ.pop(SERVED, None)
        if environ.get("PATH_INFO") == ASK:
            return self._ask(environ, start_response)
        host = plain_host(environ.get("HTTP_HOST", ""))
        if host in self.own:
            return self.runtime(environ, start_response)
        try:
            served = served_at(host)
        except psycopg.Error as error:
            log.error("what stands at a host could not be asked: %s", error)
            return _said(environ, start_response, "503 Service Unavailable", "Please try again in a moment.")
        if served is None or served.site_id is None:
            if self.development and served is None and is_loopback(host):
                return self.runtime(environ, start_response)  # any name of this machine, as tests and tools use
            # the same for every host that nothing stands at, proven or not
            return _said(environ, start_response, "404 Not Found", "There is nothing at this address.")
        secure = environ["wsgi.url_scheme"] == "https"
        if host != served.main_host or not (secure or is_loopback(host)):
            return _moved(environ, start_response, served)
        environ[SERVED], environ[PATH] = served, environ.get("PATH_INFO", "")
        environ["PATH_INFO"] = inner_path(served, environ[PATH])
        return self.runtime(environ, for_one_host(start_response))

    def _ask(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """200 for a host that is proven and serves something, 404 for every other; nothing but the status is said.

        What comes from outside went through a proxy, which says so: to those there is no such address.
        """
        asked = parse_qs(environ.get("QUERY_STRING", "")).get("domain", [""])
        if "HTTP_X_FORWARDED_FOR" in environ or "HTTP_FORWARDED" in environ or len(asked) != 1:
            return _said(environ, start_response, "404 Not Found", "")
        if self.strangers.too_many():
            return _said(environ, start_response, "429 Too Many Requests", "")
        try:
            found = served_at(plain_host(asked[0]))
        except psycopg.Error as error:
            log.error("whether a certificate may be made could not be asked: %s", error)
            return _said(environ, start_response, "503 Service Unavailable", "")
        if found is None:
            self.strangers.count()
        return _said(environ, start_response, "200 OK" if found else "404 Not Found", "")


class Strangers:
    """How many hosts that nobody has were asked for within this second: names are anybody's to make up."""

    def __init__(self, most: int = MOST_STRANGERS, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.clock = most, clock
        self.second, self.seen = 0, 0

    def too_many(self) -> bool:
        return self.second == int(self.clock()) and self.seen >= self.most

    def count(self) -> None:
        now = int(self.clock())
        self.second, self.seen = now, self.seen + 1 if now == self.second else 1


def surface_of(host: str) -> Surface | None:
    """Which surface a customer's host is for. None: nobody has it."""
    try:
        served = served_at(host)
    except psycopg.Error:
        return "runtime"  # which says that it cannot tell
    if served is None:
        return None
    return "platform" if served.site_id is None else "runtime"


def own_platform_host(host: str) -> str:
    """The host, where it is one at which an agency has the platform; "" for every other, the platform's usual one too."""
    served = served_at(plain_host(host)) if host else None
    return served.main_host if served is not None and served.site_id is None else ""


def inner_path(served: Served, path: str) -> str:
    """Where the runtime serves what is at a path of a customer's host: a module's pages, or else the site's own."""
    if path.startswith(COMMON_PATHS):
        return path
    if served.target_install_id is None:
        return f"/s/-{path or '/'}"
    rest = served.target_page if path in ("", "/") else path.lstrip("/")
    return f"/embed/{encode('ins', served.target_install_id)}/{rest}"


def _moved(environ: dict[str, Any], start_response: Callable[..., Any], served: Served) -> Iterable[bytes]:
    """To the one host that answers, by https."""
    scheme = "http" if is_loopback(served.main_host) else "https"
    path = quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    headers = [
        ("Location", f"{scheme}://{served.main_host}{path or '/'}{query}"),
        (
            "Cache-Control",
            "public, max-age=3600",
        ),  # browsers keep a permanent one for ever, and owners change their minds
        ("Content-Length", "0"),
    ]
    if environ["wsgi.url_scheme"] == "https":
        headers.append(("Strict-Transport-Security", ONE_HOST))
    start_response("308 Permanent Redirect", headers)
    return [b""]


def _said(environ: dict[str, Any], start_response: Callable[..., Any], status: str, words: str) -> Iterable[bytes]:
    body = f"{words}\n".encode() if words else b""
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ]  # fmt: skip
    start_response(status, headers)
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]
