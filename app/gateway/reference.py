"""The OpenAPI document of an install as people read it: each table, its fields, its calls, ready to be copied."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from app.access.actors import SYSTEM
from app.gateway.openapi import example_record, openapi_document
from app.modules.field_schema import EXAMPLE_ID
from app.runtime.context import InstallContext
from app.runtime.data import Access

ALL_SCOPES = frozenset({"read", "write", "delete"})
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field of a table. kind: "integer", "string (email)", "one of open, won"."""

    name: str
    kind: str
    about: str
    required: bool
    read_only: bool


@dataclass(frozen=True, slots=True)
class CallLine:
    """One call. curl: a command that works once the key is put in."""

    method: str
    path: str
    summary: str
    scope: str
    curl: str


@dataclass(frozen=True, slots=True)
class Section:
    """A table, or the calls that belong to none (name "")."""

    name: str
    title: str
    about: str
    fields: tuple[FieldLine, ...]
    calls: tuple[CallLine, ...]


def reference(context: InstallContext, *, base_url: str, functions: bool) -> list[Section]:
    """What a secret key with every scope can do with an install."""
    access = Access.for_key(SYSTEM, scopes=ALL_SCOPES, publishable=False)
    document = openapi_document(context, access, base_url=base_url, events=True, functions=functions)
    server = document["servers"][0]["url"]
    found = []
    for tag in document["tags"]:
        table = context.manifest.tables[tag["name"]]
        body = example_record(context, access, tag["name"])
        calls = _calls(document, server, tag["name"], body)
        title = table.label.many if table.label else tag["name"]
        found.append(Section(tag["name"], title, tag.get("description", ""), _fields(document, tag["name"]), calls))
    rest = _calls(document, server, "", {})
    return [*found, Section("", "The module", "", (), rest)] if rest else found


def _fields(document: dict[str, Any], table: str) -> tuple[FieldLine, ...]:
    schemas = document["components"]["schemas"]
    needed = schemas[f"{table}.new"].get("required", ())
    return tuple(
        FieldLine(name, _kind(schema), schema.get("description", ""), name in needed, schema.get("readOnly", False))
        for name, schema in schemas[table]["properties"].items()
    )


def _kind(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(str(value) for value in schema['enum'] if value is not None)}"
    kind = schema.get("type", "any JSON")
    name = kind if isinstance(kind, str) else next(one for one in kind if one != "null")
    return f"{name} ({schema['format']})" if "format" in schema else name


def _calls(document: dict[str, Any], server: str, tag: str, body: dict[str, Any]) -> tuple[CallLine, ...]:
    found = []
    for path, operations in document["paths"].items():
        for method in METHODS:
            operation = operations.get(method)
            if operation is not None and (operation.get("tags") or [""])[0] == tag:
                sent = body if "requestBody" in operation else None
                found.append(
                    CallLine(
                        method.upper(),
                        path,
                        operation["summary"],
                        _scope(method, path),
                        _curl(method, server + path, sent),
                    )
                )
    return tuple(found)


def _scope(method: str, path: str) -> str:
    if path.startswith("/events"):
        return "events"
    if path.startswith("/fn/"):
        return "functions"
    return {"get": "read", "delete": "delete"}.get(method, "write")


def _curl(method: str, url: str, body: dict[str, Any] | None) -> str:
    parts = ["curl"]
    if method != "get":
        parts.append(f"-X {method.upper()}")
    parts.append(shlex.quote(url.replace("{id}", EXAMPLE_ID)))
    lines = [" ".join(parts), '-H "Authorization: Bearer $DRAMAC_KEY"']
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}"]
    return " \\\n  ".join(lines)
