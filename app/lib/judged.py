"""Which addresses that other people named may be called at all (security.md 1.3): parsed once, refused where one has two readings,
is private or reserved, or the platform's own. The calls themselves are made by app/lib/http_out.py.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import idna

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Kind = Literal["url", "dns", "blocked", "connect", "tls", "timeout", "too_large", "protocol"]

# An own list: Python's is_global calls NAT64 of loopback, multicast and other ranges public.
DENIED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
)
PORTS = frozenset({443, 8443})
MAX_URL = 2048
_BRACKETS = re.compile(r"\[[0-9a-fA-F:.]+\](:[0-9]*)?")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


class OutgoingFailed(Exception):
    """The call did not give an answer. `kind` is a class that may be shown to anybody; it never carries a banner."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that passed: host is ASCII and lower-case, or an address."""

    url: str
    host: str
    port: int


def check_url(url: str, *, schemes: Iterable[str] = ("https",), ports: Iterable[int] = PORTS) -> Target:
    """Parse once, refuse what has two readings. Raises OutgoingFailed("url") with a sentence that says the fix."""
    if len(url) > MAX_URL or any(ord(char) <= 32 or char in "\\%@\x7f" for char in url.partition("?")[0]):
        raise OutgoingFailed("url", "The address may not hold spaces, control characters, \\, % or @ before its query.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise OutgoingFailed("url", "The address cannot be read.") from error
    if parts.scheme not in tuple(schemes):
        raise OutgoingFailed("url", f"The address must start with {' or '.join(s + '://' for s in schemes)}.")
    if "[" in parts.netloc and not _BRACKETS.fullmatch(parts.netloc):
        raise OutgoingFailed("url", "The address cannot be read.")
    host = _host(parts.hostname or "")
    number = port if port is not None else (443 if parts.scheme == "https" else 80)
    if number not in ports:
        raise OutgoingFailed("url", f"Port {number} is not allowed.")
    return Target(url, host, number)


_own: set[tuple[str, int]] = set()  # (host, port) of the platform's own addresses


def refuse_own_hosts(urls: Iterable[str]) -> None:
    """Tell, once per process, the platform's own addresses: no call goes there, whoever asks for it."""
    _own.clear()
    for url in urls:
        parts = urlsplit(url)
        _own.add(((parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)))


def is_own(host: str, port: int) -> bool:
    """Whether this is the platform itself. A name is its own at any port; an address may have others beside it."""
    return any(host == own and (port == own_port or ("." in own and address_of(own) is None)) for own, own_port in _own)


def must_be_elsewhere(target: Target) -> None:
    """Raises OutgoingFailed("blocked") for the platform's own addresses."""
    if is_own(target.host, target.port):
        raise OutgoingFailed("blocked", "This is an address of the platform itself.")


def _host(text: str) -> str:
    literal = address_of(text)
    if literal is not None:
        return str(literal)
    if not text or text.endswith("."):
        raise OutgoingFailed("url", "The address needs a host name without a final dot.")
    try:
        host = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except idna.IDNAError as error:
        raise OutgoingFailed("url", "The host name is not valid.") from error
    labels = host.lower().split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise OutgoingFailed("url", "The host name is not valid.")
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        raise OutgoingFailed("url", "Write an IP address in its usual form.")
    return host.lower()


def address_of(text: str) -> Address | None:
    """An IP address as it is usually written, None for anything else."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """An address as it is connected to: IPv4 inside IPv6 as IPv4."""
    mapped: Address | None = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped


def is_denied(address: Address, *, allowed: Iterable[Network] = ()) -> bool:
    """Whether a resolved address must not be connected to. IPv4 inside IPv6 is judged as IPv4."""
    judged = plain(address)
    if any(judged in network for network in allowed if network.version == judged.version):
        return False
    return any(judged in network for network in DENIED if network.version == judged.version)
