"""A timeline: which bars there are and where they lie, periods, groups, dates that are changed; to whom."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.lib.clock import utcnow
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.installed import Installed, put_on_site
from tests.support.pages import page_faults
from tests.support.statements import Statements
from tests.support.world import Person

PLAN = """
manifest: 1
slug: plan
name: Plan
summary: Phases of projects.
version: 1.0.0
type: app
tables:
  projects:
    label: {one: Project, many: Projects}
    title: name
    fields:
      name: {type: text, required: true}
  phases:
    label: {one: Phase, many: Phases}
    title: name
    fields:
      name:    {type: text, required: true, max: 120, search: true}
      project: {type: ref, to: projects, on_delete: cascade}
      team:    {type: enum, options: [design, build], labels: {design: The designers}}
      state:   {type: enum, options: [planned, running, done], default: planned, colors: {running: blue, done: green}}
      begins:  {type: date, label: Begin}
      ends:    {type: date, label: End}
      owner:   {type: user}
      hue:     {type: color}
    access: {public: [], staff: [read, create, update, delete], api: []}
  visits:
    label: {one: Visit, many: Visits}
    title: name
    fields:
      name:  {type: text, required: true}
      start: {type: datetime, required: true}
      until: {type: datetime, required: true}
    access: {public: [], staff: [read, create, update], api: []}
    timeline: true
views:
  plan:
    type: timeline
    table: phases
    from: begins
    to: ends
    by: team
    color: state
    card: [name, project, begins, team]
    filters: [state]
  projects: {type: timeline, table: phases, from: begins, to: ends, by: project, color: hue, where: {state: {ne: done}}}
  people:   {type: timeline, table: phases, from: begins, by: owner, help: Who begins when.}
  visits:   {type: timeline, table: visits, from: start, to: until}
  phases:   {type: list, table: phases, columns: [name, begins, ends], filters: [begins]}
menu: [plan, projects, people, visits, phases]
roles:
  worker: {label: Worker, tables: {phases: [read, create, update]}, rows: {phases: own}}
  none:   {label: None, tables: {projects: [read]}}
"""


@pytest.fixture
def plan(agency: Agency, site: Site) -> Installed:
    return put_on_site(agency, site, PLAN)


def base(module: Installed) -> str:
    return f"/installs/{module.public_id}/records"


def phase(
    module: Installed, name: str, begins: str | None = None, ends: str | None = None, **more: Any
) -> dict[str, Any]:
    return module.add("phases", name=name, begins=begins, ends=ends, **more)


def drawn(page: Page) -> dict[str, list[str]]:
    """{group: titles of its records}."""
    found = {}
    for group in page.html.select(".tl-group"):
        label = group.select_one("h3")
        titles = [" ".join(title.get_text().split()) for title in group.select(".tl-title")]
        found[" ".join(label.get_text().split()) if label else ""] = titles
    return found


def bar(page: Page, record: dict[str, Any]) -> tuple[float, float]:
    """Where a bar begins and how long it is, in percent."""
    shape = page.one(f"[data-row='{record['id']}'] .tl-shape")
    return float(str(shape["x"]).rstrip("%")), float(str(shape.get("width", "0")).rstrip("%"))


def change(
    person: Browser, module: Installed, view: str, record: dict[str, Any], at: str, to: str = "", query: str = ""
) -> Page:
    sent = {"card": record["id"], "version": record["version"], "at": at, "to": to}
    return person.post(f"{base(module)}/{view}/dates{query}", sent, htmx="results")


def said(page: Page) -> dict[str, Any]:
    [item] = json.loads(page.response.headers["HX-Trigger"])["toasts"]["items"]
    return dict(item)


def now(module: Installed, record: dict[str, Any], table: str = "phases", *names: str) -> tuple[Any, ...]:
    values = module.data.get(table, record["id"]).values
    return tuple(values[name] for name in names or ("begins", "ends"))


def test_bars_lie_where_their_days_are_and_say_what_goes_on_beyond(ada: Browser, plan: Installed) -> None:
    inside = phase(plan, "Inside", "2026-11-11", "2026-11-20", team="build", state="running")
    across = phase(plan, "Across", "2026-10-01", "2026-12-31", team="build")
    point = phase(plan, "Point", "2026-11-16", team="design")
    phase(plan, "Before", "2026-10-01", "2026-10-31")
    phase(plan, "After", "2026-12-01", "2026-12-02")
    last = phase(plan, "Last day", "2026-11-30", "2026-11-30")
    page = ada.get(f"{base(plan)}/plan?span=month&day=2026-11-15")
    assert page.texts(".tl-tools h2") == ["November 2026"]
    assert drawn(page) == {"The designers": ["Point"], "Build": ["Across", "Inside"], "None": ["Last day"]}
    assert bar(page, inside) == (pytest.approx(100 / 3, abs=0.001), pytest.approx(100 / 3, abs=0.001))
    assert bar(page, across) == (0, 100)
    assert bar(page, point) == (pytest.approx(15.5 / 30 * 100, abs=0.001), 0)
    assert bar(page, last) == (pytest.approx(29 / 30 * 100, abs=0.001), pytest.approx(100 / 30, abs=0.001))
    assert page.texts(f"[data-row='{across['id']}'] .tl-when") == [
        "1 Oct – 31 Dec 2026 , begins before this period , ends after this period , Planned"
    ]
    assert page.texts(f"[data-row='{inside['id']}'] .tl-when") == ["11 Nov – 20 Nov 2026 , Running"]
    assert page.texts(".result-bar [role=status]") == ["4 phases"]
    assert page.texts(".tl-group .cnt") == ["1", "2", "1"]
    assert page.texts(".tl-legend .status") == ["Planned", "Running", "Done"]
    assert page_faults(page.text, ada.app) == []


def test_periods_follow_each_other_and_the_address_says_which(ada: Browser, plan: Installed) -> None:
    phase(plan, "Long", "2020-01-01", "2040-01-01")
    path = f"{base(plan)}/plan"
    titles = {"week": "1 Dec – 7 Dec 2031", "month": "December 2031", "quarter": "Oct – Dec 2031", "year": "2031"}
    for span, title in titles.items():
        page = ada.get(f"{path}?span={span}&day=2031-12-02")
        assert page.texts(".tl-tools h2") == [title]
        for way in ("#tl-before", "#tl-after"):
            href = str(page.one(way)["href"])
            other = ada.get(href)
            assert other.texts(".tl-tools h2") != [title]
            back = str(other.one("#tl-after" if way == "#tl-before" else "#tl-before")["href"])
            assert ada.get(back).texts(".tl-tools h2") == [title]
    page = ada.get(f"{path}?span=week&day=2031-12-02&q=long")
    assert parse_qs(urlsplit(str(page.one("#tl-today")["href"])).query) == {"span": ["week"], "q": ["long"]}
    assert page.html.select(".tl-now") == []
    today = ada.get(str(page.one("#tl-today")["href"]))
    assert len(today.html.select(".tl-now")) == 1
    kept = {str(one["name"]): str(one["value"]) for one in page.html.select("[form=list-filters]")}
    assert kept == {"span": "week", "day": "2031-12-02"}  # a search stays in the period
    link = str(page.one(".tl-title")["href"])
    back = str(ada.get(link).one('.crumbs a[href*="/plan"]')["href"])
    assert parse_qs(urlsplit(back).query) == {"in": ["plan"], "span": ["week"], "day": ["2031-12-02"], "q": ["long"]}
    assert ada.get(f"{path}?day=2031-12-02").texts(".tl-tools h2") == ["Oct – Dec 2031"]


@pytest.mark.parametrize(
    "query", ["span=era&day=2026-13-40", "day=0001-01-01", "day=x&span=", "undated=yes", "f.state=zzz&at=x"]
)
def test_an_old_or_broken_address_still_opens(ada: Browser, plan: Installed, query: str) -> None:
    today = utcnow().date()
    phase(plan, "Now", today.isoformat(), today.isoformat())
    assert drawn(ada.get(f"{base(plan)}/plan?{query}")) == {"None": ["Now"]}


@pytest.mark.parametrize("day", ["1900-01-01", "2200-12-31"])
def test_the_first_and_the_last_day_there_is_are_drawn(ada: Browser, plan: Installed, day: str) -> None:
    phase(plan, "Edge", day, day)
    page = ada.get(f"{base(plan)}/plan?day={day}")
    assert drawn(page) == {"None": ["Edge"]}
    assert [ada.get(str(page.one(way)["href"])).status for way in ("#tl-before", "#tl-after")] == [200, 200]


def test_groups_are_records_options_or_people(ada: Browser, ada_person: Person, plan: Installed) -> None:
    shop, app = plan.add("projects", name="Web shop"), plan.add("projects", name="App")
    phase(plan, "Sketch", "2026-11-02", "2026-11-05", project=shop["id"], hue="#3b5bdb", owner=str(ada_person.id))
    phase(plan, "Code", "2026-11-02", "2026-11-05", project=app["id"])
    phase(plan, "Gone", "2026-11-02", "2026-11-05", project=app["id"], state="done")
    page = ada.get(f"{base(plan)}/projects?day=2026-11-02")
    assert drawn(page) == {"App": ["Code"], "Web shop": ["Sketch"]}
    assert [fill["fill"] for fill in page.html.select(".tl-fill[fill]")] == ["#3b5bdb"]
    page = ada.get(f"{base(plan)}/people?day=2026-11-02")
    assert list(drawn(page)) == ["Ada Bright", "None"]
    assert page.texts(".list-help") == ["Who begins when."]
    assert len(page.html.select("[data-point]")) == 3  # without `to` all are points


def test_search_and_filters_narrow_a_timeline(ada: Browser, plan: Installed) -> None:
    phase(plan, "Red", "2026-11-02", "2026-11-05")
    phase(plan, "Blue", "2026-11-02", "2026-11-05", state="running")
    path = f"{base(plan)}/plan?span=month&day=2026-11-01"
    assert drawn(ada.get(f"{path}&q=red")) == {"None": ["Red"]}
    page = ada.get(f"{path}&f.state=running")
    assert (drawn(page), page.texts(".chip")) == ({"None": ["Blue"]}, ["State: Running remove this filter"])
    assert parse_qs(urlsplit(str(page.one(".chip")["href"])).query) == {"span": ["month"], "day": ["2026-11-01"]}
    page = ada.get(f"{path}&q=nothing")
    assert page.texts(".empty-state h2") == ["Nothing matches"]


def test_an_empty_period_leads_to_the_nearest_records(ada: Browser, plan: Installed) -> None:
    path = f"{base(plan)}/plan?span=month&day=2026-11-01"
    assert ada.get(path).texts(".empty-state h2") == ["No phases with dates yet"]
    phase(plan, "Earlier", "2026-08-03", "2026-08-04")
    phase(plan, "Later", "2027-02-03", "2027-02-04")
    page = ada.get(path)
    assert page.texts(".empty-state h2") == ["Nothing in November 2026"]
    found = [drawn(ada.get(str(link["href"]))) for link in page.html.select(".empty-act a")]
    assert found == [{"None": ["Earlier"]}, {"None": ["Later"]}]


def test_records_without_a_start_are_counted_and_shown_when_asked_for(ada: Browser, plan: Installed) -> None:
    phase(plan, "Dated", "2026-11-02")
    loose = phase(plan, "Loose")
    path = f"{base(plan)}/plan?span=month&day=2026-11-01"
    page = ada.get(path)
    assert page.texts(".tl-undated p") == ["1 phase without begin. Show"]
    page = ada.get(str(page.one("#tl-show")["hx-get"]))
    assert page.texts(".tl-undated li .tl-title") == ["Loose"]
    page = change(ada, plan, "plan", loose, "2026-11-09", "2026-11-10", "?span=month&day=2026-11-01&undated=1")
    assert (drawn(page), page.html.select(".tl-undated")) == ({"None": ["Dated", "Loose"]}, [])
    assert said(page)["undo"] is None  # there is no date to go back to
    assert ada.get(f"{base(plan)}/visits").html.select(".tl-undated") == []


def test_new_dates_are_kept_and_taken_back(ada: Browser, plan: Installed) -> None:
    one = phase(plan, "One", "2026-11-02", "2026-11-05")
    page = change(ada, plan, "plan", one, "2026-11-09", "2026-11-12", "?span=month&day=2026-11-01")
    assert (page.status, now(plan, one)) == (200, ("2026-11-09", "2026-11-12"))
    assert page.texts(".tl-tools h2") == ["November 2026"]
    notice = said(page)
    assert (notice["title"], notice["text"]) == ("One is moved", "9 Nov – 12 Nov 2026")
    back = ada.post(notice["undo"])
    assert (back.where, now(plan, one)) == (
        f"{base(plan)}/plan?in=plan&span=month&day=2026-11-01",
        ("2026-11-02", "2026-11-05"),
    )
    one = plan.data.get("phases", one["id"]).values
    assert change(ada, plan, "plan", one, "2026-11-02").status == 200
    assert now(plan, one) == ("2026-11-02", None)


def test_times_are_those_of_the_clock_on_the_wall(ada: Browser, plan: Installed) -> None:
    # the clocks of Lisbon go back on 25 October; who asks has no zone of their own and reads UTC
    visit = plan.add("visits", name="Look", start="2026-10-24T09:00:30Z", until="2026-10-24T10:00:00Z")
    page = ada.get(f"{base(plan)}/visits?span=week&day=2026-10-24")
    row = page.one(f"[data-row='{visit['id']}']")
    page = change(ada, plan, "visits", visit, str(row["data-at"]), str(row["data-to"]).replace("10-24", "10-25"))
    start, until = now(plan, visit, "visits", "start", "until")
    assert start.startswith("2026-10-24T09:00:30")  # what was not moved stays so to the second
    assert until.startswith("2026-10-25")
    back = ada.post(said(page)["undo"])  # a table with a history
    assert (urlsplit(back.where).path, now(plan, visit, "visits", "until")[0][:10]) == (
        f"{base(plan)}/visits",
        "2026-10-24",
    )


@pytest.mark.parametrize(
    ("sent", "status", "why"),
    [
        ({"at": "2026-11-09", "to": "2026-11-02"}, 422, "End must not be before Begin."),
        ({"at": "x", "to": "2026-11-12"}, 422, "Begin must be a day between 1900 and 2200."),
        ({"at": "", "to": ""}, 422, "Begin must be a day between 1900 and 2200."),
        ({"at": "2026-11-09T10:00", "to": ""}, 422, "Begin must be a day between 1900 and 2200."),
        ({"at": "2026-11-09", "to": "9999-12-31"}, 422, "End must be a day between 1900 and 2200."),
        ({"at": "2026-11-09", "to": "", "version": "7"}, 412, ""),
        ({"at": "2026-11-09", "to": "", "card": "x"}, 400, ""),
    ],
)
def test_dates_that_cannot_be_are_refused_with_the_reason(
    ada: Browser, plan: Installed, sent: dict[str, str], status: int, why: str
) -> None:
    one = phase(plan, "One", "2026-11-02", "2026-11-05")
    asked = {"card": one["id"], "version": "1", **sent}
    page = ada.post(f"{base(plan)}/plan/dates?span=month&day=2026-11-01", asked, htmx="results")
    assert (page.status, now(plan, one)) == (status, ("2026-11-02", "2026-11-05"))
    assert page.texts(f"[data-row='{one['id']}'] .tl-why") == ([why] if why else page.texts(".tl-why"))


def test_a_long_period_shows_the_first_and_says_how_many_are_left_out(ada: Browser, plan: Installed) -> None:
    for number in range(203):
        begins = f"2026-{1 + number // 28:02}-{1 + number % 28:02}"
        phase(plan, f"Phase {number}", begins, team="build")
    page = ada.get(f"{base(plan)}/plan?span=year&day=2026-01-01")
    assert (len(page.html.select(".tl-row")), page.texts(".tl-group .cnt")) == (200, ["203"])
    [told] = page.texts(".tl-cut")
    assert told.startswith("The first 200 by begin are shown, 3 are not.")
    rest = urlsplit(str(page.one(".tl-cut a")["href"]))
    assert (rest.path, parse_qs(rest.query)) == (
        f"{base(plan)}/phases",
        {"f.begins.from": ["2026-01-01"], "f.begins.to": ["2026-12-31"]},
    )


def test_who_may_only_look_gets_a_timeline_without_acts(vic: Browser, plan: Installed) -> None:
    one = phase(plan, "One", "2026-11-02", "2026-11-05")
    page = vic.get(f"{base(plan)}/plan?day=2026-11-02")
    assert drawn(page) == {"None": ["One"]}
    assert page.html.select("#move, dialog#tl-to, .tl-dates, [data-movable], [data-edge], script[src*=timeline]") == []
    assert change(vic, plan, "plan", one, "2026-11-03").status == 403


def test_a_role_sees_and_moves_its_own_records_only(mel: Browser, mel_person: Person, plan: Installed) -> None:
    plan.give_role(mel_person, "worker")
    shop = plan.add("projects", name="Secret shop")
    theirs = phase(plan, "Theirs", "2026-11-02", "2026-11-05")
    mine = phase(plan, "Mine", "2026-11-02", "2026-11-05", owner=str(mel_person.id), project=shop["id"])
    page = mel.get(f"{base(plan)}/projects?day=2026-11-02")
    assert (list(drawn(page).values()), page.texts(".tl-group .cnt")) == ([["Mine"]], ["1"])
    assert "Secret shop" not in page.text
    assert change(mel, plan, "plan", theirs, "2026-11-03").status == 409
    assert change(mel, plan, "plan", mine, "2026-11-03").status == 200


def test_a_timeline_is_not_there_for_who_may_not_read_it(
    olga: Browser, mel: Browser, mel_person: Person, plan: Installed
) -> None:
    one = phase(plan, "One", "2026-11-02", "2026-11-05")
    plan.give_role(mel_person, "none")
    for person in (olga, mel):
        assert person.get(f"{base(plan)}/plan").status == 404
        assert change(person, plan, "plan", one, "2026-11-03").status == 404


def test_without_a_script_new_dates_lead_back_to_the_timeline(ada: Browser, plan: Installed) -> None:
    one = phase(plan, "One", "2026-11-02", "2026-11-05")
    page = ada.post(
        f"{base(plan)}/plan/dates?span=year", {"card": one["id"], "version": 1, "at": "2026-11-03", "to": ""}
    )
    assert (page.status, page.where) == (303, f"{base(plan)}/plan?in=plan&span=year")


def test_a_timeline_costs_the_same_for_any_number_of_records(
    ada: Browser, plan: Installed, statements: Statements
) -> None:
    path, cost = f"{base(plan)}/projects?span=month&day=2026-11-01&undated=1", []
    for number in (1, 6):
        for which in range(number):
            project = plan.add("projects", name=f"Project {which}")
            phase(plan, f"Phase {which}", "2026-11-02", "2026-11-05", project=project["id"])
            phase(plan, f"Loose {which}")
        ada.get(path)
        with statements.of_modules() as sent:
            assert ada.get(path).status == 200
        cost.append(len(sent))
    assert cost == [5, 5]  # those of the period, how many, in which groups; those without a start, how many


def test_days_around_today_are_told_by_the_viewers_clock(ada: Browser, plan: Installed) -> None:
    today = utcnow().date()
    phase(plan, "Around", (today - timedelta(days=1)).isoformat(), (today + timedelta(days=1)).isoformat())
    page = ada.get(f"{base(plan)}/plan?span=week")
    [line] = page.html.select("line.tl-now")
    assert 0 <= float(str(line["x1"]).rstrip("%")) <= 100
