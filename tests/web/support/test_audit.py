"""The audit trail: who reads it, filters, pages, CSV; and the mailbox of development."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest

from app.access.actors import Actor
from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import identity_scope, tenant_scope
from app.db.session import transaction
from app.events.outbox import record
from app.factory import create_platform_app
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.mail.actions import post
from app.tenancy.models import Agency
from tests.support.browser import Browser
from tests.support.statements import Statements
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


def write(agency: Agency, by: Actor, *names: str, action: str = "site.created", **changes: list[str]) -> None:
    with tenant_scope(agency.id), transaction(db.session()) as session:
        for name in names:
            record(session, action, by=by, agency_id=agency.id, target_name=name, changes=changes)
            session.flush()


def about(browser: Browser, query: str = "") -> list[str]:
    """What the lines on the page are about."""
    return [row[3] for row in rows(browser, query)]


def rows(browser: Browser, query: str = "") -> list[list[str]]:
    page = browser.get(f"/audit{query}")
    assert page.status == 200
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.html.select("#audit tbody tr")
    ]


def test_a_line_says_who_what_and_what_changed(ada: Browser, agency: Agency, ada_person: Person) -> None:
    write(agency, ada_person.actor, "Harbour", action="site.changed", name=["Old", "Harbour"])
    assert [row[1:5] for row in rows(ada)] == [["Ada Bright", "Site changed", "Harbour", "name Old → Harbour"]]


def test_the_newest_line_is_first_and_older_ones_are_a_page_away(
    ada: Browser, agency: Agency, ada_person: Person
) -> None:
    write(agency, ada_person.actor, *(f"S{number:03}" for number in range(120)))
    page = ada.get("/audit")
    seen = about(ada)
    assert (seen[0], seen[-1], len(seen)) == ("S119", "S070", 50)
    following = str(page.html.select(".pages a")[-1]["href"])
    second = about(ada, following.removeprefix("/audit"))
    assert (second[0], second[-1]) == ("S069", "S020")
    third = ada.get(following.replace("71", "21")).texts("#audit tbody tr")
    assert len(third) == 20


@pytest.fixture
def three(world: World, agency: Agency, ada_person: Person) -> Person:
    tom = world.person(agency, Role.MEMBER, name="Tom Ellis")
    write(agency, ada_person.actor, "Alpha")
    write(agency, tom.actor, "Beta", action="client.created")
    write(agency, ada_person.actor, "Gamma 100%")
    return tom


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Gamma 100%", "Beta", "Alpha"]),
        ("?q=alp", ["Alpha"]),
        ("?q=%25", ["Gamma 100%"]),
        ("?action=client.created", ["Beta"]),
        ("?actor={tom}", ["Beta"]),
        ("?since={today}", ["Gamma 100%", "Beta", "Alpha"]),
        ("?until={today}", ["Gamma 100%", "Beta", "Alpha"]),
        ("?until=2020-01-01", []),
        ("?since=2199-01-01", []),
        ("?since=nonsense&until=9999-12-31&cursor=x", ["Gamma 100%", "Beta", "Alpha"]),
    ],
)
def test_filters_stand_in_the_address(ada: Browser, three: Person, query: str, found: list[str]) -> None:
    query = query.format(tom=three.actor.ref, today=f"{utcnow():%Y-%m-%d}")
    assert about(ada, query) == found
    part = ada.get(f"/audit{query}", htmx="results")
    assert part.html.select_one("html") is None
    assert len(part.html.select("#audit tbody tr")) == len(found)
    lines = list(csv.DictReader(io.StringIO(ada.get(f"/audit.csv{query}").text)))
    assert [line["target_name"] for line in lines] == found


def test_the_file_cannot_run_formulas(ada: Browser, agency: Agency, ada_person: Person) -> None:
    write(agency, ada_person.actor, "=HYPERLINK(1)", "@x", "+1", "-1", "plain, with comma")
    answer = ada.get("/audit.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [line["target_name"] for line in lines] == ["plain, with comma", "'-1", "'+1", "'@x", "'=HYPERLINK(1)"]


@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.DEVELOPER, 403), (Role.VIEWER, 403)]
)
@pytest.mark.parametrize("path", ["/audit", "/audit.csv"])
def test_who_may_read_the_trail(
    browse: Browse, world: World, agency: Agency, role: Role, status: int, path: str
) -> None:
    assert browse(world.person(agency, role)).get(path).status == status


def test_another_agencys_lines_are_not_there(ada: Browser, browse: Browse, world: World, three: Person) -> None:
    olga = browse(world.person(world.agency(), Role.OWNER))
    assert about(olga) == []
    assert about(olga, f"?actor={three.actor.ref}") == []
    assert "Alpha" not in olga.get("/audit.csv").text


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_costs_the_same_for_any_number_of_lines(
    ada: Browser, agency: Agency, ada_person: Person, statements: Statements, number: int
) -> None:
    write(agency, ada_person.actor, *(f"S{each}" for each in range(number)))
    ada.get("/sites")
    with statements.exactly(6):
        ada.get("/audit")


def test_the_mailbox_shows_letters_and_their_links(browse: Browse, config: Config, world: World) -> None:
    address = f"reader-{uuid7().hex}@example.test"
    with identity_scope(), transaction(db.session()) as session:
        mail_id = post(
            session, keys=config.secret_keys, kind="test.letter", recipient=address, subject="Hello <b>",
            text="Open http://localhost:8000/x?a=1&b=2 and <script>alert(1)</script>", html="<p>Hi</p>",
        ).public_id  # fmt: skip
    browser = browse()
    assert mail_id in browser.get("/dev/mailbox").ids("#letters tbody tr")
    page = browser.get(f"/dev/mailbox/{mail_id}")
    assert page.heading == "Hello <b>"
    assert [str(a["href"]) for a in page.html.select("#links a")] == ["http://localhost:8000/x?a=1&b=2"]
    assert "<script>alert" not in page.text
    assert browser.get(f"/dev/mailbox/{encode('eml', uuid7())}").status == 404


@pytest.mark.parametrize(
    "change",
    [{"mail_url": "smtp://mail.example:25"},
     {"env": "production", "platform_url": "https://dramac.example", "runtime_url": "https://run.example"}],
)  # fmt: skip
def test_there_is_no_mailbox_where_letters_are_sent_or_in_production(config: Config, change: dict[str, str]) -> None:
    app = create_platform_app(dataclasses.replace(config, **change))
    assert [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/dev")] == []
