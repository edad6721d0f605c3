"""The screens of inbound webhooks in a real browser: by day and wide, by night on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable

from app.runtime.functions.breaker import breakers
from tests.e2e.conftest import Visit
from tests.support.world import Person
from tests.web.conftest import browse  # noqa: F401  # fixture
from tests.web.inbound.conftest import Till, ada, agency, github, site, till, till_link  # noqa: F401  # fixtures

SHOTS = os.environ.get("SHOTS")


def test_inbound_screens_hold_to_policy_and_accessibility(
    address: str,
    visit: Callable[..., Visit],
    till: Till,  # noqa: F811
    ada: Person,  # noqa: F811
) -> None:
    cookies = {"dramac_session": ada.cookie}
    first = visit(address + till.screen, cookies=cookies)
    if SHOTS:
        first.page.screenshot(path=f"{SHOTS}/inbound-empty.png", full_page=True)
    broken = {"empty": found} if (found := first.faults()) else {}
    first.page.click("[id=hook-orders] button:has-text('Make a secret')")
    first.page.wait_for_selector("text=Copy the secret now")
    if SHOTS:
        first.page.screenshot(path=f"{SHOTS}/inbound-secret.png", full_page=True)
    if found := first.faults():
        broken["secret"] = found
    till.make_secret()
    secret, pushes = till.make_secret(), till.make_secret("pushes")
    done = till.send(secret, message_id="msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")
    till.run(done)
    till.run(till.post(b"{}", github(pushes, b"{}"), hook="pushes"))
    till.install.change(settings={"refuses": True})
    failed = till.send(secret, message_id="msg_3")
    till.run(failed)
    till.install.change(settings={"fails": True})
    trying = till.send(secret, message_id="msg_4")
    till.run(trying)
    breakers.reset(till.install.id, "take")
    till.send(secret, message_id="msg_5")
    for _ in range(3):
        till.send("whsec_" + "QUJD" * 11)
    of = [f"/inbound-messages/{answer.get_json()['id']}" for answer in (done, failed, trying)]
    for theme, width, paths in [("light", 1440, [till.screen, *of]), ("dark", 390, [till.screen, of[1]])]:
        seen = visit(address + till.screen, theme=theme, width=width, many=True, cookies=cookies)
        for number, path in enumerate(paths):
            seen.go(address + path)
            if SHOTS:
                seen.page.screenshot(path=f"{SHOTS}/inbound-{number}-{theme}-{width}.png", full_page=True)
            if found := seen.faults():
                broken[f"{path} {theme}"] = found
    page = visit(address + till.screen, cookies=cookies).page
    page.click("[id=hook-orders] button:has-text('Replace secret')")
    page.click("dialog[open] button:has-text('Replace secret')")
    page.wait_for_selector("text=There is a new secret")
    assert broken == {}
