"""Which web pages may read answers (security.md P2): the exact origins of a key or application, echoed; never `*` or `null`."""

from __future__ import annotations

from collections.abc import Callable

from app.gateway.credentials import Credential
from app.gateway.http import Answer, Headers

MAX_AGE_S = 7200
EXPOSED = "ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id"
ALLOWED = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match"
_LONGEST_ORIGIN = 300


def cors_headers(origin: str, credential: Credential | None) -> Headers:
    """What lets the page at `origin` read this answer: only when the credential names it."""
    if not origin or credential is None or not credential.works_at(origin):
        return []
    return [("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", EXPOSED)]


def preflight(origin: str, methods: list[str], known: Callable[[str], bool]) -> Answer:
    """The answer to OPTIONS. It comes without a key, so any origin that is known may go on to ask."""
    allow = ", ".join(methods)
    vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    headers = [("Allow", allow), ("Vary", vary)]
    if origin and origin != "null" and len(origin) <= _LONGEST_ORIGIN and known(origin):
        headers += [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Methods", allow),
            ("Access-Control-Allow-Headers", ALLOWED),
            ("Access-Control-Max-Age", str(MAX_AGE_S)),
        ]
    return Answer(204, headers=headers)
