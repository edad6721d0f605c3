"""What a request says of whoever looks at a page of a site, as far as counting needs it. Nothing of it is kept as it is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flask import request

MAX_AGENT, MAX_HOST = 400, 120


@dataclass(frozen=True, slots=True)
class Visit:
    """address: what the request came from. host: what it was sent to. referrer: host of the page before, or around a frame.

    framed: shown inside another page. unwanted: the browser asks not to be counted. early: loaded before anybody looks.
    """

    address: str = field(repr=False)
    user_agent: str
    languages: str
    host: str
    referrer: str
    framed: bool
    unwanted: bool
    early: bool


def this_visit() -> Visit:
    """The visit that the request now being answered is part of."""
    headers = request.headers
    return Visit(
        address=request.remote_addr or "",
        user_agent=(request.user_agent.string or "")[:MAX_AGENT],
        languages=headers.get("Accept-Language", "")[:100],
        host=host_of(request.host_url),
        referrer=host_of(headers.get("Referer", "")),
        framed=headers.get("Sec-Fetch-Dest") in ("iframe", "frame", "embed", "object"),
        unwanted=headers.get("DNT") == "1" or headers.get("Sec-GPC") == "1",
        early="prefetch" in headers.get("Sec-Purpose", headers.get("Purpose", "")),
    )


def host_of(address: str) -> str:
    """The host of a web address, lower case and without `www.`; "" for what is none."""
    try:
        parts = urlsplit(address[:2000])
        host = (parts.hostname or "") if parts.scheme in ("http", "https") else ""
    except ValueError:
        return ""
    return host.removeprefix("www.")[:MAX_HOST] if host.isascii() and host.isprintable() else ""
