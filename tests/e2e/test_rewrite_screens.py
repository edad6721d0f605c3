"""Recording bodies and replaying a write in a real browser: by day and wide, by night on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Visit
from tests.support.world import Person
from tests.web.conftest import browse  # noqa: F401  # fixture
from tests.web.support.test_rewrites import Desk, ada, agency, desk  # noqa: F401  # fixtures

SHOTS = os.environ.get("SHOTS")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_write_is_recorded_and_replayed_from_its_line(
    address: str,
    visit: Callable[..., Visit],
    desk: Desk,  # noqa: F811
    ada: Person,  # noqa: F811
    theme: str,
    width: int,
) -> None:
    broken = {}
    seen = visit(address + desk.logs, theme=theme, width=width, cookies={"dramac_session": ada.cookie})
    seen.page.click("text=Replay writes and module code, too")

    def look(name: str) -> None:
        if SHOTS:
            seen.page.screenshot(path=f"{SHOTS}/rewrite-{name}-{theme}-{width}.png", full_page=True)
        if found := seen.faults():
            broken[name] = found

    look("off")
    seen.page.click("button:has-text('Record bodies for one hour')")
    seen.page.wait_for_selector("text=The bodies of writes are being recorded")
    desk.record()
    desk.call("POST", body={"name": "Anchor"})
    seen.page.goto(f"{address}{desk.logs}?kind=request")
    look("on")
    seen.page.click(".log-title")
    replay = seen.page.locator("button:has-text('Replay')")
    replay.wait_for()  # what is still folded away takes no focus, and the key would go to nobody
    replay.press("Enter")  # by key: nothing moves away from under it
    seen.page.wait_for_url("**/logs/replay")
    seen.page.wait_for_selector("text=What it would have changed")
    look("made")
    assert broken == {}
    assert desk.names() == ["Anchor"]
