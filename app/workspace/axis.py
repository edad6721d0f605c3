"""The axis of a timeline: which days it shows, its marks, and where a span of time lies on it. Pure.

Positions are percents of the width, by the clock on the wall: each day is as wide as the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from babel.dates import format_date

from app.workspace.periods import moved, start_of

Scale = Literal["week", "month", "quarter", "year"]
SCALES: tuple[Scale, ...] = ("week", "month", "quarter", "year")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of the axis with a name. x, width: percents; rest: a day of the weekend."""

    x: float
    width: float
    label: str
    said: str
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where something lies. width: 0 of a point; before, after: it goes on beyond the period."""

    x: float
    width: float
    before: bool = False
    after: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """A period from `first` up to, not with, `end`."""

    scale: Scale
    first: date
    end: date
    locale: str

    @classmethod
    def around(cls, scale: Scale, day: date, locale: str, first_weekday: int = 0) -> Axis:
        """The period a day is in. first_weekday: 0 for Monday."""
        if scale == "week":
            first = day - timedelta(days=(day.weekday() - first_weekday) % 7)
            return cls(scale, first, first + 7 * DAY, locale)
        first = start_of(scale, day)
        return cls(scale, first, moved(scale, first, 1), locale)

    @property
    def days(self) -> int:
        return (self.end - self.first).days

    @property
    def last(self) -> date:
        return self.end - DAY

    def step(self, by: int) -> date:
        """A day of the period `by` periods later, or earlier."""
        return moved(self.scale, self.first, by)

    @property
    def title(self) -> str:
        """ "30 Nov – 6 Dec 2026", "November 2026", "Oct – Dec 2026", "2026"."""
        if self.scale == "year":
            return str(self.first.year)
        if self.scale == "month":
            return format_date(self.first, "MMMM y", locale=self.locale)
        pattern = "MMM" if self.scale == "quarter" else "d MMM"
        ends = (format_date(day, pattern, locale=self.locale) for day in (self.first, self.last))
        return f"{' – '.join(ends)} {self.last.year}"

    def at(self, wall: datetime) -> float:
        """Where a time on the wall lies, in percent; outside the period below 0 or above 100."""
        return (wall - datetime.combine(self.first, time())) / (self.days * DAY) * 100

    def place(self, start: datetime, end: datetime) -> Place | None:
        """Where a span lies, `end` not included; None where it is outside. Without a length it is a point."""
        x, right = self.at(start), self.at(end)
        if x >= 100 or right < 0 or (right == 0 and x < 0):
            return None
        left = max(x, 0.0)
        return Place(left, max(min(right, 100.0) - left, 0.0), before=x < 0, after=right > 100)

    def marks(self) -> tuple[Mark, ...]:
        """The days of a week or month, the weeks of a quarter, the months of a year."""
        return tuple(self._marks())

    def _marks(self) -> Iterator[Mark]:
        if self.scale in ("week", "month"):
            pattern = "EEE d" if self.scale == "week" else "d"
            for number in range(self.days):
                day = self.first + number * DAY
                yield self._mark(day, day + DAY, pattern, rest=day.weekday() >= 5)
            return
        part = "week" if self.scale == "quarter" else "month"
        begin = self.first
        while begin < self.end:
            following = min(moved(part, start_of(part, begin), 1), self.end)
            yield self._mark(begin, following, "d MMM" if part == "week" else "MMM")
            begin = following

    def _mark(self, begin: date, end: date, pattern: str, *, rest: bool = False) -> Mark:
        x, right = (self.at(datetime.combine(day, time())) for day in (begin, end))
        label = format_date(begin, pattern, locale=self.locale) if (end - begin).days > 5 or pattern != "d MMM" else ""
        return Mark(x, right - x, label, format_date(begin, "d MMMM y", locale=self.locale), rest)
