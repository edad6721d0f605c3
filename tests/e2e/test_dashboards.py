"""From the figures of a dashboard to the records they are of, and back: by hand, by keyboard, on a phone, by ear."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.test_demo_world import places
from tests.e2e.test_journeys import sign_in
from tests.support.live import Live

pytestmark = pytest.mark.timeout(240)
Visitor = Callable[..., Visit]


def test_a_dashboard_leads_from_each_figure_to_its_records(live: Live, visit: Visitor) -> None:
    seen = visit(f"{live.platform_url}/sign-in", width=1280)
    page = seen.page
    sign_in(page)
    install = places(page, live)["install"]
    page.get_by_role("navigation", name="Screens").get_by_role("link", name="Overview").click()
    expect(page).to_have_url(re.compile(rf"/{install}/records/overview$"))

    new = page.locator(".stat", has=page.get_by_role("link", name="New", exact=True))
    count = int(new.locator(".stat-value").inner_text())
    assert count > 0
    new.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"f\.status=new$"))
    expect(page.locator("#records tbody tr")).to_have_count(count)
    page.go_back()

    chart = page.locator("#card-5")
    chart.locator(".chart").hover()
    expect(chart.locator(".ch-tip")).to_contain_text("Came in")
    chart.get_by_text("View as table").click()
    expect(chart.get_by_role("row")).to_have_count(13)  # the head and twelve weeks
    assert seen.axe_faults() == []

    bar = page.locator("#card-6 li").first
    form, number = bar.locator("a").inner_text(), int(bar.locator("b").inner_text())
    bar.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#records tbody tr")).to_have_count(number)
    expect(page.get_by_role("link", name=re.compile(f"Form: {form}"))).to_be_visible()
    page.go_back()

    page.locator("#card-8 a.row-link").first.click()
    expect(page).to_have_url(re.compile(r"/records/enquiries/[0-9a-f-]{36}\?in="))
    assert seen.policy_violations() == []
    assert seen.complaints == []
