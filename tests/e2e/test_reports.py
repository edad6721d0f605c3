"""A report in a real browser: sorted and charted by links, narrowed, left and come back to; by night and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import Visit
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_reports import SALES

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def sales(world: World, agency: Agency, ada: Person) -> Installed:
    made = put_on_site(agency, world.site(agency, name="Harbour Boats", currency="EUR"), SALES)
    stages = [made.add("stages", name=name)["id"] for name in ("First talk", "Offer made", "Waiting for an answer")]
    for number in range(48):
        made.add(
            "deals",
            name=f"Deal {number}",
            amount=(number * 7919 % 900 + 100) * 100,
            chance=str(number * 13 % 100),
            status=("open", "won", "open", "lost")[number % 4],
            due=f"2026-{number % 11 + 1:02}-1{number % 9}",
            city=("Lisbon", "Porto", "Faro", "Braga")[number % 4],
            **({"stage": stages[number % 3]} if number % 5 else {}),
            **({"owner": str(ada.id)} if number % 2 else {}),
        )
    return made


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(path=f"{SHOTS}/report-{name}.png", full_page=True)


def test_a_report_is_sorted_charted_and_left_for_its_records_without_losing_its_place(
    address: str, visit: Callable[..., Visit], ada: Person, sales: Installed
) -> None:
    where = f"{address}/installs/{sales.public_id}/records/stages_of"
    seen = visit(where, cookies={"dramac_session": ada.cookie})
    page = seen.page
    assert seen.faults() == []
    page.get_by_role("link", name="Amount in all").last.press("Enter")
    expect(page.locator("#report th[aria-sort=ascending]")).to_contain_text("Amount in all")
    page.locator("#report thead").get_by_role("link", name="Amount in all").click()
    expect(page.locator("#report th[aria-sort=descending]")).to_contain_text("Amount in all")
    page.locator("#picture .segments").get_by_role("link", name="Amount in all").click()
    expect(page.get_by_role("heading", name="Amount in all by status")).to_be_visible()
    expect(page.locator("#report th[aria-sort=descending]")).to_contain_text("Amount in all")
    page.locator(".facet summary", has_text="Status").click()
    page.get_by_label("Signed").check()
    expect(page.locator("#report tbody")).to_have_count(1)
    kept = page.url
    assert all(part in kept for part in ("sort=-m2", "metric=m2", "f.status=won"))
    page.locator("#report").get_by_role("link", name="Offer made").click()
    expect(page.locator("#records")).to_be_visible()
    page.go_back()
    expect(page.locator("#report tbody")).to_have_count(1)
    assert page.url == kept
    assert (seen.complaints, seen.policy_violations()) == ([], [])


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_reports_hold_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, sales: Installed, theme: str, width: int
) -> None:
    base = f"{address}/installs/{sales.public_id}/records"
    seen = visit(f"{base}/months", theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    for name in ("months", "deep", "stages_of"):
        assert seen.go(f"{base}/{name}") == 200
        seen.page.emulate_media(color_scheme=theme)
        seen.theme = theme
        look(seen, f"{name}-{theme}-{width}")
        assert seen.faults() == []
