"""Every main screen of the demo world, as its people see it: light and dark, wide and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Visit
from tests.e2e.test_journeys import sign_in
from tests.support.live import Live

pytestmark = [pytest.mark.xdist_group("live"), pytest.mark.timeout(240)]
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


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)])
def test_every_screen_is_quiet_accessible_and_fits(live: Live, visit: Visitor, theme: str, width: int) -> None:
    seen = visit(f"{live.platform_url}/sign-in", theme=theme, width=width)
    sign_in(seen.page)
    known = places(seen.page, live)
    wrong = {}
    for screen in SCREENS:
        path = screen.format(**known)
        answer = seen.page.goto(f"{live.platform_url}{path}", wait_until="load")
        assert answer is not None
        found = [f"status {answer.status}"] if answer.status != 200 else []
        found += [*seen.axe_faults(), *seen.policy_violations(), *seen.complaints]
        found += [f"{over} px too wide" for over in [seen.sideways_overflow_px()] if over > 0]
        seen.complaints.clear()
        if found:
            wrong[screen] = found
    assert wrong == {}


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_visitors_page_is_quiet_accessible_and_fits(live: Live, visit: Visitor, theme: str, width: int) -> None:
    staff = visit(f"{live.platform_url}/sign-in")
    sign_in(staff.page)
    install = places(staff.page, live)["install"]
    seen = visit(f"{live.runtime_url}/embed/{install}/contact?theme={theme}", width=width)
    assert seen.axe_faults() == []
    assert seen.policy_violations() == []
    assert seen.sideways_overflow_px() <= 0
    assert seen.complaints == []


def test_the_seed_says_who_can_sign_in_and_touches_no_database_twice(live: Live) -> None:
    assert len(live.people) == 11
    assert live.people[0].split() == ["maya.okafor@studiolumen.example", "owner", "Studio", "Lumen"]
    assert {line.split()[1] for line in live.people} == {"owner", "admin", "developer", "member", "viewer"}
    before = live.flask("sites", "list").stdout
    again = live.flask("seed", "demo")
    assert tuple(again.stdout.splitlines()) == live.people
    assert live.flask("sites", "list").stdout == before
