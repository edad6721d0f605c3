"""A tree in a real browser: opened, gone through by keys, records put below others by mouse and by the dialog, taken back."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import LATE_TIMERS, Visit
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_trees import HANDBOOK

SHOTS = os.environ.get("SHOTS")
BOOK: dict[str, Any] = {
    "Getting started": {
        "First day": {},
        "Accounts and passwords": {"Second factor": {}, "Lost phone": {}},
        "Who is who": {},
    },
    "Clients": {
        "Onboarding of a new client with everything that is to be thought of": {"Contract": {}, "Kick-off": {}}
    },
    "Websites": {"Hosting": {"Certificates": {}, "Backups": {}, "Domains": {}}, "Forms": {}, "Speed": {}},
    "Money": {"Invoices": {}, "Expenses": {}},
    "Office": {},
}


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def book(world: World, agency: Agency) -> Installed:
    made = put_on_site(agency, world.site(agency, name="Harbour Boats"), HANDBOOK)

    def add(articles: dict[str, Any], above: str | None) -> None:
        for number, (name, below) in enumerate(articles.items()):
            state = ("published", "draft", "retired")[number % 3]
            add(below, made.add("articles", name=name, above=above, state=state)["id"])

    add(BOOK, None)
    return made


def title(page: Page, name: str) -> Locator:
    return page.locator(".tree-title").get_by_text(name, exact=True)


def node(page: Page, name: str) -> Locator:
    return page.locator(".tree-node", has=page.locator(":scope > .tree-row").get_by_role("link", name=name, exact=True))


def below(page: Page, name: str) -> list[str]:
    return node(page, name).locator(":scope > .tree-branch > li > .tree-row .tree-title").all_inner_texts()


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(path=f"{SHOTS}/tree-{name}.png", full_page=True)


def drag(page: Page, what: Locator, to: Locator, *, hold: bool = False) -> None:
    start, end = what.bounding_box(), to.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 12, start["y"] + 8)  # over its link, which must not be followed
    page.mouse.down()
    page.mouse.move(end["x"] + 10, end["y"] + 8, steps=8)
    if not hold:
        page.mouse.up()


def test_a_tree_is_gone_through_by_keys_alone(
    address: str, visit: Callable[..., Visit], ada: Person, book: Installed
) -> None:
    where = f"{address}/installs/{book.public_id}/records/handbook"
    seen = visit(where, cookies={"dramac_session": ada.cookie})
    page = seen.page
    assert seen.faults() == []
    page.evaluate("window.same = true")
    title(page, "Clients").focus()
    page.keyboard.press("ArrowDown")
    expect(title(page, "Getting started")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(title(page, "First day")).to_be_visible()
    expect(title(page, "Getting started")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(title(page, "Accounts and passwords")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(title(page, "Second factor")).to_be_visible()
    page.keyboard.press("End")
    expect(title(page, "Websites")).to_be_focused()
    page.keyboard.press("Home")
    expect(title(page, "Clients")).to_be_focused()
    title(page, "Second factor").focus()
    page.keyboard.press("ArrowLeft")
    expect(title(page, "Accounts and passwords")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(title(page, "Second factor")).to_have_count(0)
    expect(title(page, "Accounts and passwords")).to_be_focused()
    assert page.evaluate("window.same")
    page.reload()
    expect(title(page, "First day")).to_be_visible()  # the address says what is open
    title(page, "First day").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("First day")
    page.locator(".crumbs").get_by_role("link", name="All articles").click()
    expect(title(page, "First day")).to_be_visible()
    # the button itself keeps the keyboard, too
    flip = node(page, "Websites").locator("a.tree-flip")
    flip.press("Enter")
    expect(title(page, "Hosting")).to_be_visible()
    expect(node(page, "Websites").locator(":scope > .tree-row a.tree-flip")).to_be_focused()
    assert (seen.complaints, seen.policy_violations(), seen.axe_faults()) == ([], [], [])


def test_keys_do_what_they_say_from_the_moment_an_answer_is_seen(
    address: str, visit: Callable[..., Visit], ada: Person, book: Installed
) -> None:
    page = visit("about:blank").page
    page.add_init_script(LATE_TIMERS)
    page.context.add_cookies([{"name": "dramac_session", "value": ada.cookie, "url": address}])
    page.goto(f"{address}/installs/{book.public_id}/records/handbook")
    page.evaluate("window.same = true")
    title(page, "Getting started").focus()
    for key in ("ArrowRight", "ArrowRight"):
        page.keyboard.press(key)
        expect(title(page, "First day")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(title(page, "Second factor")).to_be_visible()
    page.keyboard.press("End")
    expect(title(page, "Websites")).to_be_focused()
    page.wait_for_timeout(3500)  # until the last timer has run
    expect(title(page, "Websites")).to_be_focused()
    assert page.evaluate("window.same")


def test_a_record_is_put_below_another_by_mouse_and_by_the_dialog_and_taken_back(
    address: str, visit: Callable[..., Visit], ada: Person, book: Installed
) -> None:
    where = f"{address}/installs/{book.public_id}/records/handbook"
    seen = visit(where, cookies={"dramac_session": ada.cookie})
    page = seen.page
    drag(page, title(page, "Office"), title(page, "Clients"), hold=True)
    look(seen, "held")
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("Office is moved")
    expect(node(page, "Clients").locator(".tree-title")).to_have_count(3)
    assert "Office" in below(page, "Clients")
    assert "open=" in page.url
    # onto itself, or given up with Escape: nothing is sent
    drag(page, title(page, "Office"), title(page, "Money"), hold=True)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert "Office" in below(page, "Clients")
    # to the top, where a place for it has come up
    start = title(page, "Office").bounding_box()
    assert start
    page.mouse.move(start["x"] + 12, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 30, start["y"] - 20, steps=4)
    top = page.locator("[data-tree-top]").bounding_box()
    assert top
    page.mouse.move(top["x"] + 60, top["y"] + 12, steps=6)
    look(seen, "to-the-top")
    page.mouse.up()
    expect(page.locator("#toasts > .toast")).to_have_count(2)
    expect(page.locator("[data-tree-top]")).to_be_hidden()
    expect(page.locator("[data-tree] > .tree-branch > li")).to_have_count(5)
    # by the dialog
    node(page, "Money").locator(":scope > .tree-row").hover()
    page.get_by_role("button", name="Move Money to…").press("Enter")
    expect(page.get_by_label("Find by name")).to_be_focused()
    expect(page.locator("#tree-spots option").first).to_have_text("At the top, below none")
    page.keyboard.type("host")
    expect(page.locator("#tree-spots option")).to_have_text(["Hosting — Websites"])
    look(seen, "dialog")
    assert SHOTS or (seen.complaints, seen.policy_violations()) == ([], [])  # taking pictures writes styles
    assert seen.axe_faults() == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Money is moved")
    expect(page.locator("#tree-to")).to_be_hidden()
    # taken back from the notice
    notice = page.locator("#toasts > .toast").filter(has_text="Money is moved")
    notice.get_by_role("button", name="Undo").click()
    expect(title(page, "Money")).to_be_visible()
    [money] = [row for row in book.data.list("articles").records if row["name"] == "Money"]
    assert money["above"] is None


def test_a_circle_is_refused_where_the_record_stands(
    address: str, visit: Callable[..., Visit], ada: Person, book: Installed
) -> None:
    rows = {row["name"]: row for row in book.data.list("articles").records}
    where = f"{address}/installs/{book.public_id}/records/handbook?open={rows['Websites']['id']}"
    seen = visit(where, cookies={"dramac_session": ada.cookie})
    page = seen.page
    # somebody else has put Clients below Hosting meanwhile: this page does not know
    book.data.update("articles", rows["Clients"]["id"], {"above": rows["Hosting"]["id"]})
    drag(page, title(page, "Websites"), title(page, "Clients"))
    expect(page.locator("#toasts")).to_contain_text("Websites was not moved")
    expect(node(page, "Websites").locator(".tree-why").first).to_contain_text(
        "cannot be the record itself or one below it"
    )
    look(seen, "refused")
    assert seen.axe_faults() == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_tree_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, book: Installed, theme: str, width: int
) -> None:
    rows = {row["name"]: row for row in book.data.list("articles").records}
    wanted = ("Getting started", "Accounts and passwords", "Clients", "Websites", "Hosting")
    query = "&".join(f"open={rows[name]['id']}" for name in wanted)
    path = f"{address}/installs/{book.public_id}/records/handbook"
    seen = visit(f"{path}?{query}", theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    look(seen, f"{theme}-{width}")
    assert seen.faults() == []
    seen = visit(f"{path}?q=factor", theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    look(seen, f"search-{theme}-{width}")
    assert seen.faults() == []
