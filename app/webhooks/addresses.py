"""Which addresses may be called, and the two guarded clients: the public internet, and this machine in development."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from app.lib.http_out import Egress
from app.lib.judged import OutgoingFailed, Target, address_of, check_url, is_denied, must_be_elsewhere

LOOPBACK = ("127.0.0.0/8", "::1/128")


def check_address(url: str, *, development: bool) -> None:
    """https on the public internet; in development also http on this machine. Raises OutgoingFailed with the fix."""
    if "#" in url:
        raise OutgoingFailed("url", "The address may not have a part after #.")
    if not url.startswith("http://"):
        _must_be_public(check_url(url))
    elif not development:
        raise OutgoingFailed("url", "The address must start with https://.")
    elif not _is_loopback(url):
        raise OutgoingFailed("url", "Plain http works only for 127.0.0.1 and [::1], in development.")
    else:
        must_be_elsewhere(check_url(url, schemes=("http",), ports=range(1, 65536)))


def _must_be_public(target: Target) -> None:
    """What can be judged without asking for a name. Names are judged at every call, by what they stand for then."""
    must_be_elsewhere(target)
    literal = address_of(target.host)
    if literal is not None and is_denied(literal):
        raise OutgoingFailed("blocked", "The address is not on the public internet.")


def _is_loopback(url: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False


class Outside:
    """The clients that deliveries leave by. Every attempt is resolved and judged anew."""

    def __init__(self, *, development: bool, public: Egress | None = None) -> None:
        self.development = development
        self.public = public or Egress()
        self.local = Egress(allowed=LOOPBACK, schemes=("http",), ports=range(1, 65536)) if development else None

    def client(self, url: str) -> Egress:
        """The client for an address. Raises OutgoingFailed("url") for one that may not be called (any more)."""
        if self.local is not None and url.startswith("http://"):
            check_address(url, development=True)
            return self.local
        return self.public
