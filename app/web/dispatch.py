"""Which of the three applications answers a request: by host first, then by path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from app.config import Config

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
API_PATHS = ("/api/", "/schemas/", "/errors/", "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/.well-known/")


class Dispatcher:
    """A WSGI callable over the three surfaces. The runtime answers on its own host only, the api on the platform's."""

    def __init__(self, *, platform: Wsgi, api: Wsgi, runtime: Wsgi, config: Config) -> None:
        self.platform, self.api, self.runtime = platform, api, runtime
        self.runtime_host = plain_host(urlsplit(config.runtime_url).netloc)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if plain_host(environ.get("HTTP_HOST", "")) == self.runtime_host:
            return self.runtime(environ, start_response)
        if environ.get("PATH_INFO", "").startswith(API_PATHS):
            return self.api(environ, start_response)
        return self.platform(environ, start_response)


def plain_host(text: str) -> str:
    """A Host header without what browsers and proxies write differently: case, the final dot, the usual port."""
    name, _, port = text.lower().rpartition(":")
    if not name or not port.isdigit():
        name, port = text.lower(), ""
    name = name.removesuffix(".")
    return name if port in ("", "80", "443") else f"{name}:{port}"
