"""Days, weeks, months, quarters and years, as dashboards count them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from app.modules.conditions import All, Test
from app.modules.kinds import Kind
from app.workspace.periods import label_of, last_periods, moved, start_of, within

PERIODS = ("day", "week", "month", "quarter", "year")


@pytest.mark.parametrize(
    ("period", "first", "last", "label"),
    [
        ("day", date(2026, 2, 25), date(2026, 3, 8), "8 Mar"),
        ("week", date(2025, 12, 15), date(2026, 3, 2), "2 Mar"),
        ("month", date(2025, 4, 1), date(2026, 3, 1), "Mar 2026"),
        ("quarter", date(2023, 4, 1), date(2026, 1, 1), "Q1 2026"),
        ("year", date(2015, 1, 1), date(2026, 1, 1), "2026"),
    ],
)
def test_the_last_twelve_end_with_the_one_today_is_in(period: str, first: date, last: date, label: str) -> None:
    starts = last_periods(period, date(2026, 3, 8))  # a Sunday
    assert (len(starts), starts[0], starts[-1], label_of(period, last)) == (12, first, last, label)
    assert all(moved(period, one, 1) == after for one, after in pairwise(starts))


@pytest.mark.parametrize("period", PERIODS)
def test_a_period_begins_with_its_own_first_day(period: str) -> None:
    start = start_of(period, date(2024, 2, 29))
    assert start_of(period, start) == start
    assert moved(period, moved(period, start, 7), -7) == start


def test_moments_begin_with_the_day_of_the_site_and_days_with_themselves() -> None:
    starts = last_periods("month", date(2026, 7, 4), 2)
    moments = within("at", Kind.DATETIME, "month", starts, "America/Sao_Paulo")
    assert moments == All((
        Test("at", "gte", datetime(2026, 6, 1, 3, tzinfo=UTC), Kind.DATETIME),
        Test("at", "lt", datetime(2026, 8, 1, 3, tzinfo=UTC), Kind.DATETIME),
    ))  # fmt: skip
    assert within("on", Kind.DATE, "month", starts, "America/Sao_Paulo") == All(
        (Test("on", "gte", date(2026, 6, 1), Kind.DATE), Test("on", "lt", date(2026, 8, 1), Kind.DATE))
    )
