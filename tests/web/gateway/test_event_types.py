"""What events look like is told to programs as JSON Schema, and is true of the events that are really told."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from app.events.catalog import CATALOG
from tests.web.gateway.conftest import Shop


def faults(schema: dict[str, Any], value: Any) -> list[str]:
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{one.json_path}: {one.message}" for one in validator.iter_errors(value)]


def test_a_modules_events_are_as_their_schemas_say(shop: Shop) -> None:
    types = {one["type"]: one for one in shop.get("/events/types").get_json()["data"]}
    assert [name for name in types if name not in CATALOG] == [
        f"{noun}.{what}" for noun in ("product", "order", "ledger") for what in ("created", "updated", "deleted")
    ] + ["order.paid"]  # fmt: skip
    product = shop.made("/products", {"name": "Cup", "price": 900, "sku": "C1"})
    shop.call("PATCH", f"/products/{product['id']}", json={"price": 950})
    order = shop.made("/orders", {"product": product["id"], "quantity": 2, "email": "ada@example.com"})
    shop.call("DELETE", f"/products/{shop.made('/products', {'name': 'Gone'})['id']}")
    told = shop.events()["data"]
    assert order["id"] in {event["data"]["record"]["id"] for event in told}
    assert {event["type"] for event in told} == {
        "product.created", "product.updated", "product.deleted", "order.created",
    }  # fmt: skip
    for event in told:
        schema = types[event["type"]]["schema"]
        assert faults(schema, event["data"]) == []
        record = schema["properties"]["record"]
        assert set(record["properties"]) == set(event["data"]["record"])  # `cost` is private and in neither
    assert faults(types["product.updated"]["schema"], {"record": {}}) != []


def test_every_example_of_a_module_is_as_its_schema_says(shop: Shop) -> None:
    for one in shop.get("/events/types").get_json()["data"]:
        if one["example"] is not None:
            assert (one["type"], faults(one["schema"], one["example"])) == (one["type"], [])


@pytest.mark.parametrize("scopes", [["read", "write"], ["delete"]])
def test_types_of_events_need_the_scope_of_events(shop: Shop, scopes: list[str]) -> None:
    _, token = shop.key(scopes=scopes)
    assert shop.get("/events/types", token=token).status_code == 403


def test_every_event_of_the_platform_has_an_example_that_is_as_its_schema_says(api_app: Flask) -> None:
    programs = api_app.test_client()
    listed = programs.get("/schemas/events.json")
    assert listed.headers["Access-Control-Allow-Origin"] == "*"
    assert [one["type"] for one in listed.get_json()["data"]] == list(CATALOG)
    for one in listed.get_json()["data"]:
        answer = programs.get(one["schema"])
        assert answer.mimetype == "application/schema+json"
        assert (one["type"], faults(answer.get_json(), one["example"])) == (one["type"], [])
        assert faults(answer.get_json(), {**one["example"], "type": "other.thing"}) != []
    assert programs.get("/schemas/events/deal.won.json").status_code == 404
