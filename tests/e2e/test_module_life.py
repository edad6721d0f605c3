"""A module among people, on the running product: tried out, let pass by staff, withdrawn, and left for the version before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect

from app.runtime.trials.jobs import SETTLE
from tests.e2e.conftest import Visit
from tests.e2e.test_journeys import quiet
from tests.e2e.test_versions import sound
from tests.support.live import OWNER, PASSWORD, Live
from tests.support.packages import notes, zipped
from tests.support.servers import TestServers

pytestmark = [pytest.mark.timeout(180)]
Visitor = Callable[..., Visit]
STAFF, ELSEWHERE = "ines.duarte@dramac.example", "callum.reid@northbeam.example"


@pytest.fixture
def left(live: Live, test_servers: TestServers, worker_id: str) -> Callable[[], list[str]]:
    """What there is of trials: rows, schemas, roles of schemas."""

    def read() -> list[str]:
        with psycopg.connect(test_servers.admin_url(f"{worker_id}_live"), autocommit=True) as admin:
            rows = admin.execute(
                "SELECT id::text FROM module_trials UNION ALL SELECT nspname FROM pg_namespace WHERE nspname ~ '^try_'"
            )
            return [row[0] for row in rows]

    return read


def enter(visit: Visitor, live: Live, email: str) -> Visit:
    """A person in a browser of their own."""
    seen = visit(f"{live.platform_url}/sign-in")
    seen.page.get_by_role("textbox", name="E-mail").fill(email)
    seen.page.locator("input[name=password]").fill(PASSWORD)
    seen.page.get_by_role("button", name="Sign in").click()
    expect(seen.page.locator("main h1")).to_be_visible()
    return seen


def upload(page: Page, live: Live, files: dict[str, bytes]) -> None:
    page.goto(f"{live.platform_url}/studio/upload")
    file: Any = {"name": "package.zip", "mimeType": "application/zip", "buffer": zipped(files)}
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("heading", name="Notes 1.0.0", level=1)).to_be_visible()


def test_a_module_is_tried_out_from_its_page_and_nothing_of_it_stays(
    live: Live, visit: Visitor, left: Callable[[], list[str]]
) -> None:
    seen = enter(visit, live, OWNER)
    page = seen.page
    page.goto(f"{live.platform_url}/marketplace/enquiries")
    page.get_by_role("button", name="Keep for later").click()
    expect(page.get_by_role("button", name="Kept for later")).to_be_visible()
    assert sound(seen) == []
    page.get_by_role("button", name="Try it").click()
    inside = page.frame_locator("iframe.trial-frame")
    expect(inside.get_by_role("button").first).to_be_visible()
    assert sound(seen) == []
    page.get_by_role("link", name="Staff screens").click()
    expect(page.locator("main tbody tr").first).to_be_visible()  # of the sample
    assert sound(seen) == []
    page.get_by_role("link", name="Install it").click()
    expect(page.get_by_role("heading", name="Install Enquiries")).to_be_visible()
    page.go_back()
    assert len(left()) == 2  # its row and its schema
    page.get_by_role("button", name="End now").click()
    expect(page.get_by_role("button", name="Try it")).to_be_visible()
    page.wait_for_timeout(SETTLE.total_seconds() * 1000)  # processes may remember it for so long
    live.order("trials.sweep")
    assert left() == []
    quiet(seen)


def test_a_release_that_risks_something_is_let_pass_by_staff_and_found_by_others(live: Live, visit: Visitor) -> None:
    author, staff = enter(visit, live, OWNER), enter(visit, live, STAFF)
    page, desk = author.page, staff.page
    files = notes("visitor-notes")
    files["module.yaml"] += b"permissions: {personal_data: true, email: true}\n"
    upload(page, live, files)
    page.get_by_label("Audience").select_option(label="Everybody")
    page.get_by_role("button", name="Publish 1.0.0").click()
    expect(page.locator("main").get_by_text("Notes 1.0.0 waits for a review")).to_be_visible()
    for step in ("Run its acceptance tests", "Plan its queries on 1,000,000 records", "Weigh what it risks"):
        expect(page.locator("main").get_by_text(step)).to_be_visible()
    expect(page.locator("main").get_by_text("the platform's staff looks at it first")).to_be_visible()
    assert sound(author) == []

    desk.goto(f"{live.platform_url}/staff/releases")
    assert sound(staff) == []
    desk.get_by_role("link", name="Notes 1.0.0").click()
    expect(desk.get_by_role("heading", name="What it risks")).to_be_visible()
    expect(desk.locator("main").get_by_text("Keeps personal data").first).to_be_visible()
    assert sound(staff) == []
    desk.get_by_role("button", name="Let pass").click()
    expect(desk.locator("main").get_by_role("row", name="Notes 1.0.0")).to_contain_text("Let pass")

    page.reload()
    expect(page.locator("main").get_by_text("Notes 1.0.0 is published")).to_be_visible()
    page.get_by_role("link", name="See it in the marketplace").click()
    expect(page.get_by_role("heading", name="Notes", level=1)).to_be_visible()
    other = enter(visit, live, ELSEWHERE)
    other.page.goto(f"{live.platform_url}/marketplace/?q=visitor-notes")
    other.page.locator("main").get_by_role("link", name="Notes", exact=True).click()
    expect(other.page.get_by_role("button", name="Install", exact=True)).to_be_visible()
    quiet(author, staff, other)


def test_a_withdrawn_version_is_left_for_the_one_before_by_one_click(live: Live, visit: Visitor) -> None:
    publisher, owner = enter(visit, live, STAFF), enter(visit, live, OWNER)
    page, theirs = publisher.page, owner.page
    page.goto(f"{live.platform_url}/studio/?q=call")
    page.locator("main tbody").get_by_role("link", name="Call to action").click()
    page.locator("main").get_by_role("link", name="1.1.0").click()
    page.get_by_role("link", name="Withdraw this version").click()
    expect(page.locator("main").get_by_text("2 sites of 1 other agency")).to_be_visible()
    expect(page.locator("main").get_by_text("They are offered 1.0.1")).to_be_visible()
    assert sound(publisher) == []
    page.get_by_label("Why it is withdrawn").fill("The button lies below the fold on small phones.")
    page.get_by_role("button", name="Withdraw 1.1.0").click()
    expect(page.locator("main").get_by_text("Withdrawn", exact=True)).to_be_visible()

    theirs.goto(f"{live.platform_url}/fleet?drift=yanked")
    expect(theirs.locator("main tbody tr")).to_have_count(2)
    theirs.get_by_role("link", name="Call to action 1.1.0 on Harbour Dental").click()
    expect(theirs.locator("main").get_by_text("The button lies below the fold on small phones.")).to_be_visible()
    expect(theirs.locator("main").get_by_text("is available")).to_have_count(0)  # what lies below it is no upgrade
    assert sound(owner) == []
    theirs.get_by_role("button", name="Go to 1.0.1").click()
    expect(theirs.get_by_text("It runs on Harbour Dental.")).to_be_visible()
    theirs.goto(f"{live.platform_url}/fleet?drift=yanked")
    expect(theirs.locator("main tbody tr")).to_have_count(1)
    quiet(publisher, owner)
