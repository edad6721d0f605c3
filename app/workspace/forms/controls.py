"""How each field is asked for: the control, its label and limits, what can be chosen. templates/workspace/_field.html draws it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from babel import Locale
from babel.numbers import get_currency_symbol

from app.modules.manifest import FieldSpec
from app.modules.manifest.fields import EnumField, FileField, FilesField, SlugField
from app.runtime.files.kinds import accept_attribute
from app.runtime.validation.structured import ADDRESS, DAYS
from app.workspace.cells import FileName
from app.workspace.desk import Desk
from app.workspace.forms.raw import CUSTOM, RRULES, Place, Raw, control_name, digits_of, first
from app.workspace.labels import field_label, is_long, option_label, words

Option = tuple[str, str]
_ADDRESS_LABELS = dict(zip(ADDRESS, ("Street", "Second line", "City", "Region", "Postcode", "Country"), strict=True))
_DAY_LABELS = dict(
    zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True)
)
_KINDS = {
    "richtext": "textarea", "email": "email", "phone": "tel", "url": "url", "integer": "text", "decimal": "text",
    "percent": "text", "money": "money", "boolean": "switch", "date": "date", "time": "time", "datetime": "datetime-local",
    "user": "select", "json": "textarea", "secret": "secret", "rating": "radio", "ref": "select", "refs": "select",
}  # fmt: skip
_HELPS = {
    "richtext": "Formatted with HTML: paragraphs, headings, lists, links, tables. Anything else is taken out.",
    "duration": "Hours and minutes, such as 1:30.",
    "hours": "Such as 9:00-12:30, 13:30-17:00. An empty day is closed.",
    "json": "Data in JSON form.",
}
MOST_RADIOS, MOST_BOXES = 4, 12


@dataclass(frozen=True, slots=True)
class Input:
    """One field of the form. kind: of ui/field.html, or group (parts in one frame); wide: takes the whole row.

    value: text, or a list for several; find: address that looks for more options; note: shown instead of a control.
    """

    name: str
    kind: str
    label: str
    value: Any = ""
    help: str = ""
    required: bool = False
    errors: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""
    suffix: str = ""
    visible_if: Mapping[str, Any] | None = None
    multiple: bool = False
    wide: bool = False
    find: bool = False
    suggestions: tuple[str, ...] = ()
    parts: tuple[Input, ...] = ()
    kept: tuple[FileName, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a field can be chosen from. more: there are others, to be searched for."""

    options: tuple[Option, ...] = ()
    more: bool = False
    files: tuple[FileName, ...] = ()


def make_input(
    desk: Desk,
    table: str,
    name: str,
    raw: Raw,
    errors: tuple[str, ...],
    chosen: Chosen,
    place: Place,
    *,
    secret_set: bool,
) -> Input:
    """The control of one field. raw: what its texts are; chosen: options that come from records or people."""
    spec = desk.table(table).fields[name]
    shared: dict[str, Any] = {
        "name": name,
        "label": field_label(desk.table(table), name),
        "help": " ".join(text for text in (spec.help, _HELPS.get(spec.type), _made(spec)) if text),
        "required": spec.required and not secret_set and not _made(spec),
        "errors": errors,
        "visible_if": _browser_condition(desk, table, spec, place),
        "wide": is_long(spec) or spec.type in ("rrule",),
    }
    if isinstance(spec, (FileField, FilesField)):
        return Input(**shared | _upload(spec, chosen))
    if spec.type in _GROUPS:
        return _GROUPS[spec.type](spec, name, raw, shared)
    return Input(**shared | _simple(desk, table, name, spec, raw, chosen, place, secret_set))


def _upload(spec: FileField | FilesField, chosen: Chosen) -> dict[str, Any]:
    """Files that are there, each with a tick that keeps it, and an input for new ones."""
    wants = f"{spec.wanted[:1].upper()}{spec.wanted[1:]}"
    each = f"{wants}{' each' if isinstance(spec, FilesField) else ''}."
    return {
        "kind": "upload",
        "kept": chosen.files,
        "multiple": isinstance(spec, FilesField),
        "attrs": {"accept": accept_attribute(spec)},
        "help": " ".join(text for text in (spec.help, each) if text),
        "wide": True,
    }


def _made(spec: FieldSpec) -> str:
    """What becomes of a slug that is left empty."""
    return (
        f"Left empty, it is made from the {words(spec.from_).lower()}."
        if isinstance(spec, SlugField) and spec.from_
        else ""
    )


def _simple(
    desk: Desk, table: str, name: str, spec: Any, raw: Raw, chosen: Chosen, place: Place, secret_set: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": _KINDS.get(spec.type, "text"), "value": first(raw, name), "attrs": _limits(spec)}
    match spec.type:
        case "text" if spec.multiline:
            found["kind"] = "textarea"
        case "enum":
            return found | _enum(spec, found["value"])
        case "boolean":
            found["value"] = "true" if found["value"] else ""
        case "money":
            found["prefix"] = get_currency_symbol(place.currency, locale="en")
        case "percent":
            found["suffix"] = "%"
        case "datetime":
            found["suffix"] = place.zone.rpartition("/")[2].replace("_", " ")
        case "rating":
            stars = tuple((str(n), f"{n}") for n in range(1, spec.max + 1))
            found["options"] = stars if spec.required else (("", "None"), *stars)
        case "tags":
            return found | _tags(spec, raw.get(name, []), chosen)
        case "color":
            found["kind"] = "color" if spec.required or found["value"] else "text"
            found["attrs"] = (
                {} if found["kind"] == "color" else {"placeholder": "#1a2b3c", "pattern": "#[0-9a-fA-F]{6}"}
            )
        case "secret":
            found |= (
                {"value": "", "help": f"{spec.help or ''} A value is set; leave this empty to keep it.".strip()}
                if secret_set
                else {"value": ""}
            )
        case "user" | "ref":
            found |= {"options": (("", "Choose…" if spec.required else "None"), *chosen.options), "find": chosen.more}
        case "refs":
            boxes = not chosen.more and len(chosen.options) <= MOST_BOXES
            found |= {"kind": "checklist" if boxes else "select", "multiple": not boxes, "find": chosen.more}
            found |= {"options": chosen.options, "value": list(raw.get(name, [])), "wide": True}
    return found


def _enum(spec: EnumField, value: str) -> dict[str, Any]:
    options = tuple((one, option_label(spec, one)) for one in spec.options)
    if spec.required and len(options) <= MOST_RADIOS:
        return {"kind": "radio", "options": options}
    return {
        "kind": "select",
        "options": options if spec.required and value else (("", "Choose…" if spec.required else "None"), *options),
    }


def _tags(spec: Any, texts: list[str], chosen: Chosen) -> dict[str, Any]:
    if spec.options:
        return {"kind": "checklist", "options": tuple((one, one) for one in spec.options), "value": texts, "wide": True}
    written = ", ".join(texts)
    # a list of suggestions completes the whole text, so each begins with what is there
    start = f"{written}, " if written else ""
    used = tuple(label for _, label in chosen.options if label not in texts)
    return {
        "kind": "text",
        "value": written,
        "suggestions": tuple(start + tag for tag in used),
        "help": " ".join(filter(None, (spec.help, "Separate several with commas."))),
    }


def _limits(spec: Any) -> dict[str, Any]:
    if spec.type in ("text", "slug"):
        return {"maxlength": spec.max}
    if spec.type in ("integer", "decimal", "percent"):
        return {
            "inputmode": "numeric" if spec.type == "integer" and (spec.min or 0) >= 0 else "decimal",
            "autocomplete": "off",
        }
    if spec.type == "date":
        return {"min": spec.min if _is_day(spec.min) else None, "max": spec.max if _is_day(spec.max) else None}
    if spec.type == "duration":
        return {"placeholder": "h:mm", "autocomplete": "off"}
    if spec.type == "json":
        return {"spellcheck": "false", "class": "textarea mono"}
    return {"autocomplete": "off"} if spec.type in ("email", "phone", "url") else {}


def _is_day(text: str | None) -> bool:
    return bool(text) and text not in ("today", "now")


def _address(spec: Any, name: str, raw: Raw, shared: dict[str, Any]) -> Input:
    countries = [("", "None"), *sorted(_countries(), key=lambda one: one[1])]
    parts = []
    for part in ADDRESS:
        key = f"{name}.{part}"
        select = (
            {"kind": "select", "options": tuple(countries)}
            if part == "country"
            else {"kind": "text", "attrs": {"maxlength": 200}}
        )
        parts.append(Input(name=key, label=_ADDRESS_LABELS[part], value=first(raw, key), **select))
    return Input(kind="group", parts=tuple(parts), **shared)


def _countries() -> list[Option]:
    return [
        (code, str(label))
        for code, label in Locale("en").territories.items()
        if len(code) == 2 and code.isalpha() and code not in ("ZZ", "EU", "EZ", "UN", "XA", "XB", "QO")
    ]


def _geo(spec: Any, name: str, raw: Raw, shared: dict[str, Any]) -> Input:
    parts = tuple(
        Input(
            name=f"{name}.{part}",
            kind="text",
            label=label,
            value=first(raw, f"{name}.{part}"),
            attrs={"inputmode": "decimal"},
        )
        for part, label in (("lat", "Latitude"), ("lng", "Longitude"))
    )
    return Input(kind="group", parts=parts, **shared | {"wide": True})


def _hours(spec: Any, name: str, raw: Raw, shared: dict[str, Any]) -> Input:
    parts = tuple(
        Input(
            name=f"{name}.{day}",
            kind="text",
            label=_DAY_LABELS[day],
            value=first(raw, f"{name}.{day}"),
            attrs={"placeholder": "closed"},
        )
        for day in DAYS
    )
    return Input(kind="group", parts=parts, **shared)


def _rrule(spec: Any, name: str, raw: Raw, shared: dict[str, Any]) -> Input:
    preset = Input(
        name=f"{name}.preset", kind="select", label="How often", value=first(raw, f"{name}.preset"),
        options=(("", "Never"), *RRULES.items(), (CUSTOM, "Another rule")),
    )  # fmt: skip
    rule = Input(
        name=name, kind="text", label="Rule", value=first(raw, name), visible_if={control_name(f"{name}.preset"): CUSTOM},
        attrs={"placeholder": "FREQ=WEEKLY;BYDAY=MO,WE"}, help="A recurrence rule of RFC 5545.",
    )  # fmt: skip
    return Input(kind="group", parts=(preset, rule), **shared)


_GROUPS = {"address": _address, "geo": _geo, "hours": _hours, "rrule": _rrule}

# -- conditions in the browser

_SAME_AS_KEPT = frozenset(
    {"text", "slug", "email", "phone", "url", "integer", "decimal", "percent", "boolean", "date", "time", "enum", "color",
     "rating", "user", "ref", "refs", "money"}
)  # fmt: skip


def _browser_condition(desk: Desk, table: str, spec: FieldSpec, place: Place) -> Mapping[str, Any] | None:
    """visible_if as the browser's evaluator can use it; None when it cannot, and then the field is simply shown."""
    if not spec.visible_if:
        return None
    fields = desk.table(table).fields
    return _translated(spec.visible_if, fields, place)


def _translated(condition: Mapping[str, Any], fields: Mapping[str, Any], place: Place) -> Mapping[str, Any] | None:
    found: dict[str, Any] = {}
    for key, value in condition.items():
        if key in ("any", "all"):
            inner = [_translated(part, fields, place) for part in value]
            if any(part is None for part in inner):
                return None
            found[key] = inner
        elif key == "not":
            if (part := _translated(value, fields, place)) is None:
                return None
            found[key] = part
        elif key not in fields or fields[key].type not in _SAME_AS_KEPT or fields[key].type == "tags":
            return None
        else:
            found[control_name(key)] = _major(value, place) if fields[key].type == "money" else value
    return found


def _major(value: Any, place: Place) -> Any:
    """Amounts of a condition as the form has them: 129900 is 1299."""
    if isinstance(value, Mapping):
        return {op: _major(one, place) for op, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_major(one, place) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value / 10 ** digits_of(place.currency)
    return value
