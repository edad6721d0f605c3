"""Members and roles, invitations by letter, and the last owner."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.permissions import ROLE_PERMISSIONS, Permission, Role
from app.accounts.actions import create_user
from app.accounts.models import User
from app.db.base import db
from app.db.scope import identity_scope, platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.lib.ids import encode, uuid7
from app.tenancy.actions import members as actions
from app.tenancy.actions.members import LastOwner
from app.tenancy.models import Agency, Invitation, Membership
from tests.support.browser import Browser
from tests.support.letters import Postbox, link_in, words
from tests.support.statements import Statements
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.tenancy.test_sites import events_of, trail_of

PASSWORD = "copper lantern drifts quietly"


def new_address() -> str:
    return f"new-{uuid7().hex[-8:]}@example.test"


def membership_of(person: Person) -> str:
    with platform_scope("test"), transaction(db.session()) as session:
        row = session.scalars(select(Membership).where(Membership.user_id == person.id)).one()
        return row.public_id


def roles_of(agency: Agency) -> dict[str, str]:
    """{e-mail: role}."""
    with platform_scope("test"), transaction(db.session()) as session:
        rows = session.execute(
            select(User.email, Membership.role).join(Membership, Membership.user_id == User.id)
            .where(Membership.agency_id == agency.id)
        )  # fmt: skip
        return {row.email: row.role for row in rows}


def invite(browser: Browser, email: str, role: str = "member", **given: Any) -> Any:
    return browser.post("/members/invite", {"email": email, "role": role}, **given)


def age_invitations(agency: Agency, gap: timedelta) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        for row in session.scalars(select(Invitation).where(Invitation.agency_id == agency.id)):
            row.expires_at -= gap


@pytest.fixture
def adam(browse: Browse, world: World, agency: Agency) -> Browser:
    """An administrator."""
    return browse(world.person(agency, Role.ADMIN, name="Adam Admin"))


def test_a_letter_lets_somebody_new_join(
    ada: Browser, browse: Browse, agency: Agency, ada_person: Person, postbox: Postbox
) -> None:
    email = new_address()
    assert invite(ada, email.upper(), "developer").where == "/members"
    letter = postbox.to(email)[0]
    assert letter["Subject"] == "Ada Bright invites you to Studio Lumen on Dramac"
    assert "as Developer" in words(letter)
    link = link_in(letter)
    assert link in words(letter, "html")

    browser = browse()
    page = browser.get(link)
    assert page.heading == "Join Studio Lumen"
    weak = browser.post(link, {"name": "Nina New", "password": "password1234"})
    assert (weak.status, len(weak.errors)) == (422, 1)
    answer = browser.post(link, {"name": "Nina New", "password": PASSWORD})
    assert (answer.status, answer.where) == (303, "/")
    home = browser.get("/")
    assert (home.status, home.heading) == (200, "Studio Lumen")
    assert roles_of(agency) == {ada_person.email: "owner", email: "developer"}
    assert [kind for kind, _, _ in events_of(agency)] == ["member.invited", "member.joined"]
    again = browse().get(link)
    assert (again.status, again.heading) == (404, "This invitation does not work any more")
    assert browse().post("/sign-in", {"email": email, "password": PASSWORD}).status == 303


def test_somebody_with_an_account_joins_with_it(
    ada: Browser, browse: Browse, agency: Agency, world: World, postbox: Postbox
) -> None:
    olga = world.person(world.agency("Other Place"), name="Olga Other")
    invite(ada, olga.email, "viewer")
    link = link_in(postbox.to(olga.email)[0])
    stranger = browse()
    assert stranger.get(link).one("main a.btn")["href"] == f"/sign-in?next={link}"
    assert stranger.post(link, {"name": "Eve", "password": PASSWORD}).status == 409

    browser = browse(olga)
    assert browser.get(link).texts("main form button") == ["Join as Olga Other"]
    assert browser.post(link).where == "/"
    assert browser.get("/").heading == "Studio Lumen"
    assert roles_of(agency)[olga.email] == "viewer"


def test_an_invitation_is_for_one_address_only(
    ada: Browser, browse: Browse, agency: Agency, world: World, postbox: Postbox
) -> None:
    email = new_address()
    invite(ada, email)
    link = link_in(postbox.to(email)[0])
    eve = browse(world.person(world.agency(), name="Eve"))
    assert eve.get(link).texts(".callout-title")[0].startswith("You are signed in as ")
    assert eve.post(link).status == 409
    assert email not in roles_of(agency)


@pytest.mark.parametrize("why", ["expired", "withdrawn", "sent again", "suspended"])
def test_a_link_that_ended_lets_nobody_join(
    ada: Browser, browse: Browse, agency: Agency, postbox: Postbox, why: str
) -> None:
    email = new_address()
    invite(ada, email)
    link = link_in(postbox.to(email)[0])
    row = ada.get("/members").ids("#invitations tbody tr")[0]
    if why == "expired":
        age_invitations(agency, timedelta(days=7, seconds=1))
    elif why == "suspended":
        with platform_scope("test"), transaction(db.session()) as session:
            session.get_one(Agency, agency.id).suspended_at = utcnow()
    else:
        act = "revoke" if why == "withdrawn" else "resend"
        assert ada.post(f"/members/invitations/{row}/{act}").where == "/members"
    browser = browse()
    assert browser.get(link).status == 404
    assert browser.post(link, {"name": "Nina", "password": PASSWORD}).status == 404
    assert email not in roles_of(agency)


def test_sending_again_gives_a_new_link_for_seven_days(
    ada: Browser, browse: Browse, agency: Agency, postbox: Postbox
) -> None:
    email = new_address()
    invite(ada, email)
    age_invitations(agency, timedelta(days=6))
    row = ada.get("/members").ids("#invitations tbody tr")[0]
    ada.post(f"/members/invitations/{row}/resend")
    link = link_in(postbox.to(email)[1])
    assert browse().get(link).status == 200
    with platform_scope("test"), transaction(db.session()) as session:
        kept = session.scalars(select(Invitation).where(Invitation.agency_id == agency.id)).one()
    assert kept.token_hash == token_hash(link.rpartition("/")[2])
    assert timedelta(days=6, hours=23) < kept.expires_at - utcnow() < timedelta(days=7, seconds=1)


@pytest.mark.parametrize(
    ("email", "status", "error"),
    [
        ("", 422, "Enter an e-mail address."),
        ("nobody", 422, "This is not an e-mail address: an email address must have an @-sign."),
        ("member", 409, "This person already belongs to the agency."),
        ("invited", 409, "There is an open invitation for this address. Send it again instead."),
    ],
)
@pytest.mark.parametrize("htmx", [None, "invite-box"])
def test_who_cannot_be_invited(
    ada: Browser, ada_person: Person, email: str, status: int, error: str, htmx: str | None
) -> None:
    invited = new_address()
    invite(ada, invited)
    wanted = {"member": ada_person.email, "invited": invited}.get(email, email)
    page = invite(ada, wanted, htmx=htmx)
    assert (page.status, page.errors) == (status, [error])


def test_an_expired_invitation_does_not_stand_in_the_way(ada: Browser, agency: Agency) -> None:
    email = new_address()
    invite(ada, email)
    age_invitations(agency, timedelta(days=8))
    assert ada.get("/").texts("#attention .badge") == ["Expired"]
    assert invite(ada, email).status == 303
    assert len(ada.get("/members").ids("#invitations tbody tr")) == 1


def test_only_owners_make_owners(ada: Browser, adam: Browser, agency: Agency, world: World) -> None:
    vic = world.person(agency, Role.VIEWER, name="Vic")
    choices = [str(option["value"]) for option in adam.get("/members").html.select("#invite-form option")]
    assert "owner" not in choices
    assert invite(adam, new_address(), "owner").status == 403
    adam.post(f"/members/{membership_of(vic)}/role", {"role": "owner"})
    assert adam.get("/members").texts("#toasts .toast-note") == ["Only an owner can make or unmake owners."]
    assert roles_of(agency)[vic.email] == "viewer"
    ada.post(f"/members/{membership_of(vic)}/role", {"role": "owner"})
    assert roles_of(agency)[vic.email] == "owner"
    assert [row for row in trail_of(agency) if row[0] == "member.role_changed"] == [
        ("member.role_changed", "Vic", {"role": ["viewer", "owner"]})
    ]


def test_only_owners_unmake_owners(adam: Browser, agency: Agency, ada_person: Person) -> None:
    member_id = membership_of(ada_person)
    adam.post(f"/members/{member_id}/role", {"role": "viewer"})
    adam.post(f"/members/{member_id}/remove")
    assert roles_of(agency)[ada_person.email] == "owner"


def test_an_owners_letter_cannot_be_sent_again_by_an_administrator(ada: Browser, adam: Browser) -> None:
    invite(ada, new_address(), "owner")
    row = adam.get("/members").ids("#invitations tbody tr")[0]
    assert adam.post(f"/members/invitations/{row}/resend").status == 403


@pytest.mark.parametrize("act", ["role", "remove"])
def test_the_last_owner_stays(ada: Browser, agency: Agency, ada_person: Person, act: str) -> None:
    ada.post(f"/members/{membership_of(ada_person)}/{act}", {"role": "admin"})
    assert ada.get("/members").texts("#toasts .toast-note") == [
        "An agency keeps at least one owner. Make somebody else an owner first."
    ]
    assert roles_of(agency) == {ada_person.email: "owner"}


@pytest.mark.parametrize("round_", range(3))
def test_two_owners_who_unmake_each_other_at_once_leave_one(
    platform_app: Flask, world: World, agency: Agency, ada_person: Person, round_: int
) -> None:
    people = [ada_person, world.person(agency, Role.OWNER, name="Otto Owner")]
    both_ready = threading.Barrier(2)
    outcomes: list[str] = []

    def unmake(by: Person, other: Person) -> None:
        with platform_app.app_context(), tenant_scope(agency.id), transaction(db.session()) as session:
            row = session.scalars(select(Membership).where(Membership.user_id == other.id)).one()
            both_ready.wait(timeout=10)
            try:
                actions.change_role(session, membership=row, role=Role.VIEWER, name=other.name, by=by.actor)
                session.commit()
                outcomes.append("changed")
            except LastOwner:
                outcomes.append("refused")

    threads = [threading.Thread(target=unmake, args=pair) for pair in (people, people[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(outcomes) == ["changed", "refused"]
    assert sorted(roles_of(agency).values()) == ["owner", "viewer"]


def test_a_removed_person_sees_nothing_from_the_next_request_on(
    ada: Browser, browse: Browse, world: World, agency: Agency
) -> None:
    tom = world.person(agency, Role.MEMBER, name="Tom")
    browser = browse(tom)
    assert browser.get("/sites").status == 200
    ada.post(f"/members/{membership_of(tom)}/remove")
    assert browser.get("/sites").where == "/no-agency"


def test_a_changed_role_counts_from_the_next_request_on(
    ada: Browser, browse: Browse, world: World, agency: Agency
) -> None:
    tom = world.person(agency, Role.MEMBER, name="Tom")
    browser = browse(tom)
    assert browser.get("/sites/new").status == 200
    ada.post(f"/members/{membership_of(tom)}/role", {"role": "viewer"})
    assert browser.get("/sites/new").status == 403


@pytest.mark.parametrize(
    "path",
    ["/members/invite", "/members/{member}/role", "/members/{member}/remove",
     "/members/invitations/{invitation}/resend", "/members/invitations/{invitation}/revoke"],
)  # fmt: skip
def test_members_are_managed_by_those_who_may_and_exist_for_nobody_else(
    ada: Browser, vic: Browser, olga: Browser, agency: Agency, ada_person: Person, path: str
) -> None:
    invite(ada, new_address())
    row = ada.get("/members").ids("#invitations tbody tr")[0]
    sent = {"role": "viewer", "email": new_address()}
    where = path.format(member=membership_of(ada_person), invitation=row)
    before = roles_of(agency), len(events_of(agency))
    assert vic.post(where, sent).status == 403
    if "{" in path:
        missing = path.format(member=encode("mbr", uuid7()), invitation=encode("inv", uuid7()))
        assert [olga.post(each, sent).status for each in (where, missing)] == [404, 404]
    assert (roles_of(agency), len(events_of(agency))) == before


def test_a_viewer_sees_people_but_no_invitations(ada: Browser, vic: Browser) -> None:
    invite(ada, new_address())
    page = vic.get("/members")
    assert (page.html.select("#invitations"), page.html.select("#invite-form")) == ([], [])
    assert len(page.ids("#members tbody tr")) == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [("", ["Ada Bright", "Zoe Q"]), ("?q=zoe", ["Zoe Q"]), ("?role=owner", ["Ada Bright"]), ("?q=%", [])],
)
def test_the_list_is_what_its_address_says(
    ada: Browser, world: World, agency: Agency, query: str, found: list[str]
) -> None:
    world.person(agency, Role.MEMBER, name="Zoe Q")
    assert ada.get(f"/members{query}").texts("#members .person b") == found
    assert ada.get(f"/members{query}", htmx="results").texts("#members .person b") == found


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_for_any_number_of_people(
    ada: Browser, world: World, agency: Agency, statements: Statements, rows: int
) -> None:
    for _ in range(rows):
        world.person(agency, Role.MEMBER)
        invite(ada, new_address())
    ada.get("/sites")
    with statements.exactly(5):
        assert ada.get("/members").status == 200


def test_roles_are_explained_from_the_table_that_decides(vic: Browser) -> None:
    page = vic.get("/members/roles")
    rows = page.html.select("#roles tbody tr")
    assert len(rows) == len(Permission)
    shown = {
        (permission, role)
        for permission, row in zip(Permission, rows, strict=True)
        for role, cell in zip(Role, row.select("td"), strict=True)
        if cell.select_one("svg")
    }
    assert shown == {(permission, role) for role, held in ROLE_PERMISSIONS.items() for permission in held}


def test_two_who_open_one_link_at_once_make_one_account(
    platform_app: Flask, ada: Browser, browse: Browse, agency: Agency, postbox: Postbox
) -> None:
    email = new_address()
    invite(ada, email)
    link = link_in(postbox.to(email)[0])
    browsers = [browse(), browse()]
    for browser in browsers:
        browser.get(link)
    answers: list[int] = []

    def join(browser: Browser) -> None:
        answers.append(browser.post(link, {"name": "Nina New", "password": PASSWORD}).status)

    threads = [threading.Thread(target=join, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert set(answers) <= {303, 404}
    assert list(roles_of(agency)).count(email) == 1


def test_somebody_known_by_then_is_led_to_sign_in(ada: Browser, browse: Browse, postbox: Postbox) -> None:
    email = new_address()
    invite(ada, email)
    link = link_in(postbox.to(email)[0])
    browser = browse()
    browser.get(link)
    with identity_scope(), transaction(db.session()) as session:
        create_user(session, email=email, name="Nina", password=PASSWORD, now=utcnow())
    page = browser.post(link, {"name": "Eve", "password": PASSWORD})
    assert page.status == 409
    assert page.texts("main a.btn") == ["Sign in to join"]
