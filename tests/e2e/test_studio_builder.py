"""A module of two tables made by clicking alone: fields, a reference, the diagram, a view, checks, a draft; dark, on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from app.access.permissions import Role
from tests.e2e.conftest import LATE_TIMERS, Visit
from tests.support.world import Person, World


@pytest.fixture
def priya(world: World) -> Person:
    return world.person(world.agency(), Role.DEVELOPER, name="Priya Nair")


def begin(page: Page) -> str:
    """The address of a new project with nothing in it."""
    page.get_by_label("Name").fill("Room plan")
    page.get_by_label("Blank").check()
    page.get_by_role("button", name="Create project").click()
    page.wait_for_url("**/studio/projects/prj_*")
    return page.url.split("?")[0]


def add_field(page: Page, name: str, holds: str, row: str) -> None:
    page.get_by_label("New field").fill(name)
    page.locator("#new-type").select_option(label=holds)
    page.get_by_role("button", name="Add field").click()
    expect(page.locator(f"#row-{row}")).to_be_visible()
    expect(page.get_by_label("New field")).to_have_value("")


def test_a_module_of_two_tables_is_made_by_clicking(address: str, visit: Callable[..., Visit], priya: Person) -> None:
    seen = visit(f"{address}/studio/projects/new", cookies={"dramac_session": priya.cookie})
    page = seen.page
    begin(page)
    tabs = page.get_by_role("navigation", name="Editors of module.yaml")
    tabs.get_by_role("link", name="Tables").click()
    for name in ("Rooms", "Bookings"):
        page.get_by_label("New table").fill(name)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.locator(".builder-head h2")).to_have_text(name.lower())
    add_field(page, "Room", "A record of another table", "room")
    expect(page.get_by_label("Refers to")).to_have_value("rooms")  # the only other one
    page.get_by_role("button", name="Save room").click()
    page.get_by_label("room: Required").check()
    expect(page.locator("#toasts")).to_contain_text("Field room changed")
    expect(page.locator("#field-room-required")).to_be_checked()
    add_field(page, "Seats", "Whole number", "seats")
    # moved with the keyboard, deleted, and brought back by Undo
    page.locator("#field-seats-name").press("Alt+ArrowUp")
    expect(page.locator("tbody tr[data-key] >> nth=1")).to_have_id("row-seats")
    page.locator("#row-seats [data-grip]").drag_to(
        page.locator("tbody tr[data-key] >> nth=0"), target_position={"x": 40, "y": 4}
    )
    expect(page.locator("tbody tr[data-key] >> nth=0")).to_have_id("row-seats")
    page.get_by_role("button", name="Delete seats").click()
    expect(page.locator("#row-seats")).to_have_count(0)
    page.locator("#toasts li, #toasts > *").filter(has_text="Field seats deleted").get_by_role(
        "button", name="Undo"
    ).click()
    expect(page.locator("#row-seats")).to_be_visible()
    assert (seen.complaints, seen.policy_violations(), seen.axe_faults()) == ([], [], [])
    tabs.get_by_role("link", name="Diagram").click()
    expect(page.locator(".d-box")).to_have_count(2)
    expect(page.locator(".builder-words")).to_contain_text("Each of bookings refers to exactly one of rooms, by room.")
    assert (seen.complaints, seen.policy_violations(), seen.axe_faults()) == ([], [], [])
    tabs.get_by_role("link", name="Views").click()
    page.get_by_label("Name").fill("Plan")
    page.locator("#view-new-table").select_option("bookings")
    page.get_by_role("button", name="Add view").click()
    expect(page.locator(".builder-head h2")).to_have_text("plan")
    expect(page.locator(".studio-ok")).to_have_text("Everything is in order")
    assert (seen.complaints, seen.policy_violations(), seen.axe_faults()) == ([], [], [])
    tabs.get_by_role("link", name="Text").click()
    expect(page.locator(".cm-content")).to_contain_text("room: {type: ref, to: rooms, required: true}")
    page.get_by_role("button", name="Make draft 0.1.0").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("0.1.0")


def test_acts_that_come_fast_wait_for_each_other(address: str, visit: Callable[..., Visit], priya: Person) -> None:
    seen = visit(f"{address}/studio/projects/new", cookies={"dramac_session": priya.cookie})
    page = seen.page
    page.add_init_script(LATE_TIMERS)
    begin(page)
    page.get_by_role("navigation", name="Editors of module.yaml").get_by_role("link", name="Tables").click()
    page.get_by_label("New table").fill("Rooms")
    page.get_by_role("button", name="Add", exact=True).click()
    for name in ("Size", "Seats"):
        add_field(page, name, "Whole number", name.lower())
    held: list[Route] = []
    page.route("**/fields/*", lambda route: held.append(route))
    page.locator("#row-seats [data-grip]").drag_to(page.locator("#row-size"), target_position={"x": 40, "y": 4})
    page.get_by_role("button", name="Delete size").click()  # while the order is on its way
    page.get_by_role("button", name="Delete seats").click()
    page.wait_for_timeout(300)
    assert len(held) == 1
    for route in held:  # grows while they go
        with page.expect_response("**/fields/*"):
            route.continue_()
        page.wait_for_timeout(300)
    assert [route.request.url.rsplit("/", 1)[1] for route in held] == ["move", "delete", "delete"]
    expect(page.locator("#row-size, #row-seats")).to_have_count(0)
    expect(page.locator(".studio-ok")).to_have_text("Everything is in order")


def test_every_editor_holds_to_accessibility_on_a_phone_in_the_dark(
    address: str, visit: Callable[..., Visit], priya: Person
) -> None:
    seen = visit(
        f"{address}/studio/projects/new", theme="dark", width=390, many=True, cookies={"dramac_session": priya.cookie}
    )
    seen.page.get_by_label("Name").fill("Room plan")
    seen.page.get_by_label("Small application").check()
    seen.page.get_by_role("button", name="Create project").click()
    seen.page.wait_for_url("**/studio/projects/prj_*")
    project = seen.page.url.split("?")[0]
    for tab in ("tables?table=projects&field=state", "diagram", "settings", "permissions", "views"):
        seen.go(f"{project}/{tab}")
        assert (tab, seen.faults()) == (tab, [])
