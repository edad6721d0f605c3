"""Logs: who reads them, every kind of line, filters, pages, secrets, files, the live view, one request, one install."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import text

from app.access.permissions import Role
from app.db.base import db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events.catalog import KEY_CREATED, WEBHOOK_CREATED
from app.events.outbox import publish, record
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.mail.jobs import forget_old
from app.queue.history import kept
from app.queue.registry import Job
from app.support.views import logs as screen
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser
from tests.support.installed import Installed, put_on_site
from tests.support.statements import Statements
from tests.support.world import Person, World
from tests.web.conftest import Browse

MODULE = """
manifest: 1
slug: logged
name: Logged
summary: A list.
version: 1.0.0
type: app
tables:
  things:
    label: {one: Thing, many: Things}
    fields: {name: {type: text, required: true, max: 80, search: true}}
    access: {public: [], staff: [read], api: [read]}
views:
  things: {type: list, table: things, columns: [name]}
menu: [things]
"""


class Writer:
    """Puts lines into the sources of the timeline, as the gateway, the runner, the outbox and the dispatcher do."""

    def __init__(self, agency: Agency, site: Site) -> None:
        self.agency_id, self.site_id = agency.id, site.id

    def request(self, path: str = "/api/things", **values: Any) -> str:
        given = {
            "at": _just_now(), "request_id": encode("req", uuid7()), "method": "GET", "path": path, "status": 200,
            "duration_us": 1200, "user_agent": "curl/8", "install_id": None, "credential": "key_1", **values,
        }  # fmt: skip
        self._insert("external_api_requests", **given)
        return str(given["request_id"])

    def run(self, function: str = "greet", **values: Any) -> UUID:
        given = {
            "id": uuid7(), "version": "1.0.0", "function": function, "trigger": "route", "outcome": "ok",
            "started_at": _just_now(), "install_id": uuid7(), **values,
        }  # fmt: skip
        given["logs"] = json.dumps(given.get("logs", []))
        self._insert("module_function_runs", **given)
        return given["id"]

    def mail(self, subject: str = "Welcome", **values: Any) -> None:
        given = {"kind": "test", "recipient": "joe@example.test", "status": "sent", "created_at": _just_now(), **values}
        self._insert("mails", id=uuid7(), subject=subject, **given)

    def delivery(self, event: str = "things.created", *, request_id: str = "", **values: Any) -> None:
        event_id = uuid7()
        self._insert(
            "events", id=event_id, type=event, request_id=request_id, occurred_at=_just_now(), dispatched_at=utcnow()
        )
        given = {"event_id": event_id, "subscriber": "function:x", "status": "done", "attempts": 1, **values}
        self._insert("event_deliveries", site=False, **given)

    def _insert(self, table: str, *, site: bool = True, **values: Any) -> None:
        values |= {"agency_id": self.agency_id} | ({"site_id": self.site_id} if site else {})
        columns = ", ".join(values)
        marks = ", ".join(f"CAST(:{name} AS jsonb)" if name == "logs" else f":{name}" for name in values)
        with platform_scope("test lines"), transaction(db.session()) as session:
            session.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({marks})"), values)  # our names


def _just_now() -> datetime:
    return utcnow() - timedelta(seconds=10)


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def site(world: World, agency: Agency) -> Site:
    return world.site(agency)


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


@pytest.fixture
def write(agency: Agency, site: Site) -> Writer:
    return Writer(agency, site)


def titles(browser: Browser, query: str = "", path: str = "/logs") -> list[str]:
    page = browser.get(f"{path}{query}")
    assert page.status == 200, page.text[:500]
    return page.texts(".log-title")


def summaries(browser: Browser, query: str = "") -> list[list[str]]:
    page = browser.get(f"/logs{query}")
    return [
        [" ".join(row.select_one(part).get_text(" ").split()) for part in (".log-level", ".log-kind", ".log-outcome", ".log-title")]  # type: ignore[union-attr]  # each line has them
        for row in page.html.select(".log-line summary")
    ]  # fmt: skip


def test_every_kind_of_line_stands_on_one_timeline_newest_first(
    ada: Browser, write: Writer, agency: Agency, ada_person: Person
) -> None:
    write.request("/api/things", status=404, error_code="not_found")
    write.run("greet", outcome="timeout", trigger="hook", cause="things created")
    write.mail("Welcome", status="due")
    write.delivery("things.created", status="due", last_error="boom")
    with tenant_scope(agency.id), transaction(db.session()) as session:
        record(session, "site.created", by=ada_person.actor, agency_id=agency.id, target_name="Harbour")
    assert summaries(ada) == [
        ["Info", "Admin action", "done", "site.created Harbour"],
        ["Warning", "Event delivery", "due", "things.created → function:x"],
        ["Info", "Mail", "due", "Welcome → joe@example.test"],
        ["Error", "Function run", "timeout", "greet hook things created"],
        ["Warning", "API call", "404", "GET /api/things"],
    ]


@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.DEVELOPER, 200), (Role.MEMBER, 403), (Role.VIEWER, 403)]
)
@pytest.mark.parametrize("path", ["/logs", "/logs.csv", "/logs.jsonl", "/logs/tail?after=1."])
def test_who_may_read_logs(
    browse: Browse, world: World, agency: Agency, write: Writer, role: Role, status: int, path: str
) -> None:
    write.request()
    assert browse(world.person(agency, role)).get(path).status == status


def test_who_may_not_read_the_audit_trail_finds_none_of_it_here(
    browse: Browse, world: World, agency: Agency, ada_person: Person
) -> None:
    with tenant_scope(agency.id), transaction(db.session()) as session:
        record(session, "site.created", by=ada_person.actor, agency_id=agency.id, target_name="Harbour")
    dev = browse(world.person(agency, Role.DEVELOPER))
    assert (titles(dev), titles(dev, "?kind=audit"), dev.get("/logs.jsonl?kind=audit").text) == ([], [], "")


def test_another_agency_finds_none_of_it(browse: Browse, world: World, write: Writer, ada: Browser) -> None:
    request_id = write.request("/api/ours")
    write.run()
    write.mail()
    write.delivery()
    link = str(ada.get("/logs?kind=run").html.select(".log-acts .link")[0]["href"])
    olga = browse(world.person(world.agency(), Role.OWNER))
    assert titles(olga) == []
    assert titles(olga, f"?request={request_id}") == []
    assert titles(olga, link.removeprefix("/logs")) == []
    assert olga.get("/logs.jsonl").text == ""
    assert olga.get("/logs/tail?after=1.").status == 204


@pytest.fixture
def four(write: Writer) -> str:
    request_id = write.request("/api/a", status=500, at=utcnow() - timedelta(hours=3))
    write.run(
        "beta",
        request_id=request_id,
        outcome="error",
        error="No such thing 100%",
        started_at=utcnow() - timedelta(hours=2),
    )
    write.mail("Gamma")
    write.delivery("delta.done", request_id=request_id)
    return request_id


A, B, C, D = "GET /api/a", "beta route", "Gamma → joe@example.test", "delta.done → function:x"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [D, C, B, A]),
        ("?kind=run", [B]),
        ("?kind=run&kind=mail", [C, B]),
        ("?kind=nonsense", [D, C, B, A]),
        ("?level=error", [B, A]),
        ("?level=ok&kind=mail", [C]),
        ("?outcome=5xx", [A]),
        ("?outcome=error", [B]),
        ("?outcome=;drop", [D, C, B, A]),
        ("?q=BETA", [B]),
        ("?q=100%25", [B]),
        ("?q=1__%25", []),
        ("?q=joe%40example", [C]),
        ("?q={id}", [D, B, A]),
        ("?request={id}", [D, B, A]),
        ("?request={id}&kind=run", [B]),
        ("?request=req_nobody", []),
        ("?site={site}", [D, C, B, A]),
        ("?site=ste_nobody", []),
        ("?last=1h", [D, C]),
        ("?since=2199-01-01T00:00", []),
        ("?until=2020-01-01T00:00", []),
        ("?since=nonsense&until=0001-01-01&cursor=x&line=&last=9y", [D, C, B, A]),
    ],
)
def test_filters_stand_in_the_address(ada: Browser, four: str, site: Site, query: str, found: list[str]) -> None:
    query = query.format(id=four, site=site.public_id)
    assert titles(ada, query) == found
    part = ada.get(f"/logs{query}", htmx="results")
    assert (part.html.select_one("html"), part.texts(".log-title")) == (None, found)
    assert [line["title"] for line in csv.DictReader(io.StringIO(ada.get(f"/logs.csv{query}").text))] == found
    assert [json.loads(line)["title"] for line in ada.get(f"/logs.jsonl{query}").text.splitlines()] == found


def test_each_filter_is_a_chip_that_takes_it_away(ada: Browser, four: str) -> None:
    page = ada.get("/logs?kind=run&level=error&last=24h&q=beta")
    assert [chip.removesuffix(" remove this filter") for chip in page.texts(".chip")] == [
        "“beta”", "Function run", "Error", "Last 24 hours",
    ]  # fmt: skip
    assert page.html.select(".chip")[1]["href"] == "/logs?level=error&last=24h&q=beta"


def test_pages_lose_and_repeat_nothing_among_lines_of_the_same_moment(ada: Browser, write: Writer) -> None:
    at = _just_now()
    for number in range(60):
        write.request(f"/api/r{number}", at=at)
        write.run(f"f{number}", started_at=at)
    seen, where = [], "/logs"
    for _ in range(3):
        page = ada.get(where)
        seen.append(page.texts(".log-title"))
        where = str(page.html.select(".pages a")[-1]["href"])
    assert [len(one) for one in seen] == [50, 50, 20]
    assert sorted(title for one in seen for title in one) == sorted(
        [f"GET /api/r{n}" for n in range(60)] + [f"f{n} route" for n in range(60)]
    )


CANARY = "c4n4ry-Zx81q0"


@pytest.mark.parametrize(
    "said",
    [
        {"level": "info", "message": f"Authorization: Bearer {CANARY}", "data": None},
        {"level": "info", "message": f"called with Basic {CANARY}", "data": None},
        {"level": "info", "message": f"https://x.test/?access_token={CANARY}&a=1", "data": None},
        {"level": "info", "message": f'{{"password": "{CANARY}"}}', "data": None},
        {"level": "info", "message": "key dmc_sk_c4n4ryZx81q0", "data": None},
        {"level": "info", "message": "headers", "data": {"Authorization": CANARY}},
        {"level": "info", "message": "deep", "data": {"list": [{"client_secret": {"value": CANARY}}]}},
        {"level": "info", "message": "cookies", "data": {"Set-Cookie": f"a={CANARY}"}},
    ],
)
def test_secrets_are_shown_nowhere(ada: Browser, write: Writer, said: dict[str, Any]) -> None:
    write.run(logs=[said], error=f"token={CANARY}", outcome="error")
    write.request(f"/api/x/token={CANARY}", user_agent=f"Bearer {CANARY}")
    for path in ("/logs", "/logs.csv", "/logs.jsonl", "/logs/tail?after=1."):
        shown = ada.get(path).text
        assert "[redacted]" in shown
        assert (CANARY in shown, "c4n4ry" in shown) == (False, False)


def test_what_strangers_sent_is_text(ada: Browser, write: Writer) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    write.request(f"/api/{evil}", user_agent=evil, origin=evil)
    write.run(evil, error=evil, outcome="error", logs=[{"level": evil, "message": evil, "data": {evil: evil}}])
    write.mail(evil)
    for path in ("/logs", "/logs/tail?after=1."):
        page = ada.get(path)
        assert page.html.select("ol script, li img") == []
        assert titles(ada)[0] == f"{evil} → joe@example.test"


def test_the_table_cannot_run_formulas(ada: Browser, write: Writer) -> None:
    for subject in ("=HYPERLINK(1)", "@x", "+1", "-1", "plain, with comma"):
        write.mail(subject)
    answer = ada.get("/logs.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="logs-')
    assert [line["title"].partition(" →")[0] for line in csv.DictReader(io.StringIO(answer.text))] == [
        "plain, with comma", "'-1", "'+1", "'@x", "'=HYPERLINK(1)",
    ]  # fmt: skip


def test_a_file_ends_at_its_limit(ada: Browser, write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "EXPORT_ROWS", 25)
    monkeypatch.setattr(screen, "EXPORT_PORTION", 10)
    for number in range(30):
        write.request(f"/api/r{number:02}")
    found = [json.loads(line)["title"] for line in ada.get("/logs.jsonl").text.splitlines()]
    assert found == [f"GET /api/r{number:02}" for number in range(29, 4, -1)]


def test_a_line_says_all_and_can_be_copied(ada: Browser, write: Writer, site: Site) -> None:
    request_id = write.request("/api/things/it's", method="PATCH", status=422, error_code="invalid")
    page = ada.get("/logs")
    as_json, as_curl = [str(button["data-copy"]) for button in page.html.select(".log-acts [data-copy]")]
    told = json.loads(as_json)
    assert (told["request_id"], told["site"]["id"], told["detail"]["error_code"]) == (
        request_id,
        site.public_id,
        "invalid",
    )
    assert as_curl == (
        "curl -X PATCH 'http://localhost:8000/api/things/it'\"'\"'s' -H \"Authorization: Bearer $DRAMAC_KEY\""
    )
    assert page.texts(".log-acts small") == ["Without its key, query, body and content type"]
    assert page.one(".log-facts a[title]")["href"] == f"/logs?request={request_id}"


def test_a_line_has_an_address_of_its_own(ada: Browser, write: Writer) -> None:
    at = _just_now()
    for name in ("one", "two", "three"):
        write.run(name, started_at=at)
    for row in ada.get("/logs").html.select(".log-line"):
        link = str(row.select(".log-acts .link")[0]["href"])
        page = ada.get(link)
        assert page.texts(".log-title") == [row.select(".log-title")[0].get_text()]
        assert page.one(".log-line details").has_attr("open")
    for none in ("5.run:nothing", "nonsense", "x.y"):
        page = ada.get(f"/logs?line={none}")
        assert (page.texts(".empty-state h2"), page.texts(".log-title")) == (["This line is not there"], [])


def test_times_are_the_readers_with_utc_beside(browse: Browse, world: World, agency: Agency, write: Writer) -> None:
    at = utcnow().replace(hour=0, minute=30, second=5, microsecond=7000) - timedelta(days=2)
    write.run(started_at=at)
    page = browse(world.person(agency, time_zone="Asia/Tokyo")).get("/logs")
    shown = page.one("time.log-time")
    assert shown.get_text().endswith("09:30:05.007")
    assert shown["title"] == f"{at:%Y-%m-%d} 00:30:05.007 UTC"


def test_the_live_view_gets_what_is_new_and_then_nothing(ada: Browser, write: Writer) -> None:
    write.request("/api/old")
    page = ada.get("/logs?live=1")
    ask = page.one("#log-tail")
    assert (page.texts(".log-title"), ask["hx-trigger"], ask["hx-swap"]) == (["GET /api/old"], "every 3s", "outerHTML")
    assert ada.get(str(ask["hx-get"]), htmx="log-tail").status == 204
    write.request("/api/new1", at=utcnow() - timedelta(seconds=5))
    write.run("new2", started_at=utcnow() - timedelta(seconds=4))
    part = ada.get(str(ask["hx-get"]), htmx="log-tail")
    assert part.texts(".log-title") == ["new2 route", "GET /api/new1"]
    again = part.one("#log-tail")["hx-get"]
    assert ada.get(str(again), htmx="log-tail").status == 204


def test_the_live_view_shows_what_began_long_before_it_was_written(ada: Browser, write: Writer) -> None:
    write.request("/api/young", at=utcnow())
    ask = str(ada.get("/logs?live=1").one("#log-tail")["hx-get"])
    write.request("/api/slow", status=504, at=utcnow() - timedelta(minutes=2))
    write.run("hangs", outcome="timeout", started_at=utcnow() - timedelta(seconds=30))
    part = ada.get(ask, htmx="log-tail")
    assert part.texts(".log-title") == ["hangs route", "GET /api/slow"]
    assert ada.get(str(part.one("#log-tail")["hx-get"]), htmx="log-tail").status == 204


def test_the_live_view_shows_a_line_that_is_committed_late_once(ada: Browser, write: Writer) -> None:
    with runtime_pool().connection() as other, other.transaction():
        with other.transaction():  # a savepoint: its rows are numbered as the whole
            other.execute(
                "INSERT INTO failed_requests (at, request_id, agency_id, surface, method, path, status)"
                " VALUES (now(), %s, %s, 'platform', 'GET', '/late', 500)",
                (encode("req", uuid7()), write.agency_id),
            )
        write.request("/api/meanwhile")
        first = _tail(ada, "/logs/tail?after=1.1:1:")
    assert first[0] == ["GET /api/meanwhile"]
    second = _tail(ada, first[1])
    assert second[0] == ["GET /late"]
    assert ada.get(second[1], htmx="log-tail").status == 204


def test_the_live_view_tells_of_a_job_again_when_it_ends(ada: Browser, agency: Agency) -> None:
    job = Job("demo.job", lambda: None)
    with kept(job, agency_id=str(agency.id), ids={}, request_id=""):
        started, then = _tail(ada, "/logs/tail?after=1.1:1:")
    assert started == ["demo.job"]
    page = ada.get(then, htmx="log-tail")
    assert (page.texts(".log-title"), page.texts(".log-outcome")) == (["demo.job"], ["done"])


@pytest.mark.parametrize(
    "look", ["", "x", "1.", "1.0:1:", "1.5:4:", "1.5:9:8,7", "1.5:9:9", "1.5:9:4", f"1.1:{2**64}:"]
)
def test_a_look_that_is_none_is_no_failure(ada: Browser, write: Writer, look: str) -> None:
    write.request("/api/x")
    assert _tail(ada, f"/logs/tail?after={look}")[0] == ["GET /api/x"]


def test_a_quiet_live_view_looks_from_a_younger_moment_after_a_minute(ada: Browser) -> None:
    ask = str(ada.get("/logs?live=1").one("#log-tail")["hx-get"])
    at, _, seen = parse_qs(urlsplit(ask).query)["after"][0].partition(".")
    assert ada.get(f"/logs/tail?after={at}.{seen}", htmx="log-tail").status == 204
    old = int(at) - 61_000_000
    assert ada.get(f"/logs/tail?after={old}.{seen}", htmx="log-tail").status == 200


def _tail(browser: Browser, where: str) -> tuple[list[str], str]:
    part = browser.get(where, htmx="log-tail")
    assert part.status == 200, part.text[:300]
    return part.texts(".log-title"), str(part.one("#log-tail")["hx-get"])


def test_the_live_view_keeps_its_filters_and_can_be_paused(ada: Browser, write: Writer) -> None:
    page = ada.get("/logs?kind=run&q=x&live=1")
    query = parse_qs(urlsplit(str(page.one("#log-tail")["hx-get"])).query)
    assert {name: values for name, values in query.items() if name != "after"} == {"kind": ["run"], "q": ["x"]}
    write.request("/api/x")
    write.run("x1")
    part = ada.get("/logs/tail?after=1.&kind=run&q=x", htmx="log-tail")
    assert part.texts(".log-title") == ["x1 route"]
    assert parse_qs(urlsplit(str(part.one("#log-tail")["hx-get"])).query)["kind"] == ["run"]
    assert _href(page, "Pause") == "/logs?kind=run&q=x"


def test_an_install_has_its_own_lines(
    ada: Browser, browse: Browse, world: World, agency: Agency, write: Writer
) -> None:
    ours: Installed = put_on_site(agency, world.site(agency), MODULE)
    write.run("mine", install_id=ours.install.id)
    write.run("of another")
    path = f"/installs/{ours.public_id}/logs"
    page = ada.get(path)
    assert page.texts(".log-title") == ["mine route"]
    assert page.texts(".tab-links [aria-current]") == ["Logs"]
    assert [json.loads(line)["title"] for line in ada.get(_href(page, "JSON lines")).text.splitlines()] == [
        "mine route"
    ]
    live = ada.get(f"{path}?live=1")
    assert f"install={ours.public_id}" in str(live.one("#log-tail")["hx-get"])
    assert path in [link["href"] for link in ada.get(f"/installs/{ours.public_id}").html.select(".tab-links a")]
    vic = browse(world.person(agency, Role.VIEWER))
    assert (vic.get(path).status, vic.get(f"/installs/{ours.public_id}").text.count(path)) == (403, 0)
    assert browse(world.person(world.agency())).get(path).status == 404


def test_what_people_did_for_a_site_is_found_under_it_whatever_they_made(
    ada: Browser, ada_person: Person, agency: Agency, site: Site, world: World
) -> None:
    other = world.site(agency, name="Other")
    with tenant_scope(agency.id), transaction(db.session()) as session:
        for event, target, of in (
            (KEY_CREATED, "key_1", site),
            (WEBHOOK_CREATED, "whk_1", site),
            (KEY_CREATED, "key_2", other),
        ):
            publish(
                session,
                event,
                by=ada_person.actor,
                agency_id=agency.id,
                site_id=of.id,
                target=target,
                target_name=target,
            )
    query = f"?site={site.public_id}&kind=audit"
    assert titles(ada, query) == ["webhook.created whk_1", "key.created key_1"]
    assert ada.get(f"/logs{query}").texts(".log-place") == [site.name] * 2


def _href(page: Any, words: str) -> str:
    return next(str(link["href"]) for link in page.html.select(".log-tools a") if words in link.get_text())


def test_an_error_page_leads_to_its_request(ada: Browser, browse: Browse, world: World, agency: Agency) -> None:
    page = ada.get("/sites/ste_00000000000000000000000000")
    assert page.status == 404
    assert page.one(".error-id a")["href"] == f"/logs?request={page.texts('.error-id code')[0]}"
    part = ada.get("/sites/ste_00000000000000000000000000", htmx="results")
    assert part.one(".error-id a")["href"] == f"/logs?request={part.texts('.error-id code')[0]}"
    vic = browse(world.person(agency, Role.VIEWER)).get("/sites/ste_00000000000000000000000000")
    assert (vic.status, vic.html.select(".error-id a")) == (404, [])
    assert browse().get("/nowhere").html.select(".error-id a") == []


def test_an_agency_without_lines_is_told_what_will_be_here(ada: Browser) -> None:
    assert ada.get("/logs").texts(".empty-state h2") == ["Nothing has happened yet"]
    assert ada.get("/logs?q=x").texts(".empty-state h2") == ["Nothing like that happened"]


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_costs_the_same_for_any_number_of_lines(
    ada: Browser, write: Writer, statements: Statements, number: int
) -> None:
    for _ in range(number):
        write.request()
        write.run()
        write.mail()
        write.delivery()
    ada.get("/sites")
    with statements.exactly(6):
        ada.get("/logs")
    with statements.exactly(5):
        ada.get("/logs/tail?after=1.", htmx="log-tail")


def test_letters_are_forgotten_after_thirty_days_but_not_before_they_are_sent(ada: Browser, write: Writer) -> None:
    old, young = utcnow() - timedelta(days=31), utcnow() - timedelta(days=29)
    for subject, status, at in (("old", "sent", old), ("old due", "due", old), ("young", "sent", young)):
        write.mail(subject, status=status, created_at=at)
    forget_old()
    with platform_scope("test look"), transaction(db.session()) as session:
        found = session.scalars(
            text("SELECT subject FROM mails WHERE agency_id = :agency ORDER BY 1"), {"agency": write.agency_id}
        ).all()
    assert found == ["old due", "young"]
