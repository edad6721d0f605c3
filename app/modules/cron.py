"""Cron expressions of jobs: five fields, no seconds, no nicknames; and when they are due next in a time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

# croniter also knows random (R), hashed (H) and last (L) values; a schedule that people read has none of them
_VALUE = r"(?:[0-9]{1,2}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)"
_PART = rf"(?:\*|{_VALUE}(?:-{_VALUE})?)(?:/[0-9]{{1,2}})?"
_FIELD = re.compile(rf"{_PART}(?:,{_PART})*", re.IGNORECASE)


def cron_problem(expression: str) -> str | None:
    """Why this is no cron expression, or None when it is."""
    fields = expression.split()
    if len(fields) != 5:
        return (
            f'"{expression}" has {len(fields)} fields; write five: minute, hour, day of month, month, day of week, '
            'such as "0 6 * * *"'
        )
    for field, name in zip(fields, ("minute", "hour", "day of month", "month", "day of week"), strict=True):
        if not _FIELD.fullmatch(field):
            return f'"{field}" is not a {name}'
    if not croniter.is_valid(expression):
        return f'"{expression}" is not a cron expression: a field is out of its range'
    return None


_MOST = 5000  # candidates looked at; the next one is among the first few hundred even of "* * * * *"


def next_run(cron: str, *, time_zone: str, after: datetime) -> datetime:
    """The first moment after `after` (both aware, answer in UTC) at which a clock in the zone shows what cron says.

    A time that the clock skips in spring counts as the moment it jumps to. One that it shows twice in autumn counts once,
    the first time, unless the job runs in every hour: that one goes by real hours and runs in both.
    """
    tz = ZoneInfo(time_zone)
    every_hour = cron.split()[1].startswith("*")
    start = after.astimezone(tz).replace(tzinfo=None) - timedelta(hours=3)
    times = croniter(cron, start)
    best: datetime | None = None
    for _ in range(_MOST):
        shown = times.get_next(datetime)
        first = shown.replace(tzinfo=tz).astimezone(UTC)
        if best is not None and first > best + timedelta(hours=3):
            break
        folds = (first, shown.replace(tzinfo=tz, fold=1).astimezone(UTC)) if every_hour else (first,)
        for moment in folds:
            if moment > after and (best is None or moment < best):
                best = moment
        if best is not None and not every_hour:
            break
    assert best is not None  # croniter raises for a cron that never comes
    return best
