"""A stretch of time that a dashboard shows, and the one before it that it is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

DAYS = {"7d": 7, "30d": 30, "90d": 90}
RANGES = {"24h": "24 h", "7d": "7 d", "30d": "30 d", "90d": "90 d"}
MOST_DAYS = 366
EARLIEST = date(2000, 1, 1)
HOURS = 24


@dataclass(frozen=True, slots=True)
class Window:
    """range: one of RANGES or custom. Days are of `zone` and whole; hours are the last 24, the one that runs included.

    wrong: why it is not the days that were asked for, with the name of the field that says so.
    """

    range: str
    zone: str
    first: date
    last: date
    since: datetime  # of hours; of days where the first begins
    wrong: tuple[str, str] | None = None

    @property
    def grain(self) -> str:
        return "hour" if self.range == "24h" else "day"

    @property
    def length(self) -> int:
        return HOURS if self.grain == "hour" else (self.last - self.first).days + 1

    @property
    def steps(self) -> list[str]:
        """Each hour or day as sums name it, the oldest first."""
        if self.grain == "hour":
            return [_named(self.since + timedelta(hours=number)) for number in range(HOURS)]
        return [(self.first + timedelta(days=number)).isoformat() for number in range(self.length)]

    @property
    def steps_before(self) -> list[str]:
        if self.grain == "hour":
            return [_named(self.since + timedelta(hours=number - HOURS)) for number in range(HOURS)]
        return [(self.first + timedelta(days=number - self.length)).isoformat() for number in range(self.length)]

    @property
    def labels(self) -> list[str]:
        if self.grain == "hour":
            zone = ZoneInfo(self.zone)
            return [f"{(self.since + timedelta(hours=n)).astimezone(zone):%H:%M}" for n in range(HOURS)]
        days = [self.first + timedelta(days=number) for number in range(self.length)]
        return [f"{day.day} {day:%b}" for day in days]

    @property
    def words(self) -> str:
        """24 Oct – 22 Nov 2026"""
        if self.grain == "hour":
            return "The last 24 hours"
        first = f"{self.first.day} {self.first:%b}" + (f" {self.first:%Y}" if self.first.year != self.last.year else "")
        return (
            f"{first} – {self.last.day} {self.last:%b %Y}" if self.length > 1 else f"{self.last.day} {self.last:%b %Y}"
        )

    @property
    def before(self) -> str:
        """What it is compared with."""
        return "24 hours" if self.grain == "hour" else "day" if self.length == 1 else f"{self.length} days"

    def values(self) -> dict[str, object]:
        """What the statements of a dashboard ask for; both stretches of time."""
        if self.grain == "hour":
            begins, day = self.since - timedelta(hours=HOURS), timedelta(days=1)
            return {
                "grain": "hour", "first": begins.date() - day, "last": self.last + day, "current": self.steps[0],
                "earliest": self.steps_before[0], "latest": self.steps[-1], "begins": begins,
            }  # fmt: skip
        first = self.first - timedelta(days=self.length)
        return {
            "grain": "day", "first": first, "last": self.last, "current": self.first.isoformat(), "earliest": first.isoformat(),
            "latest": self.last.isoformat(),
            "begins": datetime(first.year, first.month, first.day, tzinfo=UTC) - timedelta(days=1),
        }  # fmt: skip


def read_window(given: Mapping[str, str], *, zone: str, now: datetime) -> Window:
    """`range=7d`, or `from=2026-10-01&to=2026-10-31`; 30 days for everything else, saying what was wrong with days."""
    today = now.astimezone(ZoneInfo(zone)).date()
    chosen = given.get("range", "")
    if chosen == "24h":
        since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
        if (offset := since.astimezone(ZoneInfo(zone)).utcoffset()) and offset.seconds % 3600:
            since += timedelta(seconds=3600 - offset.seconds % 3600)  # hours begin where the zone's do
            since = since if since + timedelta(hours=HOURS - 1) <= now else since - timedelta(hours=1)
        return Window("24h", zone, since.date(), today, since)
    wrong = None
    if chosen not in DAYS and (given.get("from") or given.get("to")):
        first, last = _day(given.get("from", "")), _day(given.get("to", ""))
        wrong = _wrong(first, last, today)
        if first and last and not wrong:
            return Window("custom", zone, first, min(last, today), _midnight(first, zone))
    chosen = chosen if chosen in DAYS else "30d"
    first = today - timedelta(days=DAYS[chosen] - 1)
    return Window(chosen, zone, first, today, _midnight(first, zone), wrong)


def _wrong(first: date | None, last: date | None, today: date) -> tuple[str, str] | None:
    """(field, sentence) of what is wrong with these days."""
    for name, day in (("from", first), ("to", last)):
        if day is None:
            return name, "Enter a day such as 2026-03-14."
        if day < EARLIEST:
            return name, f"Choose a day after {EARLIEST.day} January {EARLIEST.year}."
    assert first
    assert last
    if first > last:
        return "to", "The last day comes before the first. Choose a later one."
    if first > today:
        return "from", "That day has not come yet. Choose one up to today."
    if (last - first).days >= MOST_DAYS:
        return "to", f"At most {MOST_DAYS} days can be looked at once."
    return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def _named(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}"
