"""Every main screen of the demo world, as its people see it: light and dark, wide and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Theme, Visit
from tests.e2e.test_journeys import sign_in
from tests.support.live import Live

pytestmark = pytest.mark.timeout(240)
Visitor = Callable[..., Visit]

SCREENS = (
    "/",
    "/sites",
    "/clients",
    "/marketplace/",
    "/marketplace/enquiries",
    "/install/enquiries?site={empty_site}",
    "/installs",
    "/installs/{install}",
    "/installs/{install}/settings",
    "/installs/{install}/roles",
    "/installs/{install}/embed",
    "/installs/{install}/api",
    "/installs/{install}/records/inbox",
    "/installs/{install}/records/overview",
    "/installs/{install}/records/enquiries/new",
    "{record}",
    "/studio/",
    "/studio/upload",
    "/members",
    "/keys",
    "/audit",
    "/account",
)


def places(page: Page, live: Live) -> dict[str, str]:
    """Addresses of the demo world that have ids in them, found as a person finds them: by following links."""
    page.goto(f"{live.platform_url}/installs?q=harbour")
    install = _id(page, "ins")
    page.goto(f"{live.platform_url}/sites?q=alma")
    empty_site = _id(page, "ste")
    page.goto(f"{live.platform_url}/installs/{install}/records/inbox")
    record = page.locator("main tbody a[data-row-link]").first.get_attribute("href")
    assert record is not None
    return {"install": install, "empty_site": empty_site, "record": record}


def _id(page: Page, prefix: str) -> str:
    href = page.locator(f"main tbody a[href*='/{prefix}_']").first.get_attribute("href")
    found = re.search(rf"{prefix}_[0-9a-z]{{26}}", href or "")
    assert found is not None
    return found[0]


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_every_screen_is_quiet_accessible_and_fits(live: Live, visit: Visitor, theme: Theme, width: int) -> None:
    seen = visit(f"{live.platform_url}/sign-in", theme=theme, width=width, many=True)
    sign_in(seen.page)
    known = places(seen.page, live)
    wrong = {}
    for screen in SCREENS:
        path = screen.format(**known)
        status = seen.go(f"{live.platform_url}{path}")
        found = [f"status {status}"] if status != 200 else []
        found += seen.faults()
        if found:
            wrong[screen] = found
    assert wrong == {}


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_visitors_page_is_quiet_accessible_and_fits(live: Live, visit: Visitor, theme: str, width: int) -> None:
    staff = visit(f"{live.platform_url}/sign-in")
    sign_in(staff.page)
    install = places(staff.page, live)["install"]
    staff.page.goto(f"{live.platform_url}/installs?q=call+to+action")
    for path in (f"{install}/contact?theme={theme}", f"{_id(staff.page, 'ins')}/banner?theme={theme}"):
        seen = visit(f"{live.runtime_url}/embed/{path}", width=width)
        assert seen.axe_faults() == []
        assert seen.policy_violations() == []
        assert seen.sideways_overflow_px() <= 0
        assert seen.complaints == []


def test_a_seed_that_was_killed_is_finished_by_the_next(live: Live) -> None:
    """It can be cut off at any moment: of this world the first seed was killed, and the second made it whole."""
    seeded = live.seeded
    assert seeded.cut_off["modules_v2"] >= 2
    assert seeded.cut_off["invitations"] == 0  # which is made last
    assert seeded.counts == {
        "users": 11, "agencies": 3, "memberships": 12, "clients": 6, "sites": 10, "modules_v2": 14, "api_keys": 1,
        "invitations": 1, "forms": 6, "questions": 8, "enquiries": 41,
    }  # fmt: skip
    assert seeded.states == {"active": 12, "paused": 2}
    assert seeded.days >= 28


def test_the_seed_says_who_can_sign_in_and_touches_no_database_twice(live: Live) -> None:
    people = live.seeded.people
    assert len(people) == 11
    assert people[0].split() == ["maya.okafor@studiolumen.example", "owner", "Studio", "Lumen"]
    assert {line.split()[1] for line in people} == {"owner", "admin", "developer", "member", "viewer"}
    before = live.flask("sites", "list").stdout
    again = live.flask("seed", "demo")
    assert tuple(again.stdout.splitlines()) == people
    assert live.flask("sites", "list").stdout == before


def test_the_filters_of_the_marketplace_stand_open_on_a_wide_screen_and_fold_on_a_phone(
    live: Live, visit: Visitor
) -> None:
    seen = visit(f"{live.platform_url}/sign-in", width=1440)
    sign_in(seen.page)
    seen.page.goto(f"{live.platform_url}/marketplace/")
    forms = seen.page.get_by_label("Forms", exact=False).first
    # is_visible() alone is content with what is there and see-through
    assert seen.page.locator("#facets").evaluate("e => e.checkVisibility({opacityProperty: true})")
    assert (
        seen.page.evaluate("getComputedStyle(document.querySelector('.market-filters'), '::details-content').opacity")
        == "1"
    )
    forms.check()
    expect(seen.page.locator("#results .module-card")).to_have_count(1)
    seen.page.set_viewport_size({"width": 390, "height": 844})
    seen.page.reload()
    expect(forms).not_to_be_visible()
    seen.page.locator(".market-filters > summary").click()
    expect(forms).to_be_visible()
