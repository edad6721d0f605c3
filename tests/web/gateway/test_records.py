"""The calls of the API on records, over the real application and database."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.web.gateway.conftest import Shop


def test_a_record_goes_round(shop: Shop) -> None:
    made = shop.post("/products", {"name": "Lamp", "price": 1299, "sku": "L-1"})
    assert made.status_code == 201
    record = made.get_json()["data"]
    where = f"/api/modules/{shop.module.slug}/products/{record['id']}"
    assert (made.headers["Location"], made.headers["ETag"]) == (where, '"1"')

    changed = shop.call("PATCH", where, json={"price": 1500})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert changed.get_json()["data"] == {
        **record,
        "price": 1500,
        "version": 2,
        "updated_at": changed.get_json()["data"]["updated_at"],
    }
    assert shop.get(where).get_json() == changed.get_json()

    gone = shop.call("DELETE", where)
    assert (gone.status_code, gone.data) == (204, b"")
    assert shop.get(where).status_code == 404


def test_a_list_pages_filters_and_sorts(shop: Shop) -> None:
    shop.made("/products", [{"name": f"Lamp {number}", "price": number * 100} for number in range(5)])
    page = shop.get("/products?sort=-price&limit=2&price[lt]=400&fields=name").get_json()
    assert [one["name"] for one in page["data"]] == ["Lamp 3", "Lamp 2"]
    assert page["has_more"] is True
    rest = shop.get(f"/products?sort=-price&limit=2&price[lt]=400&fields=name&cursor={page['next_cursor']}").get_json()
    assert [one["name"] for one in rest["data"]] == ["Lamp 1", "Lamp 0"]
    assert (rest["has_more"], rest["next_cursor"]) == (False, None)


def test_a_reference_is_expanded(shop: Shop) -> None:
    product = shop.made("/products", {"name": "Lamp"})
    shop.made("/orders", {"product": product["id"], "quantity": 2})
    [order] = shop.get("/orders?expand=product").get_json()["data"]
    assert order["product"]["name"] == "Lamp"


def test_an_aggregate_counts_and_sums(shop: Shop) -> None:
    shop.made(
        "/products",
        [{"name": "A", "price": 1, "status": "live"}, {"name": "B", "price": 2, "status": "live"}, {"name": "C"}],
    )
    answer = shop.get("/products/aggregate?group=status&metrics=count,sum:price")
    assert answer.get_json() == {
        "data": [{"status": "draft", "count": 1, "sum:price": 0}, {"status": "live", "count": 2, "sum:price": 3}]
    }


def test_a_batch_is_all_or_nothing(shop: Shop) -> None:
    answer = shop.post("/products", [{"name": "Good"}, {"name": "x" * 81}, {"price": -1}])
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.get_json()["errors"]} == {"/1/name", "/2/name", "/2/price"}
    assert shop.get("/products").get_json()["data"] == []


def test_a_batch_of_more_than_500_is_refused(shop: Shop) -> None:
    assert shop.post("/products", [{"name": "x"}] * 501).status_code == 422
    assert shop.get("/products?count=exact").get_json()["count"] == 0


def test_P5_an_unknown_or_server_made_field_is_refused(shop: Shop) -> None:
    answer = shop.post("/products", {"name": "Lamp", "colour": "red", "site_id": str(uuid4()), "id": str(uuid4())})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.get_json()["errors"]} == {"/colour", "/site_id", "/id"}


@pytest.mark.parametrize("module", ["slug", "short_id", "id"])
def test_a_module_is_named_by_slug_short_id_or_uuid(shop: Shop, module: str) -> None:
    name = str(getattr(shop.module, module))
    assert shop.get(f"/api/modules/{name}").get_json()["data"]["slug"] == shop.module.slug


def test_the_module_says_what_the_key_may_do(shop: Shop) -> None:
    _, reader = shop.key(scopes=["read"])
    assert shop.get("", token=reader).get_json()["data"] == {
        "id": str(shop.module.id),
        "short_id": shop.module.short_id,
        "slug": shop.module.slug,
        "name": "Shop",
        "version": "1.2.0",
        "site": shop.site.slug,
        "tables": {"products": {"label": "Products", "may": ["read"]}, "orders": {"label": "Orders", "may": ["read"]}},
    }


# -- versions


def test_P5_a_write_on_an_old_version_is_refused(shop: Shop) -> None:
    record = shop.made("/products", {"name": "Lamp"})
    where = f"/products/{record['id']}"
    assert shop.call("PATCH", where, json={"price": 1}, headers={"If-Match": '"1"'}).status_code == 200
    for method in ("PATCH", "DELETE"):
        late = shop.call(method, where, json={"price": 2}, headers={"If-Match": '"1"'})
        assert (late.status_code, late.get_json()["code"]) == (412, "version_mismatch")
    assert shop.get(where).get_json()["data"]["price"] == 1


@pytest.mark.parametrize("tag", ['"two"', "2", '"1", "2"', '""', '"-1"'])
def test_an_if_match_that_cannot_be_an_etag_is_refused(shop: Shop, tag: str) -> None:
    record = shop.made("/products", {"name": "Lamp"})
    answer = shop.call("PATCH", f"/products/{record['id']}", json={"price": 1}, headers={"If-Match": tag})
    assert answer.status_code == 400
    assert shop.get(f"/products/{record['id']}").get_json()["data"]["version"] == 1


@pytest.mark.parametrize(("tag", "status"), [('"1"', 304), ('W/"1"', 304), ('"9", "1"', 304), ("*", 304), ('"2"', 200)])
def test_an_unchanged_record_is_not_sent_again(shop: Shop, tag: str, status: int) -> None:
    record = shop.made("/products", {"name": "Lamp"})
    answer = shop.get(f"/products/{record['id']}", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.headers["ETag"]) == (status, '"1"')
    assert (answer.data == b"") is (status == 304)


def test_head_is_get_without_a_body(shop: Shop) -> None:
    record = shop.made("/products", {"name": "Lamp"})
    head, whole = (shop.call(method, f"/products/{record['id']}") for method in ("HEAD", "GET"))
    assert (head.status_code, head.data) == (200, b"")
    assert {name: head.headers[name] for name in ("ETag", "Content-Length", "Content-Type")} == {
        name: whole.headers[name] for name in ("ETag", "Content-Length", "Content-Type")
    }


# -- events


def test_events_are_pulled_in_order_and_from_where_one_was(shop: Shop) -> None:
    for name in ("A", "B", "C"):
        shop.made("/products", {"name": name})
    first = shop.events("?limit=2")
    assert [event["type"] for event in first["data"]] == ["product.created"] * 2
    assert first["has_more"] is True
    rest = shop.get(f"/events?after={first['next_cursor']}").get_json()
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
    assert shop.get(f"/events?after={rest['next_cursor']}").get_json() == {
        "data": [],
        "has_more": False,
        "next_cursor": None,
    }


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "after=evt_1", "after=key_01k", "since=1"])
def test_a_wrong_question_for_events_is_explained(shop: Shop, query: str) -> None:
    answer = shop.get(f"/events?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "query_invalid")


def test_an_event_of_another_site_is_no_place_to_go_on_from(shop: Shop, elsewhere: Shop) -> None:
    elsewhere.made("/products", {"name": "Theirs"})
    theirs = elsewhere.events()["next_cursor"]
    assert shop.get(f"/events?after={theirs}").status_code == 422
    assert shop.get("/events").get_json()["data"] == []
