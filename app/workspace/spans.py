"""Spans of time as people of one place see them: days, weeks and months of a calendar, the pieces of a span on a day, what
stands beside what, and where a span goes when it is moved. Pure.

A span is drawn by the clock on the wall, so that nine o'clock stands at nine also on the days that have 23 or 25 hours; it
is moved by the time that passes, so that an hour stays an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.modules.conditions import All, AnyOf, Condition, Test
from app.modules.kinds import Kind
from app.workspace.periods import begins, moved, start_of

DAY = timedelta(days=1)
DAY_MINUTES = 24 * 60
STEP_MINUTES = 5
"""What positions are rounded to; the style sheet has a rule for each of them."""
LEAST_MINUTES = 25
"""The height of what is shorter, so that its title can be read."""
OFFICE_HOURS = (8, 18)
Moment = date | datetime


@dataclass(frozen=True, slots=True)
class Span:
    """Wall clock from start to end, which is not part of it. all_day: it is made of days, not of times."""

    start: datetime
    end: datetime
    all_day: bool = False

    @property
    def first(self) -> date:
        return self.start.date()

    @property
    def last(self) -> date:
        """The last day it is on: what ends at midnight is not on the day that begins there."""
        return max(self.first, (self.end - timedelta(microseconds=1)).date())

    @property
    def long(self) -> bool:
        """Whether it stands above the hours of its days: whole days, and what is as long as one."""
        return self.all_day or self.end - self.start >= DAY

    def on(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Bar:
    """A span in a row of days. which: its number; column: of the first day, from 0; before, after: it goes on there."""

    which: int
    column: int
    days: int
    lane: int
    before: bool
    after: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A span on one day. start, length: minutes, rounded; lane: of so many lanes beside each other."""

    which: int
    start: int
    length: int
    lane: int
    lanes: int
    before: bool
    after: bool


def span_of(start: Moment, end: Moment | None, zone: str) -> Span:
    """The span of a record. Days are included at both ends; what has no end, or one before its start, is as short as can be."""
    if not isinstance(start, datetime):
        last = end if end is not None and not isinstance(end, datetime) and end > start else start
        end_of_last = datetime.combine(last + DAY, time()) if last < date.max else datetime.max  # noqa: DTZ901  # a wall has no zone
        return Span(datetime.combine(start, time()), end_of_last, all_day=True)
    wall = on_the_wall(start, zone)
    if not isinstance(end, datetime) or end <= start:
        return Span(wall, wall)
    # what ends while the clock is put back may end before it began, on the wall
    return Span(wall, max(wall, on_the_wall(end, zone)))


def on_the_wall(moment: datetime, zone: str) -> datetime:
    """What the clock on the wall says then; at the ends of the calendar, where people write "always", what it says in UTC."""
    try:
        return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    except OverflowError:
        return moment.replace(tzinfo=None)


def at_the_wall(wall: datetime, zone: str) -> datetime:
    """The moment, in UTC, at which the clock says so: the first of two, and what follows the gap in one that is left out."""
    return wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def control(moment: Moment | None, zone: str) -> str:
    """A day or a moment as a control of a form holds it; "" without one."""
    if moment is None:
        return ""
    return (
        on_the_wall(moment, zone).isoformat(timespec="minutes") if isinstance(moment, datetime) else moment.isoformat()
    )


# -- which days


def week_of(day: date, first_weekday: int) -> tuple[date, ...]:
    """The seven days of a week. first_weekday: 0 for Monday."""
    start = day - timedelta(days=(day.weekday() - first_weekday) % 7)
    return tuple(start + timedelta(days=number) for number in range(7))


def weeks_of(day: date, first_weekday: int) -> tuple[tuple[date, ...], ...]:
    """The whole weeks a month lies in."""
    start, end = start_of("month", day), moved("month", start_of("month", day), 1)
    first = week_of(start, first_weekday)[0]
    return tuple(week_of(first + timedelta(days=days), first_weekday) for days in range(0, (end - first).days, 7))


def stepped(span: str, day: date, by: int) -> date:
    """The day to look at `by` months, weeks or days later: of months the first."""
    return (
        moved(span, start_of(span, day), by)
        if span == "month"
        else day + timedelta(days=by * (7 if span == "week" else 1))
    )


def edge(day: date, kind: Kind, zone: str) -> Moment:
    """Where a day begins, among values of a kind."""
    return begins(day, zone) if kind is Kind.DATETIME else day


def overlapping(field: str, to: str | None, kind: Kind, first: date, end: date, zone: str) -> Condition:
    """What is on any day from `first` up to, not with, `end`. zone: where the days of a moment begin."""
    low, high = edge(first, kind, zone), edge(end, kind, zone)
    starts: Condition = Test(field, "gte", low, kind)
    if to:  # a day is included at its end, a moment is not
        starts = AnyOf((starts, Test(to, "gte" if kind is Kind.DATE else "gt", low, kind)))
    return All((Test(field, "lt", high, kind), starts))


# -- what stands where


def bars(spans: Sequence[Span], days: Sequence[date]) -> list[Bar]:
    """The spans that are on any of some days in a row, in lanes: none crosses another, and the long ones come first."""
    order = sorted(
        (which for which, span in enumerate(spans) if span.first <= days[-1] and span.last >= days[0]),
        key=lambda which: (max(spans[which].first, days[0]), -_days(spans[which], days), spans[which].start, which),
    )
    free: list[date] = []  # the first day that is free in each lane
    found = []
    for which in order:
        span = spans[which]
        first, last = max(span.first, days[0]), min(span.last, days[-1])
        lane = next((number for number, day in enumerate(free) if day <= first), len(free))
        free[lane : lane + 1] = [last + DAY]
        before, after = span.first < days[0], span.last > days[-1]
        found.append(Bar(which, (first - days[0]).days, (last - first).days + 1, lane, before, after))
    return found


def _days(span: Span, days: Sequence[date]) -> int:
    return (min(span.last, days[-1]) - max(span.first, days[0])).days


def pieces(spans: Sequence[Span], day: date) -> list[Piece]:
    """The spans that are on a day, which must have times, by their start. Those that meet stand beside each other, each
    group in as few lanes as it needs.
    """
    midnight = datetime.combine(day, time())
    cut = sorted((_cut(span, midnight), which) for which, span in enumerate(spans) if span.on(day))
    found: list[Piece] = []
    group: list[tuple[int, int, int, int]] = []  # which, start, end, lane
    free: list[int] = []  # the minute from which each lane of the group is free
    for (start, minus_end), which in cut:
        if group and start >= max(free):
            found += _beside(group, len(free), spans, day)
            group, free = [], []
        lane = next((number for number, minute in enumerate(free) if minute <= start), len(free))
        free[lane : lane + 1] = [-minus_end]
        group.append((which, start, -minus_end, lane))
    return found + _beside(group, len(free), spans, day)


def _cut(span: Span, midnight: datetime) -> tuple[int, int]:
    """The minutes of a day a span takes, rounded to what can be drawn; the end is negative, so that the longest comes first."""
    start = max(0, _minutes(span.start - midnight))
    end = min(DAY_MINUTES, _minutes(span.end - midnight))
    start = min(start, DAY_MINUTES - LEAST_MINUTES)
    return start, -max(end, start + LEAST_MINUTES)


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds()) // 60 // STEP_MINUTES * STEP_MINUTES


def _beside(group: list[tuple[int, int, int, int]], lanes: int, spans: Sequence[Span], day: date) -> list[Piece]:
    return [
        Piece(which, start, end - start, lane, lanes, spans[which].first < day, spans[which].last > day)
        for which, start, end, lane in group
    ]


def hours_of(found: Sequence[Piece]) -> tuple[int, int]:
    """The hours to draw: the usual ones, and those before and after that something is in."""
    first, last = OFFICE_HOURS
    first = min([first, *(piece.start // 60 for piece in found)])
    return first, max([last, *(-(-(piece.start + piece.length) // 60) for piece in found)])


# -- moving


def moved_to(start: Moment | None, end: Moment | None, at: Moment, zone: str) -> tuple[Moment, Moment | None]:
    """Where a span begins and ends when it begins at another day or time: as long as before.

    at: a day, which keeps the time; a time on the wall; or a moment. What had no start gets the first usual hour.
    """
    if start is not None and not isinstance(start, datetime):
        day = at.date() if isinstance(at, datetime) else at
        return day, None if end is None else end + (day - start)
    if not isinstance(at, datetime):
        wall = on_the_wall(start, zone).time() if start is not None else time(OFFICE_HOURS[0] + 1)
        at = datetime.combine(at, wall)
    begin = at.astimezone(UTC) if at.tzinfo else at_the_wall(at, zone)
    if start is not None and isinstance(end, datetime):
        return begin, begin + (end - start)
    return begin, end
