"""A day by chair or person: which columns there are, what stands in them, and moving a record to another one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person
from tests.web.workspace.filling import sent_by
from tests.web.workspace.test_boards import base, said
from tests.web.workspace.test_calendars import SALON, held, in_hours, reschedule, visit

DAY = "day=2026-11-10"


@pytest.fixture
def salon(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, SALON)


def chair(salon: Installed, name: str) -> str:
    return str(salon.add("chairs", name=name)["id"])


def names(page: Page) -> list[str]:
    return page.texts(".times-name")


def at_nine(salon: Installed, name: str, **more: Any) -> dict[str, Any]:
    return visit(salon, name, "2026-11-10T09:00:00", "2026-11-10T10:00:00", **more)


def test_a_day_has_a_column_for_each_record_and_one_for_none(ada: Browser, salon: Installed) -> None:
    window, door = chair(salon, "Window"), chair(salon, "Door")
    at_nine(salon, "Ann", chair=window, state="agreed")
    at_nine(salon, "Bo", chair=door)
    at_nine(salon, "Cleo")
    visit(salon, "Fair", "2026-11-09T08:00:00", "2026-11-12T18:00:00")
    visit(salon, "Another day", "2026-11-11T09:00:00", chair=door)
    page = ada.get(f"{base(salon)}/floor?{DAY}")
    assert page.one("#times-title").get_text() == "Tuesday 10 November 2026"
    assert names(page) == ["Door", "Window", "None"]
    assert in_hours(page) == {
        door: [("Bo", "09:00–10:00")], window: [("Ann", "09:00–10:00")], "none": [("Cleo", "09:00–10:00")],
    }  # fmt: skip
    assert (page.texts(".times-top .times-title"), page.one(".times-top .cal-bar")["data-col"]) == (["Fair"], "2")
    assert page.texts(".times-line p[role=status]") == ["4 visits"]
    assert parse_qs(urlsplit(str(page.one("#times-after")["href"])).query) == {"day": ["2026-11-11"]}
    assert page_faults(page.text, ada.app) == []


def test_a_day_by_colleagues_has_a_column_for_each(
    ada: Browser, ada_person: Person, mel_person: Person, salon: Installed
) -> None:
    at_nine(salon, "Ann", owner=str(mel_person.id))
    page = ada.get(f"{base(salon)}/people?{DAY}")
    assert names(page) == ["Ada Bright", "Mel Worker", "None"]
    assert in_hours(page)[str(mel_person.id)] == [("Ann", "09:00–10:00")]
    mine = ada.get(f"{base(salon)}/people?{DAY}&f.owner=me")
    assert names(mine) == ["Ada Bright"]


def test_a_filter_narrows_the_records_and_one_on_the_columns_them(ada: Browser, salon: Installed) -> None:
    window, door = chair(salon, "Window"), chair(salon, "Door")
    at_nine(salon, "Ann", chair=window, state="agreed")
    at_nine(salon, "Bo", chair=door)
    page = ada.get(f"{base(salon)}/floor?{DAY}&f.state=agreed")
    assert [title for column in in_hours(page).values() for title, _ in column] == ["Ann"]
    assert names(page) == ["Door", "Window", "None"]
    assert names(ada.get(f"{base(salon)}/floor?{DAY}&f.chair={door}")) == ["Door"]
    assert names(ada.get(f"{base(salon)}/floor?{DAY}&f.chair=none")) == ["None"]
    found = ada.get(f"{base(salon)}/floor?{DAY}&q=ann", htmx="results")
    assert [title for column in in_hours(found).values() for title, _ in column] == ["Ann"]


def test_more_columns_than_fit_are_said_and_what_is_in_them_is_counted(ada: Browser, salon: Installed) -> None:
    made = [chair(salon, f"Chair {number:02}") for number in range(22)]
    at_nine(salon, "Last", chair=made[-1])
    page = ada.get(f"{base(salon)}/floor?{DAY}")
    assert (len(names(page)), names(page)[0], names(page)[-2:]) == (21, "Chair 00", ["Chair 19", "None"])
    lines = page.texts(".board-cut")
    assert lines[0].startswith("The first 20 by name are columns. The others are in Chairs")
    assert lines[1].startswith("1 further visit of this day in none of these columns")
    assert in_hours(ada.get(f"{base(salon)}/floor?{DAY}&f.chair={made[-1]}")) == {made[-1]: [("Last", "09:00–10:00")]}


def test_a_free_hour_begins_a_record_there(ada: Browser, salon: Installed) -> None:
    window = chair(salon, "Window")
    page = ada.get(f"{base(salon)}/floor?{DAY}")
    slot = next(
        one for one in page.html.select(f'[data-place="{window}"] .times-slot') if "14:00" in str(one["aria-label"])
    )
    form = ada.get(str(slot["href"]))
    made = ada.post(str(form.one("#record-form")["action"]), sent_by(form, name="Walk-in"))
    assert made.status in (302, 303)
    [row] = salon.data.list("visits").records
    assert (row["chair"], row["begins"], row["ends"]) == (
        window,
        "2026-11-10T14:00:00.000000Z",
        "2026-11-10T15:00:00.000000Z",
    )


def test_a_record_is_moved_to_another_time_and_column_and_put_back(ada: Browser, salon: Installed) -> None:
    window, door = chair(salon, "Window"), chair(salon, "Door")
    ann = at_nine(salon, "Ann", chair=window)
    page = reschedule(ada, salon, "floor", ann, "2026-11-10T11:30", place=door)
    now = held(salon, ann)
    assert (now["chair"], now["begins"], now["ends"]) == (
        door,
        "2026-11-10T11:30:00.000000Z",
        "2026-11-10T12:30:00.000000Z",
    )
    assert said(page)["text"] == "Begins: Tue 10 Nov, 11:30–12:30; Chair: Door"
    ada.post(said(page)["undo"])
    now = held(salon, ann)
    assert (now["chair"], now["begins"], now["ends"]) == (
        window,
        "2026-11-10T09:00:00.000000Z",
        "2026-11-10T10:00:00.000000Z",
    )
    reschedule(ada, salon, "floor", now, "2026-11-10T09:00", place="none")
    assert (held(salon, ann)["chair"], held(salon, ann)["begins"]) == (None, "2026-11-10T09:00:00.000000Z")


def test_a_taken_time_refuses_and_says_why(ada: Browser, salon: Installed) -> None:
    window, door = chair(salon, "Window"), chair(salon, "Door")
    at_nine(salon, "Ann", chair=window)
    bo = at_nine(salon, "Bo", chair=door)
    page = reschedule(ada, salon, "floor", bo, "2026-11-10T09:00", place=window)
    assert (page.status, said(page)["title"], held(salon, bo)["chair"]) == (422, "Bo was not moved", door)
    assert len(page.html.select(".times-why")) == 1


@pytest.mark.parametrize("place", ["never", "00000000-0000-0000-0000-000000000000", ""])
def test_a_column_that_is_none_takes_nothing(ada: Browser, salon: Installed, place: str) -> None:
    ann = at_nine(salon, "Ann")
    assert reschedule(ada, salon, "floor", ann, "2026-11-10T09:00", place=place).status in (404, 422)
    assert held(salon, ann)["version"] == 1


def test_who_may_not_change_records_only_looks_and_columns_may_be_hidden(
    vic: Browser, mel: Browser, mel_person: Person, salon: Installed
) -> None:
    window = chair(salon, "Secret chair")
    ann = at_nine(salon, "Ann", chair=window)
    page = vic.get(f"{base(salon)}/floor?{DAY}")
    assert in_hours(page)[window] == [("Ann", "09:00–10:00")]
    assert page.html.select("#move, [data-move], a.times-slot") == []
    assert reschedule(vic, salon, "floor", ann, "2026-11-10T10:00", place=window).status == 403
    salon.give_role(mel_person, "stylist")  # who does not read chairs
    page = mel.get(f"{base(salon)}/floor?{DAY}")
    assert (page.texts(".empty-state h2"), "Secret chair" in page.text) == (["You do not see the columns"], False)
    assert in_hours(mel.get(f"{base(salon)}/people?{DAY}"))[str(mel_person.id)] == []  # it is nobody's
    assert "Ann" not in mel.get(f"{base(salon)}/people?{DAY}").text


def test_a_day_is_not_there_for_another_agency(olga: Browser, salon: Installed) -> None:
    ann = at_nine(salon, "Ann")
    assert olga.get(f"{base(salon)}/floor").status == 404
    assert reschedule(olga, salon, "floor", ann, "2026-11-10T10:00", place="none").status == 404


def test_a_day_costs_the_same_for_any_number_of_columns_and_records(
    ada: Browser, salon: Installed, statements: Statements
) -> None:
    cost = []
    for number in (1, 4):
        for one in range(number):
            at_nine(salon, f"Guest {one}", chair=chair(salon, f"Chair {number} {one}"))
        ada.get(f"{base(salon)}/floor?{DAY}")
        with statements.of_modules() as sent:
            assert ada.get(f"{base(salon)}/floor?{DAY}").status == 200
        cost.append(len(sent))
    assert cost == [5, 5]  # the columns, the records, two counts, those without a start
