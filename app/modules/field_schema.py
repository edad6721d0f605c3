"""Fields of a manifest as JSON Schema (2020-12), and a believable example for each."""

from __future__ import annotations

from typing import Any

from app.modules.manifest import FieldSpec, Manifest
from app.modules.manifest.fields import (
    DecimalField,
    DurationField,
    EnumField,
    FileField,
    FilesField,
    FormulaField,
    IntegerField,
    MoneyField,
    NumberField,
    PercentField,
    RatingField,
    RefField,
    RefsField,
    RichtextField,
    RollupField,
    SecretField,
    SlugField,
    TagsField,
    TextField,
)

Schema = dict[str, Any]

EXAMPLE_ID = "0199a2c4-5f0e-7c3a-9b1d-2f6e8a7b4c10"
_UUID: Schema = {"type": "string", "format": "uuid"}
FILE: Schema = {
    "type": "object",
    "properties": {
        "id": _UUID,
        "name": {"type": "string"},
        "type": {"type": "string"},
        "size": {"type": "integer", "minimum": 0, "description": "Bytes"},
        "width": {"type": "integer", "description": "Pixels, of images"},
        "height": {"type": "integer"},
    },
    "required": ["id"],
}
_PLAIN: dict[str, Schema] = {
    "email": {"type": "string", "format": "email", "maxLength": 254},
    "phone": {"type": "string", "description": "E.164, such as +351912345678"},
    "url": {"type": "string", "format": "uri"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "datetime": {"type": "string", "format": "date-time", "description": "RFC 3339, answered in UTC"},
    "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
    "address": {
        "type": "object",
        "properties": {
            name: {"type": "string"} for name in ("line1", "line2", "city", "region", "postcode", "country")
        },
    },
    "geo": {
        "type": "object",
        "properties": {"lat": {"type": "number"}, "lng": {"type": "number"}},
        "required": ["lat", "lng"],
    },
    "file": FILE,
    "files": {"type": "array", "items": FILE},
    "json": {},
    "hours": {"type": "object", "description": "Per day (mon to sun) a list of [from, to]"},
    "rrule": {"type": "string", "description": "RFC 5545 recurrence rule"},
    "user": {**_UUID, "description": "A person of the agency"},
}
_EXAMPLES: dict[str, Any] = {
    "email": "ada@example.com", "phone": "+351912345678", "url": "https://example.com", "boolean": True, "date": "2027-03-01",
    "time": "09:30", "datetime": "2027-03-01T09:30:00Z", "color": "#3b5bdb", "integer": 3, "decimal": "12.50", "money": 129900,
    "percent": "25", "duration": 3600, "rating": 5, "slug": "an-example", "richtext": "<p>Hello</p>", "tags": ["new"],
    "address": {"line1": "1 High Street", "city": "London", "country": "GB"}, "geo": {"lat": 51.5, "lng": -0.12},
    "hours": {"mon": [["09:00", "17:00"]]}, "rrule": "FREQ=WEEKLY;BYDAY=MO", "json": {"key": "value"},
}  # fmt: skip


def field_schema(manifest: Manifest, field: FieldSpec) -> Schema:
    """What a field's value is in an answer; null as well unless the field is required."""
    schema = dict(_schema(field))
    about = " ".join(filter(None, [field.help, schema.get("description")]))
    if field.label:
        schema["title"] = field.label
    if about:
        schema["description"] = about
    if isinstance(field, (FormulaField, RollupField, NumberField)):
        schema["readOnly"] = True
    if isinstance(field, (FileField, FilesField)):
        schema["description"] = f"{about} {field.wanted[:1].upper()}{field.wanted[1:]}.".strip()
    if not field.required and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def given_schema(manifest: Manifest, field: FieldSpec) -> Schema:
    """What a caller may give for a field: as field_schema(), and of a file its id alone as well."""
    schema = field_schema(manifest, field)
    if not isinstance(field, (FileField, FilesField)):
        return schema
    one: Schema = {"oneOf": [{**_UUID, "description": "The id that POST /files gave"}, FILE]}
    kept: Schema = {key: schema[key] for key in ("title", "description") if key in schema}
    return {**kept, "type": "array", "items": one} if isinstance(field, FilesField) else {**kept, **one}


def example_of(field: FieldSpec) -> Any:
    """A value the field would take."""
    if isinstance(field, EnumField):
        return field.options[0]
    if isinstance(field, RefField):
        return EXAMPLE_ID
    if isinstance(field, RefsField):
        return [EXAMPLE_ID]
    if isinstance(field, TagsField) and field.options:
        return [field.options[0]]
    if isinstance(field, (IntegerField, MoneyField, DurationField)) and field.min is not None:
        return max(field.min, 1)
    return _EXAMPLES.get(field.type, (field.label or "Example")[: getattr(field, "max", None) or 80])


def is_writable(field: FieldSpec) -> bool:
    """Whether a caller gives the value; computed ones and series come from the server."""
    return not isinstance(field, (FormulaField, RollupField, NumberField))


def _schema(field: FieldSpec) -> Schema:
    if isinstance(field, (TextField, RichtextField, SlugField)):
        limits = {"minLength": field.min, "maxLength": field.max}
        return {"type": "string", **{name: value for name, value in limits.items() if value is not None}}
    if isinstance(field, MoneyField):
        where = f"the currency in `{field.currency}`" if field.currency else "the site's currency"
        return {**_bounds("integer", field), "description": f"Minor units of {where}: 1299 is 12.99"}
    if isinstance(field, DurationField):
        return {**_bounds("integer", field), "description": "Seconds"}
    if isinstance(field, IntegerField):
        return _bounds("integer", field)
    if isinstance(field, (DecimalField, PercentField)):
        return _bounds("number", field)
    if isinstance(field, RatingField):
        return {"type": "integer", "minimum": 1, "maximum": field.max}
    if isinstance(field, EnumField):
        return {"type": "string", "enum": list(field.options)}
    if isinstance(field, TagsField):
        items: Schema = {"type": "string", "enum": list(field.options)} if field.options else {"type": "string"}
        return {"type": "array", "items": items}
    if isinstance(field, RefField):
        return {**_UUID, "description": f"A record of {field.to}"}
    if isinstance(field, RefsField):
        return {"type": "array", "items": _UUID, "description": f"Records of {field.to}"}
    if isinstance(field, SecretField):
        return {"type": "string", "writeOnly": True}
    if isinstance(field, NumberField):
        return {"type": "string"}
    if isinstance(field, (FormulaField, RollupField)):
        return _computed(field)
    return _PLAIN[field.type]


def _bounds(kind: str, field: IntegerField | MoneyField | DurationField | DecimalField | PercentField) -> Schema:
    limits = {"minimum": field.min, "maximum": field.max}
    return {"type": kind, **{name: value for name, value in limits.items() if value is not None}}


def _computed(field: FormulaField | RollupField) -> Schema:
    if isinstance(field, RollupField):
        return {"type": "integer" if field.fn == "count" else "number"}
    kinds: dict[str | None, Schema] = {
        "integer": {"type": "integer"},
        "money": {"type": "integer"},
        "duration": {"type": "integer"},
        "decimal": {"type": "number"},
        "percent": {"type": "number"},
        "boolean": {"type": "boolean"},
        "date": _PLAIN["date"],
        "datetime": _PLAIN["datetime"],
        "text": {"type": "string"},
    }
    return kinds.get(field.as_, {})
