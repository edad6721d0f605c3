"""Every refusal of the API is problem+json, and says nothing it should not."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.web.gateway.conftest import OpenShop, Shop

PROBLEM = {"type", "title", "status", "detail", "code", "errors", "request_id"}


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem, held to RFC 9457 and our own promises."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.get_data(as_text=True)
    body: dict[str, Any] = answer.get_json()
    assert body.keys() >= PROBLEM
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["detail"]
    return body


def same(one: TestResponse, other: TestResponse) -> bool:
    """Whether two refusals tell exactly the same, but for their request ids."""
    first, second = one.get_json(), other.get_json()
    first.pop("request_id"), second.pop("request_id")
    skipped = {"X-Request-Id", "RateLimit", "Content-Length"}
    headers = [{k: v for k, v in answer.headers if k not in skipped} for answer in (one, other)]
    return (one.status_code, first, headers[0]) == (other.status_code, second, headers[1])


# -- P3: each kind


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b'{"name": "Lamp",}', "application/json", 400, "malformed_json"),
        (b"", "application/json", 400, "malformed_json"),
        (b'{"name": "a", "name": "b"}', "application/json", 400, "malformed_json"),
        (b'{"price": NaN}', "application/json", 400, "malformed_json"),
        (b'{"price": -Infinity}', "application/json", 400, "malformed_json"),
        (b'{"price": 1e999}', "application/json", 400, "malformed_json"),
        (b'{"price": ' + b"9" * 5000 + b"}", "application/json", 400, "malformed_json"),
        (b"[" * 33 + b"]" * 33, "application/json", 400, "malformed_json"),
        (b"[" * 100_000, "application/json", 400, "malformed_json"),
        (b'{"name": "\xff"}', "application/json", 400, "malformed_json"),
        (b'{"name": "\\ud800"}', "application/json", 400, "malformed_json"),
        (b'{"name": "Lamp"}', "text/plain", 415, "unsupported_media_type"),
        (b"name=Lamp", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"name": "Lamp"}', "application/json; charset=latin-1", 415, "unsupported_media_type"),
        (b'{"name": "Lamp"}', "", 415, "unsupported_media_type"),
        (b'{"name": "' + b"x" * 1_000_000 + b'"}', "application/json", 413, "payload_too_large"),
        (b'"Lamp"', "application/json", 422, "invalid"),
        (b"[]", "application/json", 422, "invalid"),
        (b"[1]", "application/json", 422, "invalid"),
        (b"{}", "application/json", 422, "invalid"),
        (b'{"name": "\\u0000"}', "application/json", 422, "invalid"),
        (b'{"name": "Lamp", "status": "gone"}', "application/json", 422, "invalid"),
        (b'{"name": "Lamp", "price": 99999999999999999999}', "application/json", 422, "invalid"),
    ],
)
def test_P3_a_body_that_cannot_be_taken_stores_nothing(
    shop: Shop, body: bytes, kind: str, status: int, code: str
) -> None:
    problem(shop.call("POST", "/products", data=body, content_type=kind), status, code)
    assert shop.get("/products?count=exact").get_json()["count"] == 0


def test_malformed_json_says_where(shop: Shop) -> None:
    answer = shop.call("POST", "/products", data=b'{\n  "name": Lamp\n}', content_type="application/json")
    assert problem(answer, 400, "malformed_json")["position"] == {"line": 2, "column": 11}


def test_json_of_32_levels_is_still_read(shop: Shop) -> None:
    answer = shop.call("POST", "/products", data=b"[" * 32 + b"]" * 32, content_type="application/json")
    problem(answer, 422, "invalid")  # it is read, and no list of objects


def test_a_compressed_body_is_refused(shop: Shop) -> None:
    answer = shop.post("/products", {"name": "Lamp"}, headers={"Content-Encoding": "gzip"})
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("limit=0", "/limit"), ("limit=201", "/limit"), ("colour=red", "/colour"), ("price[like]=1", "/price[like]"),
     ("price=cheap", "/price"), ("sort=colour", "/sort"), ("cursor=zzz", "/cursor"),
     ("expand=name", "/expand"), ("fields=x", "/fields")],
)  # fmt: skip
def test_a_query_that_cannot_be_answered_is_explained(shop: Shop, query: str, pointer: str) -> None:
    body = problem(shop.get(f"/products?{query}"), 422, "query_invalid")
    assert pointer.split("[")[0] in {error["pointer"].split("[")[0] for error in body["errors"]}


@pytest.mark.parametrize(
    "path", ["/products/1/2", "/products/x/aggregate", "/products/", "//products", "/nothing", "/ledger"]
)
def test_P3_an_address_that_is_none_is_404(shop: Shop, path: str) -> None:
    problem(shop.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/products", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/products", "GET, HEAD, OPTIONS, POST"),
        ("POST", "", "GET, HEAD, OPTIONS"),
        ("PUT", "/products/40a7d1e9-0c89-4c7d-a5f3-721f3f5281e7", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("BREW", "/products", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_P3_a_method_that_is_not_there_is_405(shop: Shop, method: str, path: str, allowed: str) -> None:
    answer = shop.call(method, path)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allowed


def test_P3_the_type_of_a_problem_leads_to_its_explanation(shop: Shop) -> None:
    body = problem(shop.get("", token=""), 401, "no_credential")
    explained = shop.app.test_client().get(body["type"])
    assert (explained.status_code, explained.get_json()["status"]) == (200, 401)
    problem(shop.app.test_client().get("/errors/none-such"), 404, "not_found")


def test_P3_a_fault_of_ours_shows_no_trace(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr("app.gateway.api.find_install", broken)
    answer = shop.get("/products")
    problem(answer, 500, "internal")
    assert b"hunter2" not in answer.data
    assert b"Traceback" not in answer.data


@pytest.mark.parametrize("status", ["provisioning", "paused", "failed"])
def test_a_module_that_does_not_serve_says_so(open_shop: OpenShop, status: str) -> None:
    shop = open_shop()
    shop.set_install(status)
    answer = shop.get("/products")
    problem(answer, 503, "install_not_ready")
    assert int(answer.headers["Retry-After"]) >= 1


def test_every_answer_has_the_security_headers_of_the_surface(shop: Shop) -> None:
    wanted = {
        "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "same-origin", "Vary": "Origin",
        "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    }  # fmt: skip
    for answer in (
        shop.get("/products"),
        shop.get("/products", token=""),
        shop.get("/none"),
        shop.app.test_client().get("/api/health"),
    ):
        expected = {**wanted, **({} if answer.request.path.startswith("/api/modules") else {"Vary": None})}
        assert {name: answer.headers.get(name) for name in wanted} == expected


# -- isolation: what is another's answers exactly as what is not there


def test_P2_another_sites_record_is_as_one_that_is_not_there(shop: Shop, elsewhere: Shop) -> None:
    theirs = elsewhere.made("/products", {"name": "Theirs"})["id"]
    for method, body in (("GET", None), ("PATCH", {"price": 1}), ("DELETE", None)):
        foreign, missing = (shop.call(method, f"/products/{one}", json=body) for one in (theirs, uuid4()))
        problem(foreign, 404, "not_found")
        assert same(foreign, missing)
    assert elsewhere.get(f"/products/{theirs}").get_json()["data"]["version"] == 1


def test_another_sites_record_cannot_be_found_counted_or_referred_to(shop: Shop, elsewhere: Shop) -> None:
    theirs = elsewhere.made("/products", {"name": "Theirs", "sku": "T-1"})["id"]
    assert shop.get(f"/products?id={theirs}").get_json()["data"] == []
    assert shop.get("/products?q=Theirs").get_json()["data"] == []
    assert shop.get("/products/aggregate?metrics=count").get_json()["data"] == [{"count": 0}]
    foreign, missing = (shop.post("/orders", {"product": one, "quantity": 1}) for one in (theirs, str(uuid4())))
    problem(foreign, 422, "invalid")
    assert same(foreign, missing)
    assert shop.post("/products", {"name": "Ours", "sku": "T-1"}).status_code == 201  # unique within a site


def test_another_sites_cursor_shows_nothing_of_it(shop: Shop, elsewhere: Shop) -> None:
    elsewhere.made("/products", [{"name": f"Theirs {n}"} for n in range(3)])
    shop.made("/products", {"name": "Ours"})
    cursor = elsewhere.get("/products?limit=1").get_json()["next_cursor"]
    answer = shop.get(f"/products?limit=1&cursor={cursor}")
    assert {one["name"] for one in answer.get_json().get("data", [])} <= {"Ours"}


def test_a_module_that_is_not_on_the_site_is_as_none(shop: Shop, open_shop: OpenShop, world: Any) -> None:
    from tests.web.gateway.conftest import install, make_module

    other = make_module(world.agency().id)
    install(other, open_shop().site)
    named = [
        shop.get(f"/api/modules/{name}/products")
        for name in (other.slug, other.short_id, str(other.id), "no-such-module")
    ]
    for answer in named:
        problem(answer, 404, "not_found")
        assert same(answer, named[-1])


@pytest.mark.parametrize("status", ["active", "paused"])
def test_a_key_of_one_module_knows_no_other(shop: Shop, world: Any, status: str) -> None:
    from tests.web.gateway.conftest import install, make_module

    other = make_module(world.agency().id)
    install(other, shop.site, status=status)
    _, narrow = shop.key(install_id=shop.install_id)
    assert shop.get("/products", token=narrow).status_code == 200
    foreign, missing = (
        shop.get(f"/api/modules/{name}/products", token=narrow) for name in (other.slug, "no-such-module")
    )
    problem(foreign, 404, "not_found")
    assert same(foreign, missing)


def test_a_private_field_and_a_closed_table_are_not_there(shop: Shop) -> None:
    record = shop.made("/products", {"name": "Lamp"})
    assert "cost" not in record
    problem(shop.get("/products?cost[gt]=1"), 422, "query_invalid")
    assert (
        problem(shop.post("/products", {"name": "Lamp", "cost": 1}), 422, "invalid")["errors"][0]["pointer"] == "/cost"
    )
    problem(shop.get("/ledger"), 404, "not_found")
    problem(shop.call("PATCH", f"/orders/{uuid4()}", json={"quantity": 2}), 403, "forbidden")
