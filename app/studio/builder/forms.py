"""Controls of a Key: what they show of a manifest, and what came back as plain values.

Nothing is judged here. What cannot be read as a number stays the text it is, and the manifest's own checks say so beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from app.errors import Invalid
from app.modules.manifest.yamltext import read_yaml
from app.modules.naming import IDENTIFIER
from app.studio.builder.keys import Key
from app.studio.builder.render import flow
from app.studio.builder.words import in_words

Form = MultiDict[str, str]

_INT = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_NUMERIC = {"integer", "decimal", "money", "percent", "rating", "duration", "number", "range"}
COLORS = ("gray", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
MORE = 2  # empty rows below those there are, for browsers that run no scripts


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a condition: field, operator (of words.OPERATORS) and the value as typed."""

    field: str = ""
    op: str = "eq"
    value: str = ""


@dataclass(frozen=True, slots=True)
class OptionRow:
    """An option of a list, with its label and colour."""

    value: str = ""
    label: str = ""
    color: str = ""


def identifier(text: str, field: str, *, taken: Iterable[str] = ()) -> str:
    """`Full name` as a name of the manifest, full_name. Raises Invalid for what gives none, and for one that is taken."""
    name = re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")
    if not IDENTIFIER.fullmatch(name):
        raise Invalid.field(field, "Begin with a letter; use letters, digits and _, at most 41.")
    if name in taken:
        raise Invalid.field(field, f'"{name}" is there already.')
    return name


def label_of(text: str, name: str) -> str | None:
    """The label to keep beside a name made from what was typed; None where the name says it."""
    words = " ".join(text.split())
    return None if words in (name, in_words(name)) or words.lower() == in_words(name).lower() else words[:80]


def text_of(value: Any) -> str:
    """A value as a text control shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else flow(value)


def lines_of(value: Any) -> str:
    """A list as lines."""
    return "\n".join(text_of(item) for item in value) if isinstance(value, list) else text_of(value)


def names_of(value: Any) -> list[str]:
    """The texts of a list of names; one alone is a list of one."""
    items = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return [item for item in items if isinstance(item, str)]


def read_keys(form: Form, keys: Iterable[Key], old: dict[str, Any], *, prefix: str = "") -> dict[str, Any]:
    """`old` with the keys that the form shows changed to what it says; what it does not show stays as it is."""
    shown = set(form.get(f"{prefix}keys", "").split())
    wanted = dict(old)
    for key in keys:
        if key.name not in shown:
            continue
        if key.kind == "options":
            _put_options(wanted, key, form, prefix)
            continue
        value = read_key(form, key, old, prefix=prefix)
        if value is None or (key.name not in old and same_as_usual(value, key)):
            wanted.pop(key.name, None)
        else:
            wanted[key.name] = value
    return wanted


def same_as_usual(value: Any, key: Key) -> bool:
    """Whether a value says what its absence says."""
    return key.usual is not None and type(value) is type(key.usual) and bool(value == key.usual)


def read_key(form: Form, key: Key, old: dict[str, Any], *, prefix: str = "") -> Any:
    """The value of one control; None for none."""
    name, before = prefix + key.name, old.get(key.name)
    if key.kind == "flag":
        ticked = name in form
        if ticked == (before if isinstance(before, bool) else bool(key.usual)):
            return before
        return None if ticked == bool(key.usual) else ticked
    if key.kind == "condition":
        return read_condition(form, name, before)
    if key.kind in ("fields", "choices"):
        chosen = [item for item in form.getlist(name) if item]
        return before if chosen == before else chosen or None
    if key.kind in ("lines", "groups", "expressions"):
        lines = [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
        return before if lines_of(before) == "\n".join(lines) else lines or None
    if key.kind == "panels":
        return read_panels(form, name, before)
    if key.kind == "sort":
        return read_sort(form, name, before)
    sent = form.get(name, "").replace("\r\n", "\n").strip()
    if sent == text_of(before).strip():
        return before
    if not sent:
        return None
    if key.kind in ("whole", "number"):
        return number(sent)
    if key.kind == "default":
        return typed(sent, str(form.get(f"{prefix}type") or old.get("type") or "text"))
    return sent


def number(text: str) -> Any:
    """A number as it is written; the text itself where it is none."""
    if _INT.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and len(text) <= 30:
        return float(text)
    return text


def typed(text: str, kind: str) -> Any:
    """A default as its type of field wants it."""
    if kind in _NUMERIC:
        return number(text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "tags":
        return [line.strip() for line in text.splitlines() if line.strip()]
    if kind in ("address", "geo", "json", "hours"):
        return _plain(text)
    return text


def _plain(text: str) -> Any:
    """What a text says as YAML; the text itself where it is none."""
    document = read_yaml(text)
    return text if document.problems else document.value


# -- conditions


def condition_rows(value: Any) -> list[Row] | None:
    """A condition as lines that must all hold; None for one with any, all or not."""
    if value is None:
        return []
    if not isinstance(value, dict):
        return None
    rows = []
    for field, test in value.items():
        if field in ("any", "all", "not") or not isinstance(field, str):
            return None
        tests = test if isinstance(test, dict) else {"in" if isinstance(test, list) else "eq": test}
        for op, wanted in tests.items():
            if op == "is" and wanted in (None, "null", "not_null"):
                rows.append(Row(field, "not_empty" if wanted == "not_null" else "empty"))
            elif op in ("in", "nin") and isinstance(wanted, list):
                rows.append(Row(field, op, ", ".join(text_of(item) for item in wanted)))
            elif op in ("eq", "ne", "gt", "gte", "lt", "lte", "contains", "starts") and not isinstance(
                wanted, (dict, list)
            ):
                rows.append(Row(field, op, text_of(wanted)))
            else:
                return None
    return rows


def read_condition(form: Form, name: str, before: Any) -> Any:
    """What the lines of a condition say, or its text where it is more than lines."""
    if f"{name}.text" in form:
        text = form[f"{name}.text"].strip()
        return before if text == text_of(before).strip() else _plain(text) if text else None
    rows = [
        Row(field, op, value.strip())
        for field, op, value in zip(
            form.getlist(f"{name}.field"), form.getlist(f"{name}.op"), form.getlist(f"{name}.value"), strict=False
        )
        if field
    ]
    if rows == condition_rows(before):
        return before
    wanted: dict[str, Any] = {}
    for row in rows:
        test = _test(row)
        there = wanted.get(row.field)
        if there is None:
            wanted[row.field] = test
        else:
            both = [one if isinstance(one, dict) else {"eq": one} for one in (there, test)]
            wanted[row.field] = {**both[0], **both[1]}
    return wanted or None


def _test(row: Row) -> Any:
    if row.op in ("empty", "not_empty"):
        return {"is": None if row.op == "empty" else "not_null"}
    if row.op in ("in", "nin"):
        return {row.op: [_word(part.strip()) for part in row.value.split(",") if part.strip()]}
    return _word(row.value) if row.op == "eq" else {row.op: _word(row.value)}


def _word(text: str) -> Any:
    return {"true": True, "false": False}.get(text, number(text))


# -- lists of their own kind


def read_panels(form: Form, name: str, before: Any) -> Any:
    """Fields and {related: table}, in order; a related table is sent as `related:table`."""
    wanted: list[Any] = [
        {"related": item.removeprefix("related:")} if item.startswith("related:") else item
        for item in form.getlist(name)
        if item
    ]
    return before if wanted == before else wanted or None


def panel_names(value: Any) -> list[str]:
    """The panels of a column as the form sends them."""
    items = value if isinstance(value, list) else []
    return [
        f"related:{item['related']}"
        if isinstance(item, dict) and isinstance(item.get("related"), str)
        else text_of(item)
        for item in items
    ]


def read_sort(form: Form, name: str, before: Any) -> Any:
    """A sort key or several, each a field and a direction."""
    keys = [
        ("-" if way == "down" else "") + field
        for field, way in zip(form.getlist(f"{name}.field"), form.getlist(f"{name}.way"), strict=False)
        if field
    ]
    if keys == names_of(before):
        return before
    return None if not keys else keys[0] if len(keys) == 1 else keys


def option_rows(spec: dict[str, Any]) -> list[OptionRow]:
    """The options of a list with what people read and the colours of their badges."""
    labels, colors = spec.get("labels"), spec.get("colors")
    labels, colors = labels if isinstance(labels, dict) else {}, colors if isinstance(colors, dict) else {}
    return [
        OptionRow(text_of(option), text_of(labels.get(option)), text_of(colors.get(option)))
        for option in (spec.get("options") if isinstance(spec.get("options"), list) else ()) or ()
    ]


def _put_options(wanted: dict[str, Any], key: Key, form: Form, prefix: str) -> None:
    """options, labels and colors, from rows of value, label and colour; a row without a value takes it from its label."""
    name = prefix + key.name
    rows = []
    for value, label, color in _zipped(form, f"{name}.value", f"{name}.label", f"{name}.color"):
        made = value or re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
        if made:
            rows.append(OptionRow(made, label, color))
    if rows == option_rows(wanted):
        return
    labels = {row.value: row.label for row in rows if row.label and row.label != in_words(row.value)}
    colors = {row.value: row.color for row in rows if row.color}
    parts: dict[str, Any] = {"options": [row.value for row in rows], "labels": labels, "colors": colors}
    for part, value in parts.items():
        if value:
            wanted[part] = value
        else:
            wanted.pop(part, None)


def _zipped(form: Form, *names: str) -> list[tuple[str, ...]]:
    lists = [form.getlist(name) for name in names]
    longest = max((len(one) for one in lists), default=0)
    return [tuple((one[index].strip() if index < len(one) else "") for one in lists) for index in range(longest)]
