"""Every screen of an agency and its people: light, dark, wide and on a phone; nothing refused, nothing unreadable."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.access.permissions import Role
from app.accounts.models import User
from app.accounts.passwords import hash_password
from app.config import Config
from app.db.base import db
from app.db.scope import identity_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.tenancy.actions import members as member_actions
from app.tenancy.actions import sites as site_actions
from app.tenancy.models import Agency
from tests.e2e.conftest import Theme, Visit
from tests.support.world import Person, World

PATHS = ("/", "/sites", "/sites?q=nothing&status=all", "/sites/{site}", "/sites/new", "/sites/{site}/edit", "/clients",
         "/clients/{client}", "/clients/new", "/members", "/members/roles", "/settings", "/audit", "/logs", "/support-access",
         "/account", "/dev/mailbox")  # fmt: skip
PASSWORD = "copper lantern drifts quietly"
NOBODYS = ("/sign-in", "/status", "/forgot-password", "/reset-password/stale", "/join/stale")


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency("Studio Lumen"), Role.OWNER, name="Ada Bright")


@pytest.fixture
def places(world: World, ada: Person, config: Config) -> dict[str, str]:
    """A site, its client, a colleague, an invitation and a trail of changes."""
    agency = Agency(id=ada.agency_id)
    world.person(agency, Role.MEMBER, name="Tom Ellis")
    client = world.client(agency, "Harbour Group")
    now = utcnow()
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        site = site_actions.create_site(
            session, client=client, name="Harbour Dental", url="https://harbour.example", by=ada.actor, now=now
        )
        site_actions.archive_site(session, site=site, by=ada.actor, now=now)
        member_actions.invite_member(
            session, agency_id=ada.agency_id, email="lena@example.test", role=Role.MEMBER, by=ada.actor,
            link=lambda token: f"http://localhost:8000/join/{token}", keys=config.secret_keys, now=now,
        )  # fmt: skip
    return {"site": site.public_id, "client": client.public_id}


@pytest.mark.timeout(300)  # every screen there is: on a busy machine that takes its time
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_screens_hold_to_policy_and_accessibility(
    address: str, visit: Callable[..., Visit], ada: Person, places: dict[str, str], theme: Theme, width: int
) -> None:
    broken = {}
    seen = visit(f"{address}/", theme=theme, width=width, many=True, cookies={"dramac_session": ada.cookie})
    for path in PATHS:
        seen.go(address + path.format(**places))
        broken[path] = seen.faults()
    seen.page.context.clear_cookies()
    for path in NOBODYS:
        seen.go(address + path)
        broken[path] = [fault for fault in seen.faults() if "404" not in fault]
    assert {path: found for path, found in broken.items() if found} == {}


def test_without_scripts_one_signs_in_and_makes_a_client_and_a_site(
    address: str, visit: Callable[..., Visit], ada: Person
) -> None:
    with identity_scope(ada.id), transaction(db.session()) as session:
        session.get_one(User, ada.id).password_hash = hash_password(PASSWORD)
    page = visit(f"{address}/clients", scripts=False).page
    page.get_by_label("E-mail").fill(ada.email)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{address}/clients")
    page.get_by_role("link", name="Add client").first.click()
    page.get_by_label("Name").first.fill("Harbour Group")
    page.get_by_role("button", name="Add client").click()
    page.get_by_role("link", name="Add site").first.click()
    page.get_by_role("button", name="Add site").click()
    expect(page.get_by_text("Enter a name.").first).to_be_visible()
    page.get_by_label("Name").first.fill("Harbour Dental")
    page.get_by_role("button", name="Add site").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbour Dental")
    page.goto(f"{address}/sites")
    page.get_by_role("searchbox", name="Search sites").fill("zzz")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("heading", name="No site matches")).to_be_visible()


def test_with_scripts_a_list_follows_what_is_typed_and_back_undoes_it(
    address: str, visit: Callable[..., Visit], ada: Person, places: dict[str, str]
) -> None:
    seen = visit(f"{address}/sites?status=all", cookies={"dramac_session": ada.cookie})
    page = seen.page
    page.get_by_role("searchbox", name="Search sites").fill("zzz")
    expect(page.get_by_role("heading", name="No site matches")).to_be_visible()
    assert "q=zzz" in page.url
    assert "status=all" in page.url
    page.go_back()
    expect(page.get_by_role("link", name="Harbour Dental")).to_be_visible()
    assert seen.faults() == []


def test_with_scripts_a_refused_form_stays_and_says_why(
    address: str, visit: Callable[..., Visit], ada: Person, places: dict[str, str]
) -> None:
    seen = visit(f"{address}/members", cookies={"dramac_session": ada.cookie})
    page = seen.page
    page.get_by_label("E-mail").fill(ada.email)
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("This person already belongs to the agency.")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value(ada.email)
    assert [text for text in seen.faults() if "409" not in text] == []


def test_with_scripts_a_site_is_archived_after_a_question_and_brought_back_by_undo(
    address: str, visit: Callable[..., Visit], ada: Person, world: World
) -> None:
    site = world.site(Agency(id=ada.agency_id), name="Vinyl District")
    page = visit(f"{address}/sites/{site.public_id}", cookies={"dramac_session": ada.cookie}).page
    page.get_by_role("button", name="Archive").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Archive site").click()
    expect(page.get_by_text("This site is archived")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("This site is archived")).not_to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or jump to").fill("vinyl")
    expect(page.get_by_role("option", name="Vinyl District Site")).to_be_visible()
