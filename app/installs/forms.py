"""Settings forms, generated from the manifest: what to show for each setting, and what came back as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from werkzeug.datastructures import MultiDict

from app.installs.standing import Standing
from app.modules.hours import DAYS
from app.modules.manifest import Manifest

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
TICKED = ("y", "1", "on", "true", "yes")  # "y" is what our own boxes send
MORE_ROWS = 2  # empty rows a repeater shows below those it has


@dataclass(frozen=True, slots=True)
class Input:
    """One control. kind: of ui/field.html, or "hours" or "repeater"; rows: of a repeater, each a list of Inputs."""

    kind: str
    name: str
    label: str
    value: Any
    help: str
    required: bool
    options: list[tuple[str, str]]
    attrs: dict[str, Any]
    visible_if: dict[str, Any] | None
    errors: list[str]
    prefix: str = ""
    suffix: str = ""
    rows: tuple[tuple[Input, ...], ...] = ()
    days: tuple[tuple[str, str, str, str], ...] = ()  # (key, name, opens, closes)
    standing: Standing | None = None  # where the value comes from; None where nothing is inherited
    ticks: frozenset[str] = frozenset()  # of own, back, lock: what a form sent again had ticked
    reason: str = ""  # why it is locked here
    sealed: str = ""  # the new text of a secret that waits for its change to be confirmed


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    help: str
    visible_if: dict[str, Any] | None
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What some kinds of settings choose from: (value, label) each."""

    people: list[tuple[str, str]]
    modules: list[tuple[str, str]]
    pages: list[tuple[str, str]]
    currency: str


def settings_groups(
    manifest: Manifest,
    *,
    values: Mapping[str, Any],
    secrets_set: frozenset[str] = frozenset(),
    errors: Mapping[str, list[str]] | None = None,
    choices: Choices,
    standings: Mapping[str, Standing] | None = None,
    form: MultiDict[str, str] | None = None,
    sealed: Mapping[str, str] | None = None,
) -> list[Group]:
    """The form. values: as kept, defaults for a new install. errors: {setting: messages}; of a row: `name/0/field`.

    standings: of every setting, where levels above have a say; form: what was sent, for what was ticked there.
    """
    found = errors or {}

    def standing(name: str, made: Input) -> Input:
        if standings is None:
            return made
        stands, lock = standings[name], standings[name].own_lock
        ticks = {key for key in ("own", "back", "lock") if form and f"{key}.{name}" in form}
        if form is None and lock is not None:
            ticks.add("lock")
        reason = form.get(f"reason.{name}", "") if form else (lock or {}).get("reason", "")
        required = made.required and stands.level == "site"
        return replace(
            made, standing=stands, ticks=frozenset(ticks), reason=reason, required=required, sealed=(sealed or {}).get(name, "")
        )  # fmt: skip

    return [
        Group(
            group.label,
            group.help or "",
            _condition(group),
            tuple(
                standing(name, _input(name, spec, values.get(name, spec.default), name in secrets_set, found, choices))
                for name, spec in group.fields.items()
            ),
        )
        for group in manifest.settings
    ]


def read_settings(manifest: Manifest, form: MultiDict[str, str]) -> dict[str, Any]:
    """What was sent, as plain values for the rules to judge: texts, numbers where they are numbers, lists, flags.

    An empty secret is left out: it means "as it was". A setting that was hidden by its condition is not in a request.
    """
    sent: dict[str, Any] = {}
    for name, spec in manifest.setting_fields.items():
        if spec.type == "hours":
            sent[name] = _read_hours(name, form)
        elif spec.type == "repeater":
            sent[name] = _read_rows(name, spec, form)
        elif spec.type == "boolean":
            sent[name] = form.get(name) in TICKED
        elif name in form and not (spec.type == "secret" and not form[name]):
            sent[name] = _plain(spec.type, form[name])
    return sent


def errors_by_setting(pointers: list[tuple[str, str]]) -> dict[str, list[str]]:
    """[(pointer, message)] of an Invalid to {setting: messages}, also under the whole pointer for rows."""
    found: dict[str, list[str]] = {}
    for pointer, message in pointers:
        path = pointer.strip("/")
        for key in {path, path.split("/")[0]}:
            found.setdefault(key, []).append(message)
    return found


def _plain(kind: str, text: str) -> Any:
    text = text.replace("\r\n", "\n").strip()
    if text == "":
        return None
    if kind in ("number", "range"):
        return _number(text)
    if kind == "money":
        return _minor_units(text)
    return text


def _number(text: str) -> Any:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return text  # the rules say what is wrong with it
    return int(value) if value.is_integer() else value


def _minor_units(text: str) -> Any:
    try:
        return round(float(text.replace(" ", "").replace(",", ".")) * 100)
    except ValueError:
        return text


def _condition(part: Any) -> dict[str, Any] | None:
    return dict(part.visible_if) if part.visible_if else None


_KINDS = {
    "text": "text", "number": "number", "range": "number", "boolean": "switch", "enum": "select", "color": "color",
    "money": "money", "secret": "secret", "hours": "hours", "repeater": "repeater", "user": "select", "page": "select",
    "module": "select",
}  # fmt: skip


def _input(name: str, spec: Any, value: Any, is_set: bool, errors: Mapping[str, list[str]], choices: Choices) -> Input:
    kind = "textarea" if spec.type == "text" and spec.multiline else _KINDS[spec.type]
    text = spec.help or ""
    if spec.type == "secret" and is_set:
        text = f"{text} A value is set; leave this empty to keep it.".strip()
    return Input(
        kind=kind,
        name=name,
        label=spec.label or name.rpartition(".")[2].replace("_", " ").capitalize(),
        value=_shown(spec, value),
        help=text,
        required=spec.required and not is_set,
        options=_options(spec, choices),
        attrs=_attrs(spec),
        visible_if=_condition(spec),
        errors=list(errors.get(name, [])) if spec.type != "repeater" else [],
        prefix=choices.currency if spec.type == "money" else "",
        suffix=(getattr(spec, "unit", None) or "") if spec.type == "range" else "",
        rows=_rows(name, spec, value, errors, choices),
        days=_days(value) if spec.type == "hours" else (),
    )


def _shown(spec: Any, value: Any) -> Any:
    if spec.type == "secret" or value is None:
        return ""
    if spec.type == "money" and isinstance(value, int):
        return f"{value / 100:.2f}"
    return value


def _options(spec: Any, choices: Choices) -> list[tuple[str, str]]:
    none = [] if spec.required else [("", "–")]
    if spec.type == "enum":
        names = spec.labels or {}
        return none + [(option, names.get(option, option.replace("_", " ").capitalize())) for option in spec.options]
    lists = {"user": choices.people, "module": choices.modules, "page": choices.pages}
    return none + lists[spec.type] if spec.type in lists else []


def _attrs(spec: Any) -> dict[str, Any]:
    if spec.type == "text":
        return {"minlength": spec.min, "maxlength": spec.max}
    if spec.type == "number":
        return {"min": spec.min, "max": spec.max, "step": "any"}
    if spec.type == "range":
        return {"min": spec.min, "max": spec.max, "step": spec.step}
    return {}


def _rows(
    name: str, spec: Any, value: Any, errors: Mapping[str, list[str]], choices: Choices
) -> tuple[tuple[Input, ...], ...]:
    if spec.type != "repeater":
        return ()
    kept = value if isinstance(value, list) else []
    filled = [row if isinstance(row, dict) else {} for row in kept]
    empty = min(MORE_ROWS, max(0, spec.max - len(filled)))
    return tuple(
        tuple(
            _input(
                f"{name}.{number}.{field}",
                inner,
                row.get(field, inner.default),
                False,
                _of_row(errors, name, number, field),
                choices,
            )
            for field, inner in spec.fields.items()
        )
        for number, row in enumerate([*filled, *({} for _ in range(empty))])
    )


def _of_row(errors: Mapping[str, list[str]], name: str, number: int, field: str) -> dict[str, list[str]]:
    return {f"{name}.{number}.{field}": errors.get(f"{name}/{number}/{field}", [])}


def _read_rows(name: str, spec: Any, form: MultiDict[str, str]) -> list[dict[str, Any]]:
    rows = []
    for number in range(spec.max + MORE_ROWS):
        row: dict[str, Any] = {}
        for field, inner in spec.fields.items():
            key = f"{name}.{number}.{field}"
            if inner.type == "boolean":
                row[field] = form.get(key) in TICKED
            elif key in form:
                row[field] = _plain(inner.type, form[key])
        # a row without any text is one the person left empty; ticked boxes alone make none
        if any(value not in (None, False) for field, value in row.items() if spec.fields[field].type != "boolean"):
            rows.append(row)
    return rows


def _days(value: Any) -> tuple[tuple[str, str, str, str], ...]:
    kept = value if isinstance(value, dict) else {}
    shown = []
    for key, name in zip(DAYS, DAY_NAMES, strict=True):
        spans = kept.get(key) or []
        opens, closes = (spans[0][0], spans[0][1]) if spans else ("", "")
        shown.append((key, name, opens, closes))
    return tuple(shown)


def _read_hours(name: str, form: MultiDict[str, str]) -> dict[str, Any]:
    """{"mon": [["09:00", "17:00"]], …}; a day without times is closed."""
    hours: dict[str, Any] = {}
    for key in DAYS:
        opens, closes = form.get(f"{name}.{key}.opens", "").strip(), form.get(f"{name}.{key}.closes", "").strip()
        if opens or closes:
            hours[key] = [[opens, closes]]
    return hours
