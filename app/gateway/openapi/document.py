"""The document around the fields: paths, parameters, answers, security."""

from __future__ import annotations

from typing import Any

from app.gateway.openapi.files import file_paths
from app.modules.field_schema import EXAMPLE_ID, FILE, Schema, example_of, field_schema, given_schema, is_writable
from app.modules.manifest import Table
from app.runtime.context import InstallContext
from app.runtime.data.access import CREATE, DELETE, READ, UPDATE, Access
from app.runtime.files.queries import upload_fields

_LIST_PARAMETERS: tuple[tuple[str, Schema, str], ...] = (
    ("q", {"type": "string", "maxLength": 200}, "Words to look for in the searchable fields"),
    ("sort", {"type": "string", "examples": ["-created_at"]}, "Fields in order, `-` before one for descending"),
    ("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 25}, "Records per page"),
    ("cursor", {"type": "string"}, "`next_cursor` of the page before"),
    ("fields", {"type": "string"}, "Only these fields, separated by commas"),
    ("expand", {"type": "string"}, "References to answer as whole records, separated by commas"),
    ("count", {"type": "string", "enum": ["exact"]}, "Also say how many records match"),
)
_PROBLEMS = {
    "400": "The request cannot be read",
    "401": "No credential, or one that is not valid",
    "403": "The credential may not do this",
    "404": "Not there, or not yours",
    "409": "Something else is in the way",
    "412": "The record changed since `If-Match`",
    "422": "Some values are not acceptable; `errors` names each field",
    "429": "Too many calls; wait as `Retry-After` says",
}
_SYSTEM: dict[str, Schema] = {
    "id": {"type": "string", "format": "uuid", "readOnly": True},
    "created_at": {"type": "string", "format": "date-time", "readOnly": True},
    "updated_at": {"type": "string", "format": "date-time", "readOnly": True},
    "version": {"type": "integer", "readOnly": True, "description": "Counts changes; also the ETag"},
}


def openapi_document(
    context: InstallContext, access: Access, *, base_url: str, events: bool, functions: bool
) -> dict[str, Any]:
    """OpenAPI 3.1 of an install for one caller.

    base_url: of the platform. events: whether the caller may pull the event stream. functions: whether the module's own
    routes are there for it.
    """
    paths: dict[str, Any] = {}
    schemas: dict[str, Schema] = {"Problem": _problem()}
    tags = []
    for name, table in context.manifest.tables.items():
        rights = access.allowed(context.manifest, name)
        if not rights:
            continue
        tags.append({"name": name, **({"description": table.help} if table.help else {})})
        schemas |= _schemas(context, access, name, table)
        paths |= _table_paths(name, table, rights)
    if upload_fields(context, access) or any(_holds_files(context, access, name) for name in context.manifest.tables):
        schemas["File"] = FILE
        paths |= file_paths(upload=bool(upload_fields(context, access)))
    if events:
        paths["/events"] = {"get": _events("this module")}
        paths["/events/types"] = {"get": _event_types()}
    if functions:
        paths |= _function_paths(context)
    info = {
        "title": f"{context.module_name} on {context.site.name}",
        "version": context.version,
        "description": context.manifest.summary,
    }
    return _document(info, f"{base_url}/api/modules/{context.module_slug}", paths, schemas=schemas, tags=tags)


def site_events_document(*, base_url: str) -> dict[str, Any]:
    """OpenAPI 3.1 of the event stream of a whole site, which is the same for every caller."""
    paths = {"/events": {"get": _events("this site")}, "/events/types": {"get": _event_types()}}
    info = {
        "title": "Events of a site",
        "version": "1",
        "description": "What happens to a site and on it, for pulling.",
    }
    return _document(info, f"{base_url}/api", paths, schemas={"Problem": _problem()}, tags=[])


def _document(
    info: dict[str, Any], server: str, paths: dict[str, Any], *, schemas: dict[str, Schema], tags: list[dict[str, Any]]
) -> dict[str, Any]:  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": info,
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key of the site"}},
            "schemas": schemas,
            "responses": {status: _problem_response(text) for status, text in _PROBLEMS.items()},
        },
    }


def _holds_files(context: InstallContext, access: Access, name: str) -> bool:
    """Whether the caller may read a file of a table."""
    fields = context.manifest.tables[name].fields.items()
    return access.can(context.manifest, name, READ) and any(
        field.type in ("file", "files") and access.sees(name, key, field) for key, field in fields
    )


def example_record(context: InstallContext, access: Access, name: str) -> dict[str, Any]:
    """A body that could create a record of a table: the required fields, and the first few others."""
    table = context.manifest.tables[name]
    shown = {
        field_name: field
        for field_name, field in table.fields.items()
        if is_writable(field)
        and access.sees(name, field_name, field)
        and field.type not in ("file", "files", "user", "secret")
    }
    chosen = [field_name for field_name, field in shown.items() if field.required]
    chosen += [field_name for field_name in shown if field_name not in chosen][: max(0, 4 - len(chosen))]
    return {field_name: example_of(shown[field_name]) for field_name in shown if field_name in chosen}


def _schemas(context: InstallContext, access: Access, name: str, table: Table) -> dict[str, Schema]:
    fields = {key: field for key, field in table.fields.items() if access.sees(name, key, field)}
    shown = {key: field_schema(context.manifest, field) for key, field in fields.items() if field.type != "secret"}
    given = {key: given_schema(context.manifest, field) for key, field in fields.items() if is_writable(field)}
    needed = [key for key, field in fields.items() if key in given and field.required and field.default is None]
    new: Schema = {
        "type": "object", "properties": given, "additionalProperties": False,
        "examples": [example_record(context, access, name)],
    }  # fmt: skip
    return {
        name: {"type": "object", "properties": {**_SYSTEM, **shown}},
        f"{name}.new": {**new, **({"required": needed} if needed else {})},
        f"{name}.change": {"type": "object", "properties": given, "additionalProperties": False, "minProperties": 1},
    }


def _table_paths(name: str, table: Table, rights: frozenset[str]) -> dict[str, Any]:
    one = (table.singular or "record").lower()
    many = (table.label.many if table.label else name).lower()
    collection: dict[str, Any] = {}
    single: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    if READ in rights:
        collection["get"] = _operation(name, f"list_{name}", f"List {many}", _page(name), parameters=_list_parameters())
        single["get"] = _operation(
            name, f"get_{name}", f"Get one {one}", _record(name), parameters=[_ref("fields"), _ref("expand")]
        )
    if CREATE in rights:
        body = {
            "oneOf": [
                _schema_ref(f"{name}.new"),
                {"type": "array", "items": _schema_ref(f"{name}.new"), "maxItems": 500},
            ]
        }
        collection["post"] = _operation(
            name, f"create_{name}", f"Create one {one}, or up to 500 at once, all or none", _record(name), status="201",
            body=body, parameters=[_IDEMPOTENCY],
        )  # fmt: skip
    if UPDATE in rights:
        single["patch"] = _operation(
            name, f"change_{name}", f"Change fields of one {one}", _record(name), body=_schema_ref(f"{name}.change"),
            parameters=[_IF_MATCH, _IDEMPOTENCY],
        )  # fmt: skip
    if DELETE in rights:
        single["delete"] = _operation(
            name, f"delete_{name}", f"Delete one {one}", None, status="204", parameters=[_IF_MATCH, _IDEMPOTENCY]
        )
    if collection:
        paths[f"/{name}"] = collection
    if single:
        paths[f"/{name}/{{id}}"] = {"parameters": [_ID], **single}
    if READ in rights:
        paths[f"/{name}/aggregate"] = {"get": _aggregate(name, many)}
    return paths


def _operation(
    tag: str,
    operation_id: str,
    summary: str,
    answer: Schema | None,
    *,
    status: str = "200",
    body: Schema | None = None,
    parameters: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        good["content"] = {"application/json": {"schema": answer}}
    refused = ["400", "401", "403", "404", "429", *(["409", "412", "422"] if body or status == "204" else [])]
    found: dict[str, Any] = {
        "operationId": operation_id,
        "summary": summary,
        "responses": {status: good, **{one: {"$ref": f"#/components/responses/{one}"} for one in refused}},
    }
    if tag:
        found["tags"] = [tag]
    if parameters:
        found["parameters"] = parameters
    if body is not None:
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return found


_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid", "examples": [EXAMPLE_ID]},
}
_IF_MATCH = {
    "name": "If-Match", "in": "header", "schema": {"type": "string"},
    "description": "The ETag you read: the write is refused (412) when the record changed since",
}  # fmt: skip
_IDEMPOTENCY = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255},
    "description": "Anything unique: the same request sent again within 24 h gives the same answer and does nothing twice",
}  # fmt: skip


def _ref(name: str) -> dict[str, Any]:
    schema, text = next((schema, text) for key, schema, text in _LIST_PARAMETERS if key == name)
    return {"name": name, "in": "query", "schema": schema, "description": text}


def _list_parameters() -> list[dict[str, Any]]:
    filters = {
        "name": "filter", "in": "query", "style": "form", "explode": True,
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "description": "Any field: `status=open`, `amount[gte]=100`; operators eq ne gt gte lt lte in nin contains starts is",
    }  # fmt: skip
    return [*(_ref(name) for name, _, _ in _LIST_PARAMETERS), filters]


def _schema_ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _record(name: str) -> Schema:
    return {"type": "object", "properties": {"data": _schema_ref(name)}, "required": ["data"]}


def _page(name: str) -> Schema:
    return {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": _schema_ref(name)},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
            "count": {"type": "integer"},
        },
        "required": ["data", "has_more", "next_cursor"],
    }


def _aggregate(name: str, many: str) -> dict[str, Any]:
    group = {
        "name": "group",
        "in": "query",
        "schema": {"type": "string"},
        "description": "Up to 3 fields, separated by commas",
    }
    metrics = {
        "name": "metrics", "in": "query", "schema": {"type": "string", "default": "count"},
        "description": "count, sum:field, avg:field, min:field, max:field, separated by commas",
    }  # fmt: skip
    answer = {
        "type": "object",
        "properties": {"data": {"type": "array", "items": {"type": "object"}}},
        "required": ["data"],
    }
    return _operation(name, f"aggregate_{name}", f"Count and sum {many}", answer, parameters=[group, metrics])


def _events(of: str) -> dict[str, Any]:
    event = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "type": {"type": "string", "description": "One of /events/types"},
            "timestamp": {"type": "string", "format": "date-time"},
            "subject": {"type": "string", "description": "The id of what it is about"},
            "actor": {"type": "string", "description": "Who did it"},
            "data": {"type": "object"},
            "site": {"type": "string"},
            "install": {"type": ["string", "null"]},
        },
    }
    answer = {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": event},
            "has_more": {"type": "boolean"},
            "next_cursor": {"type": ["string", "null"]},
        },
        "required": ["data", "has_more", "next_cursor"],
    }
    after = {
        "name": "after",
        "in": "query",
        "schema": {"type": "string"},
        "description": "The id of the last event you have",
    }
    limit = {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 100},
    }
    return _operation("", "pull_events", f"Events of {of}, oldest first", answer, parameters=[after, limit])


def _event_types() -> dict[str, Any]:
    kind = {
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "label": {"type": "string"},
            "schema": {"type": "object", "description": "JSON Schema of the event's data"},
            "example": {"type": ["object", "null"]},
        },
    }
    answer = {"type": "object", "properties": {"data": {"type": "array", "items": kind}}, "required": ["data"]}
    return _operation("", "list_event_types", "Types of events, each with its JSON Schema and an example", answer)


def _function_paths(context: InstallContext) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for name, function in context.manifest.functions.items():
        route = function.route
        if route is not None and route.auth != "staff":
            body: Schema | None = {"type": "object"} if route.method not in ("GET", "DELETE") else None
            operation = _operation("", f"call_{name}", f"The module's own route {name}", {}, body=body)
            paths.setdefault(f"/fn{route.path}", {})[route.method.lower()] = operation
    return paths


def _problem() -> Schema:
    text: Schema = {"type": "string"}
    item = {"type": "object", "properties": {"pointer": text, "code": text, "detail": text}}
    return {
        "type": "object",
        "properties": {
            "type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text,
            "errors": {"type": "array", "items": item}, "request_id": text,
        },
    }  # fmt: skip


def _problem_response(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/problem+json": {"schema": _schema_ref("Problem")}}}
