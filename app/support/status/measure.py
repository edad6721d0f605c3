"""support.measure: every minute, ask the web and the runtime for an answer and look how long work has been waiting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rq import get_current_job
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.http_out import Egress
from app.lib.judged import OutgoingFailed

KEEP = timedelta(days=90)
ANSWER_WITHIN_S = 5.0
# how long work may wait before its part counts as failing, in seconds
MOST_WAITING_S = {"queue": 30.0, "mail": 300.0, "webhooks": 60.0}

_own: dict[str, str] = {}
_WAITING = text(
    """
    SELECT
      (SELECT extract(epoch FROM :now - min(due_at)) FROM mails WHERE status = 'due' AND due_at < :now) AS mail,
      (SELECT extract(epoch FROM :now - min(d.due_at))
       FROM external_webhooks w JOIN external_webhook_deliveries d ON d.agency_id = w.agency_id AND d.webhook_id = w.id
       WHERE d.status IN ('due', 'sending') AND d.due_at < :now AND w.paused_at IS NULL AND w.disabled_at IS NULL
         AND w.failing_since IS NULL AND (w.held_until IS NULL OR w.held_until < :now)) AS webhooks
    """
)
_NOTE = text(
    """
    INSERT INTO status_days (part, day, checks, good, worst, last_at, last_good, last_value)
    VALUES (:part, CAST(:at AS timestamptz) AT TIME ZONE 'UTC', 1, CAST(:good AS integer), :value, :at, :good, :value)
    ON CONFLICT (part, day) DO UPDATE SET checks = status_days.checks + 1, good = status_days.good + CAST(:good AS integer),
      worst = greatest(status_days.worst, EXCLUDED.worst), last_at = EXCLUDED.last_at, last_good = EXCLUDED.last_good,
      last_value = EXCLUDED.last_value
    """
)
_FORGET = text("DELETE FROM status_days WHERE day < :before")


@dataclass(frozen=True, slots=True)
class Sample:
    """part: web, runtime (value in ms), queue, mail, webhooks (value: seconds that work has waited too long)."""

    part: str
    good: bool
    value: float


def configure_status(*, platform_url: str, runtime_url: str) -> None:
    """Tell where web and runtime answer: the addresses that everybody uses, so that what stands before them counts too."""
    # one machine's name for itself is no host name that the guarded client knows
    _own.update(
        web=f"{platform_url.replace('//localhost', '//127.0.0.1')}/api/health",
        runtime=f"{runtime_url.replace('//localhost', '//127.0.0.1')}/status-check",
    )


def measure() -> None:
    """Take one sample of each part."""
    now = utcnow()
    waited = _order_waited_s(now)
    samples = [*_answers(), *_waiting(waited, now)]
    with platform_scope("status"), transaction(flask_db.session()) as db:
        note(db, samples, at=now)
        db.execute(_FORGET, {"before": (now - KEEP).date()})


def note(db: Session, samples: list[Sample], *, at: datetime) -> None:
    """Add samples to their day. Needs platform_scope()."""
    for one in samples:
        db.execute(_NOTE, {"part": one.part, "good": one.good, "value": one.value, "at": at})


def _answers() -> Iterator[Sample]:
    """Any answer that is not a fault of ours counts: the runtime has no page at the address that is asked, and says so."""
    # our own two addresses, from the configuration; nothing that a person typed is ever called with this client
    client = Egress(allowed=("0.0.0.0/0", "::/0"), schemes=("http", "https"), ports=range(1, 65536), own=True)
    for part, url in _own.items():
        try:
            answer = client.request("GET", url, timeout_s=ANSWER_WITHIN_S, max_bytes=100_000, truncate=True)
            yield Sample(part, answer.status < 500, answer.duration_ms)
        except OutgoingFailed:
            yield Sample(part, False, ANSWER_WITHIN_S * 1000)


def _waiting(order_waited_s: float, now: datetime) -> Iterator[Sample]:
    with platform_scope("status"), transaction(flask_db.session()) as db:
        found = db.execute(_WAITING, {"now": now}).one()
    waits = {"queue": order_waited_s, "mail": found.mail or 0, "webhooks": found.webhooks or 0}
    for part, seconds in waits.items():
        yield Sample(part, float(seconds) <= MOST_WAITING_S[part], float(seconds))


def _order_waited_s(now: datetime) -> float:
    """How long this very order lay in the queue."""
    job = get_current_job()
    if job is None or job.enqueued_at is None:
        return 0.0
    since = job.enqueued_at if job.enqueued_at.tzinfo else job.enqueued_at.replace(tzinfo=UTC)
    return max(0.0, (now - since).total_seconds())
