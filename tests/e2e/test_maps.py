"""A map in a real browser: points spread and say what they are, by mouse, keyboard and finger; the address keeps the place."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import Visit
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_maps import APIA, PLACES, SUVA, add

SHOTS = os.environ.get("SHOTS")
CITIES = {
    "Lisbon": (38.72, -9.14), "Porto": (41.15, -8.61), "Faro": (37.02, -7.93), "Madrid": (40.42, -3.7), "Seville": (37.39, -5.99),
    "Valencia": (39.47, -0.38), "Bilbao": (43.26, -2.93), "Barcelona": (41.39, 2.17),
}  # fmt: skip


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def places(world: World, agency: Agency) -> Installed:
    made = put_on_site(agency, world.site(agency, name="Harbour Walks"), PLACES)
    kinds = [made.add("kinds", name=name)["id"] for name in ("Café", "View")]
    for number in range(40):
        name, (lat, lng) = list(CITIES.items())[number % len(CITIES)]
        there = (lat + number % 5 * 0.03, lng + number % 7 * 0.04)
        add(made, f"{name} {number:02}", there, kind=kinds[number % 2], state="closed" if number % 8 == 2 else "open")
    add(made, "Nowhere", None)
    return made


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.wait_for_timeout(400)
        seen.page.screenshot(path=f"{SHOTS}/map-{name}.png")


def ready(page: Page, count: int) -> None:
    expect(page.locator(f'[data-map][data-points="{count}"]')).to_be_attached()
    expect(page.locator(".map-land").first).to_be_attached()


def where(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_points_spread_say_what_they_are_and_the_address_keeps_the_place(
    address: str, visit: Callable[..., Visit], ada: Person, places: Installed
) -> None:
    seen = visit(f"{address}/installs/{places.public_id}/records/map", cookies={"dramac_session": ada.cookie})
    page = seen.page
    ready(page, 40)
    assert (
        sum(int(text) for text in page.locator(".map-cluster").all_text_contents()) + page.locator(".map-point").count()
        == 40
    )
    page.locator(".map-cluster").first.click()
    page.wait_for_url(re.compile("map="))
    # an entry marks its point, and shows it with what it says; Escape leads back
    entry = page.locator(".map-entry", has_text="Barcelona 39")
    entry.hover()
    expect(page.locator(".map-halo")).to_be_attached()
    entry.get_by_role("button", name="Show Barcelona 39 on the map").press("Enter")
    said = page.get_by_role("dialog", name="Barcelona 39")
    expect(said).to_contain_text("View")
    expect(said.get_by_role("link", name="Barcelona 39")).to_be_focused()
    look(seen, "popup")
    assert seen.faults() == []
    page.keyboard.press("Escape")
    expect(said).to_have_count(0)
    expect(entry.get_by_role("button", name="Show Barcelona 39 on the map")).to_be_focused()
    # a point by mouse
    page.locator(".map-point").first.click()
    expect(page.locator(".map-said .row-link")).to_be_focused()
    # to the record and back: the map stands where it stood
    stood = where(page)["map"]
    page.locator(".map-said .row-link").press("Enter")
    expect(page.locator(".crumbs")).to_contain_text("Where")
    page.locator('.crumbs a[href*="/map"]').click()
    ready(page, 40)
    assert where(page)["map"] == stood
    page.reload()
    ready(page, 40)
    assert where(page)["map"] == stood
    assert (seen.complaints, seen.policy_violations()) == ([], [])


def test_the_keyboard_moves_the_map_and_the_list_follows_what_is_in_view(
    address: str, visit: Callable[..., Visit], ada: Person, places: Installed
) -> None:
    here = f"{address}/installs/{places.public_id}/records/map"
    seen = visit(f"{here}?map=38.72,-9.14,9", cookies={"dramac_session": ada.cookie})
    page = seen.page
    ready(page, 40)
    page.locator("#map-only").check()
    expect(page.locator(".map-entry")).to_have_count(5)
    expect(page.locator("#map-only")).to_be_checked()
    expect(page.locator("#map-only")).to_be_focused()
    assert "box" in where(page)
    page.locator("[data-map]").focus()
    for _ in range(4):
        page.keyboard.press("-")
        page.wait_for_timeout(400)  # a zoom at a time
    expect(page.locator(".result-bar")).to_contain_text("40 stops")
    page.keyboard.press("ArrowLeft")
    expect.soft(page.locator("#map-only")).to_be_checked()
    page.locator("#map-only").uncheck()
    expect(page.locator(".result-bar")).to_contain_text("40 stops")
    page.locator(".facet summary", has_text="State").click()
    page.get_by_label("Closed").check()
    ready(page, 5)
    assert where(page)["f.state"] == ["closed"]
    assert "box" not in where(page)
    page.get_by_role("link", name="Show it").or_(page.get_by_role("link", name="Clear all")).first.click()
    expect(page.locator(".map-entry").first).to_be_visible()
    assert (seen.complaints, seen.policy_violations()) == ([], [])


def test_places_on_both_sides_of_the_180th_meridian_are_near_each_other(
    address: str, visit: Callable[..., Visit], world: World, agency: Agency, ada: Person
) -> None:
    islands = put_on_site(agency, world.site(agency, name="Islands"), PLACES)
    for name, place in (("Suva", SUVA), ("Apia", APIA)):
        add(islands, name, place)
    seen = visit(f"{address}/installs/{islands.public_id}/records/map", cookies={"dramac_session": ada.cookie})
    page = seen.page
    ready(page, 2)
    expect(page.locator(".map-point")).to_have_count(2)
    expect(page.locator(".map-land")).to_have_count(2)  # the earth goes on beyond its edge
    page.locator("#map-only").check()
    page.wait_for_url(re.compile("box="))
    expect(page.locator(".map-entry")).to_have_count(2)
    south, west, north, east = map(float, where(page)["box"][0].split(","))
    assert (west > east, south < north) == (True, True)
    look(seen, "islands")
    assert seen.faults() == []


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_map_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, places: Installed, theme: str, width: int
) -> None:
    here = f"{address}/installs/{places.public_id}/records/map"
    seen = visit(here, theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    ready(seen.page, 40)
    look(seen, f"{theme}-{width}")
    if width == 390:
        top = seen.page.locator("[data-map]").bounding_box()
        listed = seen.page.locator(".map-entries").bounding_box()
        assert top
        assert listed
        assert top["y"] + top["height"] <= listed["y"]
        # one finger scrolls the page: what it pans is left to the browser
        assert "pan-y" in seen.page.locator("[data-map]").evaluate("map => getComputedStyle(map).touchAction")
        seen.page.locator(".map-entries").scroll_into_view_if_needed()
        look(seen, "list-390")
    assert seen.faults() == []


def test_without_scripts_the_list_stands_alone(
    address: str, visit: Callable[..., Visit], ada: Person, places: Installed
) -> None:
    here = f"{address}/installs/{places.public_id}/records/map"
    seen = visit(here, scripts=False, cookies={"dramac_session": ada.cookie})
    expect(seen.page.locator("[data-map]")).to_be_hidden()
    expect(seen.page.locator(".map-entry")).to_have_count(25)
    seen.page.get_by_role("link", name="Next").click()
    expect(seen.page.locator(".map-entry")).to_have_count(15)
