"""One attempt: what was claimed is signed, sent and judged. Touches no database; a receiver's failure is data."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

from app.lib.clock import utcnow
from app.lib.crypto import CannotOpen
from app.lib.ids import encode
from app.lib.judged import OutgoingFailed
from app.version import VERSION
from app.webhooks.addresses import Outside
from app.webhooks.message import encoded, message, selected
from app.webhooks.redact import MAX_EXCERPT, excerpt
from app.webhooks.secrets import open_headers, valid_secrets
from app.webhooks.signing import signed_headers

log = logging.getLogger(__name__)

TIMEOUT_S = 15.0
QUICK_MS = 1000
BUSY = (429, 502, 503, 504)
GONE = 410
USER_AGENT = f"Dramac-Webhooks/{VERSION}"


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery taken for sending. number: of the attempt, from 1. allowed: calls of its endpoint at once, by this worker."""

    id: UUID
    webhook_id: UUID
    number: int
    url: str
    headers_sealed: str
    secret_sealed: str
    previous_secret_sealed: str
    previous_secret_until: datetime | None
    fields: list[str]
    event_id: UUID
    type: str
    site_id: UUID | None
    install_id: UUID | None
    occurred_at: datetime
    data: dict[str, Any]
    allowed: int
    struggling: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt. outcome: "ok", "http" (an answer that is no success), or a class of failed calls."""

    delivery_id: UUID
    webhook_id: UUID
    number: int
    at: datetime
    outcome: str
    latency_ms: int
    status: int | None = None
    excerpt: str = ""
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        return self.outcome == "ok"

    @property
    def refused(self) -> bool:
        """Answered at once that this event is not taken, which says little about the next one."""
        return self.status is not None and self.status not in (GONE, *BUSY) and self.latency_ms < QUICK_MS


def send(claimed: Claimed, *, outside: Outside, keys: tuple[str, ...], now: Callable[[], datetime] = utcnow) -> Result:
    """Call the endpoint once. Success is an answer of 200 to 299 within 15 s; redirects are not followed."""
    at, started = now(), time.monotonic()

    def result(outcome: str, **more: Any) -> Result:
        took = int((time.monotonic() - started) * 1000)
        return Result(claimed.id, claimed.webhook_id, claimed.number, at, outcome, took, **more)

    try:
        used = valid_secrets(
            keys, claimed.webhook_id, current=claimed.secret_sealed, previous=claimed.previous_secret_sealed,
            until=claimed.previous_secret_until, now=at,
        )  # fmt: skip
        own = open_headers(keys, claimed.webhook_id, claimed.headers_sealed)
        body, headers = _request(claimed, used, own, at)
        answer = outside.client(claimed.url).request(
            "POST", claimed.url, headers=headers, body=body, timeout_s=TIMEOUT_S, max_bytes=MAX_EXCERPT, truncate=True
        )
    except OutgoingFailed as error:
        return result(error.kind)
    except CannotOpen:
        log.error(
            "webhook %s: its secret does not open; SECRET_KEY lacks the key it was sealed with", claimed.webhook_id
        )
        return result("secret")
    return result(
        "ok" if 200 <= answer.status < 300 else "http",
        status=answer.status,
        excerpt=excerpt(answer.body, known=(*used, *own.values())),
        retry_after_s=retry_after(answer.headers.get("retry-after", ""), now=at),
    )


def _request(claimed: Claimed, used: list[str], own: dict[str, str], at: datetime) -> tuple[bytes, dict[str, str]]:
    body = encoded(
        message(
            event_type=claimed.type, occurred_at=claimed.occurred_at, data=selected(claimed.data, claimed.fields),
            site_id=claimed.site_id, install_id=claimed.install_id,
        )
    )  # fmt: skip
    headers = {
        **own,  # first, so that none of ours can be overridden
        **signed_headers(used, message_id=encode("evt", claimed.event_id), body=body, now=at),
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
    }
    return body, headers


def retry_after(text: str, *, now: datetime) -> float | None:
    """Seconds from a Retry-After header (RFC 9110, 10.2.3), which gives seconds or a date; None for neither."""
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
