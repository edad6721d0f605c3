"""A gallery in a real browser: nothing moves while pictures come in, links in order, and on a phone in the dark."""

from __future__ import annotations

import io
import os
from collections.abc import Callable

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import Visit
from tests.support import files
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_galleries import HOMES, send

SHOTS = os.environ.get("SHOTS")
PLACES = ("Canal loft", "House with an orchard and a long name that needs two lines", "Harbour flat", "Barn", "Studio")


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


def scene(number: int, size: tuple[int, int]) -> bytes:
    """Something to look at: a sky, a hill, a house."""
    width, height = size
    picture = Image.new("RGB", size, (150 + 15 * (number % 6), 190, 235 - 20 * (number % 5)))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((-width // 3, height // 2, width, height * 2), fill=(90, 120 + 10 * (number % 8), 80))
    draw.rectangle((width // 3, height // 3, width * 2 // 3, height * 3 // 4), fill=(225, 215 - 15 * (number % 4), 195))
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def homes(world: World, agency: Agency) -> Installed:
    made = put_on_site(agency, world.site(agency, name="Harbour Homes", currency="EUR"), HOMES)
    agent = made.add("agents", name="Noor Haddad")
    for number in range(31):
        size = {3: (250, 700), 4: (800, 250)}.get(number, (600, 450 if number % 3 else 750))
        photos = [send(made, scene(number + more, size), f"IMG_{number}{more}.jpg") for more in range(number % 3)]
        name, facts = (
            f"{PLACES[number % 5]} {number}",
            {"city": ("Porto", "Lisbon", "Faro")[number % 3], "agent": agent["id"]},
        )
        if number == 2:
            photos = [send(made, files.PDF, "Particulars of the harbour flat.pdf")]
        made.add(
            "homes",
            name=name,
            photos=photos,
            price=18_500_000 + number * 731_000,
            state="reserved" if number % 7 == 6 else "offered",
            **facts,
        )
    return made


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(path=f"{SHOTS}/gallery-{name}.png", full_page=True)


def test_pictures_come_in_without_moving_anything_and_the_keyboard_goes_from_tile_to_tile(
    address: str, visit: Callable[..., Visit], ada: Person, homes: Installed
) -> None:
    where = f"{address}/installs/{homes.public_id}/records/gallery?sort=created_at"
    seen = visit(address, cookies={"dramac_session": ada.cookie})
    page = seen.page
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => { for (const one of list.getEntries()) window.shift += one.value; })"
        ".observe({type: 'layout-shift', buffered: true});"
    )
    seen.go(where)
    first = page.locator(".gallery img").nth(1)
    expect(first).to_have_js_property("complete", True)
    assert first.evaluate("image => image.naturalWidth") > 0
    assert page.evaluate("window.shift") < 0.02
    boxes = page.locator(".gallery-picture").evaluate_all("all => all.map((one) => one.offsetWidth / one.offsetHeight)")
    assert {round(one, 2) for one in boxes} == {1.33}
    page.locator(".gallery-title").nth(1).focus()
    for there in ("Noor Haddad", "Add a picture to Harbour flat 2"):  # the agent, then the next tile
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=there).and_(page.locator(":focus"))).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/edit?*")
    expect(page.locator("#v-photos")).to_be_in_viewport()
    page.go_back()
    page.get_by_label("Order").select_option("-price")
    expect(page.locator(".gallery-title").first).to_have_text("Canal loft 30")
    assert "sort=-price" in page.url
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".gallery-title")).to_have_count(6)
    title = page.locator(".gallery-title").nth(3)
    name = title.inner_text()
    page.locator(".gallery-tile").nth(3).click(position={"x": 30, "y": 30})  # all of a tile leads to its record
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.locator(".crumbs").get_by_role("link", name="Pictures").click()
    expect(page.locator(".gallery-title").nth(3)).to_have_text(name)
    assert (seen.complaints, seen.policy_violations()) == ([], [])


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_gallery_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, homes: Installed, theme: str, width: int
) -> None:
    where = f"{address}/installs/{homes.public_id}/records/gallery?sort=created_at"
    seen = visit(where, theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    seen.page.wait_for_load_state("networkidle")
    look(seen, f"{theme}-{width}")
    assert seen.faults() == []


def test_a_gallery_is_looked_through_without_scripts(
    address: str, visit: Callable[..., Visit], ada: Person, homes: Installed
) -> None:
    where = f"{address}/installs/{homes.public_id}/records/gallery"
    page = visit(where, scripts=False, cookies={"dramac_session": ada.cookie}).page
    page.get_by_label("Order").select_option("-name")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".gallery-title").first).to_have_text("Studio 9")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".gallery-title")).to_have_count(6)
