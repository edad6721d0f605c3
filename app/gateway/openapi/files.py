"""The calls for files, which stand beside a module's tables."""

from __future__ import annotations

from typing import Any

_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_SIZE = {
    "name": "size", "in": "query", "schema": {"type": "string", "enum": ["small", "medium"]},
    "description": "A picture of at most 320 or 960 pixels, for images",
}  # fmt: skip
_NAME = {
    "name": "name", "in": "query", "schema": {"type": "string"},
    "description": "The file's name, when its bytes are sent as they are",
}  # fmt: skip
_REFUSED = ("401", "403", "404", "429")


def file_paths(*, upload: bool) -> dict[str, Any]:
    """upload: whether the caller may send files."""
    paths: dict[str, Any] = {"/files/{id}": {"parameters": [_ID], "get": _get()}}
    if upload:
        paths["/files"] = {"post": _post()}
    return paths


def _post() -> dict[str, Any]:
    part = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}, "required": ["file"]}
    answer = {"type": "object", "properties": {"data": {"$ref": "#/components/schemas/File"}}, "required": ["data"]}
    return {
        "operationId": "upload_file",
        "summary": "Send a file; give its id to a field of a record within 24 hours",
        "parameters": [_NAME],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": part}, "application/octet-stream": {"schema": {}}},
        },
        "responses": {
            "201": {"description": "Kept", "content": {"application/json": {"schema": answer}}},
            "413": {"description": "Larger than any field takes, or the site has no space left"},
            **_refused("422", *_REFUSED),
        },
    }


def _get() -> dict[str, Any]:
    return {
        "operationId": "get_file",
        "summary": "Get a file of a record that you may read",
        "parameters": [_SIZE],
        "responses": {
            "200": {"description": "The file", "content": {"application/octet-stream": {"schema": {}}}},
            **_refused(*_REFUSED),
        },
    }


def _refused(*statuses: str) -> dict[str, Any]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}
