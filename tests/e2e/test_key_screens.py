"""The key screens and the API page of an install in a real browser: light, dark, wide, on a phone, and without scripts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import expect
from werkzeug.serving import make_server

from app.lib.ids import encode
from tests.e2e.conftest import Visit
from tests.e2e.test_agency_screens import faults
from tests.web.gateway.conftest import OpenShop, Shop, open_shop, shop, shop_module  # noqa: F401  # fixtures

SHOTS = os.environ.get("SHOTS")


@pytest.fixture(scope="module")
def address(platform_app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, platform_app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize(
    ("theme", "width", "axe"),
    [("light", 1440, True), ("dark", 390, True), ("dark", 1440, False), ("light", 390, False)],
)
def test_key_screens_hold_to_policy_and_accessibility(
    address: str,
    visit: Callable[..., Visit],
    shop: Shop,  # noqa: F811  # the fixture
    theme: str,
    width: int,
    axe: bool,
) -> None:
    key, _ = shop.key(
        kind="publishable", scopes=["read"], origins=["https://www.harbour.example"], networks=["192.0.2.0/24"]
    )
    broken = {}
    paths = (
        "/keys",
        "/keys?q=nothing",
        "/keys/new",
        f"/keys/{key.public_id}",
        f"/installs/{encode('ins', shop.install_id)}/api",
    )
    for number, path in enumerate(paths):
        seen = visit(address + path, theme=theme, width=width, cookies={"dramac_session": shop.ada.cookie})
        if SHOTS:
            seen.page.screenshot(path=f"{SHOTS}/{number}-{theme}-{width}.png", full_page=number != 4)
        if found := faults(seen, axe=axe):
            broken[path] = found
    assert broken == {}


@pytest.mark.parametrize("scripts", [True, False])
def test_a_key_is_made_and_revoked_in_the_browser(
    address: str,
    visit: Callable[..., Visit],
    shop: Shop,  # noqa: F811  # the fixture
    scripts: bool,
) -> None:
    page = visit(f"{address}/keys/new", scripts=scripts, cookies={"dramac_session": shop.ada.cookie}).page
    page.get_by_role("textbox", name="Name").fill("Till app")
    page.get_by_role("combobox", name="For").select_option(encode("ins", shop.install_id))
    page.get_by_role("button", name="Create key").click()
    token = page.locator("#key-value").inner_text()
    assert shop.get("/products", token=token).status_code == 200
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Till app")
    page.get_by_role("button", name="Revoke", exact=True).click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Revoked", exact=True).first).to_be_visible()
