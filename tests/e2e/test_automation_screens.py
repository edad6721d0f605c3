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
