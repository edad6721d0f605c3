"""Who may call: keys, their bounds, where they may stand."""

from __future__ import annotations

import time
from datetime import timedelta
from ipaddress import ip_address

import pytest

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.gateway.tokens import new_token
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.tenancy.models import Agency, Site
from tests.web.gateway.conftest import Shop
from tests.web.gateway.test_errors import problem

PAGE = "https://www.harbour.example"


@pytest.mark.parametrize("header", ["", "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Token abc"])
def test_O19_no_credential_is_challenged(shop: Shop, header: str) -> None:
    answer = shop.get("/products", token="", headers={"Authorization": header} if header else {})
    problem(answer, 401, "no_credential")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Dramac"'


def test_a_mistyped_key_is_known_without_the_database(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.gateway.credentials.runtime_pool", lambda: pytest.fail("asked the database"))
    last = "A" if shop.token[-1] != "A" else "B"
    for typo in (
        shop.token[:-1] + last,
        shop.token[:-1],
        shop.token + "x",
        "dmc_sk_",
        "ghp_something",
        "dmc_sk_" + "é" * 49,
    ):
        answer = shop.get("/products", token="", headers={"Authorization": f"Bearer {typo}".encode().decode("latin-1")})
        problem(answer, 401, "key_mistyped")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Dramac", error="invalid_token"'


def test_an_unknown_key_is_refused(shop: Shop) -> None:
    answer = shop.get("/products", token=new_token("secret"))
    problem(answer, 401, "key_unknown")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Dramac", error="invalid_token"'


def test_guessing_keys_is_limited_per_address(shop: Shop) -> None:
    answers = [shop.get("/products", token=new_token("secret")) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [401] * 60 + [429]
    assert shop.get("/products").status_code == 200  # a good key from there still works


def test_a_revoked_key_is_refused_at_once(shop: Shop) -> None:
    key, token = shop.key()
    assert shop.get("/products", token=token).status_code == 200
    shop.revoke(key)
    deadline = time.monotonic() + 1
    while (answer := shop.get("/products", token=token)).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    problem(answer, 401, "key_revoked")


def test_an_expired_key_is_refused(shop: Shop) -> None:
    key, token = shop.key(expires_at=utcnow() + timedelta(days=1))
    shop.expire(key, utcnow() - timedelta(seconds=1))
    problem(shop.get("/products", token=token), 401, "key_expired")


@pytest.mark.parametrize(
    ("model", "column", "code"), [(Site, "archived_at", "site_archived"), (Agency, "suspended_at", "agency_suspended")]
)
def test_a_closed_site_or_agency_refuses_its_keys(shop: Shop, model: type, column: str, code: str) -> None:
    _, token = shop.key()
    with platform_scope("test"), transaction(db.session()) as session:
        row = session.get_one(model, shop.site.id if model is Site else shop.site.agency_id)
        setattr(row, column, utcnow())
    problem(shop.get("/products", token=token), 403, code)


@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        (["192.0.2.0/24"], "192.0.2.77", 200),
        (["192.0.2.0/24"], "192.0.3.1", 403),
        (["192.0.2.5"], "192.0.2.5", 200),
        (["192.0.2.5"], "192.0.2.6", 403),
        (["192.0.2.0/24"], "::ffff:192.0.2.9", 200),
        (["2001:db8::/32"], "2001:db8:1::1", 200),
        (["2001:db8::/32"], "192.0.2.1", 403),
        (["192.0.2.0/24"], "not an address", 403),
    ],
)
def test_a_key_works_from_its_networks_only(shop: Shop, networks: list[str], address: str, status: int) -> None:
    _, token = shop.key(networks=networks)
    shop.address = address
    answer = shop.get("/products", token=token)
    assert answer.status_code == status
    if status == 403:
        problem(answer, 403, "wrong_network")


def test_an_x_forwarded_for_header_changes_nothing(shop: Shop) -> None:
    _, token = shop.key(networks=["192.0.2.0/24"])
    problem(shop.get("/products", token=token, headers={"X-Forwarded-For": "192.0.2.1"}), 403, "wrong_network")


@pytest.mark.parametrize(
    ("scopes", "method", "path", "scope"),
    [
        (["write"], "GET", "/products", "read"),
        (["write"], "GET", "/products/aggregate", "read"),
        (["read"], "POST", "/products", "write"),
        (["read"], "PATCH", "/products/0199a2c4-5f0e-7c3a-9b1d-2f6e8a7b4c10", "write"),
        (["read", "write"], "DELETE", "/products/0199a2c4-5f0e-7c3a-9b1d-2f6e8a7b4c10", "delete"),
        (["read", "write", "delete"], "GET", "/events", "events"),
    ],
)
def test_O19_a_missing_scope_is_named(shop: Shop, scopes: list[str], method: str, path: str, scope: str) -> None:
    _, token = shop.key(scopes=scopes)
    answer = shop.call(method, path, token=token, json={"name": "x"} if method in ("POST", "PATCH") else None)
    assert problem(answer, 403, "insufficient_scope")["scope"] == scope
    assert answer.headers["WWW-Authenticate"] == f'Bearer realm="Dramac", error="insufficient_scope", scope="{scope}"'


def test_O19_a_key_in_the_address_or_body_is_refused(shop: Shop) -> None:
    for query in (f"access_token={shop.token}", f"key={shop.token}", f"q={shop.token}"):
        problem(shop.get(f"/products?{query}", token=""), 400, "credential_in_wrong_place")
        problem(shop.get(f"/products?{query}"), 400, "credential_in_wrong_place")
    form = shop.call("POST", "/products", token="", data={"access_token": shop.token, "name": "Lamp"})
    problem(form, 400, "credential_in_wrong_place")
    body = shop.post("/products", {"api_key": shop.token, "name": "Lamp"}, token="")
    problem(body, 400, "credential_in_wrong_place")


def test_cookies_are_ignored(shop: Shop) -> None:
    answer = shop.get("/products", token="", headers={"Cookie": f"dramac_session={shop.ada.cookie}"})
    problem(answer, 401, "no_credential")
    assert "Set-Cookie" not in shop.get("/products").headers


# -- publishable keys


def page_key(shop: Shop, **values: object) -> str:
    return shop.key(**{"kind": "publishable", "scopes": ["read", "write"], "origins": [PAGE], **values})[1]  # type: ignore[arg-type]  # as the fixture takes them


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (PAGE, 200),
        ("", 403),
        ("null", 403),
        ("*", 403),
        ("http://www.harbour.example", 403),
        ("https://harbour.example", 403),
        ("https://www.harbour.example:8443", 403),
        ("https://www.harbour.example.evil.example", 403),
        ("https://WWW.harbour.example", 403),
        ("https://www.harbour.example/", 403),
    ],
)
def test_a_publishable_key_works_on_its_pages_only(shop: Shop, origin: str, status: int) -> None:
    token = page_key(shop)
    answer = shop.get("/products", token=token, headers={"Origin": origin} if origin else {})
    assert answer.status_code == status
    assert answer.headers.get("Access-Control-Allow-Origin") == (PAGE if status == 200 else None)
    if status == 403:
        problem(answer, 403, "wrong_origin")


def test_a_publishable_key_may_do_what_visitors_may(shop: Shop) -> None:
    product, token, page = shop.made("/products", {"name": "Lamp"})["id"], page_key(shop), {"Origin": PAGE}
    [seen] = shop.get("/products", token=token, headers=page).get_json()["data"]
    assert (seen["name"], "created_by" in seen) == ("Lamp", False)
    assert shop.post("/products", {"name": "x"}, token=token, headers=page).status_code == 403
    order = shop.post("/orders", {"product": product, "quantity": 1}, token=token, headers=page)
    assert (order.status_code, set(order.get_json()["data"])) == (201, {"id"})  # made, and not to be read
    assert shop.get("/orders", token=token, headers=page).status_code == 404
    assert shop.get(f"/orders/{order.get_json()['data']['id']}", token=token, headers=page).status_code == 404


# -- last use


def test_when_and_where_a_key_was_last_used_is_noted(shop: Shop) -> None:
    from app.gateway.models import ApiKey

    key, token = shop.key()
    shop.get("/products", token=token)
    shop.app.extensions["gateway"].log.flush()
    with platform_scope("test"), transaction(db.session()) as session:
        kept = session.get_one(ApiKey, key.id)
        assert kept.last_used_at is not None
        assert abs(kept.last_used_at - utcnow()) < timedelta(seconds=30)
        assert ip_address(str(kept.last_used_ip)) == ip_address(shop.address)
        assert kept.token_hash == token_hash(token)
