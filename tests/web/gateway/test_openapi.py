"""The OpenAPI document: valid, and no more than the credential may do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.gateway.conftest import Shop

KEYS_OF_AN_OPERATION = {"operationId", "summary", "responses", "tags", "parameters", "requestBody"}


def document(shop: Shop, token: str | None = None, **headers: str) -> dict[str, Any]:
    answer = shop.get("/openapi.json", token=token, headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    found: dict[str, Any] = answer.get_json()
    return found


def operations(doc: dict[str, Any]) -> list[str]:
    return sorted(
        op["operationId"] for path in doc["paths"].values() for key, op in path.items() if key != "parameters"
    )


def test_the_document_is_openapi_3_1(shop: Shop) -> None:
    """Held to what the specification's own schema asks of the parts we use."""
    doc = document(shop)
    assert (doc["openapi"], doc["info"]["version"], doc["security"]) == ("3.1.0", "1.2.0", [{"key": []}])
    assert doc["servers"] == [{"url": f"http://localhost:8000/api/modules/{shop.module.slug}"}]
    seen = set()
    for path, item in doc["paths"].items():
        assert path.startswith("/")
        declared = {one["name"] for one in item.get("parameters", ()) if one["in"] == "path"}
        assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        for method, operation in item.items():
            if method == "parameters":
                continue
            assert operation.keys() <= KEYS_OF_AN_OPERATION
            assert operation["operationId"] not in seen
            seen.add(operation["operationId"])
            assert all(set(one) >= {"name", "in", "schema"} for one in operation.get("parameters", ()))
            assert all("description" in one or "$ref" in one for one in operation["responses"].values())
    assert _dangling(doc, doc) == []


def _dangling(doc: dict[str, Any], part: Any) -> list[str]:
    if isinstance(part, list):
        return [ref for one in part for ref in _dangling(doc, one)]
    if not isinstance(part, dict):
        return []
    own = []
    if isinstance(ref := part.get("$ref"), str):
        found: Any = doc
        for step in ref.removeprefix("#/").split("/"):
            found = found.get(step) if isinstance(found, dict) else None
        own = [] if found is not None else [ref]
    return own + [ref for one in part.values() for ref in _dangling(doc, one)]


def test_the_document_names_every_call_of_a_full_key(shop: Shop) -> None:
    assert operations(document(shop)) == sorted(
        [f"{verb}_products" for verb in ("list", "get", "create", "change", "delete", "aggregate")]
        + [f"{verb}_orders" for verb in ("list", "get", "create", "aggregate")]
        + ["pull_events", "list_event_types"]
    )


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (
            ["read"],
            ["aggregate_orders", "aggregate_products", "get_orders", "get_products", "list_orders", "list_products"],
        ),
        (["delete"], ["delete_products"]),
        (["events"], ["list_event_types", "pull_events"]),
    ],
)
def test_the_document_is_cut_to_the_scopes(shop: Shop, scopes: list[str], expected: list[str]) -> None:
    assert operations(document(shop, shop.key(scopes=scopes)[1])) == expected


def test_a_pages_key_sees_what_visitors_may(shop: Shop) -> None:
    page = "https://www.harbour.example"
    _, token = shop.key(kind="publishable", scopes=["read", "write"], origins=[page])
    doc = document(shop, token, Origin=page)
    assert operations(doc) == ["aggregate_products", "create_orders", "get_products", "list_products"]


def test_fields_are_described_and_private_ones_are_not_there(shop: Shop) -> None:
    schemas = document(shop)["components"]["schemas"]
    assert set(schemas["products"]["properties"]) == {
        "id", "created_at", "updated_at", "version", "name", "price", "status", "sku",
    }  # fmt: skip
    assert schemas["products"]["properties"]["name"] == {"type": "string", "maxLength": 80}
    assert schemas["products"]["properties"]["status"] == {"type": ["string", "null"], "enum": ["draft", "live", None]}
    assert schemas["products.new"]["required"] == ["name"]
    assert schemas["products.new"]["additionalProperties"] is False
    assert "ledger" not in schemas


def test_the_example_of_a_record_can_be_created(shop: Shop) -> None:
    [example] = document(shop)["components"]["schemas"]["products.new"]["examples"]
    assert shop.post("/products", example).status_code == 201


def test_docs_lead_to_the_screen(shop: Shop) -> None:
    answer = shop.get("/docs", token="")
    assert (answer.status_code, answer.headers["Location"]) == (
        302,
        f"http://localhost:8000/api-docs/{shop.module.slug}",
    )
