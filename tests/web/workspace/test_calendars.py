"""A calendar: what stands on which day and at which time, for whom, and what becomes of a card that is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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

SALON = """
manifest: 1
slug: salon
name: Salon
summary: Who comes when.
version: 1.0.0
type: app
tables:
  chairs:
    label: {one: Chair, many: Chairs}
    title: name
    fields:
      name: {type: text, required: true}
  visits:
    label: {one: Visit, many: Visits}
    title: name
    fields:
      name:   {type: text, required: true, max: 80, search: true}
      begins: {type: datetime}
      ends:   {type: datetime}
      state:  {type: enum, options: [asked, agreed, off], default: asked, required: true, colors: {asked: orange, agreed: green}}
      chair:  {type: ref, to: chairs, on_delete: set_null}
      owner:  {type: user}
    no_overlap: {by: [chair], from: begins, to: ends}
    access: {public: [], staff: [read, create, update, delete], api: [read]}
  leaves:
    label: {one: Leave, many: Leaves}
    title: who
    fields:
      who:   {type: text, required: true}
      first: {type: date, required: true}
      last:  {type: date}
      paint: {type: color}
    timeline: true
    access: {public: [], staff: [read, create, update, delete], api: [read]}
views:
  agenda:
    type: calendar
    table: visits
    help: Everybody who comes.
    from: begins
    to: ends
    card: [name, chair, state]
    color: state
    filters: [state, chair]
    where: {state: {ne: off}}
  away:   {type: calendar, table: leaves, label: Who is away, from: first, to: last, color: paint}
  visits: {type: list, table: visits, columns: [name, begins]}
  floor:  {type: resources, table: visits, by: chair, from: begins, to: ends, card: [name, state], color: state, filters: [state]}
  people: {type: resources, table: visits, label: By person, by: owner, from: begins, to: ends}
menu: [agenda, away, floor, people, visits]
roles:
  stylist: {label: Stylist, tables: {visits: [read, create, update]}, rows: {visits: own}}
  desk:    {label: Desk, tables: {leaves: [read, create, update]}}
"""


@pytest.fixture
def salon(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, SALON)


def visit(salon: Installed, name: str, begins: str, ends: str | None = None, **more: Any) -> dict[str, Any]:
    return salon.add("visits", name=name, begins=f"{begins}Z", ends=f"{ends}Z" if ends else None, **more)


def on_days(page: Page) -> dict[str, list[str]]:
    """{day: titles of the bars that begin in its cell}, of a month."""
    found: dict[str, list[str]] = {}
    for week in page.html.select(".cal-week"):
        days = [str(day["data-day"]) for day in week.select(".cal-day")]
        for bar in week.select(".cal-bar"):
            name = bar.select_one(".times-title")
            found.setdefault(days[int(str(bar["data-col"]))], []).append(" ".join(name.get_text(" ").split()))
    return found


def in_hours(page: Page) -> dict[str, list[tuple[str, str]]]:
    """{key of the column: (title, when)}."""
    return {
        str(column["data-place"]): [
            (
                " ".join(piece.select_one(".times-title").get_text().split()),
                piece.select_one(".times-when").find(string=True),
            )
            for piece in column.select(".times-piece")
        ]
        for column in page.html.select(".times-column")
    }


def reschedule(person: Browser, module: Installed, view: str, record: dict[str, Any], at: str, **more: Any) -> Page:
    sent = {"card": record["id"], "version": record["version"], "at": at, **more}
    return person.post(f"{base(module)}/{view}/reschedule", sent, htmx="results")


def held(module: Installed, record: dict[str, Any], table: str = "visits") -> dict[str, Any]:
    return dict(module.data.get(table, record["id"]).values)


def test_a_month_has_its_weeks_and_each_record_on_its_days(ada: Browser, salon: Installed) -> None:
    visit(salon, "Cut", "2026-11-10T09:00:00", "2026-11-10T10:00:00", state="agreed")
    visit(salon, "Fair", "2026-11-13T08:00:00", "2026-11-17T18:00:00")
    visit(salon, "Last year", "2025-11-10T09:00:00")
    visit(salon, "Called off", "2026-11-10T11:00:00", state="off")
    page = ada.get(f"{base(salon)}/agenda?day=2026-11-20")
    assert page.one("#times-title").get_text() == "November 2026"
    days = [str(day["data-day"]) for day in page.html.select(".cal-day")]
    assert (days[0], days[-1], len(days)) == ("2026-10-26", "2026-12-06", 42)
    assert on_days(page) == {"2026-11-10": ["09:00 Cut"], "2026-11-13": ["08:00 Fair"], "2026-11-16": ["Fair"]}
    bars = [
        (bar["data-days"], bar.has_attr("data-before"), bar.has_attr("data-after"))
        for bar in page.html.select(".cal-bar")
    ]
    assert bars == [("1", False, False), ("3", False, True), ("2", True, False)]
    assert page.texts(".times-line p[role=status]") == ["2 visits"]
    assert page.html.select(".cal-bar")[0]["data-tone"] == "green"
    assert page.texts(".times-legend .status") == ["Asked", "Agreed"]  # what is off is never here
    assert page.texts(".list-help") == ["Everybody who comes."]
    assert page_faults(page.text, ada.app) == []
    assert page.texts(".cal-agenda h3") == [
        "Tuesday 10 November 2026", "Friday 13 November 2026", "Saturday 14 November 2026", "Sunday 15 November 2026",
        "Monday 16 November 2026", "Tuesday 17 November 2026",
    ]  # fmt: skip


def test_a_cell_shows_a_few_and_leads_to_the_others(ada: Browser, salon: Installed) -> None:
    for number in range(5):
        visit(salon, f"Guest {number}", f"2026-11-10T{10 + number}:00:00")
    page = ada.get(f"{base(salon)}/agenda?day=2026-11-01")
    assert on_days(page) == {"2026-11-10": ["10:00 Guest 0", "11:00 Guest 1", "12:00 Guest 2"]}
    more = page.one(".cal-week > .cal-more")
    assert more.get_text() == "+2 more"
    day = ada.get(str(more["href"]))
    assert [title for title, _ in in_hours(day)["2026-11-10"]] == [f"Guest {number}" for number in range(5)]


def test_a_week_has_hours_and_what_is_long_stands_above_them(ada: Browser, salon: Installed) -> None:
    visit(salon, "Early", "2026-11-24T05:30:00", "2026-11-24T06:15:00")
    visit(salon, "Night", "2026-11-25T22:00:00", "2026-11-26T02:00:00")
    visit(salon, "Fair", "2026-11-23T08:00:00", "2026-11-25T18:00:00")
    page = ada.get(f"{base(salon)}/agenda?span=week&day=2026-11-26")
    assert page.one("#times-title").get_text() == "23 – 29 Nov 2026 · Week 48"
    hours = {day: names for day, names in in_hours(page).items() if names}
    assert hours == {
        "2026-11-24": [("Early", "05:30–06:15")],
        "2026-11-25": [("Night", "25 Nov, 22:00 – 26 Nov, 02:00")],
        "2026-11-26": [("Night", "25 Nov, 22:00 – 26 Nov, 02:00")],
    }
    assert (page.one(".times")["data-first"], page.one(".times")["data-last"]) == ("0", "24")
    early = page.one('.times-column[data-day="2026-11-24"] .times-piece')
    assert [early[f"data-{name}"] for name in ("h", "m", "dh", "dm", "lane", "lanes")] == [
        "5",
        "30",
        "0",
        "45",
        "0",
        "1",
    ]
    top = page.one(".times-top .cal-bar")
    assert (top["data-col"], top["data-days"]) == ("0", "3")
    quiet = ada.get(f"{base(salon)}/agenda?span=week&day=2026-12-26")
    assert (quiet.one(".times")["data-first"], quiet.one(".times")["data-last"]) == ("8", "18")
    everything = ada.get(str(quiet.one(".times-hours a")["href"]))
    assert (everything.one(".times")["data-first"], everything.one(".times")["data-last"]) == ("0", "24")


def test_what_meets_stands_side_by_side(ada: Browser, salon: Installed) -> None:
    visit(salon, "A", "2026-11-24T09:00:00", "2026-11-24T11:00:00")
    visit(salon, "B", "2026-11-24T10:00:00", "2026-11-24T10:30:00")
    visit(salon, "C", "2026-11-24T10:30:00", "2026-11-24T11:00:00")
    visit(salon, "D", "2026-11-24T11:00:00", "2026-11-24T12:00:00")
    page = ada.get(f"{base(salon)}/agenda?span=day&day=2026-11-24")
    lanes = [(piece["data-lane"], piece["data-lanes"]) for piece in page.html.select(".times-piece")]
    assert lanes == [("0", "2"), ("1", "2"), ("1", "2"), ("0", "1")]


def test_days_have_no_hours_and_their_last_is_included(ada: Browser, salon: Installed) -> None:
    salon.add("leaves", who="Mel", first="2026-11-30", last="2026-12-02", paint="#aa3355")
    salon.add("leaves", who="Vic", first="2026-12-31")
    page = ada.get(f"{base(salon)}/away?day=2026-12-10")
    assert on_days(page) == {"2026-11-30": ["Mel"], "2026-12-31": ["Vic"]}
    assert [one["fill"] for one in page.html.select(".cal-bar .times-paint rect")] == ["#aa3355", "#aa3355"]
    assert page.one("#move-at")["type"] == "date"
    week = ada.get(f"{base(salon)}/away?span=week&day=2026-12-02")
    assert (week.texts(".times-top .times-title"), week.html.select(".times-body")) == (["Mel"], [])
    after = ada.get(f"{base(salon)}/away?span=day&day=2026-12-03")
    assert after.html.select(".times-card") == []
    on = ada.get(f"{base(salon)}/away?span=day&day=2026-12-02")
    assert (on.texts(".cal-agenda .times-title"), on.texts(".cal-agenda .times-when")) == (["Mel"], ["30 Nov – 2 Dec"])


def test_what_never_ends_is_drawn_and_cannot_be_moved_beyond_the_calendar(ada: Browser, salon: Installed) -> None:
    leave = salon.add("leaves", who="Mel", first="2026-11-30", last="9999-12-31")
    for span in ("month", "week", "day"):
        page = ada.get(f"{base(salon)}/away?day=2027-06-10&span={span}")
        assert "Mel" in [title.strip() for title in page.texts(".times-title")], span
    assert reschedule(ada, salon, "away", leave, "2026-12-01").status == 400
    assert held(salon, leave, "leaves")["version"] == 1


def test_search_filters_and_the_period_hold_each_other(ada: Browser, salon: Installed) -> None:
    visit(salon, "Red", "2026-11-24T09:00:00", state="agreed")
    visit(salon, "Blue", "2026-11-24T10:00:00")
    path = f"{base(salon)}/agenda"
    page = ada.get(f"{path}?span=week&day=2026-11-24&f.state=agreed")
    assert [title for title, _ in in_hours(page)["2026-11-24"]] == ["Red"]
    assert parse_qs(urlsplit(str(page.one("#times-after")["href"])).query) == {
        "span": ["week"], "day": ["2026-12-01"], "f.state": ["agreed"],
    }  # fmt: skip
    sent_with = {(one["name"], one["value"]) for one in page.html.select("input[type=hidden][form=list-filters]")}
    assert sent_with == {("span", "week"), ("day", "2026-11-24")}
    assert parse_qs(urlsplit(str(page.one(".chip")["href"])).query) == {"span": ["week"], "day": ["2026-11-24"]}
    found = ada.get(f"{path}?span=week&day=2026-11-24&q=blue", htmx="results")
    assert [title for title, _ in in_hours(found)["2026-11-24"]] == ["Blue"]
    link = str(found.one(".times-piece .times-title")["href"])
    back = str(ada.get(link).one('.crumbs a[href*="/agenda"]')["href"])
    assert parse_qs(urlsplit(back).query) == {"in": ["agenda"], "span": ["week"], "day": ["2026-11-24"], "q": ["blue"]}


@pytest.mark.parametrize(
    "query", ["span=year", "day=soon", "day=2026-02-30", "day=0001-01-01", "hours=x", "day=2200-12-31"]
)
def test_what_an_address_means_nothing_by_is_left_out(ada: Browser, salon: Installed, query: str) -> None:
    for span in ("month", "week", "day"):
        assert ada.get(f"{base(salon)}/agenda?span={span}&{query}").status == 200


def test_an_empty_period_says_so_and_leads_to_the_nearest_records(ada: Browser, salon: Installed) -> None:
    visit(salon, "Before", "2026-03-02T09:00:00")
    visit(salon, "After", "2027-01-05T09:00:00")
    page = ada.get(f"{base(salon)}/agenda?day=2026-11-24")
    assert page.texts(".times-none") == ["No visits here. Earlier: 2 Mar 2026 Later: 5 Jan 2027"]
    later = ada.get(str(page.html.select(".times-none a")[1]["href"]))
    assert on_days(later) == {"2027-01-05": ["09:00 After"]}
    narrowed = ada.get(f"{base(salon)}/agenda?day=2026-11-24&q=nobody")
    assert narrowed.texts(".times-none") == ["Nothing matches here. Clear all filters"]


def test_records_without_a_start_are_counted_and_can_be_given_one(ada: Browser, salon: Installed) -> None:
    waiting = salon.add("visits", name="Some day")
    page = ada.get(f"{base(salon)}/agenda?day=2026-11-24")
    assert (page.texts(".times-line > a"), page.html.select(".times-waiting")) == (["1 without a date"], [])
    page = ada.get(str(page.one(".times-line > a")["href"]))
    assert page.texts(".times-waiting .times-title") == ["Some day"]
    done = reschedule(ada, salon, "agenda", waiting, "2026-11-24T14:30")
    assert (done.status, held(salon, waiting)["begins"]) == (200, "2026-11-24T14:30:00.000000Z")
    ada.post(said(done)["undo"])
    assert held(salon, waiting)["begins"] is None


def test_a_day_and_an_hour_begin_a_record_by_the_clock_of_the_site(ada: Browser, salon: Installed) -> None:
    page = ada.get(f"{base(salon)}/agenda?day=2026-07-06")  # Lisbon is an hour ahead of UTC in summer
    form = ada.get(str(page.one('.cal-day[data-day="2026-07-06"] .cal-add')["href"]))
    sent = sent_by(form)
    assert [value for value in sent.values() if value[0].startswith("2026")] == [
        ["2026-07-06T10:00"],
        ["2026-07-06T11:00"],
    ]
    week = ada.get(f"{base(salon)}/agenda?span=week&day=2026-07-06")
    slot = next(one for one in week.html.select(".times-slot") if "14:00" in str(one["aria-label"]))
    form = ada.get(str(slot["href"]))
    back = urlsplit(str(form.one(".form-actions a")["href"]))
    assert parse_qs(back.query) == {"in": ["agenda"], "span": ["week"], "day": ["2026-07-06"]}
    made = ada.post(str(form.one("#record-form")["action"]), {**sent_by(form, name="Walk-in")})
    assert made.status in (302, 303)
    [row] = salon.data.list("visits").records
    assert (row["begins"], row["ends"]) == ("2026-07-06T14:00:00.000000Z", "2026-07-06T15:00:00.000000Z")
    days = ada.get(f"{base(salon)}/away?day=2026-07-06")
    sent = sent_by(ada.get(str(days.one('.cal-day[data-day="2026-07-08"] .cal-add')["href"])))
    assert [value for value in sent.values() if value[0].startswith("2026")] == [["2026-07-08"], ["2026-07-08"]]


def test_a_moved_record_stays_as_long_as_it_is_and_can_be_put_back(ada: Browser, salon: Installed) -> None:
    cut = visit(salon, "Cut", "2026-11-10T09:00:00", "2026-11-10T10:30:00", state="agreed")
    page = reschedule(ada, salon, "agenda", cut, "2026-11-12T13:15")
    now = held(salon, cut)
    assert (now["begins"], now["ends"]) == ("2026-11-12T13:15:00.000000Z", "2026-11-12T14:45:00.000000Z")
    assert (now["state"], now["version"]) == ("agreed", 2)
    notice = said(page)
    assert (notice["title"], notice["text"]) == ("Cut is moved", "Begins: Thu 12 Nov, 13:15–14:45")
    back = ada.post(notice["undo"])
    now = held(salon, cut)
    assert (urlsplit(back.where).path, now["begins"], now["ends"]) == (
        f"{base(salon)}/agenda", "2026-11-10T09:00:00.000000Z", "2026-11-10T10:30:00.000000Z",
    )  # fmt: skip
    leave = salon.add("leaves", who="Mel", first="2026-11-30", last="2026-12-02")
    page = reschedule(ada, salon, "away", leave, "2026-12-30")
    assert (held(salon, leave, "leaves")["first"], held(salon, leave, "leaves")["last"]) == ("2026-12-30", "2027-01-01")
    assert said(page)["text"] == "First: 30 Dec – 1 Jan"
    ada.post(said(page)["undo"])  # this table keeps a history
    assert held(salon, leave, "leaves")["last"] == "2026-12-02"


def test_a_record_is_given_another_end_and_gets_its_own_back(ada: Browser, salon: Installed) -> None:
    cut = visit(salon, "Cut", "2026-11-10T09:00:00", "2026-11-10T10:30:00")
    page = reschedule(ada, salon, "agenda", cut, "2026-11-10T09:00", to="2026-11-10T12:15")
    now = held(salon, cut)
    assert (now["begins"], now["ends"]) == ("2026-11-10T09:00:00.000000Z", "2026-11-10T12:15:00.000000Z")
    assert said(page)["text"] == "Begins: Tue 10 Nov, 09:00–12:15"
    ada.post(said(page)["undo"])
    assert held(salon, cut)["ends"] == "2026-11-10T10:30:00.000000Z"
    cut = held(salon, cut)
    page = reschedule(ada, salon, "agenda", cut, "2026-11-11T10:00", to="2026-11-10T23:00")
    assert (page.status, held(salon, cut)["version"]) == (422, cut["version"])
    assert said(page)["text"] == "Ends must not be before Begins."
    assert reschedule(ada, salon, "agenda", cut, "2026-11-11T10:00", to="late").status == 422
    # what the dialog left alone is as long as it was, whatever its control says
    reschedule(ada, salon, "agenda", cut, "2026-11-11T10:00", to="2026-11-10T10:30", keep="1")
    assert held(salon, cut)["ends"] == "2026-11-11T11:30:00.000000Z"
    cut = held(salon, cut)
    page = reschedule(ada, salon, "agenda", cut, "2026-11-11T10:00", to="")
    assert held(salon, cut)["ends"] is None
    ada.post(said(page)["undo"])
    assert held(salon, cut)["ends"] == "2026-11-11T11:30:00.000000Z"
    leave = salon.add("leaves", who="Mel", first="2026-11-30", last="2026-12-02")
    reschedule(ada, salon, "away", leave, "2026-11-30", to="2026-12-24")
    assert held(salon, leave, "leaves")["last"] == "2026-12-24"


def test_a_refused_move_leaves_the_record_and_says_why(ada: Browser, salon: Installed) -> None:
    chair = salon.add("chairs", name="By the window")
    visit(salon, "First", "2026-11-10T09:00:00", "2026-11-10T10:00:00", chair=chair["id"])
    second = visit(salon, "Second", "2026-11-10T12:00:00", "2026-11-10T13:00:00", chair=chair["id"])
    page = reschedule(ada, salon, "agenda", second, "2026-11-10T09:30")
    assert (page.status, said(page)["title"], held(salon, second)["version"]) == (422, "Second was not moved", 1)
    assert page.texts(".times-why a") == ["Edit it"]
    assert said(page)["text"] in page.texts(".times-why")[0]
    leave = salon.add("leaves", who="Mel", first="2026-11-30")
    assert reschedule(ada, salon, "away", leave, "none").status == 422  # it is required
    salon.data.update("visits", second["id"], {"state": "agreed"})
    assert reschedule(ada, salon, "agenda", second, "2026-11-11T09:30").status == 412
    assert held(salon, second)["begins"] == "2026-11-10T12:00:00.000000Z"


@pytest.mark.parametrize(
    ("view", "at", "status"),
    [("agenda", "", 400), ("agenda", "soon", 400), ("agenda", "1200-01-01", 400), ("agenda", "2026-02-30T10:00", 400),
     ("visits", "2026-11-10", 404), ("nothing", "2026-11-10", 404)],
)  # fmt: skip
def test_a_move_that_makes_no_sense_is_refused(ada: Browser, salon: Installed, view: str, at: str, status: int) -> None:
    cut = visit(salon, "Cut", "2026-11-10T09:00:00")
    assert reschedule(ada, salon, view, cut, at).status == status
    assert held(salon, cut)["version"] == 1


def test_without_a_script_a_move_leads_back_to_the_calendar(ada: Browser, salon: Installed) -> None:
    cut = visit(salon, "Cut", "2026-11-10T09:00:00")
    sent = {"card": cut["id"], "version": 1, "at": "2026-11-11"}
    page = ada.post(f"{base(salon)}/agenda/reschedule?span=week&day=2026-11-10", sent)
    assert (page.status, page.where) == (303, f"{base(salon)}/agenda?in=agenda&span=week&day=2026-11-10")
    assert held(salon, cut)["begins"] == "2026-11-11T09:00:00.000000Z"  # a day alone leaves the time


def test_who_may_not_change_records_only_looks(vic: Browser, salon: Installed) -> None:
    cut = visit(salon, "Cut", "2026-11-10T09:00:00", "2026-11-10T10:00:00")
    for span in ("month", "week"):
        page = vic.get(f"{base(salon)}/agenda?day=2026-11-10&span={span}")
        assert page.texts(".times-title")[:1] in (["Cut"], ["09:00 Cut"])
        assert page.html.select("#move, [data-move], .cal-add, a.times-slot") == []
    assert reschedule(vic, salon, "agenda", cut, "2026-11-11").status == 403
    assert held(salon, cut)["version"] == 1


def test_a_role_sees_counts_and_moves_its_own_only(mel: Browser, mel_person: Person, salon: Installed) -> None:
    salon.give_role(mel_person, "stylist")
    theirs = visit(salon, "Theirs", "2026-11-10T09:00:00")
    mine = visit(salon, "Mine", "2026-11-10T10:00:00", owner=str(mel_person.id))
    salon.add("visits", name="Theirs, some day")
    page = mel.get(f"{base(salon)}/agenda?day=2026-11-10")
    assert on_days(page) == {"2026-11-10": ["10:00 Mine"]}
    assert (page.texts(".times-line p[role=status]"), page.html.select(".times-line > a")) == (["1 visit"], [])
    assert reschedule(mel, salon, "agenda", theirs, "2026-11-11").status == 409
    assert reschedule(mel, salon, "agenda", mine, "2026-11-11").status == 200
    assert mel.get(f"{base(salon)}/away").status == 404


def test_a_calendar_is_not_there_for_another_agency(olga: Browser, salon: Installed) -> None:
    cut = visit(salon, "Cut", "2026-11-10T09:00:00")
    assert olga.get(f"{base(salon)}/agenda").status == 404
    assert reschedule(olga, salon, "agenda", cut, "2026-11-11").status == 404
    assert held(salon, cut)["version"] == 1


def test_a_full_day_says_what_is_left_out_and_where_it_is(ada: Browser, salon: Installed) -> None:
    start = datetime(2026, 11, 10, 9, tzinfo=UTC)
    with salon.data.transaction() as tx:
        for number in range(203):
            begins = start + timedelta(minutes=number)
            tx.insert("visits", {"name": f"Guest {number}", "begins": begins.isoformat(), "ends": begins.isoformat()})
    day = ada.get(f"{base(salon)}/agenda?span=day&day=2026-11-10")
    assert day.texts(".callout .callout-title, .callout b, .callout strong")[:1] == [
        "3 further visits of this day are not shown"
    ]
    listed = ada.get(str(day.one(".callout a")["href"]))
    assert listed.texts(".result-bar p") == ["203 visits"]
    month = ada.get(f"{base(salon)}/agenda?day=2026-11-10")
    assert "Not all visits of this month are shown" in month.text
    assert month.texts(".times-line p[role=status]") == ["203 visits"]


def test_a_calendar_costs_the_same_for_any_number_of_records(
    ada: Browser, salon: Installed, statements: Statements
) -> None:
    for span, expected in (("month", 8), ("week", 3), ("day", 3)):
        cost = []
        for number in (1, 12):
            for one in range(number):
                visit(salon, f"Guest {one}", f"2026-11-{10 + one}T09:00:00")
            path = f"{base(salon)}/agenda?day=2026-11-10&span={span}"
            ada.get(path)
            with statements.of_modules() as sent:
                assert ada.get(path).status == 200
            cost.append(len([text for text in sent if "chairs" not in text or "visits" in text]))
        assert cost == [expected, expected], span
