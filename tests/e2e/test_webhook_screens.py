"""The webhook screens in a real browser, and the way from a new endpoint to a delivery that is sent again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import expect

from app.config import Config
from app.events.catalog import CLIENT_CREATED, SITE_CREATED
from app.lib.clock import utcnow
from tests.e2e.conftest import Theme, Visit
from tests.support.hooks import Hooks, receiving
from tests.support.world import World

SHOTS = os.environ.get("SHOTS")


@pytest.fixture
def hooks(platform_app: Flask, config: Config, world: World) -> Iterator[Hooks]:
    agency = world.agency("Studio Lumen")
    made = Hooks(platform_app, config, world, agency, world.person(agency, name="Ada Bright"), world.site(agency))
    yield made
    made.leave()


@pytest.fixture
def paths(hooks: Hooks) -> dict[str, list[str]]:
    """What is looked at by day and wide, and by night on a phone: an endpoint that was busy, one that fails, one that is off."""
    with receiving(body=b'{"ok": true}') as works, receiving(status=500, body=b"<h1>Sorry</h1>") as fails:
        busy = hooks.endpoint(
            works.url, headers={"X-Env": "live"}, fields=("record.id", "changed"), rate_per_minute=600
        )
        failing = hooks.endpoint(fails.url, patterns=("client.*", "site.created", "deal.won", "key.*"))
        off = hooks.endpoint("https://hooks.example.com/a/rather/long/path/" + "x" * 120, patterns=("*",))
        hooks.set(off, disabled_at=utcnow(), disabled_reason="gone")
        hooks.publish(SITE_CREATED, site=hooks.site, data={"name": "Harbour Dental"})
        hooks.of_module("deal.won", {"record": {"id": "1", "name": "Dentures"}})
        hooks.publish(CLIENT_CREATED, data={"name": "Harbour Group"})
        hooks.deliver()
        hooks.set(failing, failing_since=utcnow() - timedelta(days=3))
        first = hooks.deliveries(failing)[0]
    own = [f"/webhooks/{one.public_id}" for one in (busy, failing, off)]
    delivery = f"/webhook-deliveries/{first.public_id}"
    return {
        "light": ["/webhooks", own[0], own[1], "/webhooks/events", "/webhooks/events/site.created", "/webhooks/new"],
        "dark": ["/webhooks", own[2], f"{own[1]}?status=delivered", delivery, f"{own[1]}/replay"],
    }


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_webhook_screens_hold_to_policy_and_accessibility(
    address: str, visit: Callable[..., Visit], hooks: Hooks, paths: dict[str, list[str]], theme: Theme, width: int
) -> None:
    broken = {}
    cookies = {"dramac_session": hooks.ada.cookie}
    seen = visit(f"{address}/webhooks", theme=theme, width=width, many=True, cookies=cookies)
    for number, path in enumerate(paths[theme]):
        seen.go(address + path)
        if SHOTS:
            seen.page.screenshot(path=f"{SHOTS}/{number}-{theme}-{width}.png", full_page=True)
        if found := seen.faults():
            broken[path] = found
    assert broken == {}


def test_from_a_new_endpoint_to_a_delivery_that_is_sent_again(
    address: str, visit: Callable[..., Visit], hooks: Hooks
) -> None:
    with receiving(status=503) as receiver, hooks.worker():
        page = visit(f"{address}/webhooks", cookies={"dramac_session": hooks.ada.cookie}).page
        page.get_by_role("link", name="New webhook").first.click()
        page.get_by_role("textbox", name="Address").fill("ftp://somewhere")
        page.get_by_role("textbox", name="Events").fill("client.*")
        page.get_by_role("button", name="Create webhook").click()
        expect(page.get_by_text("The address must start with https://.").first).to_be_visible()
        page.get_by_role("textbox", name="Address").fill(receiver.url)
        page.get_by_role("button", name="Create webhook").click()
        expect(page.get_by_text("whsec_").first).to_be_visible()
        page.reload()  # makes no second one, and shows nothing again
        expect(page.get_by_role("textbox", name="Your password")).to_be_visible()
        assert len(hooks.endpoints()) == 1
        page.get_by_role("link", name="Cancel").click()
        page.get_by_role("button", name="Send test event").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("webhook.test")
        answer = page.locator("#attempts tbody tr").first
        expect(answer).to_contain_text("Refused (503)")
        receiver.status = 200
        page.get_by_role("button", name="Reset and send now").click()
        expect(page.get_by_text("Webhook set going again")).to_be_visible()
        page.get_by_role("link", name="webhook.test").first.click()
        attempts = page.locator("#attempts tbody tr")
        expect(attempts).to_have_count(2)
        expect(attempts.first).to_contain_text("Accepted (200)")
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
