"""Dashboards: figures of an agency, a site, a module, a publisher; nothing of anybody else's."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from app.access.permissions import Role
from app.analytics import jobs, sums
from app.analytics.tables import TABLES
from app.analytics.writing import write_rows
from app.config import Config
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import encode
from tests.support.modules import Installed, put_on, release
from tests.support.packages import package
from tests.support.publishing import new_slug
from tests.support.statements import Statements
from tests.support.world import Person, World
from tests.web.conftest import Browse

MOST = 12


@dataclass
class Place:
    """An agency with a module on a site; the module is another agency's."""

    agency: Any
    ada: Person
    install: Installed
    publisher: Person

    @property
    def site(self) -> Any:
        return self.install.site

    def happened(self, event: str = "view", *, days_ago: int = 0, visitor: int = 1, **more: Any) -> tuple[Any, ...]:
        at = utcnow() - timedelta(days=days_ago, minutes=1)
        own = more.get("own", False)
        whose = (None, None) if own else (self.install.id, self.install.released.module_id)
        return (
            at, self.site.agency_id, self.site.id, *whose, event, more.get("name", ""), more.get("version", "1.0.0"),
            more.get("page", "contact"), None, visitor, more.get("value", 0), more.get("surface", "frame"),
            more.get("place", "shop.example"), more.get("referrer", ""), more.get("language", "pt"), "",
            more.get("device", "phone"),
            "Firefox", "Android",
        )  # fmt: skip

    def count(self, *rows: tuple[Any, ...]) -> None:
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(text("SELECT analytics_partitions(70, 7, 90)"))
        with runtime_pool().connection() as connection:
            write_rows(connection, rows)
        jobs.sum_up()


MODULE = """
manifest: 1
slug: {slug}
name: Formcraft
summary: Forms.
version: 1.0.0
type: app
"""


@pytest.fixture
def place(world: World, config: Config) -> Place:
    theirs = world.agency("Maker")
    slug = new_slug("formcraft")
    made = release(package({"module.yaml": MODULE.format(slug=slug).encode()}), theirs)
    agency = world.agency("Lumen", time_zone="UTC")
    install = put_on(made, world.site(agency, name="Harbour", time_zone="UTC"), config=config)
    return Place(agency, world.person(agency), install, world.person(theirs, name="Paula"))


def _figures(page: Any) -> dict[str, str]:
    return dict(zip(page.texts(".stat h2"), [words.split(" ")[0] for words in page.texts(".stat-value")], strict=True))


def test_the_agency_sees_views_visitors_forms_and_failures(place: Place, browse: Browse) -> None:
    place.count(
        place.happened(), place.happened(visitor=2), place.happened(visitor=2, page="thanks"), place.happened("mount"),
        place.happened("submit", visitor=2), place.happened("error", name="x is undefined"), place.happened(days_ago=40, visitor=9),
        place.happened(own=True, page="/about", surface="site", referrer="search.example", visitor=3),
    )  # fmt: skip
    page = browse(place.ada).get("/analytics")
    assert (page.status, page.heading) == (200, "Analytics")
    assert _figures(page) == {"Views": "4", "Visitors": "3", "Forms sent": "1", "Error rate": "100%"}
    assert "+300.0%" in page.text  # one view forty days ago
    text = " ".join(page.texts("main"))
    for words in (
        "Formcraft",
        "Own pages",
        "Harbour",
        "shop.example",
        "search.example",
        "Portuguese",
        "Phone",
        "x is undefined",
    ):
        assert words in text
    assert page.texts(".an-now") == ["3 people right now"]
    assert page.html.select("[aria-current=page]")[0].get_text(strip=True).startswith("Analytics")


def test_a_filter_shows_what_was_seen_through_it(place: Place, browse: Browse) -> None:
    place.count(
        place.happened(), place.happened("submit"), place.happened(visitor=2, place="other.example", language="en"),
        place.happened("submit", visitor=2, place="elsewhere"), place.happened("mount", visitor=2, language="en"),
    )  # fmt: skip
    ada = browse(place.ada)
    everything = ada.get(f"/sites/{place.site.public_id}/analytics")
    assert _figures(everything)["Views"] == "2"
    link = next(a["href"] for a in everything.html.select(".bar-list a") if a.get_text() == "other.example")
    page = ada.get(str(link))
    assert (_figures(page)["Views"], _figures(page)["Forms sent"]) == ("1", "1")
    assert page.texts(".chip") == ["Around it: other.example"]
    assert _figures(ada.get(f"/sites/{place.site.public_id}/analytics?language=pt"))["Views"] == "1"
    # whoever came that way is followed: their next page, and what they did there, belong to it
    place.count(
        place.happened(visitor=3, referrer="news.example"), place.happened(visitor=3, referrer=""),
        place.happened("start", visitor=3), place.happened("start", visitor=3),
    )  # fmt: skip
    came = _figures(ada.get(f"/sites/{place.site.public_id}/analytics?referrer=news.example"))
    assert (came["Views"], came["Visitors"]) == ("2", "1")
    nothing = ada.get(f"/sites/{place.site.public_id}/analytics?language=fr")
    assert nothing.texts(".empty-state h2") == ["Nothing fits"]


def test_what_a_filter_lets_through_is_looked_up_once_and_not_for_each_event(place: Place, browse: Browse) -> None:
    """Row by row it takes the square of the time: twelve thousand events were too many."""
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        if "seen_referrer" in statement:
            asked.append((statement, values))

    engine = db.engines[None]
    event.listen(engine, "before_cursor_execute", note)
    try:
        browse(place.ada).get("/analytics?referrer=search.example&place=shop.example")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    [(statement, values)] = asked
    with platform_scope("test"), transaction(db.session()) as session:
        explain = session.connection().exec_driver_sql(f"EXPLAIN {statement}", values)
        plan = "\n".join(line for (line,) in explain)
    assert "CTE seen_place" in plan
    assert "SubPlan" not in plan


def test_what_takes_too_long_to_count_says_what_to_do(place: Place, browse: Browse) -> None:
    def hurry(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "by_visitor" in statement:
            cursor.execute("SET LOCAL statement_timeout = 1")

    engine = db.engines[None]
    event.listen(engine, "before_cursor_execute", hurry)
    try:
        page = browse(place.ada).get("/analytics?language=pt")
    finally:
        event.remove(engine, "before_cursor_execute", hurry)
    assert (page.status, "Choose fewer days, a site, or a filter less." in page.text) == (503, True)


def test_raw_events_and_sums_say_the_same(place: Place, browse: Browse) -> None:
    """Everything is seen through these filters, so each figure has to be the same."""
    place.count(
        *[place.happened(visitor=n % 4) for n in (1, 2, 3, 4, 5)], place.happened("submit"), place.happened("mount"),
        place.happened("time", value=4000), place.happened(days_ago=3, visitor=7), place.happened("error", name="x"),
    )  # fmt: skip
    ada, site, install = browse(place.ada), place.site.public_id, place.install.public_id
    places = {"/analytics": "30d", f"/sites/{site}/analytics": "24h", f"/installs/{install}/analytics": "7d"}
    for where, stretch in places.items():
        plain = ada.get(f"{where}?range={stretch}")
        for filters in ("language=pt", "page=contact&device=phone", "place=shop.example"):
            through = ada.get(f"{where}?range={stretch}&{filters}")
            assert _figures(plain) == _figures(through), (where, stretch, filters)
            assert plain.texts(".bar-list li") == through.texts(".bar-list li")
            assert plain.texts(".ch-data td")[:14] == through.texts(".ch-data td")[:14]  # of the views


def test_a_publisher_sees_sums_and_nothing_of_whose_they_are(place: Place, browse: Browse, world: World) -> None:
    place.count(
        place.happened(referrer="search.example"), place.happened(visitor=2, version="1.1.0"),
        place.happened("error", name="secret words"), place.happened("click", name="plan.chosen"),
        place.happened(own=True, page="/private"),
    )  # fmt: skip
    where = f"/studio/modules/{encode('mod', place.install.released.module_id)}/analytics"
    page = browse(place.publisher).get(where)
    assert page.status == 200
    assert (_figures(page)["Views"], _figures(page)["Visitors"]) == ("2", "2")
    told = page.text
    for words in ("Harbour", "Lumen", "shop.example", "search.example", "secret words", "plan.chosen", "/private"):
        assert words not in told
    assert "1.1.0" in told
    for table in ("sites", "place", "referrer", "errors", "clicks"):
        lines = browse(place.publisher).get(f"{where}?csv={table}").text.splitlines()
        assert len(lines) == 1  # heads alone
    assert browse(place.ada).get(where).status == 404  # she only uses it


def test_another_agency_sees_nothing(place: Place, browse: Browse, world: World) -> None:
    place.count(place.happened())
    olga = browse(world.person(world.agency("Elsewhere")))
    assert olga.get(f"/sites/{place.site.public_id}/analytics").status == 404
    assert olga.get(f"/installs/{place.install.public_id}/analytics").status == 404
    assert olga.get("/analytics").texts(".empty-state h2") == ["Nothing was counted in these days"]
    assert _figures(browse(world.person(place.agency, Role.VIEWER)).get("/analytics"))["Views"] == "1"


def test_a_dashboard_costs_the_same_for_any_number_of_rows(
    place: Place, browse: Browse, statements: Statements
) -> None:
    ada, site, install = browse(place.ada), place.site.public_id, place.install.public_id
    addresses = [
        f"{where}{query}"
        for where in ("/analytics", f"/sites/{site}/analytics", f"/installs/{install}/analytics")
        for query in ("", "?language=pt")
    ]
    place.count(place.happened())

    def costs() -> list[int]:
        found = []
        for address in addresses:
            with statements.counted() as sent:
                assert ada.get(address).status == 200
            assert len(sent) <= MOST
            found.append(len([one for one in sent if "analytics" in one]))  # the frame's counters are kept for a while
        return found

    few = costs()
    place.count(
        *[
            place.happened(days_ago=n % 20, visitor=n, page=f"p{n}", place=f"h{n}.example", name=f"n{n}")
            for n in range(300)
        ],
        *[place.happened("upgraded", days_ago=n, version=f"1.{n}.0") for n in range(9)],
    )
    assert costs() == few
    assert set(few) == {2, 3}


def test_marks_stand_where_a_module_changed(place: Place, browse: Browse) -> None:
    place.count(
        place.happened(),
        place.happened("upgraded", days_ago=2, version="1.1.0"),
        place.happened("installed", days_ago=9),
    )
    page = browse(place.ada).get("/analytics")
    day = utcnow().date() - timedelta(days=2)
    assert any(words.endswith("Formcraft: upgraded to 1.1.0") for words in page.texts(".ch-mark title"))
    rows = {row.select_one("th").get_text(): row.get_text(" ") for row in page.html.select(".ch-data tbody tr")}  # type: ignore[union-attr]
    assert "upgraded to 1.1.0" in rows[f"{day.day} {day:%b}"]


def test_every_table_can_be_taken_away(place: Place, browse: Browse) -> None:
    place.count(place.happened(page="=1+1"), place.happened("error", name="@x"))
    ada = browse(place.ada)
    lines = {"series": 8, "hours": 8, "marks": 1, "custom": 1, "clicks": 1, "country": 1, "referrer": 1, "retention": 1}
    for table in TABLES:
        page = ada.get(f"/analytics?csv={table}&range=7d")
        assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert page.headers["Content-Disposition"].startswith(f'attachment; filename="analytics-{table}-')
        rows = list(csv.reader(io.StringIO(page.text.lstrip("\ufeff"))))
        assert len({len(row) for row in rows}) == 1, table
        assert not any(cell.startswith(("=", "@")) for row in rows for cell in row)
        assert len(rows) == lines.get(table, 2), table


def test_odd_addresses_are_answered(place: Place, browse: Browse) -> None:
    place.count(place.happened())
    ada = browse(place.ada)
    for query in (
        "range=x", "page=%00", "page=" + "a" * 3000, "language=';DROP", "csv=nothing", "from=&to=",
    ):  # fmt: skip
        assert ada.get(f"/analytics?{query}").status == 200, query


@pytest.mark.parametrize(
    ("first", "last", "at", "said"),
    [
        ("0001-01-01", "0001-12-31", "from", "Choose a day after 1 January 2000."),
        ("2026-13-40", "2026-01-01", "from", "Enter a day such as 2026-03-14."),
        ("2026-01-01", "", "to", "Enter a day such as 2026-03-14."),
        ("2026-02-02", "2026-01-01", "to", "The last day comes before the first. Choose a later one."),
        ("2001-01-01", "2026-01-01", "to", "At most 366 days can be looked at once."),
        ("2999-01-01", "2999-01-02", "from", "That day has not come yet. Choose one up to today."),
    ],
)
def test_days_that_cannot_be_shown_say_why_and_stay_typed(
    place: Place, browse: Browse, first: str, last: str, at: str, said: str
) -> None:
    place.count(place.happened())
    ada, site, install = browse(place.ada), place.site.public_id, place.install.public_id
    for where in ("/analytics", f"/sites/{site}/analytics", f"/installs/{install}/analytics"):
        for more in ("", "&csv=series"):
            page = ada.get(f"{where}?from={first}&to={last}{more}")
            assert (page.status, page.html.select_one("#days-error").get_text(" ", strip=True).startswith(said)) == (
                422, True,
            )  # fmt: skip
        fields = {tag["name"]: tag["value"] for tag in page.html.select(".an-days [type=date]")}
        assert fields == {"from": first, "to": last}
        assert [tag["name"] for tag in page.html.select(".an-days [aria-invalid]")] == [at]


def test_who_is_here_now_is_said_also_when_it_is_nobody_and_asked_again_in_one_statement(
    place: Place, browse: Browse, statements: Statements
) -> None:
    ada, publisher = browse(place.ada), browse(place.publisher)
    module = encode("mod", place.install.released.module_id)
    boards = [
        (ada, "/analytics"), (ada, f"/sites/{place.site.public_id}/analytics"),
        (ada, f"/installs/{place.install.public_id}/analytics"), (publisher, f"/studio/modules/{module}/analytics"),
    ]  # fmt: skip
    assert {str(who.get(where).texts(".an-now")) for who, where in boards} == {"['0 people right now']"}
    place.count(place.happened(), place.happened(visitor=2), place.happened(own=True, visitor=3))
    found = []
    for who, where in boards:
        with statements.counted() as sent:
            part = who.get(f"{where}?part=now", htmx=True)
        assert len([one for one in sent if "analytics_events" in one or "publisher_here_now" in one]) == 1
        assert not [one for one in sent if "aggregates" in one]
        found.append(part.texts("#here-now"))
    assert found == [["3 people right now"], ["3 people right now"], ["2 people right now"], ["2 people right now"]]


def test_a_publisher_learns_of_nobody_elses_module_who_is_here(place: Place) -> None:
    place.count(place.happened())
    for person, many in ((place.publisher, 1), (place.ada, 0)):
        with tenant_scope(person.agency_id), transaction(db.session()) as session:
            query = text("SELECT publisher_here_now(:module, now() - interval '5 minutes')")
            assert session.scalar(query, {"module": place.install.released.module_id}) == many


def test_visitors_of_several_days_are_said_to_be_added_up(place: Place, browse: Browse) -> None:
    place.count(place.happened(), place.happened(days_ago=1))
    ada, day = browse(place.ada), utcnow().date()
    notes = {
        query: ada.get(f"/analytics?{query}").texts(".stat-note")[1]
        for query in ("range=7d", "range=24h", f"from={day}&to={day}")
    }
    assert [note.split(",")[0] for note in notes.values()] == ["Each day's", "Each hour's", "vs 1"]


def test_durations_have_a_course_and_the_stretch_before(place: Place, browse: Browse) -> None:
    for number in range(20):
        place.install.rows(
            "INSERT INTO external_api_requests (at, request_id, agency_id, site_id, install_id, method, path, status, duration_us) "
            "VALUES (now(), :request, :agency, :site, :install, 'GET', '/', 200, :took)",
            request=f"r{number}", agency=place.site.agency_id, site=place.site.id,
            took=500_000 if number == 19 else 10_000,
        )  # fmt: skip
    jobs.sum_calls()
    columns = (
        "agency_id, site_id, level, subject_id, module_id, grain, event, dimension, count, visitors, repeats, total"
    )
    place.install.rows(  # a week before, each took about twice as long
        f"INSERT INTO module_analytics_aggregates ({columns}, day, bucket, value) "
        f"SELECT {columns}, day - 8, bucket - interval '8 days', "
        "CASE dimension WHEN 'latency' THEN (value::integer + 5)::text ELSE value END "
        "FROM module_analytics_aggregates WHERE agency_id = :agency",
        agency=place.site.agency_id,
    )
    place.count(place.happened())
    page = browse(place.ada).get("/analytics?range=7d")
    [said] = [note for note in page.texts(".stat-note") if note.startswith("Half within")]
    assert said.split(", ") == ["Half within 10 ms (20 before)", "19 of 20 within 10 ms (20 before) -50%"]
    rows = [row.get_text("|") for row in page.html.select("figure:has(#took-call-t) tbody tr")]
    day = utcnow() - timedelta(days=1)  # of which the day a week before is the one that was written
    assert [row.split("|")[1:] for row in rows[-2:]] == [["–", "–", "20", "20"], ["10", "10", "–", "–"]]
    assert rows[-2].startswith(f"{day.day} {day:%b}")


def test_days_of_ones_own_choice(place: Place, browse: Browse) -> None:
    place.count(place.happened(days_ago=5), place.happened(days_ago=6, visitor=2), place.happened(days_ago=30))
    day = utcnow().date()
    page = browse(place.ada).get(f"/analytics?from={day - timedelta(days=6)}&to={day - timedelta(days=5)}")
    assert _figures(page)["Views"] == "2"


def test_a_module_wherever_the_agency_has_it(place: Place, browse: Browse) -> None:
    place.count(place.happened(), place.happened(own=True, page="/"))
    ada = browse(place.ada)
    link = next(a["href"] for a in ada.get("/analytics").html.select(".bar-list a") if a.get_text() == "Formcraft")
    page = ada.get(str(link))
    assert (page.heading, _figures(page)["Views"]) == ("Formcraft", "1")
    assert ada.get("/analytics?module=mod_00000000000000000000000000").status == 404


def _sql(statement: str, **values: Any) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text(statement), values)


def test_a_publisher_sees_when_it_released_and_how_many_installs_stay(
    place: Place, browse: Browse, world: World, config: Config
) -> None:
    made = place.install.released
    for days_ago, removed_after in ((100, None), (100, 8), (100, 95), (20, 3)):
        more = put_on(made, world.site(place.agency, time_zone="UTC"), config=config)
        began = utcnow() - timedelta(days=days_ago)
        _sql(
            "UPDATE modules_v2 SET installed_at = :began, removed_at = :gone, status = :status WHERE id = :id", id=more.id,
            began=began, gone=began + timedelta(days=removed_after) if removed_after else None,
            status="removed" if removed_after else "active",
        )  # fmt: skip
    place.count(place.happened())
    where = f"/studio/modules/{encode('mod', made.module_id)}/analytics"
    paula = browse(place.publisher)
    page = paula.get(where)
    assert any(words.endswith("Formcraft: released 1.0.0") for words in page.texts(".ch-mark title"))
    began = utcnow() - timedelta(days=100)
    rows = {
        row[0]: row[1:] for row in csv.reader(io.StringIO(paula.get(f"{where}?csv=retention").text.lstrip("\ufeff")))
    }
    assert rows[f"{began:%Y-%m}"] == ["3", "3", "3", "3", "2", "3", "2"]
    assert f"{began:%B %Y}" in page.texts("main th")
    hours = paula.get(f"{where}?range=24h")
    assert any("released 1.0.0" in words for words in hours.texts(".ch-mark title"))
    before = utcnow().date() - timedelta(days=3)
    place.count(place.happened(days_ago=4))
    earlier = paula.get(f"{where}?from={before - timedelta(days=9)}&to={before}")
    assert (earlier.texts(".ch-mark title"), _figures(earlier)["Views"]) == ([], "1")


def test_installs_that_stay_are_nobody_elses_to_know(place: Place, app_context: None) -> None:
    asked = text("SELECT count(*) FROM publisher_retention(:module, :since, now())")
    values = {"module": place.install.released.module_id, "since": (utcnow() - timedelta(days=60)).date()}
    for person, found in ((place.publisher, 3), (place.ada, 0)):  # three rows of one month; she only uses it
        with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
            assert session.scalar(asked, values) == found


def test_names_beyond_the_most_kept_are_said_to_be_others(
    place: Place, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "MOST_NAMES", 1)
    place.count(*[place.happened("custom", name=name) for name in ("cart.added", "cart.added", "a.b", "c.d", "e.f")])
    page = browse(place.ada).get("/analytics")
    assert [words.split() for words in page.texts(".bar-list li") if "cart" in words or "Other" in words] == [
        ["Other", "3"], ["cart.added", "2"],
    ]  # fmt: skip
    assert "Other" in browse(place.ada).get("/analytics?csv=custom").text
