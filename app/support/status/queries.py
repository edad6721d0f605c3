"""The status of every part with its 90 days, from the table or from half a minute ago."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from redis import RedisError
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.queue.enqueue import impatient_redis

log = logging.getLogger(__name__)

PARTS = ("web", "runtime", "queue", "mail", "webhooks")
DAYS = 90
KEPT_S = 30
STALE = timedelta(minutes=5)
_KEY = "dramac:status"
_READ = text("SELECT * FROM status_days WHERE day > :since ORDER BY part, day")


@dataclass(frozen=True, slots=True)
class Day:
    """good of checks that were made; both 0 on a day without any."""

    day: str
    checks: int
    good: int


@dataclass(frozen=True, slots=True)
class Part:
    """state: good, failing, or unknown when nothing was measured for five minutes. value: the last one, in ms or seconds."""

    name: str
    state: str
    value: float | None
    last_at: str
    days: list[Day]

    @property
    def checks(self) -> int:
        return sum(day.checks for day in self.days)

    @property
    def share(self) -> float | None:
        """Of the checks that were made, how many found it well, in percent; None without checks."""
        return sum(day.good for day in self.days) * 100 / self.checks if self.checks else None


def status_of_parts(db: Session, *, now: datetime) -> list[Part]:
    """Every part, at most 30 s old. Needs identity_scope()."""
    try:
        kept = impatient_redis().get(_KEY)
        if kept:
            return [_part_of(one) for one in json.loads(kept)]  # type: ignore[arg-type]  # the client is synchronous
    except RedisError as error:
        log.warning("status is not cached: %s", error)
    parts = read_parts(db, now=now)
    try:
        impatient_redis().set(_KEY, json.dumps([asdict(part) for part in parts]), ex=KEPT_S)
    except RedisError as error:
        log.warning("status is not cached: %s", error)
    return parts


def read_parts(db: Session, *, now: datetime) -> list[Part]:
    """As the table has them now. Needs identity_scope()."""
    since = now.date() - timedelta(days=DAYS)
    rows: dict[str, dict[date, Any]] = {name: {} for name in PARTS}
    for row in db.execute(_READ, {"since": since}):
        rows[row.part][row.day] = row
    return [_part(name, rows[name], now) for name in PARTS]


def _part(name: str, rows: dict[date, Any], now: datetime) -> Part:
    days = [now.date() - timedelta(days=back) for back in reversed(range(DAYS))]
    last = rows[max(rows)] if rows else None
    measured = [_day(day, rows.get(day)) for day in days]
    if last is None or now - last.last_at >= STALE:
        return Part(name, "unknown", None, last.last_at.isoformat() if last is not None else "", measured)
    return Part(name, "good" if last.last_good else "failing", last.last_value, last.last_at.isoformat(), measured)


def _day(day: date, row: Any) -> Day:
    return Day(day.isoformat(), row.checks, row.good) if row is not None else Day(day.isoformat(), 0, 0)


def _part_of(kept: dict[str, Any]) -> Part:
    return Part(**{**kept, "days": [Day(**day) for day in kept["days"]]})
