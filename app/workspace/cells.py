"""Values of records, made ready for showing: which look, which words, where they lead. Templates only lay them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from typing import Any
from uuid import UUID

import nh3

from app.modules.kinds import Kind
from app.modules.manifest import FieldSpec
from app.modules.manifest.fields import EnumField, FormulaField, RollupField
from app.runtime.validation.texts import richtext
from app.workspace.desk import Desk
from app.workspace.labels import one, option_label, option_tone

_BY_KIND = {
    Kind.INTEGER: "integer", Kind.DECIMAL: "decimal", Kind.BOOLEAN: "boolean", Kind.DATE: "date", Kind.TIME: "time",
    Kind.DATETIME: "datetime", Kind.DURATION: "duration",
}  # fmt: skip
RIGHT = frozenset({"integer", "decimal", "money", "percent", "duration"})
_SYSTEM = {"created_at": "datetime", "updated_at": "datetime", "created_by": "actor", "version": "integer"}
EXCERPT = 90
NO_CURRENCY = "XXX"  # ISO 4217's own code for none


@dataclass(frozen=True, slots=True)
class Link:
    """A record another one refers to. record_id: None when it may be named but not opened."""

    label: str
    table: str
    record_id: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One value. look: the case of workspace/_cell.html; value: what that case shows; tone, items, unit as it needs."""

    look: str
    value: Any = None
    tone: str = ""
    items: tuple[Any, ...] = ()
    unit: str = ""

    @property
    def empty(self) -> bool:
        return self.look == "empty"


NOTHING = Cell("empty")


def kind_of(desk: Desk, table: str, name: str) -> str:
    """What a field's values are like: its type, and of a computed field the type of its result."""
    field = desk.table(table).fields.get(name)
    if field is None:
        return _SYSTEM.get(name, "text")
    if isinstance(field, FormulaField):
        kind = desk.data.model.tables[table].columns[name].kind
        return field.as_ or _BY_KIND.get(kind, "text")
    if isinstance(field, RollupField):
        other = desk.table(field.of_table).fields.get(field.of_field or "")
        if field.fn != "count" and other is not None and other.type == "money":
            return "money"
        return _BY_KIND.get(desk.data.model.tables[table].columns[name].kind, "text")
    return field.type


def cell(desk: Desk, table: str, name: str, record: Mapping[str, Any]) -> Cell:
    """The value of a field of a record, whose readable references are expanded."""
    return cell_of(desk, table, name, record.get(name), record)


def cell_of(desk: Desk, table: str, name: str, value: Any, record: Mapping[str, Any]) -> Cell:
    """A value as the field would show it; `record` gives a money field its currency."""
    if value is None or value == "" or value == [] or value == {}:
        return NOTHING
    field = desk.table(table).fields.get(name)
    kind = kind_of(desk, table, name)
    if field is not None and kind in _FIELD_LOOKS:
        shown: Cell = _FIELD_LOOKS[kind](desk, field, value)
        return shown
    if kind == "money":
        currency = record.get(getattr(field, "currency", None) or "") or desk.context.site.currency
        return Cell("money", round(value), unit=currency_code(currency))
    if kind in ("datetime", "date"):
        return Cell(kind, datetime.fromisoformat(value) if kind == "datetime" else date.fromisoformat(value))
    if kind == "actor":
        return Cell("person", desk.actor_name(value))
    if kind == "time":
        return Cell("text", str(value)[:5])
    if kind == "duration":
        return Cell("number", clock(int(value)))
    look = {"integer": "number", "decimal": "number", "percent": "percent", "boolean": "boolean"}.get(kind, "text")
    return Cell(look, value if look != "text" else str(value))


def clock(seconds: int) -> str:
    """`1:30` of 5400 seconds; seconds are added when there are any."""
    sign, rest = ("-" if seconds < 0 else ""), abs(seconds)
    text = f"{sign}{rest // 3600}:{rest % 3600 // 60:02d}"
    return f"{text}:{rest % 60:02d}" if rest % 60 else text


def currency_code(text: object) -> str:
    """A currency that can be formatted; three letters that name none are shown as they are."""
    code = str(text).upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else NO_CURRENCY


def title(desk: Desk, table: str, record: Mapping[str, Any]) -> str:
    """What a record is called: the value of its title field, else its kind and the end of its id."""
    name = desk.table(table).title_field
    text = text_of(cell(desk, table, name, record)) if name else ""
    return text or f"{one(desk.manifest, table)} {str(record['id'])[-6:]}"


def text_of(shown: Cell) -> str:
    """A cell in one line of plain text."""
    match shown.look:
        case "empty":
            return ""
        case "status":
            return str(shown.value)
        case "refs" | "tags" | "files":
            return ", ".join(getattr(item, "label", None) or str(item) for item in shown.items)
        case "ref":
            return str(shown.value.label)
        case "boolean":
            return "Yes" if shown.value else "No"
        case "datetime" | "date":
            return str(shown.value.isoformat())
        case "address":
            return ", ".join(shown.items)
        case "hours":
            return "; ".join(f"{day} {times}" for day, times in shown.items)
        case "rich":
            return excerpt(shown.value, 500)
        case _:
            return " ".join(str(shown.value).split())


def excerpt(markup: str, length: int = EXCERPT) -> str:
    """The words of cleaned HTML."""
    text = " ".join(unescape(nh3.clean(markup.replace("<", " <"), tags=set(), attributes={})).split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


# -- one function for each type that needs more than its value


def _enum(desk: Desk, field: Any, value: Any) -> Cell:
    assert isinstance(field, EnumField)
    return Cell("status", option_label(field, value), tone=option_tone(field, value))


def _ref(desk: Desk, field: Any, value: Any) -> Cell:
    return Cell("ref", _link(desk, field.to, value))


def _refs(desk: Desk, field: Any, value: Any) -> Cell:
    return Cell("refs", items=tuple(_link(desk, field.to, item) for item in value))


def _link(desk: Desk, table: str, value: Any) -> Link:
    """An expanded record by its title; an id alone by its last letters."""
    if isinstance(value, Mapping):
        return Link(title(desk, table, value), table, str(value["id"]))
    return Link(
        f"{one(desk.manifest, table)} {str(value)[-6:]}", table, str(value) if desk.can(table, "read") else None
    )


def _user(desk: Desk, field: Any, value: Any) -> Cell:
    return Cell("person", desk.person_name(UUID(str(value))))


def _url(desk: Desk, field: Any, value: Any) -> Cell:
    # functions and imports of old versions may have stored anything: only what a browser opens as a page is a link
    return Cell("url" if str(value).startswith(("https://", "http://")) else "text", value)


def _text(desk: Desk, field: Any, value: Any) -> Cell:
    return Cell("lines" if getattr(field, "multiline", False) else "text", value)


def _address(desk: Desk, field: Any, value: Any) -> Cell:
    city = " ".join(value[key] for key in ("postcode", "city") if value.get(key))
    lines = [value.get("line1"), value.get("line2"), city, value.get("region"), value.get("country")]
    return Cell("address", items=tuple(line for line in lines if line))


def _geo(desk: Desk, field: Any, value: Any) -> Cell:
    return Cell("mono", f"{value['lat']}, {value['lng']}")


_DAY_NAMES = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}


def _hours(desk: Desk, field: Any, value: Any) -> Cell:
    days = [
        (label, ", ".join("–".join(span) for span in value.get(day, ())) or "closed")
        for day, label in _DAY_NAMES.items()
    ]
    return Cell("hours", items=tuple(days))


def _file(desk: Desk, field: Any, value: Any) -> Cell:
    return Cell("files", items=tuple(_named(item) for item in (value if isinstance(value, list) else [value])))


@dataclass(frozen=True, slots=True)
class FileName:
    """An uploaded file by name. picture: there is a small picture of it."""

    label: str
    size_bytes: int
    file_id: str
    picture: bool


def _named(item: Any) -> FileName:
    return FileName(item["name"], item["size"], item["id"], item["type"].startswith("image/"))


def _rich(desk: Desk, field: FieldSpec, value: Any) -> Cell:
    # cleaned when it was stored; cleaned again, as nothing else stands between it and the page
    return Cell("rich", richtext(field, value, None))  # type: ignore[arg-type]  # only the text is looked at


_FIELD_LOOKS: dict[str, Any] = {
    "enum": _enum,
    "ref": _ref,
    "refs": _refs,
    "user": _user,
    "url": _url,
    "text": _text,
    "address": _address,
    "geo": _geo,
    "hours": _hours,
    "file": _file,
    "files": _file,
    "richtext": _rich,
    "tags": lambda desk, field, value: Cell("tags", items=tuple(value)),
    "email": lambda desk, field, value: Cell("email", value),
    "phone": lambda desk, field, value: Cell("phone", value),
    "color": lambda desk, field, value: Cell("color", value),
    "rating": lambda desk, field, value: Cell("rating", value, unit=str(field.max)),
    "json": lambda desk, field, value: Cell("json", value),
    "secret": lambda desk, field, value: Cell("secret") if value.get("set") else NOTHING,
    "slug": lambda desk, field, value: Cell("mono", value),
    "number": lambda desk, field, value: Cell("mono", value),
    "rrule": lambda desk, field, value: Cell("mono", value),
}
