"""What people read for the names of a manifest."""

from __future__ import annotations

from app.modules.manifest import FieldSpec, Manifest, Table
from app.modules.manifest.fields import EnumField

SYSTEM_LABELS = {
    "id": "Id",
    "created_at": "Created",
    "updated_at": "Changed",
    "created_by": "Created by",
    "version": "Version",
}
TONES = {
    "gray": "neutral", "red": "red", "orange": "orange", "yellow": "yellow", "green": "green", "teal": "teal",
    "blue": "blue", "purple": "purple", "pink": "pink",
}  # fmt: skip


def words(name: str) -> str:
    """`closed_at` as "Closed at"."""
    return name.replace("_", " ").replace("-", " ").strip().capitalize()


def field_label(table: Table, name: str) -> str:
    """The label of a field, or of one of the server's own."""
    field = table.fields.get(name)
    return (field.label if field else SYSTEM_LABELS.get(name)) or words(name)


def option_label(field: EnumField, option: str) -> str:
    return (field.labels or {}).get(option) or words(option)


def option_tone(field: EnumField, option: str) -> str:
    """The tone of an option's dot: a colour of the manifest, neutral without one."""
    return TONES[(field.colors or {}).get(option, "gray")]


def one(manifest: Manifest, table: str) -> str:
    """What a record is called, as it stands at the start of a sentence: "Enquiry"."""
    label = manifest.tables[table].label
    return label.one if label else words(table.removesuffix("s"))


def many(manifest: Manifest, table: str) -> str:
    """What the records are called: "Enquiries"."""
    label = manifest.tables[table].label
    return label.many if label else words(table)


def inside(label: str) -> str:
    """A label inside a sentence: "Enquiry" is "enquiry", "VIP list" stays."""
    return label if label[:2].isalpha() and label[:2].isupper() else label[:1].lower() + label[1:]


def is_long(field: FieldSpec) -> bool:
    """Whether values run over several lines."""
    return field.type in ("richtext", "json", "address", "hours") or bool(getattr(field, "multiline", False))
