"""The last days, weeks, months, quarters or years of a site, as figures over time count them. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.modules.conditions import All, Condition, Test
from app.modules.kinds import Kind

SHOWN = 12
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
COLUMN = {"day": "Day", "week": "Week from", "month": "Month", "quarter": "Quarter", "year": "Year"}


def start_of(period: str, day: date) -> date:
    """The first day of the period a day is in; weeks begin on Monday, as PostgreSQL's do."""
    if period == "day":
        return day
    if period == "week":
        return day - timedelta(days=day.weekday())
    months = _MONTHS[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


def moved(period: str, start: date, by: int) -> date:
    """The start of the period `by` periods later, or earlier."""
    if period in ("day", "week"):
        return start + timedelta(days=by * (7 if period == "week" else 1))
    month = start.year * 12 + start.month - 1 + by * _MONTHS[period]
    return date(month // 12, month % 12 + 1, 1)


def last_periods(period: str, today: date, count: int = SHOWN) -> tuple[date, ...]:
    """The first days of the last periods, oldest first; the last is the one that `today` is in."""
    now = start_of(period, today)
    return tuple(moved(period, now, step) for step in range(1 - count, 1))


def label_of(period: str, start: date) -> str:
    """A period in words: "24 Nov", "Nov 2026", "Q4 2026", "2026"."""
    if period in ("day", "week"):
        return f"{start.day} {start:%b}"
    if period == "quarter":
        return f"Q{(start.month + 2) // 3} {start.year}"
    return f"{start:%b %Y}" if period == "month" else str(start.year)


def within(field: str, kind: Kind, period: str, starts: tuple[date, ...], zone: str) -> Condition:
    """What falls in these periods. zone: where the days of a moment begin."""
    first, end = starts[0], moved(period, starts[-1], 1)
    if kind is Kind.DATETIME:
        return All((Test(field, "gte", begins(first, zone), kind), Test(field, "lt", begins(end, zone), kind)))
    return All((Test(field, "gte", first, kind), Test(field, "lt", end, kind)))


def begins(day: date, zone: str) -> datetime:
    """The moment, in UTC, at which a day begins."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
