"""The parts of reports that need no records: which records a group holds, its order, the periods of a chart, texts of files."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.conditions import matches
from app.modules.kinds import Kind
from app.modules.manifest.fields import EnumField
from app.runtime.query import Group
from app.workspace.cells import NOTHING, Cell
from app.workspace.grouping import By, ordered, restricted
from app.workspace.periods import start_of
from app.workspace.report_files import cell_text
from app.workspace.reports import MOST_POINTS, _periods

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
PERIODS = st.sampled_from(("day", "week", "month", "quarter", "year"))
LISBON = "Europe/Lisbon"
DESK = cast(Any, SimpleNamespace())
OPTIONS = EnumField(type="enum", options=("new", "open", "done"))


def by(name: str, period: str = "", kind: Kind = Kind.TEXT, field: Any = None) -> By:
    return By("deals", Group(name, period), kind, name, field, "")


@given(PERIODS, DAYS, DAYS)
def test_a_period_holds_the_days_that_begin_in_it_and_no_other(period: str, day: date, other: date) -> None:
    condition = by("due", period, Kind.DATE).one(start_of(period, day).isoformat(), "UTC")
    assert matches(condition, {"due": day})
    assert matches(condition, {"due": other}) == (start_of(period, other) == start_of(period, day))
    assert not matches(condition, {"due": None})


@given(PERIODS, DAYS, st.integers(0, 1439))
def test_a_moment_is_in_the_period_of_its_day_at_the_site(period: str, day: date, minute: int) -> None:
    there = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(LISBON)) + timedelta(minutes=minute)
    condition = by("at", period, Kind.DATETIME).any_of([start_of(period, there.date()).isoformat()], LISBON)
    assert matches(condition, {"at": there})


@pytest.mark.parametrize("kind", [Kind.DATE, Kind.DATETIME])
@pytest.mark.parametrize("period", ["day", "week", "month", "quarter", "year"])
def test_the_period_that_the_calendar_ends_in_is_held_too(period: str, kind: Kind) -> None:
    last = date(9999, 12, 31)
    value = last if kind is Kind.DATE else datetime(9999, 12, 31, 12, tzinfo=ZoneInfo("UTC"))
    condition = by("due", period, kind).one(start_of(period, last).isoformat(), "UTC")
    assert matches(condition, {"due": value})


@given(st.sets(st.tuples(st.sampled_from([*OPTIONS.options, None]), st.sampled_from([True, False, None]))))
def test_groups_of_groups_hold_exactly_their_pairs(paths: set[tuple[Any, Any]]) -> None:
    condition = restricted((by("state", field=OPTIONS), by("hot", kind=Kind.BOOLEAN)), paths, "UTC")
    held = {
        (state, hot)
        for state in (*OPTIONS.options, None)
        for hot in (True, False, None)
        if matches(condition, {"state": state, "hot": hot})
    }
    assert held == paths


def test_groups_come_in_the_order_of_what_they_are_and_none_last() -> None:
    assert ordered(DESK, by("state", field=OPTIONS), ["done", None, "new"], {}) == ["new", "done", None]
    assert ordered(DESK, by("state", field=OPTIONS), ["done", None, "new"], {}, backwards=True) == ["done", "new", None]
    months = ["2026-11-01", None, "2025-12-01"]
    assert ordered(DESK, by("due", "month", Kind.DATE), months, {}) == ["2025-12-01", "2026-11-01", None]
    numbers = [Decimal("10"), Decimal("9.5"), 7]
    assert ordered(DESK, by("size", kind=Kind.DECIMAL), numbers, {}) == [7, Decimal("9.5"), Decimal("10")]


@given(PERIODS, DAYS, DAYS)
def test_a_chart_has_every_period_between_its_ends_or_the_last(period: str, one: date, other: date) -> None:
    first, last = sorted((start_of(period, one), start_of(period, other)))
    shown = list(_periods(period, first, last))
    assert (shown[-1], len(shown) <= MOST_POINTS) == (last, True)
    assert shown == sorted({start_of(period, day) for day in shown})
    assert shown[0] == first or len(shown) == MOST_POINTS


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Cell("money", 1050, unit="EUR"), "10.50"),
        (Cell("money", -1050, unit="JPY"), "-1050"),
        (Cell("number", Decimal("2.5000000000")), "2.5"),
        (Cell("number", Decimal("1E+3")), "1000"),
        (Cell("number", 1200), "1200"),
        (Cell("percent", Decimal("30.0000000000")), "30"),
        (Cell("text", "1:30"), "1:30"),
        (Cell("date", date(2026, 11, 2)), "2026-11-02"),
        (NOTHING, ""),
    ],
)
def test_figures_in_files_are_plain(cell: Cell, text: str) -> None:
    assert cell_text(cell) == text
