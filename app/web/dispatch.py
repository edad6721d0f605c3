"""Which of the three applications answers a request: by host first, then by path."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal
from urllib.parse import urlsplit

from app.config import Config

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Surface = Literal["platform", "runtime"]
API_PATHS = ("/api/", "/schemas/", "/errors/", "/oauth/token", "/oauth/revoke", "/oauth/introspect", "/.well-known/")
TRANSPORT, ONE_HOST = "strict-transport-security", "max-age=31536000"
HEALTH = ("/api/health", "/api/ready")  # asked for by machines that know an address and no name


class Dispatcher:
    """A WSGI callable over the three surfaces. Each answers on its own host; of other hosts `surface_of` knows.

    surface_of: the surface that a customer's own host is for, None for a host that nobody has. Such a one gets the
    runtime, which says that there is nothing; in development the platform, as it may be reached by any name.
    first: called once, with the first request, which does not wait for it: mostly a probe that asks whether it is ready.
    """

    def __init__(
        self,
        *,
        platform: Wsgi,
        api: Wsgi,
        runtime: Wsgi,
        config: Config,
        surface_of: Callable[[str], Surface | None],
        first: Callable[[], None] = lambda: None,
    ) -> None:
        self._first: Callable[[], None] | None = first
        self.platform, self.api, self.runtime = platform, api, runtime
        self.surface_of, self.development, self.hops = surface_of, config.development, config.trusted_proxies
        self.platform_host, self.runtime_host = own_hosts(config)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        first, self._first = self._first, None
        if first is not None:
            first()
        path, host = environ.get("PATH_INFO", ""), self._host(environ)
        if self._surface(host) == "runtime" and path not in HEALTH:
            return self.runtime(environ, start_response)
        if host != self.platform_host:
            start_response = for_one_host(start_response)
        if path.startswith(API_PATHS):
            return self.api(environ, start_response)
        return self.platform(environ, start_response)

    def _surface(self, host: str) -> Surface:
        if host == self.runtime_host:
            return "runtime"
        if host == self.platform_host:
            return "platform"
        return self.surface_of(host) or ("platform" if self.development else "runtime")

    def _host(self, environ: dict[str, Any]) -> str:
        """The host the visitor asked for, as the outermost trusted proxy tells it."""
        told = [one.strip() for one in environ.get("HTTP_X_FORWARDED_HOST", "").split(",") if one.strip()]
        if self.hops and len(told) >= self.hops:
            return plain_host(told[-self.hops])
        return plain_host(environ.get("HTTP_HOST", ""))


def for_one_host(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Strict transport for a host of somebody else's: without its sub-domains, which are none of ours."""

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        ours = [(name, ONE_HOST if name.lower() == TRANSPORT else value) for name, value in headers]
        return start_response(status, ours, *more)

    return start


def own_hosts(config: Config) -> tuple[str, str]:
    """The platform's host and the runtime's, as plain_host() writes them."""
    return plain_host(urlsplit(config.platform_url).netloc), plain_host(urlsplit(config.runtime_url).netloc)


def plain_host(text: str) -> str:
    """A Host header without what browsers and proxies write differently: case, the final dot, the usual port."""
    name, _, port = text.lower().rpartition(":")
    if not name or not port.isdigit():
        name, port = text.lower(), ""
    name = name.removesuffix(".")
    return name if port in ("", "80", "443") else f"{name}:{port}"
