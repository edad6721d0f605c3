"""The key screens and the API page of an install in a real browser: light, dark, wide, on a phone, and without scripts."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.lib.ids import encode
from tests.e2e.conftest import Theme, Visit
from tests.web.gateway.conftest import OpenShop, Shop, open_shop, shop, shop_module  # noqa: F401  # fixtures

SHOTS = os.environ.get("SHOTS")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_key_screens_hold_to_policy_and_accessibility(
    address: str,
    visit: Callable[..., Visit],
    shop: Shop,  # noqa: F811  # the fixture
    theme: Theme,
    width: int,
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
    seen = visit(f"{address}/keys", theme=theme, width=width, many=True, cookies={"dramac_session": shop.ada.cookie})
    for number, path in enumerate(paths):
        seen.go(address + path)
        if SHOTS:
            seen.page.screenshot(path=f"{SHOTS}/{number}-{theme}-{width}.png", full_page=number != 4)
        if found := seen.faults():
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
