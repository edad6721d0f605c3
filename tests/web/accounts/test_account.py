"""The account page, its sessions, the theme, switching agencies, and being in none."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.accounts.models import User, UserSession
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import random_token, token_hash
from app.lib.ids import encode, uuid7
from app.tenancy.models import Agency, Membership
from tests.support.browser import Browser
from tests.support.statements import Statements
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency("Studio Lumen"), Role.OWNER, name="Ada Bright")


@pytest.fixture
def browser(browse: Browse, ada: Person) -> Browser:
    return browse(ada)


def another_session(person: Person) -> tuple[str, str]:
    """(public id, token) of one more session."""
    token = random_token()
    now = utcnow()
    row = UserSession(
        id=uuid7(), user_id=person.id, token_hash=token_hash(token), created_at=now, last_seen_at=now,
        expires_at=now.replace(year=now.year + 1), user_agent="curl/8",
    )  # fmt: skip
    with platform_scope("test"), transaction(db.session()) as session:
        session.add(row)
    return row.public_id, token


def join(person: Person, agency: Agency, role: Role = Role.VIEWER) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.add(Membership(id=uuid7(), agency_id=agency.id, user_id=person.id, role=role.value))


def suspend(agency_id: object) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(Agency, agency_id).suspended_at = utcnow()


def test_the_profile_is_saved_and_times_follow_it(browser: Browser, ada: Person) -> None:
    answer = browser.post("/account/profile", {"name": " Ada  B. ", "time_zone": "Asia/Tokyo", "locale": "de"})
    assert (answer.status, answer.where) == (303, "/account")
    page = browser.get("/account")
    assert page.one("#name")["value"] == "Ada B."
    assert [option["value"] for option in page.html.select("#time_zone option[selected]")] == ["Asia/Tokyo"]
    assert str(page.html.select("#sessions time")[0]["title"]).endswith("+0900")


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({"name": "", "time_zone": "UTC", "locale": "de"}, ["Enter your name."]),
        ({"name": "x" * 121, "time_zone": "UTC", "locale": "de"}, ["Field cannot be longer than 120 characters."]),
        ({"name": "Ada", "time_zone": "Mars/Olympus", "locale": "de"}, ["Not a valid choice."]),
        ({"name": "Ada", "time_zone": "UTC", "locale": "tlh"}, ["Not a valid choice."]),
    ],
)
def test_a_profile_that_makes_no_sense_is_not_saved(browser: Browser, sent: dict[str, str], errors: list[str]) -> None:
    page = browser.post("/account/profile", sent, htmx="profile")
    assert (page.status, page.errors) == (422, errors)
    assert browser.get("/account").one("#name")["value"] == "Ada Bright"


def test_a_name_cannot_carry_markup(browser: Browser) -> None:
    browser.post("/account/profile", {"name": "<script>x</script>", "time_zone": "UTC", "locale": "de"})
    assert "<script>x" not in browser.get("/account").text


def test_the_list_marks_this_device_and_ends_another(browser: Browser, browse: Browse, ada: Person) -> None:
    other_id, token = another_session(ada)
    page = browser.get("/account")
    assert page.texts("#sessions .badge") == ["This device"]
    assert other_id in page.ids("#sessions tr")
    answer = browser.post(f"/account/sessions/{other_id}/end")
    assert (answer.status, answer.where) == (303, "/account")
    assert other_id not in browser.get("/account").ids("#sessions tr")
    gone = browse()
    gone.client.set_cookie("dramac_session", token)
    assert gone.get("/account").status == 303


def test_ending_this_very_session_signs_out(browser: Browser) -> None:
    here = browser.get("/account").ids("#sessions tr")[0]
    answer = browser.post(f"/account/sessions/{here}/end")
    assert (answer.status, answer.where) == (303, "/sign-in")
    assert browser.get("/account").status == 303


def test_signing_out_everywhere_else_keeps_this_device(browser: Browser, ada: Person) -> None:
    another_session(ada)
    another_session(ada)
    browser.post("/account/sessions/end-others")
    assert len(browser.get("/account").ids("#sessions tr")) == 1


def test_nobody_can_end_the_session_of_another_person(browser: Browser, world: World) -> None:
    olga = world.person(world.agency(), name="Olga Other")
    theirs, _ = another_session(olga)
    assert browser.post(f"/account/sessions/{theirs}/end").status == 404
    assert browser.post(f"/account/sessions/{encode('ses', uuid7())}/end").status == 404
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.query(UserSession).filter_by(user_id=olga.id).count() == 2


@pytest.mark.parametrize("number", [1, 3])
def test_the_account_page_costs_the_same_for_any_number_of_sessions(
    browser: Browser, ada: Person, statements: Statements, number: int
) -> None:
    for _ in range(number):
        another_session(ada)
    browser.get("/")  # so that the counters of the sidebar are there
    with statements.exactly(5):
        assert browser.get("/account").status == 200


@pytest.mark.parametrize("path", ["/account", "/no-agency"])
def test_pages_about_oneself_need_somebody(browse: Browse, path: str) -> None:
    assert browse().get(path).where == f"/sign-in?next={path}"


def test_switching_leads_to_the_other_agency_and_is_remembered(browser: Browser, world: World, ada: Person) -> None:
    other = world.agency("Second Studio")
    join(ada, other)
    page = browser.get("/")
    assert page.texts("#workspace-menu .menu-item") == ["SS Second Studio", "SL Studio Lumen"]
    answer = browser.post("/switch-agency", {"agency": other.public_id})
    assert (answer.status, answer.where) == (303, "/")
    assert browser.get("/").heading == "Second Studio"
    assert browser.get("/settings").status == 403


@pytest.mark.parametrize("where", ["foreign", "missing", "nonsense"])
def test_nobody_switches_into_an_agency_they_do_not_belong_to(browser: Browser, world: World, where: str) -> None:
    wanted = {"foreign": world.agency().public_id, "missing": encode("agc", uuid7()), "nonsense": "agc_x"}[where]
    assert browser.post("/switch-agency", {"agency": wanted}).status == 404
    assert browser.get("/").heading == "Studio Lumen"


def test_somebody_in_no_agency_is_told_whom_to_ask(browser: Browser, ada: Person) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.query(Membership).filter_by(user_id=ada.id).delete()
    assert browser.get("/").where == "/no-agency"
    page = browser.get("/no-agency")
    assert (page.heading, page.one("main b").get_text()) == ("You are in no agency yet", ada.email)
    assert browser.get("/account").status == 200


def test_a_suspended_agency_is_shut_and_says_so(browser: Browser, ada: Person, world: World) -> None:
    other = world.agency("Second Studio")
    join(ada, other)
    suspend(ada.agency_id)
    assert browser.get("/sites").where == "/no-agency"
    page = browser.get("/no-agency")
    assert page.heading == "Studio Lumen is suspended"
    assert browser.post("/switch-agency", {"agency": other.public_id}).where == "/"
    assert browser.get("/").heading == "Second Studio"


def test_the_page_for_those_without_agency_is_not_for_others(browser: Browser) -> None:
    assert browser.get("/no-agency").where == "/"


@pytest.mark.parametrize(
    ("chosen", "kept"), [("dark", "dark"), ("light", "light"), ("system", "system"), ("pink", None)]
)
def test_the_theme_is_kept_in_a_cookie(browse: Browse, chosen: str, kept: str | None) -> None:
    browser = browse()
    answer = browser.post("/theme", {"theme": chosen, "next": "/sign-in"})
    assert (answer.status, answer.where, browser.cookie("theme")) == (303, "/sign-in", kept)
    assert browser.get("/sign-in").one("html")["data-theme"] == (kept or "system")


def test_the_theme_switch_leads_nowhere_else(browse: Browse) -> None:
    assert browse().post("/theme", {"theme": "dark", "next": "//evil.test"}).where == "/"


def test_the_person_who_signs_in_is_listed_among_the_latest_tries(browser: Browser, ada: Person) -> None:
    assert browser.get("/account").texts("#sign-ins tbody tr") == []
    with platform_scope("test"), transaction(db.session()) as session:
        email = session.get_one(User, ada.id).email
    browser.client.delete_cookie("dramac_session")
    browser.post("/sign-in", {"email": email, "password": "not the right one"})
    browser.client.set_cookie("dramac_session", ada.cookie)
    rows = browser.get("/account").texts("#sign-ins tbody tr")
    assert [row.split(" 1")[0] for row in rows] == ["Wrong password Firefox on Linux"]
