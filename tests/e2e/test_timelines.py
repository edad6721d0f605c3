"""A timeline in a real browser: bars moved and resized by mouse, by the dialog, refused, taken back; and on a phone in the dark."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import Visit
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_timelines import PLAN

SHOTS = os.environ.get("SHOTS")
PHASES = [
    ("Brand workshop", "2026-09-20", "2026-10-06", "design", "done"),
    ("Wireframes", "2026-10-05", "2026-10-23", "design", "done"),
    ("Visual design of all pages, from the first draft to the one agreed to", "2026-10-19", "2026-11-20", "design", "running"),
    ("Photos", "2026-11-09", "2026-11-10", "design", "planned"),
    ("Content model", "2026-10-26", "2026-11-06", "build", "done"),
    ("Templates", "2026-11-09", "2026-12-11", "build", "running"),
    ("Shop", "2026-11-30", "2027-01-22", "build", "planned"),
    ("Launch", "2026-12-15", None, "build", "planned"),
    ("Hand-over", "2026-12-29", "2026-12-31", None, "planned"),
]  # fmt: skip


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def plan(world: World, agency: Agency) -> Installed:
    made = put_on_site(agency, world.site(agency, name="Harbour Boats"), PLAN)
    project = made.add("projects", name="Web shop")["id"]
    for name, begins, ends, team, state in PHASES:
        made.add("phases", name=name, begins=begins, ends=ends, team=team, state=state, project=project)
    made.add("phases", name="Some day")
    return made


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(path=f"{SHOTS}/timeline-{name}.png", full_page=True)


def row(page: Page, name: str) -> Locator:
    return page.locator("[data-row]", has=page.get_by_role("link", name=name, exact=True))


def dates(plan: Installed, name: str) -> tuple[str, str | None]:
    [found] = [one for one in plan.data.list("phases").records if one["name"] == name]
    return found["begins"], found["ends"]


def pull(page: Page, what: Locator, days: float, *, edge: str = "", hold: bool = False) -> None:
    """Move a bar, or one of its ends, by some days of a quarter of 92."""
    what.evaluate("row => row.scrollIntoView({block: 'center'})")
    page.locator("#toasts").evaluate("notices => notices.replaceChildren()")  # they may lie over it
    shape = what.locator(f'[data-edge="{edge}"]' if edge else ".tl-fill")
    box, track = shape.bounding_box(), what.locator(".tl-track").bounding_box()
    assert box
    assert track
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + days * track["width"] / 92, y, steps=8)
    if not hold:
        page.mouse.up()


def test_a_bar_is_moved_and_its_ends_by_mouse_and_by_the_dialog(
    address: str, visit: Callable[..., Visit], ada: Person, plan: Installed
) -> None:
    where = f"{address}/installs/{plan.public_id}/records/plan?day=2026-11-01"
    seen = visit(where, cookies={"dramac_session": ada.cookie})
    page = seen.page
    assert seen.faults() == []
    page.evaluate("window.same = true")
    pull(page, row(page, "Wireframes"), 7, hold=True)
    expect(page.locator(".tl-tip")).to_have_text("12 Oct – 30 Oct")
    look(seen, "held")
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("Wireframes is moved")
    assert dates(plan, "Wireframes") == ("2026-10-12", "2026-10-30")
    assert (page.url, page.evaluate("window.same")) == (where, True)  # nothing was loaded anew, no link followed
    expect(page.get_by_role("link", name="Wireframes", exact=True)).to_be_focused()
    # one end, then the other
    pull(page, row(page, "Content model"), 3, edge="to")
    expect(row(page, "Content model").locator(".tl-when")).to_contain_text("26 Oct – 9 Nov 2026")
    pull(page, row(page, "Content model"), -2, edge="at")
    expect(row(page, "Content model").locator(".tl-when")).to_contain_text("24 Oct – 9 Nov 2026")
    assert dates(plan, "Content model") == ("2026-10-24", "2026-11-09")
    # a point, which has no end
    pull(page, row(page, "Launch"), 2)
    expect(row(page, "Launch").locator(".tl-when")).to_contain_text("17 Dec 2026")
    # given up with Escape, or let go where it was: nothing is sent
    pull(page, row(page, "Templates"), 5, hold=True)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert dates(plan, "Templates") == ("2026-11-09", "2026-12-11")
    # by keyboard
    button = page.get_by_role("button", name="Dates of Photos")
    button.press("Enter")
    expect(page.get_by_label("Begin")).to_be_focused()
    expect(page.get_by_label("End")).to_have_value("2026-11-10")
    page.get_by_label("Begin").fill("2026-11-16")
    look(seen, "dialog")
    page.keyboard.press("Enter")
    # refused: it is back, and says why
    expect(row(page, "Photos").locator(".tl-why")).to_have_text("End must not be before Begin.")
    expect(button).to_be_focused()
    button.press("Enter")
    page.get_by_label("Begin").fill("2026-11-16")
    page.get_by_label("End").fill("2026-11-18")
    page.keyboard.press("Enter")
    expect(row(page, "Photos").locator(".tl-when")).to_contain_text("16 Nov – 18 Nov 2026")
    assert SHOTS or seen.policy_violations() == []  # taking pictures writes styles
    # taken back from the notice
    notice = page.locator("#toasts > .toast").filter(has_text="Photos is moved")
    notice.get_by_role("button", name="Undo").click()
    expect(row(page, "Photos").locator(".tl-when")).to_contain_text("9 Nov – 10 Nov 2026")
    # the server is away: the bar goes back by itself
    before = row(page, "Templates").locator(".tl-shape").get_attribute("x")
    page.route("**/plan/dates*", lambda route: route.abort())
    pull(page, row(page, "Templates"), 5)
    expect(row(page, "Templates").locator(".tl-shape")).to_have_attribute("x", before or "")
    # a click on a bar opens its record
    row(page, "Templates").locator(".tl-fill").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Templates")
    page.locator(".crumbs").get_by_role("link", name="Plan").last.click()
    expect(page.get_by_role("heading", name="Oct – Dec 2026")).to_be_visible()


def test_periods_are_gone_through_without_loading_the_page(
    address: str, visit: Callable[..., Visit], ada: Person, plan: Installed
) -> None:
    seen = visit(
        f"{address}/installs/{plan.public_id}/records/plan?day=2026-11-01", cookies={"dramac_session": ada.cookie}
    )
    page = seen.page
    page.evaluate("window.same = true")
    page.get_by_role("link", name="The quarter after").press("Enter")
    expect(page.get_by_role("heading", name="Jan – Mar 2027")).to_be_visible()
    expect(page.get_by_role("link", name="The quarter after")).to_be_focused()
    expect(row(page, "Shop").locator(".tl-when")).to_contain_text("begins before this period")
    page.get_by_role("searchbox", name="Search phases").fill("shop")
    expect(page.locator(".chip")).to_contain_text("shop")
    expect(page.get_by_role("heading", name="Jan – Mar 2027")).to_be_visible()
    assert page.evaluate("window.same")
    page.reload()
    expect(page.get_by_role("heading", name="Jan – Mar 2027")).to_be_visible()
    assert (seen.complaints, seen.policy_violations()) == ([], [])


def test_a_group_that_is_folded_away_stays_so_until_it_is_opened(
    address: str, visit: Callable[..., Visit], ada: Person, plan: Installed
) -> None:
    where = f"{address}/installs/{plan.public_id}/records/plan?day=2026-11-01"
    seen = visit(where, cookies={"dramac_session": ada.cookie})
    page = seen.page
    group = page.locator(".tl-group").first
    shown = group.locator(".tl-row")
    expect(shown.first).to_be_visible()
    group.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(shown.first).to_be_hidden()
    look(seen, "folded")
    assert seen.faults() == []
    page.get_by_role("link", name="The quarter after").click()
    expect(page.get_by_role("heading", name="Jan – Mar 2027")).to_be_visible()
    page.get_by_role("link", name="The quarter before").click()
    expect(page.get_by_role("heading", name="Oct – Dec 2026")).to_be_visible()
    expect(shown.first).to_be_hidden()
    expect(page.locator(".tl-group").nth(1).locator(".tl-row").first).to_be_visible()
    page.reload()
    expect(shown.first).to_be_hidden()
    group.locator("summary").click()
    expect(shown.first).to_be_visible()
    page.reload()
    expect(shown.first).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_timeline_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, plan: Installed, theme: str, width: int
) -> None:
    path = f"{address}/installs/{plan.public_id}/records/plan"
    for query in (
        "day=2026-11-01&undated=1",
        "span=month&day=2026-12-05",
        "span=week&day=2026-11-10",
        "span=year&day=2026-11-10",
    ):
        seen = visit(f"{path}?{query}", theme=theme, width=width, cookies={"dramac_session": ada.cookie})
        look(seen, f"{query.partition('&')[0].replace('=', '-')}-{theme}-{width}")
        assert seen.faults() == []
    if width == 390:
        expect(seen.page.locator("[data-bar]").first).to_be_in_viewport(ratio=0.1)  # though the year begins in January
        title = seen.page.get_by_role("link", name="Shop", exact=True)
        title.scroll_into_view_if_needed()
        seen.page.locator("[data-timeline]").evaluate("region => region.scrollBy(300, 0)")
        expect(title).to_be_in_viewport()  # it stays beside its bar
