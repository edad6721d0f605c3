"""Which host names may be a site's, how they are written, and the origin that browsers know them by."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from app.lib.judged import OutgoingFailed, check_url

# RFC 6761, 6762, 7686, 8375, 9476: names that no public server answers for
SPECIAL = ("localhost", "local", "internal", "invalid", "onion", "arpa", "alt")
MAX_HOST = 253


class HostRefused(ValueError):
    """This cannot be a site's host name; the sentence says why and what to enter instead."""


def parse_host(text: str, *, reserved: Iterable[str], development: bool) -> str:
    """A host name as typed or pasted, in its one written form: ASCII, lower case, without scheme, path and final dot.

    reserved: hosts that are the platform's own, and everything below them. In development a host of this machine passes
    too, with its port. Raises HostRefused.
    """
    host = _bare(text)
    if development and is_loopback(host):
        if host in reserved:
            raise HostRefused("This is the platform's own address.")
        return host
    if "*" in host:
        raise HostRefused("Add each host by itself; a * is not possible.")
    if ":" in host or _is_address(host):
        raise HostRefused("Enter a host name such as www.example.com, without a port and not an IP address.")
    try:
        name = check_url(f"https://{host.removesuffix('.')}/").host
    except OutgoingFailed:
        raise HostRefused("This is no host name. Enter one such as www.example.com.") from None
    _must_be_somebodys(name, reserved)
    return name


def _bare(text: str) -> str:
    """What stands between the scheme and the path, for people who paste an address."""
    host = text.strip().lower()
    if "://" in host:
        host = urlsplit(host).netloc
    return host.partition("/")[0]


def _must_be_somebodys(host: str, reserved: Iterable[str]) -> None:
    if len(host) > MAX_HOST or host.rpartition(".")[2] in SPECIAL:
        raise HostRefused("This name is not on the public internet.")
    if any(host == own or host.endswith(f".{own}") for own in (_name(one) for one in reserved)):
        raise HostRefused("This is an address of the platform itself.")
    if _suffixes().privatesuffix(host) is None:
        raise HostRefused(f"Under {host} names are given to everybody. Enter the one that is yours.")


def is_loopback(host: str) -> bool:
    """Whether a host, with or without a port, is this machine: localhost, *.localhost, 127.0.0.0/8, [::1]."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        urlsplit(f"//{host}").port  # noqa: B018  # raises when it is no number
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_registrable(host: str) -> bool:
    """Whether nothing of the host's name could be left away: it stands at the top of its zone, where no alias may be."""
    return bool(_suffixes().privatesuffix(host) == host)


def origin_of(host: str, *, development: bool) -> str | None:
    """The origin of a verified host: https, and in development plain http on this machine. None: not to be trusted here."""
    if not is_loopback(host):
        return f"https://{host}"
    return f"http://{host}" if development else None


def _name(host: str) -> str:
    return urlsplit(f"//{host}").hostname or host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


@cache
def _suffixes() -> PublicSuffixList:
    """Mozilla's list as the package brings it, with the suffixes of hosting companies."""
    return PublicSuffixList()
