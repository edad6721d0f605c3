"""Looking for the proof that somebody owns a name: a TXT record, or a meta tag in the head of its home page (S8, S9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from app.domains.evidence import Evidence
from app.domains.hosts import is_loopback
from app.lib.http_out import Answer, Egress
from app.lib.judged import OutgoingFailed
from app.lib.names import Names

LABEL = "_dramac-verify"
NAME = "dramac-site-verification"
PAGE_BYTES = 256 * 1024
HOPS = 3
TIMEOUT_S = 15.0
SHOWN, SHOWN_CHARS = 5, 120  # of what else was found

State = Literal["proven", "absent", "other", "moved", "status", "silent"]


def record_name(host: str) -> str:
    """The name of the TXT record that proves a host."""
    return f"{LABEL}.{host}"


def record_value(token: str) -> str:
    return f"{NAME}={token}"


def meta_tag(token: str) -> str:
    """The line for the <head> of the home page."""
    return f'<meta name="{NAME}" content="{token}">'


@dataclass(frozen=True, slots=True)
class Look:
    """What a check works with. port: where https is, another one in tests."""

    names: Names
    outside: Egress
    development: bool
    port: int = 443

    def dns(self, host: str, token: str) -> dict[str, Any]:
        """{state, values}: values are the other texts at that name."""
        reply = self.names.txt(record_name(host))
        if reply.state != "found":
            return {"state": reply.state, "values": []}
        if record_value(token) in (text.strip().strip('"') for text in reply.values):
            return {"state": "proven", "values": []}
        return {"state": "other", "values": _shown(reply.values)}

    def meta(self, host: str, token: str) -> dict[str, Any]:
        """{state, values, detail}. detail: where it leads (moved), the status, or the kind of failure (silent)."""
        try:
            answer, url = self._home(host)
        except OutgoingFailed as error:
            return {"state": "silent", "values": [], "detail": error.kind}
        if 300 <= answer.status < 400:
            return {"state": "moved", "values": [], "detail": (_origin(url) or ("", url))[1][:SHOWN_CHARS]}
        if answer.status != 200:
            return {"state": "status", "values": [], "detail": str(answer.status)}
        tags = verification_tags(answer.body)
        if token in tags:
            return {"state": "proven", "values": []}
        return {"state": "other" if tags else "absent", "values": _shown(tags)}

    def _home(self, host: str) -> tuple[Answer, str]:
        """The home page, after at most three redirects that stay on the host; else the answer that leads away, and where to."""
        url = f"https://{host}/" if self.port == 443 else f"https://{host}:{self.port}/"
        origin = _origin(url)
        for _ in range(HOPS + 1):
            answer = self.outside.request("GET", url, timeout_s=TIMEOUT_S, max_bytes=PAGE_BYTES, truncate=True)
            if not 300 <= answer.status < 400:
                return answer, url
            url = _joined(url, answer.headers.get("location", ""))
            if _origin(url) != origin:
                return answer, url
        raise OutgoingFailed("protocol", "The home page leads round in a circle.")

    def at(self, host: str, token: str, *, before: str = "") -> Evidence:
        """Everything there is to find. before: how it was proven until now; when that is gone for sure, so is the proof."""
        if self.development and is_loopback(host):
            return Evidence("local", True, {})
        found = {"dns": self.dns(host, token), "meta": self.meta(host, token)}
        return weigh(found, before=before)


def weigh(found: dict[str, Any], *, before: str) -> Evidence:
    """The verdict over both findings."""
    for method in ("dns", "meta"):
        if found[method]["state"] == "proven":
            return Evidence(method, True, found)
    relied_on = found.get(before, found["dns"])
    return Evidence("", relied_on["state"] != "silent", found)


def verification_tags(page: bytes) -> list[str]:
    """The contents of our meta tags within <head>, as a browser would see it. One in the body anybody could have written."""
    head = LexborHTMLParser(page).head
    tags = head.css("meta") if head is not None else []
    return [(tag.attributes.get("content") or "").strip() for tag in tags if tag.attributes.get("name") == NAME]


def _origin(url: str) -> tuple[str, str] | None:
    """(scheme, host and port), None for what cannot be read."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.scheme, parts.netloc


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:
        return location


def _shown(values: list[str]) -> list[str]:
    return ["".join(c if c.isprintable() else "�" for c in text[:SHOWN_CHARS]) for text in values[:SHOWN]]
