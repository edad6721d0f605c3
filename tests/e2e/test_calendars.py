"""A calendar in a real browser: a record moved by mouse, by keyboard, refused, taken back; begun where somebody clicks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.e2e.conftest import Visit
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.workspace.test_calendars import SALON

SHOTS = os.environ.get("SHOTS")
NAMES = (
    "Ann Lee",
    "Bo Kim",
    "Cleo Marsh",
    "Dev Patel",
    "Eva Lind",
    "Finn Alder",
    "Gus Romero",
    "Hana Sato",
    "Ida Berg-Hansen",
)


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def salon(world: World, agency: Agency) -> Installed:
    site = world.site(agency, name="Harbour Hair", time_zone="Europe/Lisbon", currency="EUR")
    return put_on_site(agency, site, SALON)


def busy(salon: Installed) -> None:
    """Some weeks of a salon, with a fair and a night."""
    chairs = [salon.add("chairs", name=name)["id"] for name in ("By the window", "By the door", "Upstairs")]
    states = ("agreed", "asked", "agreed")
    for number in range(60):
        day = datetime.fromisoformat("2026-11-02") + timedelta(days=number // 2 + number % 3)
        begins = day + timedelta(hours=9 + number % 8, minutes=15 * (number % 4), seconds=0)
        salon.add(
            "visits", name=NAMES[number % len(NAMES)], begins=f"{begins.isoformat()}Z", state=states[number % 3],
            ends=f"{(begins + timedelta(minutes=30 + 30 * (number % 4))).isoformat()}Z",
        )  # fmt: skip
    salon.add("visits", name="Trade fair", begins="2026-11-12T08:00:00Z", ends="2026-11-17T17:00:00Z", chair=chairs[0])
    salon.add("visits", name="Night shoot", begins="2026-11-11T21:00:00Z", ends="2026-11-12T03:00:00Z", chair=chairs[1])
    for number in range(4):
        salon.add(
            "visits", name=f"Bridal party {number + 1}", begins=f"2026-11-13T1{number}:00:00Z", state="agreed",
            ends=f"2026-11-13T1{number + 2}:00:00Z", chair=chairs[2] if not number % 4 else None,
        )  # fmt: skip


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(
            path=f"{SHOTS}/calendar-{name}.png",
            full_page=True,
            caret="initial",
            clip={"x": 0, "y": 0, "width": 1440, "height": 1400},
        )


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_calendar_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str, visit: Callable[..., Visit], ada: Person, salon: Installed, theme: str, width: int
) -> None:
    busy(salon)
    salon.add("leaves", who="Mel", first="2026-11-10", last="2026-11-13", paint="#aa3355")
    salon.add("visits", name="Some day")
    where = f"{address}/installs/{salon.public_id}/records"
    cookies = {"dramac_session": ada.cookie}
    seen = visit(f"{where}/agenda?day=2026-11-13", theme=theme, width=width, cookies=cookies, many=True)
    for name, query in (
        ("month", "agenda?day=2026-11-13"),
        ("week", "agenda?day=2026-11-13&span=week&undated=1"),
        ("day", "agenda?day=2026-11-13&span=day"),
        ("away", "away?day=2026-11-13"),
        ("away-week", "away?day=2026-11-13&span=week"),
    ):
        seen.go(f"{where}/{query}")
        look(seen, f"{name}-{seen.theme}-{width}")
        # what lies half under the names of the days is no small target
        seen.page.evaluate("document.querySelectorAll('.times').forEach((one) => (one.scrollTop = 0))")
        assert seen.faults() == [], name


def card(page: Page, name: str) -> Locator:
    return page.locator("[data-times] [data-card]", has=page.get_by_role("link", name=name)).locator("visible=true")


def day(page: Page, key: str) -> Locator:
    return page.locator(f'.cal-day[data-day="{key}"]')


def pull(page: Page, what: Locator, to: Locator, *, down: float, hold: bool = False) -> None:
    """Drag by its top left edge to some pixels below the top of another element."""
    to.scroll_into_view_if_needed()
    what.scroll_into_view_if_needed()
    start, end = what.bounding_box(), to.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 24, start["y"] + 9)  # over its link, which must not be followed
    page.mouse.down()
    page.mouse.move(end["x"] + 30, end["y"] + down, steps=8)
    if not hold:
        page.mouse.up()


def times_of(salon: Installed, name: str) -> tuple[str, str | None]:
    row = next(one for one in salon.data.list("visits").records if one["name"] == name)
    return row["begins"][:16], row["ends"] and row["ends"][:16]


def test_a_record_is_moved_by_mouse_and_by_keyboard_and_taken_back(
    address: str, visit: Callable[..., Visit], ada: Person, salon: Installed
) -> None:
    salon.add("visits", name="Cut", begins="2026-11-10T09:00:00Z", ends="2026-11-10T10:30:00Z")
    salon.add("visits", name="Fair", begins="2026-11-16T08:00:00Z", ends="2026-11-18T18:00:00Z")
    where = f"{address}/installs/{salon.public_id}/records/agenda?day=2026-11-10"
    seen = visit(where, cookies={"dramac_session": ada.cookie}, width=1280)
    page = seen.page
    page.evaluate("window.same = true")
    # a month: to another day, by the day that was taken hold of
    pull(page, card(page, "Cut"), day(page, "2026-11-12"), down=70, hold=True)
    expect(day(page, "2026-11-12")).to_have_attribute("data-over", "")
    look(seen, "held-month")
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("Begins: Thu 12 Nov, 09:00–10:30")
    assert times_of(salon, "Cut") == ("2026-11-12T09:00", "2026-11-12T10:30")
    assert (page.url, page.evaluate("window.same")) == (where, True)  # nothing was loaded anew, no link followed
    expect(card(page, "Cut").get_by_role("button", name="Move Cut to…")).to_be_focused()
    # by keyboard: a dialog with the time it has
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Begins")).to_have_value("2026-11-12T09:00")
    expect(dialog.get_by_label("Begins")).to_be_focused()
    look(seen, "dialog")
    assert seen.axe_faults() == []
    dialog.get_by_label("Begins").fill("2026-11-10T14:15")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Begins: Tue 10 Nov, 14:15–15:45")
    expect(card(page, "Cut").get_by_role("button", name="Move Cut to…")).to_be_focused()
    # a bar over several days, from its last one
    day(page, "2026-11-19").scroll_into_view_if_needed()
    box = card(page, "Fair").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 45, box["y"] + 10)
    page.mouse.down()
    target = day(page, "2026-11-19").bounding_box()
    assert target
    page.mouse.move(target["x"] + 40, target["y"] + 90, steps=8)
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("Fair is moved")
    assert times_of(salon, "Fair") == ("2026-11-17T08:00", "2026-11-19T18:00")
    # given up with Escape: nothing is sent
    pull(page, card(page, "Cut"), day(page, "2026-11-24"), down=70, hold=True)
    page.keyboard.press("Escape")
    page.mouse.up()
    # a week: to another time of another day, in quarters of an hour
    page.get_by_role("link", name="Week", exact=True).click()
    expect(page.locator("#times-title")).to_contain_text("Week 46")
    assert page.url.endswith("?span=week&day=2026-11-10")
    monday = page.locator('.times-column[data-day="2026-11-09"]')
    pull(page, card(page, "Cut"), monday.locator(".times-slot").nth(2), down=9 + 24 + 3, hold=True)
    look(seen, "held-week")
    page.mouse.up()
    expect(monday.locator(".times-when")).to_have_text(re.compile("10:30–12:00"))
    assert times_of(salon, "Cut") == ("2026-11-09T10:30", "2026-11-09T12:00")
    notice = page.locator("#toasts > .toast").filter(has_text="Mon 9 Nov")
    notice.get_by_role("button", name="Undo").click()
    expect(page.locator('.times-column[data-day="2026-11-10"] .times-when')).to_have_text(re.compile("14:15–15:45"))
    # the server is away: the card goes back by itself
    page.route("**/reschedule*", lambda route: route.abort())
    pull(page, card(page, "Cut"), monday.locator(".times-slot").nth(2), down=20)
    expect(page.locator("[data-sent]")).to_have_count(0)
    assert times_of(salon, "Cut") == ("2026-11-10T14:15", "2026-11-10T15:45")


def stretch(page: Page, what: Locator, to: Locator, *, down: float, hold: bool = False) -> None:
    """Pull the edge where a record ends to some pixels below the top of another element."""
    edge = what.locator(".times-edge")
    to.scroll_into_view_if_needed()
    edge.scroll_into_view_if_needed()
    start, end = edge.bounding_box(), to.bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(end["x"] + 20, end["y"] + down, steps=8)
    if not hold:
        page.mouse.up()


def test_the_end_of_a_record_is_pulled_by_mouse_and_written_by_keyboard(
    address: str, visit: Callable[..., Visit], ada: Person, salon: Installed
) -> None:
    salon.add("visits", name="Cut", begins="2026-11-10T09:00:00Z", ends="2026-11-10T10:30:00Z")
    salon.add("visits", name="Fair", begins="2026-11-16T08:00:00Z", ends="2026-11-18T18:00:00Z")
    salon.add("leaves", who="Mel", first="2026-11-10", last="2026-11-11")
    where = f"{address}/installs/{salon.public_id}/records"
    seen = visit(f"{where}/agenda?day=2026-11-10&span=week", cookies={"dramac_session": ada.cookie}, width=1280)
    page = seen.page
    hours = page.locator('.times-column[data-day="2026-11-10"] .times-slot')  # from eight o'clock
    stretch(page, card(page, "Cut"), hours.nth(5), down=14, hold=True)
    expect(card(page, "Cut").locator(".times-when")).to_contain_text("09:00–13:15")
    look(seen, "stretched")
    page.keyboard.press("Escape")
    expect(card(page, "Cut").locator(".times-when")).to_contain_text("09:00–10:30")
    page.mouse.up()
    stretch(page, card(page, "Cut"), hours.nth(5), down=14)
    expect(page.locator("#toasts")).to_contain_text("Begins: Tue 10 Nov, 09:00–13:15")
    assert times_of(salon, "Cut") == ("2026-11-10T09:00", "2026-11-10T13:15")
    # above its start it is as short as can be
    stretch(page, card(page, "Cut"), hours.nth(0), down=14)
    expect(page.locator("#toasts")).to_contain_text("Begins: Tue 10 Nov, 09:00–09:15")
    # by keyboard: the end goes along with the start until it is written itself
    card(page, "Cut").get_by_role("button", name="Move Cut to…").press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Begins").fill("2026-11-10T11:00")
    expect(dialog.get_by_label("Ends")).to_have_value("2026-11-10T11:15")
    dialog.get_by_label("Ends").fill("2026-11-10T12:00")
    assert seen.axe_faults() == []
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Begins: Tue 10 Nov, 11:00–12:00")
    # a month: a bar over days, also into the next week
    page.goto(f"{where}/agenda?day=2026-11-10")
    stretch(page, card(page, "Fair"), day(page, "2026-11-20"), down=90, hold=True)
    expect(card(page, "Fair")).to_have_attribute("data-days", "5")
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("Fair is moved")
    assert times_of(salon, "Fair") == ("2026-11-16T08:00", "2026-11-20T18:00")
    page.goto(f"{where}/away?day=2026-11-10")
    stretch(page, card(page, "Mel"), day(page, "2026-11-24"), down=90)
    expect(page.locator("#toasts")).to_contain_text("10 Nov – 24 Nov")
    assert [row["last"] for row in salon.data.list("leaves").records] == ["2026-11-24"]
    # the server is away: the bar is as long as it was
    page.route("**/reschedule*", lambda route: route.abort())
    first = page.locator(".cal-bar").first
    days = first.get_attribute("data-days")
    last = page.locator(".cal-bar", has=page.locator(".times-edge"))
    assert last.count() == 1  # the edge is where it ends
    stretch(page, last, day(page, "2026-11-26"), down=90)
    expect(page.locator("#toasts")).to_contain_text("connection")
    expect(first).to_have_attribute("data-days", days or "")


def test_a_refused_move_is_said_and_nothing_moves(
    address: str, visit: Callable[..., Visit], ada: Person, salon: Installed
) -> None:
    chair = salon.add("chairs", name="By the window")["id"]
    salon.add("visits", name="First", begins="2026-11-10T09:00:00Z", ends="2026-11-10T10:00:00Z", chair=chair)
    salon.add("visits", name="Second", begins="2026-11-10T12:00:00Z", ends="2026-11-10T13:00:00Z", chair=chair)
    where = f"{address}/installs/{salon.public_id}/records/agenda?day=2026-11-10&span=day"
    seen = visit(where, cookies={"dramac_session": ada.cookie}, width=1280)
    page = seen.page
    pull(page, card(page, "Second"), card(page, "First"), down=20)
    expect(page.locator(".times-why")).to_contain_text("Edit it")
    expect(card(page, "Second").locator(".times-when")).to_contain_text("12:00–13:00")
    assert times_of(salon, "Second") == ("2026-11-10T12:00", "2026-11-10T13:00")
    look(seen, "refused")
    assert seen.axe_faults() == []


def test_a_record_begins_where_somebody_clicks_or_presses_enter(
    address: str, visit: Callable[..., Visit], ada: Person, salon: Installed
) -> None:
    where = f"{address}/installs/{salon.public_id}/records/agenda?day=2026-11-10"
    seen = visit(f"{where}&span=week", cookies={"dramac_session": ada.cookie}, width=1280)
    page = seen.page
    tuesday = page.locator('.times-column[data-day="2026-11-10"]')
    tuesday.locator(".times-slot").nth(2).click(position={"x": 20, "y": 40})  # the lower half of the hour from ten
    expect(page.get_by_label("Begins")).to_have_value("2026-11-10T10:30")
    expect(page.get_by_label("Ends")).to_have_value("2026-11-10T11:30")
    page.go_back()
    slot = tuesday.locator(".times-slot").first
    slot.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator('.times-column[data-day="2026-11-11"] .times-slot').nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Begins")).to_have_value("2026-11-11T10:00")
    page.goto(where)
    day(page, "2026-11-18").click(position={"x": 60, "y": 90})
    expect(page.get_by_label("Begins")).to_have_value("2026-11-18T09:00")


def test_on_a_phone_a_day_that_is_tapped_is_listed_and_moved_by_thumb(
    address: str, visit: Callable[..., Visit], ada: Person, salon: Installed
) -> None:
    salon.add("visits", name="Cut", begins="2026-11-10T09:00:00Z", ends="2026-11-10T10:30:00Z")
    salon.add("visits", name="Dye", begins="2026-11-12T09:00:00Z", ends="2026-11-12T10:30:00Z")
    where = f"{address}/installs/{salon.public_id}/records/agenda?day=2026-11-11"
    seen = visit(where, cookies={"dramac_session": ada.cookie}, width=390)
    page = seen.page
    expect(card(page, "Cut")).to_have_count(0)  # it is over; what comes is listed
    expect(card(page, "Dye")).to_have_count(1)
    page.get_by_role("link", name="Tuesday 10 November 2026, 1 visit").tap()
    expect(card(page, "Cut")).to_have_count(1)
    expect(card(page, "Dye")).to_have_count(0)
    look(seen, "tapped")
    page.get_by_role("button", name="Move Cut to…").tap()
    page.get_by_role("dialog").get_by_label("Begins").fill("2026-11-12T15:00")
    page.get_by_role("dialog").get_by_role("button", name="Move", exact=True).tap()
    expect(page.locator("#toasts")).to_contain_text("Cut is moved")
    assert times_of(salon, "Cut") == ("2026-11-12T15:00", "2026-11-12T16:30")
    assert (seen.complaints, seen.policy_violations(), seen.sideways_overflow_px()) == ([], [], 0)


def test_without_scripts_a_calendar_is_looked_at_and_gone_through(
    address: str, visit: Callable[..., Visit], ada: Person, salon: Installed
) -> None:
    salon.add("visits", name="Cut", begins="2026-12-10T09:00:00Z", ends="2026-12-10T10:30:00Z")
    where = f"{address}/installs/{salon.public_id}/records/agenda?day=2026-11-10"
    page = visit(where, cookies={"dramac_session": ada.cookie}, width=1280, scripts=False).page
    page.get_by_role("link", name="Next month").click()
    expect(page.locator("#times-title")).to_have_text("December 2026")
    page.get_by_role("link", name="Thursday 10 December 2026, 1 visit").locator("visible=true").click()
    expect(card(page, "Cut")).to_have_count(1)
    piece, column = card(page, "Cut").bounding_box(), page.locator(".times-slot").nth(1).bounding_box()
    assert piece
    assert column
    assert abs(piece["y"] - column["y"]) < 2  # nine o'clock stands at nine
    assert abs(piece["height"] - 1.5 * column["height"]) < 4
