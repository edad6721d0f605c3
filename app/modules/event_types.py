"""The events a module tells, each with the JSON Schema of its `data` and an example: what receivers can rely on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.modules.field_schema import EXAMPLE_ID, Schema, example_of, field_schema
from app.modules.manifest import Manifest, Table
from app.modules.naming import own_events

SYSTEM_FIELDS: dict[str, Schema] = {
    "id": {"type": "string", "format": "uuid"},
    "created_at": {"type": "string", "format": "date-time"},
    "updated_at": {"type": "string", "format": "date-time"},
    "created_by": {"type": "string", "description": "Who made it: usr_…, key_…, or a job"},
    "version": {"type": "integer", "description": "Counts changes"},
}


@dataclass(frozen=True, slots=True)
class ModuleEvent:
    """schema, example: of its `data`; the example is None where the module's own code decides what is in it."""

    type: str
    label: str
    schema: Schema
    example: dict[str, Any] | None


def module_events(manifest: Manifest) -> list[ModuleEvent]:
    """What happens to the records of each table, then what the module's code tells."""
    found: dict[str, ModuleEvent] = {}
    for name, table in manifest.tables.items():
        for one in _of_table(manifest, name, table):
            found.setdefault(one.type, one)
    for event in manifest.events:
        found.setdefault(event, ModuleEvent(event, "Told by the module", {"type": "object"}, None))
    return list(found.values())


def _of_table(manifest: Manifest, name: str, table: Table) -> list[ModuleEvent]:
    """Fields as a secret key sees them: nothing private, no secret."""
    fields = {key: field for key, field in table.fields.items() if field.type != "secret" and not field.private}
    record: Schema = {
        "type": "object",
        "properties": {**SYSTEM_FIELDS, **{key: field_schema(manifest, field) for key, field in fields.items()}},
        "required": list(SYSTEM_FIELDS),
    }
    stamps = {
        "created_at": "2026-01-31T12:00:00.000Z", "updated_at": "2026-01-31T12:00:00.000Z",
        "created_by": "usr_01k6j4arhedgz9p7bjz2m7ph0g", "version": 1,
    }  # fmt: skip
    shown = {"id": EXAMPLE_ID, **{key: example_of(field) for key, field in fields.items()}, **stamps}
    changed: Schema = {"type": "array", "items": {"type": "string"}, "description": "Names of the fields that changed"}
    events = []
    for event, what in zip(own_events(name, table), ("created", "changed", "deleted"), strict=True):
        properties: Schema = {"record": record}
        example: dict[str, Any] = {"record": shown}
        if what == "changed":
            properties["changed"], example["changed"] = changed, list(fields)[:1]
        schema = {"type": "object", "properties": properties, "required": list(properties)}
        events.append(ModuleEvent(event, f"{table.singular or name} {what}", schema, example))
    return events
