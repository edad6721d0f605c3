"""Who is here now is asked again every half minute, and only while the tab is looked at."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.support.world import World

SEEN = """let away = false;
Object.defineProperty(document, "hidden", { get: () => away });
window.leave = (gone) => { away = gone; };"""


def test_a_board_asks_who_is_here_only_while_somebody_looks(address: str, browser: Browser, world: World) -> None:
    ada = world.person(world.agency())
    context = browser.new_context()
    context.add_cookies([{"name": "dramac_session", "value": ada.cookie, "url": address}])
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url) if "part=now" in request.url else None)
    page.add_init_script(SEEN)
    page.clock.install()
    page.goto(f"{address}/analytics")
    for away, before, after in ((False, 0, 1), (True, 1, 1), (False, 1, 2)):
        page.evaluate("(gone) => window.leave(gone)", away)
        assert len(asked) == before
        page.clock.run_for(31_000)
        page.wait_for_timeout(500)
        assert len(asked) == after, away
    assert page.locator("#here-now").inner_text() == "0 people right now"
    context.close()
