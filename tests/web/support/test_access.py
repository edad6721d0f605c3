"""T8, support access: with leave, a reason and an end; only looking; on the agency's own trail; decided by the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from psycopg import errors
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.access.permissions import SUPPORT_PERMISSIONS, Permission, Role
from app.accounts.models import User
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, support_scope, tenant_scope
from app.db.session import SupportOver, transaction
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.support.access.models import SupportAccess, SupportSwitch
from app.tenancy.models import Agency, Site
from tests.security.conftest import Enter, enter
from tests.support.browser import Browser
from tests.support.everything import make_everything, member_routes
from tests.support.letters import Postbox
from tests.support.world import Person, World
from tests.web.conftest import Browse

__all__ = ["enter"]

REASON = "Bookings fail since Monday"


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER)


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


@pytest.fixture
def sam_person(world: World) -> Person:
    return world.person(world.agency("Dramac"), Role.MEMBER, name="Sam Reyes", staff_role="support")


@pytest.fixture
def sam(browse: Browse, sam_person: Person) -> Browser:
    return browse(sam_person)


Leave = Callable[..., SupportAccess]


@pytest.fixture
def leave(agency: Agency, sam_person: Person) -> Leave:
    """leave(hours_ago=2): an agency that allows support, and an access of Sam's that began then, for one hour."""

    def make(*, hours_ago: float = 0, mode: str = "allow", **values: Any) -> SupportAccess:
        began = utcnow() - timedelta(hours=hours_ago)
        access = SupportAccess(
            id=uuid7(), agency_id=agency.id, staff_id=sam_person.id, staff_name="Sam Reyes", reason=REASON, hours=1,
            status="active", decided_at=began, expires_at=began + timedelta(hours=1), **values,
        )  # fmt: skip
        _switch(agency, "allow")
        with platform_scope("test world"), transaction(db.session()) as session:
            session.add(access)
        _switch(agency, mode)
        return access

    return make


def _switch(agency: Agency, mode: str) -> None:
    with tenant_scope(agency.id), transaction(db.session()) as session:
        session.merge(SupportSwitch(agency_id=agency.id, mode=mode, changed_at=utcnow()))


def ask(sam: Browser, agency: Agency, **values: str) -> Any:
    return sam.post(f"/staff/agencies/{agency.public_id}/ask", {"reason": REASON, "hours": "4", **values})


def the_access(agency: Agency) -> SupportAccess:
    with platform_scope("test look"), transaction(db.session()) as session:
        return session.scalars(select(SupportAccess).where(SupportAccess.agency_id == agency.id)).one()


def go_in(sam: Browser, access: SupportAccess) -> None:
    assert sam.post(f"/staff/accesses/{access.public_id}/enter").where == "/"


def test_T8_asked_allowed_looked_and_ended(
    ada: Browser, ada_person: Person, sam: Browser, agency: Agency, postbox: Postbox
) -> None:
    assert ask(sam, agency).where == f"/staff/agencies/{agency.public_id}"
    access = the_access(agency)
    assert (access.status, access.hours, access.expires_at) == ("asked", 4, None)
    [letter] = postbox.to(ada_person.email)
    assert REASON in str(letter)
    assert sam.post(f"/staff/accesses/{access.public_id}/enter").status == 409  # not yet
    assert "asks to look" in ada.get("/").texts(".support-bar")[0]
    assert ada.post(f"/support-access/{access.public_id}/allow").status == 303
    granted = the_access(agency)
    assert granted.expires_at is not None
    assert granted.decided_at is not None
    assert granted.expires_at - granted.decided_at == timedelta(hours=4)
    go_in(sam, access)
    page = sam.get("/logs?kind=run")
    assert (page.status, "You look at Studio Lumen as support" in page.texts(".support-bar")[0]) == (200, True)
    assert "may look at this agency now" in ada.get("/").texts(".support-bar")[0]
    assert ada.post(f"/support-access/{access.public_id}/end").status == 303
    assert [sam.get("/").texts(".support-bar"), ada.get("/").texts(".support-bar")] == [[], []]
    trail = [(row[1], row[2], row[3]) for row in audited(ada)]
    assert trail == [
        ("Ada Bright", "Support access ended", REASON),
        ("Sam Reyes (Dramac support)", "Looked at by support", "/logs"),
        ("Ada Bright", "Support access began", REASON),
        ("Sam Reyes", "Support asked for access", REASON),
    ]


def audited(ada: Browser) -> list[list[str]]:
    page = ada.get("/audit")
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.html.select("#audit tbody tr")
    ]


@pytest.mark.parametrize(
    ("mode", "status", "state"), [("allow", 303, "active"), ("ask", 303, "asked"), ("refuse", 403, None)]
)
def test_T8_the_switch_decides(
    ada: Browser, sam: Browser, agency: Agency, mode: str, status: int, state: str | None
) -> None:
    assert ada.post("/support-access/switch", {"mode": mode}).status == 303
    assert ask(sam, agency).status == status
    if state:
        assert the_access(agency).status == state
    assert ada.post("/support-access/switch", {"mode": "refuse"}).status == 303
    assert [cells[-1] for cells in accesses(ada)] == (
        [] if state is None else ["Ended" if state == "active" else "Refused"]
    )


def accesses(ada: Browser) -> list[list[str]]:
    page = ada.get("/support-access")
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.html.select("#accesses tbody tr")
    ]


@pytest.mark.parametrize("values", [{"reason": "because"}, {"reason": "x" * 501}, {"hours": "48"}, {"hours": "x"}])
def test_T8_without_a_reason_or_an_end_there_is_no_access(sam: Browser, agency: Agency, values: dict[str, str]) -> None:
    page = ask(sam, agency, **values)
    assert (page.status, page.heading, len(page.errors)) == (422, agency.name, 1)
    assert page.one(f"#ask-form [name={next(iter(values))}]")["aria-invalid"] == "true"
    assert page.one("#ask-form [name=reason]").get_text() == values.get("reason", REASON)


def test_T8_inside_no_file_is_taken_along(sam: Browser, ada: Browser, leave: Leave) -> None:
    go_in(sam, leave())
    for path in ("/logs.csv", "/logs.jsonl", "/audit.csv"):
        assert (sam.get(path).status, ada.get(path).status) == (403, 200)
    for path in ("/logs", "/audit"):
        page = sam.get(path)
        assert (page.status, page.html.select("a[download]")) == (200, [])


def test_T8_a_wrong_switch_is_answered_where_it_stands(ada: Browser) -> None:
    page = ada.post("/support-access/switch", {"mode": "sometimes"})
    assert (page.status, page.heading, page.errors) == (422, "Support access", ["Choose one of the three."])


def test_T8_one_person_has_one_request_or_leave_at_a_time(
    sam: Browser, agency: Agency, leave: Leave, sam_person: Person
) -> None:
    leave(hours_ago=2, mode="ask")  # its time ran out: it makes room
    assert ask(sam, agency).status == 303
    assert ask(sam, agency).status == 409
    states = [row[-1] for row in staff_rows(sam, agency)]
    assert states == ["Waiting for leave", "Time ran out"]
    with (
        pytest.raises(DBAPIError, match="support_accesses_one"),
        platform_scope("test world"),
        transaction(db.session()) as session,
    ):
        session.add(
            SupportAccess(
                id=uuid7(), agency_id=agency.id, staff_id=sam_person.id, staff_name="Sam Reyes", reason=REASON, hours=1,
                status="asked",
            )
        )  # fmt: skip


def staff_rows(sam: Browser, agency: Agency) -> list[list[str]]:
    page = sam.get(f"/staff/agencies/{agency.public_id}")
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
        for row in page.html.select("#accesses tbody tr")
    ]


def test_T8_no_one_else_has_staffs_pages_or_anothers_access(
    browse: Browse, world: World, ada: Browser, agency: Agency, leave: Leave
) -> None:
    access = leave()
    assert [ada.get("/staff/agencies").status, ada.post(f"/staff/accesses/{access.public_id}/enter").status] == [
        404,
        404,
    ]
    tom = browse(world.person(world.agency(), staff_role="support", name="Tom"))
    assert [tom.post(f"/staff/accesses/{access.public_id}/{what}").status for what in ("enter", "end")] == [404, 404]
    member = browse(world.person(agency, Role.DEVELOPER))
    assert [member.get("/support-access").status, member.post("/support-access/switch", {"mode": "allow"}).status] == [
        403,
        403,
    ]


def test_T8_inside_only_what_support_may_see_opens_and_nothing_changes(
    browse: Browse, world: World, config: Config, platform_app: Flask, sam_person: Person
) -> None:
    everything = make_everything(world, config, platform_app)
    agency = Agency(id=everything.ada.agency_id)
    _switch(agency, "allow")
    sam = browse(sam_person)
    assert ask(sam, agency).status == 303
    with platform_scope("test look"), transaction(db.session()) as session:
        mine = select(SupportAccess).where(SupportAccess.staff_id == sam_person.id)
        go_in(sam, session.scalars(mine).one())
    wrong, opened = [], 0
    for rule, method, access in member_routes(platform_app):
        path = everything.path(rule)
        answer = sam.get(path) if method == "GET" else sam.post(path, everything.bodies.get(rule.endpoint))
        file = path.endswith((".csv", ".jsonl", ".zip"))  # nothing is taken along
        allowed = method == "GET" and access.permission in SUPPORT_PERMISSIONS and not file
        opened += answer.status in (200, 204, 303)
        if (answer.status == 403) == allowed or answer.status >= 500:
            wrong.append(f"{method} {path}: {answer.status}")
    assert wrong == []
    assert opened > 20
    forbidden = {Permission.RECORDS_VIEW, Permission.RECORDS_EXPORT, Permission.WEBHOOKS_MANAGE, Permission.KEYS_MANAGE}
    assert forbidden & SUPPORT_PERMISSIONS == set()
    assert "support.viewed" in sam.get("/logs?kind=audit").text


# -- the database by itself


def read_sites(agency: Agency, access: SupportAccess, person: Person) -> int:
    with support_scope(agency.id, access_id=access.id, user_id=person.id), transaction(db.session()) as session:
        return len(session.scalars(select(Site)).all())


def test_T8_the_database_shows_the_agency_while_the_leave_holds_and_takes_nothing(
    world: World, agency: Agency, sam_person: Person, leave: Leave
) -> None:
    site = world.site(agency)
    access = leave()
    assert read_sites(agency, access, sam_person) == 1
    scope = support_scope(agency.id, access_id=access.id, user_id=sam_person.id)
    with pytest.raises(Exception, match="read-only transaction"), scope, transaction(db.session()) as session:
        session.get_one(Site, site.id).name = "Changed"


@pytest.mark.parametrize("why", ["over", "refused since", "anothers", "another agency", "no staff any more"])
def test_T8_the_database_shows_nothing_without_leave(
    world: World, agency: Agency, sam_person: Person, leave: Leave, why: str
) -> None:
    world.site(agency)
    access = leave(hours_ago=2 if why == "over" else 0, mode="refuse" if why == "refused since" else "allow")
    person, where = sam_person, agency
    if why == "anothers":
        person = world.person(world.agency(), staff_role="support")
    if why == "another agency":
        where = world.agency()
    if why == "no staff any more":
        _dismiss(sam_person)
    with pytest.raises(SupportOver):
        read_sites(where, access, person)


def _dismiss(person: Person) -> None:
    with platform_scope("test world"), transaction(db.session()) as session:
        session.get_one(User, person.id).staff_role = None


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO support_accesses (agency_id, staff_id, staff_name, reason, hours, status, decided_at, expires_at) "
        "VALUES (%(agency)s, %(sam)s, 'Sam', 'a reason of mine', 1, 'active', now(), now() + interval '1 hour')",
        "UPDATE support_accesses SET status = 'active' WHERE agency_id = %(agency)s",
        "UPDATE support_accesses SET expires_at = now() + interval '1 year' WHERE agency_id = %(agency)s",
        "INSERT INTO support_switches (agency_id, mode, changed_at) VALUES (%(agency)s, 'allow', now())",
        "UPDATE support_switches SET mode = 'allow'",
        "SELECT support_agency(%(agency)s, %(sam)s)",
    ],
)
def test_T8_staff_gives_itself_no_leave(
    sam: Browser, sam_person: Person, agency: Agency, enter: Enter, statement: str
) -> None:
    ask(sam, agency)
    with enter("dramac_staff") as connection, pytest.raises((errors.InsufficientPrivilege, errors.CheckViolation)):
        connection.execute(statement, {"agency": agency.id, "sam": sam_person.id})


def test_T8_no_leave_is_longer_than_was_asked_for(agency: Agency, leave: Leave, enter: Enter) -> None:
    leave()
    with enter("dramac_app", agency_id=agency.id) as connection, pytest.raises(errors.CheckViolation):
        connection.execute("UPDATE support_accesses SET expires_at = now() + interval '2 hours'")


def test_T8_agencies_are_found_by_name(sam: Browser, world: World) -> None:
    name = f"Vinyl {uuid7().hex[-10:]}"
    agency = world.agency(name)
    page = sam.get(f"/staff/agencies?q={name}")
    assert page.ids("#agencies tbody tr") == [encode("agc", agency.id)]
    assert sam.get("/staff/agencies?q=nobody-has-this-name").texts(".empty-state h2") == ["No agency of that name"]
