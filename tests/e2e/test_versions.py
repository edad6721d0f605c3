"""The way of a site to another version and back, in a browser: plan, rehearsal, upgrade, watch, rollback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.support.live import PASSWORD, Live

pytestmark = pytest.mark.timeout(240)
Visitor = Callable[..., Visit]


def sound(seen: Visit) -> list[str]:
    over = seen.sideways_overflow_px()
    return [
        *seen.axe_faults(),
        *seen.policy_violations(),
        *seen.complaints,
        *([f"{over} px too wide"] if over > 0 else []),
    ]


def sign_in(page: Page) -> None:
    page.get_by_role("textbox", name="E-mail").fill("callum.reid@northbeam.example")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Northbeam Web", level=1)).to_be_visible()


def test_from_the_plan_to_the_new_version_and_back(live: Live, visit: Visitor) -> None:
    seen = visit(f"{live.platform_url}/sign-in")
    page = seen.page
    sign_in(page)
    page.goto(f"{live.platform_url}/installs?q=aldergate")
    page.locator("main tbody a[data-row-link]").first.click()
    page.get_by_role("navigation", name="Enquiries").get_by_role("link", name="Versions").click()
    page.get_by_role("link", name="See the plan of the upgrade").click()
    expect(page.get_by_role("heading", name="Upgrade to 1.0.0")).to_be_visible()
    expect(page.locator("#losses")).to_contain_text("5 records with a value")
    expect(page.locator("#permissions")).to_contain_text("Asks for sending e-mail")
    assert sound(seen) == []

    page.get_by_role("button", name="Rehearse on a copy first").click()
    expect(page.get_by_role("heading", name="Records", exact=True)).to_be_visible(timeout=90_000)
    expect(page.locator("#records")).to_contain_text("enquiries")
    assert sound(seen) == []
    page.get_by_role("link", name="Back to the plan").click()

    page.get_by_role("button", name="Upgrade to 1.0.0").click()  # without agreeing to anything
    expect(page.get_by_text("Nothing was changed")).to_be_visible()
    seen.complaints.clear()  # the browser's own line about the refusal
    page.get_by_label("I agree to the new permissions.").check()
    page.get_by_label("Park what the new version has no place for.").check()
    page.get_by_role("button", name="Upgrade to 1.0.0").click()
    expect(page.get_by_text("It runs on Aldergate Solicitors.")).to_be_visible(timeout=90_000)
    page.get_by_role("navigation", name="Enquiries").get_by_role("link", name="Versions").click()
    expect(page.locator("#watch")).to_contain_text("Watching 1.0.0")
    assert sound(seen) == []

    watched = page.url
    page.get_by_role("navigation", name="Enquiries").get_by_role("link", name="Records").click()
    page.locator("main tbody a[data-row-link]").first.click()
    page.locator("main").get_by_role("link", name="Edit").click()
    page.locator("#v-name").fill("Isla Thomson-Reid")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Isla Thomson-Reid").first).to_be_visible()
    page.goto(watched)
    page.get_by_label("Put back what the upgrade touched").check()
    page.get_by_role("button", name="Go back to 0.9.0").click()
    expect(page.get_by_text("It runs on Aldergate Solicitors.")).to_be_visible(timeout=90_000)
    page.get_by_role("navigation", name="Enquiries").get_by_role("link", name="Versions").click()
    expect(page.locator("#history li").first).to_contain_text("Back from 1.0.0 to 0.9.0")
    expect(page.locator("#history")).to_contain_text("Taken back")
    assert sound(seen) == []
    expect(page.locator("#history li").first).to_contain_text("1 changed")
    with page.expect_download() as written:
        page.locator("#history li").first.get_by_role("link", name="JSON Lines").click()
    [_, line] = [json.loads(one) for one in Path(written.value.path()).read_text().splitlines()]
    assert (line["change"], line["before"]["name"], line["values"]["name"]) == (
        "changed", "Isla Thomson", "Isla Thomson-Reid",
    )  # fmt: skip
    put_back_what_was_written(seen)


def put_back_what_was_written(seen: Visit) -> None:
    """The name is looked at, put back, and undone again."""
    page = seen.page
    page.locator("#history li").first.get_by_role("link", name="Look through and put back").click()
    expect(page.locator("#written tbody tr")).to_contain_text("Isla Thomson → Isla Thomson-Reid")
    assert sound(seen) == []
    page.locator("#written input[name=ids]").check()
    page.get_by_role("button", name="Put back the chosen").click()
    expect(page.get_by_text("1 row put back")).to_be_visible()
    assert sound(seen) == []
    page.get_by_role("link", name="Back to what was written").click()
    expect(page.locator("#written tbody tr")).to_contain_text("Put back already")
    page.locator("#written tbody tr").get_by_role("link").click()
    expect(page.get_by_text("Isla Thomson-Reid").first).to_be_visible()
    page.go_back()
    page.locator("#runs").get_by_role("link", name="1 row").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#put-back")).to_contain_text("The rows can be put back again.")
    assert sound(seen) == []
