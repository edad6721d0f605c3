"""Spans of time: their days, what stands beside what, and that a moved one stays as long as it was, on any day of the year."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.conditions import matches
from app.modules.kinds import Kind
from app.workspace.spans import (
    DAY,
    DAY_MINUTES,
    Span,
    at_the_wall,
    bars,
    hours_of,
    moved_to,
    on_the_wall,
    overlapping,
    pieces,
    span_of,
    stepped,
    week_of,
    weeks_of,
)

wall = datetime.fromisoformat
# an hour, half an hour and none; by night, by midnight, and on the other side of the year
ZONES = st.sampled_from(
    ["Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Asia/Kolkata"]
)
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
MOMENTS = st.datetimes(wall("2024-01-01T00:00"), wall("2028-12-31T00:00"), timezones=st.just(UTC))
LENGTHS = st.timedeltas(timedelta(0), timedelta(days=9))
WALLS = st.tuples(DAYS, st.integers(0, 287)).map(
    lambda one: datetime.combine(one[0], datetime.min.time()) + timedelta(minutes=5 * one[1])
)


def span(day: str, begins: str, ends: str) -> Span:
    start, end = datetime.fromisoformat(f"{day}T{begins}"), datetime.fromisoformat(f"{day}T{ends}")
    return Span(start, end)


# -- days


@given(DAYS, st.integers(0, 6))
def test_the_weeks_of_a_month_hold_all_of_its_days_and_each_begins_on_its_weekday(day: date, first: int) -> None:
    weeks = weeks_of(day, first)
    days = [one for week in weeks for one in week]
    assert all(after - before == DAY for before, after in pairwise(days))
    assert {week[0].weekday() for week in weeks} == {first}
    month = [one for one in days if (one.year, one.month) == (day.year, day.month)]
    assert (month[0].day, (month[-1] + DAY).day) == (1, 1)
    assert any(one in month for one in weeks[0])
    assert any(one in month for one in weeks[-1])
    assert day in week_of(day, first)


@given(DAYS, st.sampled_from(["week", "day"]))
def test_a_step_ahead_is_taken_back(day: date, name: str) -> None:
    assert stepped(name, stepped(name, day, 1), -1) == day


def test_a_step_of_months_never_skips_one() -> None:
    assert [stepped("month", date(2026, 1, 31), by) for by in (-1, 1, 2)] == [
        date(2025, 12, 1), date(2026, 2, 1), date(2026, 3, 1),
    ]  # fmt: skip


# -- spans


@given(MOMENTS, LENGTHS, ZONES)
def test_a_span_never_ends_before_it_begins_and_is_on_both_of_its_days(
    start: datetime, length: timedelta, zone: str
) -> None:
    found = span_of(start, start + length, zone)
    assert found.start <= found.end
    assert found.first <= found.last
    assert found.on(found.first)
    assert found.on(found.last)
    assert not found.on(found.last + DAY)


@pytest.mark.parametrize(
    ("start", "end", "first", "last", "long"),
    [
        (date(2026, 3, 1), None, 1, 1, True),
        (date(2026, 3, 1), date(2026, 3, 3), 1, 3, True),
        (date(2026, 3, 2), date(2026, 3, 1), 2, 2, True),  # an end before the start is none
        (datetime(2026, 3, 1, 9, tzinfo=UTC), None, 1, 1, False),
        (datetime(2026, 3, 1, 22, tzinfo=UTC), datetime(2026, 3, 2, 0, tzinfo=UTC), 1, 1, False),
        (datetime(2026, 3, 1, 22, tzinfo=UTC), datetime(2026, 3, 2, 1, tzinfo=UTC), 1, 2, False),
        (datetime(2026, 3, 1, 9, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC), 1, 2, True),
    ],
)
def test_days_are_included_and_moments_are_not(
    start: date | datetime, end: date | datetime | None, first: int, last: int, long: bool
) -> None:
    found = span_of(start, end, "UTC")
    assert (found.first.day, found.last.day, found.long) == (first, last, long)


def test_what_never_ends_is_on_every_day_after_its_start() -> None:
    always = span_of(date(2026, 3, 1), date.max, "UTC")
    assert (always.first, always.last, always.long) == (date(2026, 3, 1), date.max, True)
    for zone in ("Asia/Kolkata", "America/New_York"):
        begun = datetime(2026, 3, 1, 12, tzinfo=UTC)
        found = span_of(begun, datetime(9999, 12, 31, 23, 59, tzinfo=UTC), zone)
        assert (found.first, found.last.year) == (date(2026, 3, 1), 9999)


def test_an_hour_in_which_the_clock_is_put_back_is_drawn_at_its_start() -> None:
    start = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)  # 1:45 in Lisbon, where 2:00 becomes 1:00 at 1:00 UTC
    found = span_of(start, start + timedelta(minutes=30), "Europe/Lisbon")
    assert (found.start, found.end) == (wall("2026-10-25T01:45"), wall("2026-10-25T01:45"))


@given(MOMENTS, st.none() | LENGTHS, DAYS, st.integers(1, 42), ZONES)
def test_what_is_asked_for_is_what_is_on_those_days(
    start: datetime, length: timedelta | None, first: date, days: int, zone: str
) -> None:
    end = first + timedelta(days=days)
    found = span_of(start, start + length if length is not None else None, zone)
    where = overlapping("a", "b", Kind.DATETIME, first, end, zone)
    row = {"a": start, "b": start + length if length is not None else None}
    if found.end > found.start or length is None or not length:
        assert matches(where, row) == any(found.on(first + timedelta(days=one)) for one in range(days))


@given(DAYS, st.none() | st.integers(0, 9), DAYS, st.integers(1, 42))
def test_the_same_of_days(start: date, length: int | None, first: date, days: int) -> None:
    last = None if length is None else start + timedelta(days=length)
    found = span_of(start, last, "UTC")
    where = overlapping("a", "b", Kind.DATE, first, first + timedelta(days=days), "UTC")
    there = any(found.on(first + timedelta(days=one)) for one in range(days))
    assert matches(where, {"a": start, "b": last}) == there


# -- what stands where


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 12)), max_size=12))
def test_bars_of_a_week_stay_inside_it_and_never_cross(found: list[tuple[int, int]]) -> None:
    days = week_of(date(2026, 11, 25), 0)
    spans = [
        span_of(days[0] + timedelta(days=at), days[0] + timedelta(days=at + length), "UTC") for at, length in found
    ]
    drawn = bars(spans, days)
    assert sorted(bar.which for bar in drawn) == [
        number for number, (at, length) in enumerate(found) if at <= 6 and at + length >= 0
    ]
    for bar in drawn:
        assert 0 <= bar.column <= bar.column + bar.days - 1 <= 6
        assert (bar.before, bar.after) == (spans[bar.which].first < days[0], spans[bar.which].last > days[6])
    for one, other in combinations(drawn, 2):
        meet = one.column < other.column + other.days and other.column < one.column + one.days
        assert not (meet and one.lane == other.lane)
    busiest = max((sum(1 for bar in drawn if bar.column <= day < bar.column + bar.days) for day in range(7)), default=0)
    assert max((bar.lane + 1 for bar in drawn), default=0) == busiest  # no more lanes than are needed


@given(
    st.lists(
        st.tuples(WALLS.map(lambda one: one.replace(year=2026, month=11, day=25)), st.integers(0, 2000)), max_size=14
    )
)
def test_pieces_of_a_day_stay_inside_it_and_beside_each_other(found: list[tuple[datetime, int]]) -> None:
    spans = [Span(start, start + timedelta(minutes=length)) for start, length in found]
    drawn = pieces(spans, date(2026, 11, 25))
    assert sorted(piece.which for piece in drawn) == list(range(len(spans)))
    first, last = hours_of(drawn)
    for piece in drawn:
        assert 0 <= piece.start < piece.start + piece.length <= DAY_MINUTES
        assert piece.length >= 25
        assert (piece.start % 5, piece.length % 5) == (0, 0)  # what the style sheet can place
        assert piece.lane < piece.lanes
        assert first * 60 <= piece.start
        assert piece.start + piece.length <= last * 60
    for one, other in combinations(drawn, 2):
        if one.start < other.start + other.length and other.start < one.start + one.length:
            assert one.lane != other.lane
            assert one.lanes == other.lanes


def test_a_group_has_only_the_lanes_it_needs() -> None:
    spans = [
        span("2026-11-25", "09:00", "12:00"), span("2026-11-25", "09:00", "10:00"), span("2026-11-25", "10:00", "11:00"),
        span("2026-11-25", "12:00", "13:00"),
    ]  # fmt: skip
    drawn = [(piece.which, piece.lane, piece.lanes) for piece in pieces(spans, date(2026, 11, 25))]
    assert drawn == [(0, 0, 2), (1, 1, 2), (2, 1, 2), (3, 0, 1)]


def test_a_night_is_cut_at_midnight() -> None:
    night = Span(wall("2026-11-25T22:00"), wall("2026-11-26T02:00"))
    [before], [after] = pieces([night], date(2026, 11, 25)), pieces([night], date(2026, 11, 26))
    assert (before.start, before.length, before.before, before.after) == (1320, 120, False, True)
    assert (after.start, after.length, after.before, after.after) == (0, 120, True, False)


# -- moving


@given(MOMENTS, LENGTHS, WALLS, ZONES)
def test_what_is_moved_stays_as_long_and_begins_where_it_was_put(
    start: datetime, length: timedelta, wall: datetime, zone: str
) -> None:
    begins, ends = moved_to(start, start + length, wall, zone)
    assert isinstance(begins, datetime)
    assert isinstance(ends, datetime)
    assert ends - begins == length
    assert moved_to(begins, ends, start, zone) == (start, start + length)  # the way back is exact
    if begins.astimezone(ZoneInfo(zone)).utcoffset() == wall.replace(tzinfo=ZoneInfo(zone)).utcoffset():
        assert on_the_wall(begins, zone) == wall  # all but the hour that is left out in spring


@given(MOMENTS, LENGTHS, DAYS, ZONES)
def test_a_day_alone_keeps_the_time(start: datetime, length: timedelta, day: date, zone: str) -> None:
    begins, _ = moved_to(start, start + length, day, zone)
    assert isinstance(begins, datetime)
    wall = datetime.combine(day, on_the_wall(start, zone).time())
    assert begins == at_the_wall(wall, zone)
    assert on_the_wall(begins, zone) - wall in (timedelta(0), timedelta(hours=1), timedelta(minutes=30))


@given(DAYS, st.none() | st.integers(0, 30), DAYS)
def test_days_move_with_their_last(start: date, length: int | None, day: date) -> None:
    last = None if length is None else start + timedelta(days=length)
    assert moved_to(start, last, day, "UTC") == (day, None if length is None else day + timedelta(days=length))


def test_an_hour_that_does_not_exist_is_the_one_after_it() -> None:
    gap = wall("2026-03-29T01:30")  # in Lisbon 1:00 becomes 2:00
    assert on_the_wall(at_the_wall(gap, "Europe/Lisbon"), "Europe/Lisbon") == wall("2026-03-29T02:30")


def test_what_had_no_start_begins_in_the_morning_of_its_day() -> None:
    assert moved_to(None, None, date(2026, 7, 1), "Europe/Lisbon") == (datetime(2026, 7, 1, 8, tzinfo=UTC), None)
