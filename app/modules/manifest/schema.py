"""The JSON Schema of module.yaml, for editors, the command line and the AI."""

from __future__ import annotations

from typing import Any

from app.modules.manifest.model import Manifest

SCHEMA_PATH = "/schemas/module-v1.json"


def json_schema() -> dict[str, Any]:
    """The schema (draft 2020-12), generated from the models; the same on every call."""
    body = Manifest.model_json_schema(by_alias=True)
    _close(body)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_PATH,
        **body,
        "title": "Dramac module manifest, format 1",
    }


def _close(schema: Any) -> None:
    """Lets editors mark names that no pattern allows, and drops the titles pydantic makes from attribute names."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        if isinstance(schema.get("title"), str) and "properties" not in schema:
            del schema["title"]
        for child in schema.values():
            _close(child)
    elif isinstance(schema, list):
        for child in schema:
            _close(child)
