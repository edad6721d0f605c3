"""A board in a real browser: a card moved by mouse, by keyboard, refused, taken back; and on a phone in the dark."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import Visit
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_boards import SALES

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def sales(world: World, agency: Agency) -> Installed:
    made = put_on_site(agency, world.site(agency, name="Harbour Boats", currency="EUR"), SALES)
    for number, name in enumerate(("Anchor", "Boat", "Crane", "Dinghy with a very long name that needs two lines")):
        made.add("deals", name=name, stars=number + 1, amount=125000 * number, due="2026-03-14")
    return made


def column(page: Page, key: str) -> Locator:
    return page.locator(f'[data-column="{key}"]')


def card(page: Page, name: str) -> Locator:
    return page.locator("[data-card]", has=page.get_by_role("link", name=name))


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(path=f"{SHOTS}/board-{name}.png", full_page=True)


def drag(page: Page, what: Locator, to: Locator, *, hold: bool = False) -> None:
    start, end = what.bounding_box(), to.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 60, start["y"] + 14)  # over its link, which must not be followed
    page.mouse.down()
    page.mouse.move(end["x"] + 60, end["y"] + 90, steps=8)
    if not hold:
        page.mouse.up()


def test_a_card_is_moved_by_mouse_and_by_keyboard_and_taken_back(
    address: str, visit: Callable[..., Visit], ada: Person, sales: Installed
) -> None:
    where = f"{address}/installs/{sales.public_id}/records/outcome"
    seen = visit(where, cookies={"dramac_session": ada.cookie})
    page = seen.page
    assert (seen.complaints, seen.policy_violations(), seen.axe_faults()) == ([], [], [])
    page.evaluate("window.same = true")
    drag(page, card(page, "Boat"), column(page, "won"), hold=True)
    look(seen, "held")
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("Boat is moved")
    expect(column(page, "won").locator(".cnt")).to_have_text("1")
    assert (page.url, page.evaluate("window.same")) == (where, True)  # nothing was loaded anew, no link followed
    # by keyboard: the menu of the card that was moved last has the focus
    move = card(page, "Boat").get_by_role("button", name="Move Boat to…")
    expect(move).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_focused()
    look(seen, "menu")
    page.keyboard.press("Enter")
    expect(column(page, "open").locator(".cnt")).to_have_text("4")
    expect(card(page, "Boat").get_by_role("button", name="Move Boat to…")).to_be_focused()
    # refused: the card is back, and says why
    drag(page, card(page, "Crane"), column(page, "lost"))
    expect(card(page, "Crane").locator(".board-why")).to_contain_text("Why it was lost is required")
    expect(column(page, "lost").locator(".cnt")).to_have_text("0")
    look(seen, "refused")
    assert seen.axe_faults() == []
    # let go where it was, or given up with Escape: nothing is sent
    drag(page, card(page, "Anchor"), column(page, "won"), hold=True)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(column(page, "open").locator("[data-card]")).to_have_count(4)
    # taken back from the notice
    drag(page, card(page, "Anchor"), column(page, "won"))
    expect(column(page, "won").locator(".cnt")).to_have_text("1")
    notice = page.locator("#toasts > .toast").filter(has_text="Anchor is moved")
    notice.get_by_role("button", name="Undo").click()
    expect(column(page, "open").locator(".cnt")).to_have_text("4")
    assert sorted(row["status"] for row in sales.data.list("deals").records) == ["open"] * 4
    # the server is away: the card goes back by itself
    page.route("**/outcome/move*", lambda route: route.abort())
    drag(page, card(page, "Boat"), column(page, "won"))
    expect(column(page, "open").locator("[data-card]")).to_have_count(4)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_board_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, sales: Installed, theme: str, width: int
) -> None:
    for name in ("First talk", "Offer made", "Waiting"):
        stage = sales.add("stages", name=name)
        sales.add(
            "deals", name=f"{name}: a fleet", stage=stage["id"], amount=990000, due="2026-05-01", owner=str(ada.id)
        )
    sales.add("deals", name="Closed deal", status="won")
    where = f"{address}/installs/{sales.public_id}/records/pipeline"
    seen = visit(where, theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    look(seen, f"{theme}-{width}")
    assert seen.faults() == []
    if width == 390:
        seen.page.locator("[data-board]").evaluate("board => board.scrollBy(1000, 0)")
        expect(seen.page.get_by_role("heading", name="None")).to_be_in_viewport()
        card(seen.page, "Anchor").get_by_role("button", name="Move Anchor to…").click()
        seen.page.get_by_role("button", name="First talk", exact=True).click()
        expect(seen.page.locator("#toasts")).to_contain_text("Anchor is moved")
        expect(seen.page.get_by_role("heading", name="None")).to_be_in_viewport()  # and not back at the first column


def test_further_cards_come_into_the_column_and_the_keyboard_goes_on_with_them(
    address: str, visit: Callable[..., Visit], ada: Person, sales: Installed
) -> None:
    for number in range(28):
        sales.add("deals", name=f"Deal {number:02}", status="won")
    seen = visit(f"{address}/installs/{sales.public_id}/records/outcome", cookies={"dramac_session": ada.cookie})
    won = column(seen.page, "won")
    won.get_by_role("link", name="Show more").press("Enter")
    expect(won.locator("[data-card]")).to_have_count(28)
    expect(won.get_by_role("link", name="Deal 02")).to_be_focused()
    card(seen.page, "Deal 00").get_by_role("button", name="Move Deal 00 to…").press("Enter")
    expect(
        seen.page.get_by_role("button", name="Open", exact=True)
    ).to_be_focused()  # a popover says a moment later that it is open
    seen.page.keyboard.press("Enter")
    expect(won.locator(".cnt")).to_have_text("27")
    assert (seen.complaints, seen.policy_violations()) == ([], [])
