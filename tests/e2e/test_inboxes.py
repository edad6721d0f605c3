"""An inbox in a real browser: by mouse, by keys, back, further records, acts; on a phone, in the dark, without scripts."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import Visit
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_inboxes import DESK

SHOTS = os.environ.get("SHOTS")
SUBJECTS = (
    "Cannot sign in on the tablet at reception", "Invoice of March names the old address", "Add Saturday to the opening hours",
    "Two bookings at the same time for the treatment room on the first floor", "Export stops half way", "Thank you",
)  # fmt: skip
TEXT = (
    "Since Monday this happens each time I try.\n\nI have switched it off and on again, and a colleague sees the same."
)


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def desk(world: World, agency: Agency, ada: Person) -> Installed:
    made = put_on_site(agency, world.site(agency, name="Harbour Dental"), DESK)
    topics = [made.add("topics", name=name)["id"] for name in ("Billing", "Booking", "Other")]
    for number in range(36):
        ticket = made.add(
            "tickets", subject=f"{number:02} {SUBJECTS[number % 6]}", text=TEXT, email=f"person{number}@mail.example",
            topic=topics[number % 3], urgency="high" if number % 5 == 2 else "low", due=f"2026-03-{number % 28 + 1:02}",
            owner=str(ada.id) if number % 2 else None,
        )  # fmt: skip
        if number < 4:
            made.add("replies", ticket=ticket["id"], text="We have a look at it today.")
    return made


def where(address: str, desk: Installed) -> str:
    return f"{address}/installs/{desk.public_id}/records/inbox"


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(path=f"{SHOTS}/inbox-{name}.png")


def shows(page: Page, number: str) -> None:
    """The record beside the list, its row, the address."""
    expect(page.locator("#inbox-name")).to_contain_text(f"{number} ")
    expect(page.locator(".inbox-title[aria-current]")).to_contain_text(f"{number} ")


def test_records_are_chosen_by_mouse_and_by_keys_and_back_goes_back(
    address: str, visit: Callable[..., Visit], ada: Person, desk: Installed
) -> None:
    seen = visit(where(address, desk), cookies={"dramac_session": ada.cookie})
    page = seen.page
    shows(page, "00")
    page.evaluate("window.same = true")
    page.locator(".inbox-row").nth(2).click()
    shows(page, "02")
    assert "record=" in page.url
    page.go_back()
    shows(page, "00")
    page.go_forward()
    shows(page, "02")
    page.keyboard.press("j")
    shows(page, "03")
    expect(page.locator(".inbox-title[aria-current]")).to_be_focused()
    page.keyboard.press("k")
    shows(page, "02")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    shows(page, "04")
    expect(page.locator(".inbox-title[aria-current]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#inbox-name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".inbox-title[aria-current]")).to_be_focused()
    assert (page.evaluate("window.same"), seen.complaints, seen.policy_violations()) == (True, [], [])
    # further records come into the list, and one of them keeps its place when the page is loaded anew
    page.locator(".inbox-title").last.scroll_into_view_if_needed()
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".inbox-row")).to_have_count(36)
    page.locator(".inbox-row").nth(30).click()
    shows(page, "30")
    page.reload()
    shows(page, "30")
    # a filter keeps it while it matches
    page.get_by_label("Search tickets").fill("30")
    expect(page.locator(".inbox-row")).to_have_count(1)
    shows(page, "30")
    page.locator(".chip").click()
    expect(page.locator(".inbox-row")).to_have_count(25)
    expect(page.locator("#inbox-name")).to_contain_text("30 ")
    assert (seen.complaints, seen.policy_violations()) == ([], [])


def test_an_act_leads_back_to_the_list_at_the_next_record_and_can_be_undone(
    address: str, visit: Callable[..., Visit], ada: Person, desk: Installed
) -> None:
    page = visit(where(address, desk), cookies={"dramac_session": ada.cookie}).page
    page.locator(".inbox-row").nth(1).click()
    shows(page, "01")
    page.get_by_role("button", name="Move to solved").click()
    shows(page, "02")
    expect(page.locator(".result-bar")).to_contain_text("35 tickets")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Subject").fill("02 Changed")
    page.get_by_role("button", name="Save ticket").click()
    expect(page.locator("#inbox-name")).to_have_text("02 Changed")
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Delete").click()
    shows(page, "03")
    page.locator("#toasts > .toast").filter(has_text="is deleted").get_by_role("button", name="Undo").click()
    shows(page, "02")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_an_inbox_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, desk: Installed, theme: str, width: int
) -> None:
    seen = visit(where(address, desk), theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    page = seen.page
    look(seen, f"{theme}-{width}")
    assert seen.faults() == []
    if width == 390:
        expect(page.locator("#inbox-name")).to_be_hidden()  # the list is one screen, the record another
        page.locator(".inbox-row").nth(3).click()
        expect(page.locator("#inbox-name")).to_be_in_viewport()
        expect(page.locator(".inbox-list")).to_be_hidden()
        look(seen, f"{theme}-{width}-record")
        assert seen.faults() == []
        page.get_by_role("link", name="To answer").last.click()
        expect(page.locator(".inbox-row").first).to_be_visible()
        expect(page.locator("#inbox-name")).to_be_hidden()


def test_an_inbox_works_by_links_without_scripts(
    address: str, visit: Callable[..., Visit], ada: Person, desk: Installed
) -> None:
    page = visit(where(address, desk), scripts=False, cookies={"dramac_session": ada.cookie}).page
    page.locator(".inbox-title").nth(2).click(position={"x": 5, "y": 5})
    shows(page, "02")
    page.get_by_role("link", name="Next: 03").click()
    shows(page, "03")
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".inbox-row")).to_have_count(11)
    page.get_by_role("link", name="Back to the beginning").click()
    expect(page.locator(".inbox-row")).to_have_count(25)
