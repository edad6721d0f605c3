"""The automation screens in a real browser: by day and wide, by night on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable

from app.config import Config
from app.lib.ids import encode
from tests.e2e.conftest import Visit
from tests.support.automated import Automated, deals_module
from tests.support.world import World

SHOTS = os.environ.get("SHOTS")


def test_automation_screens_hold_to_policy_and_accessibility(
    address: str, visit: Callable[..., Visit], world: World, config: Config
) -> None:
    shop = Automated.make(config, world, deals_module(world.agency("Publisher")))
    automation = shop.automation(
        shop.mail(),
        shop.note(words="{record.name}"),
        shop.jot(),
        conditions="amount >= 10\nstage in open,won",
        off_after=1,
    )
    shop.automation(shop.mail(to="owners"), name="Tell the owners", event="deal.updated", on=False)
    shop.deal(amount=10, email=None)
    shop.happen()
    [run] = shop.runs(automation)
    found = shop.deals.rows("SELECT id FROM events WHERE install_id = :install AND type = 'deal.created'")[0]["id"]
    event = encode("evt", found)
    own = f"/automations/{automation.public_id}"
    looks = [
        ("light", 1440, ["/automations", f"{own}/trial?event={event}", "/automations/new"]),
        ("dark", 390, [own, f"{own}/step?kind=record", f"/automation-runs/{run.public_id}"]),
    ]
    broken = {}
    cookies = {"dramac_session": shop.ada.cookie}
    for theme, width, paths in looks:
        seen = visit(address + paths[0], theme=theme, width=width, many=True, cookies=cookies)
        for number, path in enumerate(paths):
            seen.go(address + path)
            if SHOTS:
                seen.page.screenshot(path=f"{SHOTS}/auto-{number}-{theme}.png", full_page=True)
            if found := seen.faults():
                broken[path] = found
    assert broken == {}


def test_steps_are_edited_in_place_and_moved_by_keyboard_without_losing_what_is_typed(
    address: str, visit: Callable[..., Visit], world: World, config: Config
) -> None:
    shop = Automated.make(config, world, deals_module(world.agency("Publisher")))
    automation = shop.automation(shop.mail(), shop.note(words="Hello"), shop.jot())
    mail, note, jot = (step["id"] for step in automation.steps)
    path = f"{address}/automations/{automation.public_id}"
    page = visit(path, theme="light", width=1280, cookies={"dramac_session": shop.ada.cookie}).page
    for place in (2, 1):
        page.focus(f"#up-{jot}")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#steps li:nth-child({place})#step-{jot}")
        assert page.evaluate("document.activeElement.id") == f"up-{jot}"
    page.click(f"#edit-{mail}")
    page.fill(f"#step-{mail} textarea", "Typed and kept")
    page.click(f"#edit-{note}")
    page.fill(f"#step-{note} textarea", "words = Bye\namount = many")
    page.click(f"#step-{note} button:has-text('Save step')")
    page.wait_for_selector(f"#step-{note} [aria-invalid=true]")
    page.fill(f"#step-{note} textarea", "words = Bye\namount = 3")
    page.click(f"#step-{note} button:has-text('Save step')")
    page.wait_for_selector(f"#step-{note} textarea", state="detached")
    assert page.input_value(f"#step-{mail} textarea") == "Typed and kept"
    assert [step["id"] for step in shop.read(automation).steps] == [jot, mail, note]
    assert shop.read(automation).steps[2]["values"] == {"words": "Bye", "amount": "3"}
