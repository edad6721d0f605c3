"""The one client for calls to servers that other people named (security.md 1.3). Nothing else may open such a connection.

A host is resolved once, within the time of the call; every address it has is judged, and the connection goes to one of those: a
name that answers differently a moment later changes nothing. Redirects are not followed, proxies and cookies are not used.
"""

from __future__ import annotations

import ipaddress
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpcore
import httpx

from app.lib.judged import (
    PORTS,
    Kind,
    Network,
    OutgoingFailed,
    address_of,
    check_url,
    is_denied,
    must_be_elsewhere,
    plain,
)
from app.lib.own import own_addresses
from app.lib.resolving import Resolver, resolve_within, system_resolver


@dataclass(frozen=True, slots=True)
class Answer:
    """status: 100 to 599. headers: lower-case names, the last of a repeated one. body: at most the bytes asked for."""

    status: int
    headers: dict[str, str]
    body: bytes
    duration_ms: float


_until = threading.local()  # .deadline: when the call of this thread must be over, by the monotonic clock


class _Timed(httpcore.NetworkStream):
    """A stream that ends with its call: a server that sends one byte now and then gains no time by it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self.inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _remaining(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, _remaining(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _remaining(timeout, httpcore.ConnectTimeout)
        return _Timed(self.inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


def _left(until: float) -> float:
    """Seconds. Raises ConnectTimeout when there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ConnectTimeout()
    return left


def _remaining(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    deadline: float | None = getattr(_until, "deadline", None)
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise late()
    return left if timeout is None else min(left, timeout)


MOST_TRIED = 4  # addresses of one name
LOOK_UP_S = 5.0  # for a name, where nothing else says how long it may take


class _Guarded(httpcore.NetworkBackend):
    """Opens connections to judged addresses only. own: to the platform's own public addresses as well."""

    def __init__(self, resolver: Resolver, allowed: tuple[Network, ...], *, own: bool) -> None:
        self.resolver, self.allowed, self.own = resolver, allowed, own
        self.inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        left = _remaining(timeout, httpcore.ConnectTimeout)
        until = None if left is None else time.monotonic() + left
        addresses = [str(host)] if address_of(host) else self._resolve(self.resolver, str(host), port, until)
        if not addresses:
            raise OutgoingFailed("dns", "The host name cannot be resolved.")
        self._judge(addresses, until)
        tried = addresses[:MOST_TRIED]
        for number, text in enumerate(tried):
            # a share of the time for each, so that one that swallows what is sent to it leaves some for the others
            share = None if until is None else _left(until) / (len(tried) - number)
            try:
                return _Timed(self.inner.connect_tcp(text, port, share, local_address, socket_options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(tried) - 1:
                    raise
        raise AssertionError("unreachable")  # there is at least one address

    def _resolve(self, resolver: Resolver, host: str, port: int, until: float | None) -> list[str]:
        try:
            return resolve_within(resolver, host, port, seconds=LOOK_UP_S if until is None else _left(until))
        except TimeoutError as error:
            raise httpcore.ConnectTimeout() from error

    def _judge(self, addresses: list[str], until: float | None) -> None:
        """All of them: one private address among public ones is an attack. Raises OutgoingFailed("blocked")."""

        def look_up(name: str) -> list[str]:
            try:
                return self._resolve(system_resolver, name, 443, until)
            except httpcore.ConnectTimeout as error:
                raise OutgoingFailed("dns", "not in time") from error

        found = [ipaddress.ip_address(text) for text in addresses]
        if any(is_denied(one, allowed=self.allowed) for one in found):
            raise OutgoingFailed("blocked", "The address is not on the public internet.")
        if not self.own and not own_addresses().known(look_up).isdisjoint(map(plain, found)):
            raise OutgoingFailed("blocked", "This is an address of the platform itself.")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        raise OutgoingFailed("blocked", "Sockets are not on the public internet.")

    def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that was presented and holds. issuer: the authority's organisation, or its name; expires_at: UTC."""

    issuer: str
    expires_at: datetime


@cache
def _public_trust() -> ssl.SSLContext:
    """Trusts whom the system trusts. Read once per process: the certificates of a system are many."""
    return ssl.create_default_context()


class Egress:
    """The guarded client. Thread-safe; keeps connections to answering hosts for a short while.

    allowed: private networks that may be called all the same (a self-hoster's own services; test receivers).
    own: may call the platform itself, for the check of its own answers alone. fronts: may call its public addresses by names
    that are not its own, for the check of domains that lead to it.
    """

    def __init__(
        self,
        *,
        allowed: Iterable[str] = (),
        resolver: Resolver = system_resolver,
        schemes: Iterable[str] = ("https",),
        ports: Iterable[int] = PORTS,
        verify: ssl.SSLContext | None = None,
        own: bool = False,
        fronts: bool = False,
    ) -> None:
        networks = tuple(ipaddress.ip_network(text) for text in allowed)
        self.schemes, self.ports, self.own = tuple(schemes), frozenset(ports), own
        self.trusted = verify or _public_trust()
        self.backend = _Guarded(resolver, networks, own=own or fronts)
        self.pool = httpcore.ConnectionPool(
            ssl_context=self.trusted,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5,
            network_backend=self.backend,
        )

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 15,
        max_bytes: int = 1_000_000,
        truncate: bool = False,
    ) -> Answer:
        """One call, one answer of any status. Raises OutgoingFailed. max_bytes counts after decompression.

        truncate: of a larger answer only its beginning is read, instead of refusing it.
        """
        target = check_url(url, schemes=self.schemes, ports=self.ports)
        if not self.own:
            must_be_elsewhere(target)
        started = time.monotonic()
        _until.deadline = started + timeout_s
        request = httpx.Request(method, target.url, headers=dict(headers or {}), content=body)
        request.headers.setdefault("User-Agent", "Dramac/1")
        request.headers["Accept-Encoding"] = "gzip, deflate"
        try:
            with closing(self._open(request, timeout_s)) as response:
                content = _read(response, deadline=started + timeout_s, max_bytes=max_bytes, truncate=truncate)
                found = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status_code, found, content, (time.monotonic() - started) * 1000)
        except (httpcore.TimeoutException, httpx.TimeoutException) as error:
            raise OutgoingFailed("timeout", f"No answer within {timeout_s:g} s.") from error
        except httpcore.ConnectError as error:
            kind: Kind = "tls" if isinstance(error.__cause__, ssl.SSLError) or "SSL" in str(error) else "connect"
            raise OutgoingFailed(kind, "The connection could not be made.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpx.DecodingError, ssl.SSLError, OSError) as error:
            raise OutgoingFailed("protocol", "The answer could not be read.") from error
        finally:
            _until.deadline = None

    def certificate(self, host: str, *, port: int = 443, timeout_s: float = 20) -> Certificate:
        """The certificate a host presents, after it was found to be valid for the host. Raises OutgoingFailed.

        Its kind "tls" says what is wrong in one word: expired, other_host or untrusted; "refused" when there is none.
        """
        target = check_url(f"https://{host}:{port}/", ports=self.ports)
        if not self.own:
            must_be_elsewhere(target)
        _until.deadline = time.monotonic() + timeout_s
        try:
            with closing(self.backend.connect_tcp(target.host, target.port, timeout=5)) as plain:
                secured = plain.start_tls(self.trusted, server_hostname=target.host, timeout=timeout_s)
                with closing(secured):
                    return _certificate(secured.get_extra_info("ssl_object").getpeercert())
        except httpcore.TimeoutException as error:
            raise OutgoingFailed("timeout", f"No answer within {timeout_s:g} s.") from error
        except (httpcore.NetworkError, OSError) as error:
            cause = error if isinstance(error, ssl.SSLError) else error.__context__ or error.__cause__
            if isinstance(cause, ssl.SSLError):
                raise OutgoingFailed("tls", _tls_fault(cause)) from error
            raise OutgoingFailed("connect", "The connection could not be made.") from error
        finally:
            _until.deadline = None

    def _open(self, request: httpx.Request, timeout_s: float) -> httpx.Response:
        # 5 s to connect (S6), the whole of the time for each read; the deadline over all of it is kept while reading
        limits = {"connect": min(5.0, timeout_s), "read": timeout_s, "write": timeout_s, "pool": timeout_s}
        raw = self.pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.content,
                extensions={"timeout": limits},
            )
        )
        return httpx.Response(raw.status, headers=raw.headers, stream=_Stream(raw), request=request)

    def close(self) -> None:
        self.pool.close()


class _Stream(httpx.SyncByteStream):
    def __init__(self, raw: httpcore.Response) -> None:
        self.raw = raw

    def __iter__(self) -> Any:
        yield from self.raw.iter_stream()

    def close(self) -> None:
        self.raw.close()


def _certificate(told: Any) -> Certificate:
    names = {name: value for part in told["issuer"] for name, value in part}
    issuer = names.get("organizationName") or names.get("commonName") or ""
    expires_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(told["notAfter"]), UTC)
    return Certificate(issuer[:100], expires_at)


def _tls_fault(error: ssl.SSLError) -> str:
    code = getattr(error, "verify_code", None)
    return {None: "refused", 10: "expired", 62: "other_host"}.get(code, "untrusted")


def _read(response: httpx.Response, *, deadline: float, max_bytes: int, truncate: bool) -> bytes:
    chunks = bytearray()
    for chunk in response.iter_bytes():
        chunks += chunk
        if truncate and len(chunks) >= max_bytes:
            return bytes(chunks[:max_bytes])
        if len(chunks) > max_bytes:
            raise OutgoingFailed("too_large", f"The answer is larger than {max_bytes} bytes.")
        if time.monotonic() > deadline:
            raise OutgoingFailed("timeout", "The answer took too long.")
    return bytes(chunks)
