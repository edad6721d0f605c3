"""Which web pages may read answers (security.md P2)."""

from __future__ import annotations

import pytest

from app.lib.ids import uuid7
from tests.support.domains import MISSING, check, verified_domain
from tests.support.world import World
from tests.web.gateway.conftest import Shop

PAGE = "https://www.harbour.example"
OTHER = "https://other.example"


@pytest.fixture
def page_key(shop: Shop) -> str:
    return shop.key(kind="publishable", scopes=["read", "write"], origins=[PAGE, "http://localhost:5173"])[1]


def cors(headers: object) -> set[str]:
    return {name for name, _ in headers if name.startswith("Access-Control-")}  # type: ignore[attr-defined]  # werkzeug's


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:5173"])
def test_P2_a_page_the_key_names_may_read_the_answer(shop: Shop, page_key: str, origin: str) -> None:
    answer = shop.get("/products", token=page_key, headers={"Origin": origin})
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert answer.headers["Vary"] == "Origin"
    assert set(answer.headers["Access-Control-Expose-Headers"].split(", ")) >= {
        "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id", "ETag", "Location",
    }  # fmt: skip
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_P2_a_page_may_read_why_it_was_refused(shop: Shop, page_key: str) -> None:
    for path in ("/none", "/products?limit=0"):
        answer = shop.get(path, token=page_key, headers={"Origin": PAGE})
        assert answer.status_code >= 400
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "*", "https://www.harbour.example.evil.example", "http://www.harbour.example"]
)
def test_P2_no_other_page_may(shop: Shop, page_key: str, origin: str) -> None:
    for token in (page_key, shop.token, ""):
        assert cors(shop.get("/products", token=token, headers={"Origin": origin}).headers) == set()


def test_P2_pages_of_a_domain_that_is_for_the_api_may_too(shop: Shop, page_key: str, world: World) -> None:
    host = f"www.{uuid7().hex}.example"
    asked = {"Origin": f"https://{host}"}
    verified_domain(shop.site, host, purposes=["embed"])
    assert shop.get("/products", token=page_key, headers=asked).status_code == 403
    calling = f"app.{host}"
    domain = verified_domain(shop.site, calling, purposes=["api"])
    asked = {"Origin": f"https://{calling}", "Access-Control-Request-Method": "GET"}
    answer = shop.get("/products", token=page_key, headers=asked)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, asked["Origin"])
    preflight = shop.call("OPTIONS", "/products", token="", headers=asked)
    assert preflight.headers["Access-Control-Allow-Origin"] == asked["Origin"]
    # a secret key belongs in no page, and a page of one site's domain opens no other site
    assert cors(shop.get("/products", headers=asked).headers) == set()
    elsewhere = verified_domain(world.site(world.agency()), f"elsewhere.{host}", purposes=["api"])
    foreign = {"Origin": f"https://{elsewhere.host}"}
    assert shop.get("/products", token=page_key, headers=foreign).status_code == 403
    plain = {"Origin": f"http://{calling}"}
    assert shop.get("/products", token=page_key, headers=plain).status_code == 403
    lost = check(domain, MISSING)
    while lost.state != "lost":
        lost = check(domain, MISSING)
    assert shop.get("/products", token=page_key, headers=asked).status_code == 403


def test_P2_a_secret_key_opens_no_page(shop: Shop) -> None:
    answer = shop.get("/products", headers={"Origin": PAGE})
    assert (answer.status_code, cors(answer.headers)) == (200, set())


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("", "GET, HEAD, OPTIONS"),
        ("/products", "GET, HEAD, OPTIONS, POST"),
        ("/products/1", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/products/aggregate", "GET, HEAD, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_P2_a_preflight_allows_what_the_address_has(shop: Shop, page_key: str, path: str, methods: str) -> None:
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    answer = shop.call("OPTIONS", path, token="", headers=asked)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Methods"] == methods
    assert (
        answer.headers["Access-Control-Allow-Headers"]
        == "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match"
    )
    assert int(answer.headers["Access-Control-Max-Age"]) <= 7200
    assert answer.headers["Vary"] == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["", "null", "*", "https://nobody.example", "https://" + "x" * 400])
def test_P2_a_preflight_from_elsewhere_allows_nothing(shop: Shop, page_key: str, origin: str) -> None:
    answer = shop.call("OPTIONS", "/products", token="", headers={"Origin": origin} if origin else {})
    assert (answer.status_code, cors(answer.headers)) == (204, set())


def test_P2_the_origin_of_a_revoked_key_is_forgotten(shop: Shop) -> None:
    key, _ = shop.key(kind="publishable", scopes=["read"], origins=["https://gone.example"])
    asked = {"Origin": "https://gone.example", "Access-Control-Request-Method": "GET"}
    assert (
        shop.call("OPTIONS", "/products", token="", headers=asked).headers["Access-Control-Allow-Origin"]
        == asked["Origin"]
    )
    shop.revoke(key)
    shop.app.extensions["gateway"].keys._forget(None)  # what the announcement does, without waiting for it
    assert cors(shop.call("OPTIONS", "/products", token="", headers=asked).headers) == set()
