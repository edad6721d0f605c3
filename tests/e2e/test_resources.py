"""A day by chair in a real browser: a record moved to another time and chair by mouse and by keyboard; and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.test_calendars import ada, agency, card, pull, salon, times_of  # noqa: F401  # fixtures and helpers
from tests.support.installed import Installed
from tests.support.world import Person

SHOTS = os.environ.get("SHOTS")
NAMES = ("Ann Lee", "Bo Kim", "Cleo Marsh", "Dev Patel", "Eva Lind", "Finn Alder", "Gus Romero", "Hana Sato")


def look(seen: Visit, name: str) -> None:
    if SHOTS:
        seen.page.screenshot(path=f"{SHOTS}/resources-{name}.png", full_page=True, caret="initial")


def chairs(salon: Installed) -> list[str]:  # noqa: F811
    """Four chairs, some of them busy."""
    made = [
        str(salon.add("chairs", name=name)["id"]) for name in ("By the door", "By the window", "Garden", "Upstairs")
    ]
    for number in range(14):
        begins = f"2026-11-10T{8 + number // 2 + number % 2:02}:{15 * (number % 3):02}"
        salon.add(
            "visits", name=NAMES[number % 8], chair=made[number % 3], state=("agreed", "asked")[number % 2],
            begins=f"{begins}:00Z", ends=f"{begins[:-2]}{int(begins[-2:]) + 25}:00Z",
        )  # fmt: skip
    salon.add("visits", name="Who takes it?", begins="2026-11-10T10:00:00Z", ends="2026-11-10T11:30:00Z")
    salon.add("visits", name="Fair", begins="2026-11-09T08:00:00Z", ends="2026-11-12T18:00:00Z", chair=made[3])
    return made


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_day_by_chair_holds_to_accessibility_by_day_by_night_and_on_a_phone(
    address: str,
    visit: Callable[..., Visit],
    ada: Person,  # noqa: F811
    salon: Installed,  # noqa: F811
    theme: str,
    width: int,
) -> None:
    chairs(salon)
    where = f"{address}/installs/{salon.public_id}/records/floor?day=2026-11-10"
    seen = visit(where, theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    look(seen, f"{theme}-{width}")
    assert seen.faults() == []
    if width == 390:
        region, hours = seen.page.locator(".times"), seen.page.locator(".times-body > .times-gutter")
        region.evaluate("region => region.scrollBy(1000, 0)")
        expect(seen.page.locator(".times-name", has_text="None")).to_be_in_viewport()
        expect(hours).to_be_in_viewport()  # the hours stay beside the columns


def test_a_record_is_moved_to_another_time_and_chair_by_mouse_and_by_keyboard(
    address: str,
    visit: Callable[..., Visit],
    ada: Person,  # noqa: F811
    salon: Installed,  # noqa: F811
) -> None:
    door, window = (str(salon.add("chairs", name=name)["id"]) for name in ("Door", "Window"))
    salon.add("visits", name="Cut", begins="2026-11-10T09:00:00Z", ends="2026-11-10T10:30:00Z", chair=door)
    where = f"{address}/installs/{salon.public_id}/records/floor?day=2026-11-10"
    seen = visit(where, cookies={"dramac_session": ada.cookie}, width=1280)
    page = seen.page
    pull(
        page,
        card(page, "Cut"),
        page.locator(f'.times-column[data-place="{window}"] .times-slot').nth(3),
        down=9 + 2,
        hold=True,
    )
    look(seen, "held")
    page.mouse.up()
    expect(page.locator("#toasts")).to_contain_text("Begins: Tue 10 Nov, 11:00–12:30; Chair: Window")
    assert times_of(salon, "Cut") == ("2026-11-10T11:00", "2026-11-10T12:30")
    expect(card(page, "Cut").get_by_role("button", name="Move Cut to…")).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Chair")).to_have_value(window)
    expect(dialog.get_by_label("Begins")).to_have_value("2026-11-10T11:00")
    look(seen, "dialog")
    dialog.get_by_label("Chair").select_option(label="None")
    dialog.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(page.locator('.times-column[data-place="none"] .times-piece')).to_have_count(1)
    assert times_of(salon, "Cut") == ("2026-11-10T11:00", "2026-11-10T12:30")
    page.locator(f'.times-column[data-place="{door}"] .times-slot').first.press("Enter")
    expect(page.get_by_label("Begins")).to_have_value("2026-11-10T08:00")
    expect(page.locator("select[name=v-chair] option:checked")).to_have_text("Door")
    assert (seen.complaints, seen.policy_violations()) == ([], [])
