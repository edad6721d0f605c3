"""The axis of a timeline: its period, its marks, where spans lie, where their titles are written."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.workspace.axis import DAY, SCALES, Axis, Place, Scale
from app.workspace.spans import control
from app.workspace.timelines import LETTER_PX, ROOM_PX, _written, when

DAYS = st.dates(date(1900, 1, 2), date(2200, 12, 30))
WALLS = st.datetimes(datetime.fromisoformat("1950-01-01"), datetime.fromisoformat("2150-01-01"))


@given(scale=st.sampled_from(SCALES), day=DAYS, first=st.integers(0, 6))
def test_a_period_holds_its_day_and_periods_join(scale: Scale, day: date, first: int) -> None:
    axis = Axis.around(scale, day, "en", first)
    assert axis.first <= day < axis.end
    assert Axis.around(scale, axis.step(1), "en", first).first == axis.end
    assert Axis.around(scale, axis.step(-1), "en", first).end == axis.first
    assert scale != "week" or (axis.days, axis.first.weekday()) == (7, first)


@given(scale=st.sampled_from(SCALES), day=DAYS)
def test_marks_cover_the_axis_without_gaps(scale: Scale, day: date) -> None:
    marks = Axis.around(scale, day, "en").marks()
    assert marks[0].x == 0
    assert marks[-1].x + marks[-1].width == pytest.approx(100)
    for one, following in pairwise(marks):
        assert one.x + one.width == pytest.approx(following.x)
    assert {"week": 7, "year": 12}.get(scale, len(marks)) == len(marks)


@given(scale=st.sampled_from(SCALES), day=DAYS, start=WALLS, hours=st.integers(0, 30_000))
def test_what_is_drawn_lies_on_the_axis_and_says_what_is_beyond(
    scale: Scale, day: date, start: datetime, hours: int
) -> None:
    axis, end = Axis.around(scale, day, "en"), start + timedelta(hours=hours)
    place = axis.place(start, end)
    first, last = (datetime.combine(one, time()) for one in (axis.first, axis.end))
    if place is None:
        assert end <= first or start >= last
        return
    assert 0 <= place.x <= 100
    assert 0 <= place.width <= 100 - place.x + 1e-9
    assert (place.before, place.after) == (start < first, end > last)


def test_a_day_is_as_wide_as_any_other() -> None:
    axis = Axis.around("quarter", date(2026, 11, 1), "en")  # a clock is put back in it
    noon = datetime.fromisoformat("2026-10-24T12:00")
    widths = {round(axis.at(noon + (number + 1) * DAY) - axis.at(noon + number * DAY), 9) for number in range(5)}
    assert widths == {round(100 / 92, 9)}


@pytest.mark.parametrize(
    ("scale", "title", "first_marks"),
    [
        ("week", "30 Nov – 6 Dec 2026", ["Mon 30", "Tue 1"]),
        ("month", "December 2026", ["1", "2"]),
        ("quarter", "Oct – Dec 2026", ["", "5 Oct"]),
        ("year", "2026", ["Jan", "Feb"]),
    ],
)
def test_a_period_has_a_name_and_its_marks_have(scale: Scale, title: str, first_marks: list[str]) -> None:
    axis = Axis.around(scale, date(2026, 12, 2), "en")
    assert (axis.title, [mark.label for mark in axis.marks()[:2]]) == (title, first_marks)


@given(x=st.floats(0, 100), share=st.floats(0, 1), title=st.text(min_size=1, max_size=200))
def test_a_title_is_written_where_it_has_room_and_never_beyond_the_axis(x: float, share: float, title: str) -> None:
    place = Place(x, (100 - x) * share)
    written = _written(place, title)
    room = {"in": place.width, "after": 100 - place.x - place.width, "before": place.x}[written.where]
    assert len(written.text) * LETTER_PX <= max(room / 100 * ROOM_PX, 2 * LETTER_PX)
    assert 0 <= written.x <= 100 + 1e-9


def test_short_bars_have_their_title_beside_them() -> None:
    assert _written(Place(10, 50), "Kick-off").where == "in"
    assert _written(Place(10, 2), "Kick-off").where == "after"
    assert _written(Place(95, 2), "Kick-off").where == "before"


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2026, 3, 3), None, "3 Mar 2026"),
        (date(2026, 3, 3), date(2026, 3, 3), "3 Mar 2026"),
        (date(2026, 3, 3), date(2026, 3, 14), "3 Mar – 14 Mar 2026"),
        (date(2026, 12, 30), date(2027, 1, 2), "30 Dec 2026 – 2 Jan 2027"),
        (
            datetime.fromisoformat("2026-03-03T09:00Z"),
            datetime.fromisoformat("2026-03-03T10:30Z"),
            "3 Mar 2026, 10:00 – 11:30",
        ),
    ],
)
def test_dates_are_said_in_few_words(start: date, end: date | None, said: str) -> None:
    assert when(start, end, "Europe/Paris", "en_GB") == said
    assert control(start, "Europe/Paris")[:10] == start.isoformat()[:10]
