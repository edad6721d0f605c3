"""Acts on the groups and fields of an install's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.errors import Invalid, NotFound
from app.studio.builder.changes import Change, Edit, Entry, Values
from app.studio.builder.forms import Form, identifier, label_of, read_condition, read_keys
from app.studio.builder.keys import SETTINGS, setting_keys
from app.studio.builder.manifesttext import at, mapping, sequence
from app.studio.builder.moves import moved, moved_key, put


def setting_names(values: Values) -> list[str]:
    """Every setting, across the groups: names are shared."""
    return [name for group in sequence(values, "settings") for name in mapping(group, "fields")]


def add_group(label: str, typed: str, kind: str) -> Change:
    """A group under a heading, with its first setting."""

    def act(edit: Edit) -> None:
        words = " ".join(label.split())[:80]
        if not words:
            raise Invalid.field("label", "Enter the heading people read.")
        name, spec = _new(edit, typed, kind)
        groups = edit.values.get("settings")
        edit.values["settings"] = [
            *(groups if isinstance(groups, list) else []),
            {"label": words, "fields": {name: spec}},
        ]
        edit.note = f"settings group {words} added"

    return Change(act, ())


def _group(index: int, of: Callable[[int], Change]) -> Entry:
    return Entry(("settings",), index, of)


def change_group(index: int, form: Form) -> Change:
    """Its heading, its help, and when it is shown."""

    def act(edit: Edit) -> None:
        group = edit.mapping("settings", index)
        label = " ".join(form.get("label", "").split())[:80]
        if not label:
            raise Invalid.field("label", "Enter the heading people read.")
        group["label"] = label
        text = form.get("help", "").strip()
        if text != (group.get("help") or ""):
            put(group, "help", text)
        put(group, "visible_if", read_condition(form, "visible_if", group.get("visible_if")))
        edit.note = f"settings group {label} changed"

    return Change(act, (("settings", index),), _group(index, lambda place: change_group(place, form)))


def delete_group(index: int) -> Change:
    """The group and its settings go."""

    def act(edit: Edit) -> None:
        group = edit.mapping("settings", index)
        groups = sequence(edit.values, "settings")
        put(edit.values, "settings", [*groups[:index], *groups[index + 1 :]])
        edit.note = f"settings group {group.get('label', index + 1)} deleted"

    return Change(act, (("settings",),), _group(index, delete_group))


def move_group(index: int, to: int) -> Change:
    """The group at another place."""

    def act(edit: Edit) -> None:
        group = edit.mapping("settings", index)
        edit.values["settings"] = moved(edit.values["settings"], index, to)
        edit.note = f"settings group {group.get('label', index + 1)} moved"

    return Change(act, (("settings",),), _group(index, lambda place: move_group(place, to)))


def add_setting(index: int, typed: str, kind: str) -> Change:
    """A setting at the end of a group."""

    def act(edit: Edit) -> None:
        group = edit.mapping("settings", index)
        name, spec = _new(edit, typed, kind)
        if not isinstance(group.get("fields"), dict):
            group["fields"] = {}
        group["fields"][name] = spec
        edit.note = f"setting {name} added"

    return Change(act, (("settings",),), _group(index, lambda place: add_setting(place, typed, kind)))


def _new(edit: Edit, typed: str, kind: str) -> tuple[str, Values]:
    if kind not in SETTINGS:
        raise Invalid.field("type", "Choose what is set.")
    name = identifier(typed, "name", taken=setting_names(edit.values))
    spec: Values = {"type": kind}
    put(spec, "label", label_of(typed, name))
    if kind == "range":
        spec |= {"min": 0, "max": 100}
    return name, spec


def change_setting(index: int, setting: str, form: Form) -> Change:
    """Whatever the form shows of a setting: its name, type, and the keys it lists."""

    def act(edit: Edit) -> None:
        fields = edit.mapping("settings", index, "fields")
        spec = fields.get(setting)
        if not isinstance(spec, dict):
            raise NotFound()
        spec = _with_type(spec, form.get("type", ""))
        wanted = read_keys(form, [key for key in setting_keys(spec.get("type")) if key.kind != "rows"], spec)
        if spec.get("type") == "repeater" and "fields" in form.get("keys", "").split():
            wanted["fields"] = read_rows(form, mapping(spec, "fields"))
        fields[setting] = wanted
        edit.note = f"setting {setting} changed"
        new = form.get("name", setting).strip()
        if new != setting:
            new = identifier(new, "name", taken=setting_names(edit.values))
            edit.rename_key(("settings", index, "fields", setting), new)
            _follow(edit, setting, new)
            edit.note = f"setting {setting} renamed to {new}"

    entry = _group(index, lambda place: change_setting(place, setting, form))
    return Change(act, (("settings", index, "fields", setting),), entry)


def _with_type(spec: Values, kind: str) -> Values:
    if not kind or kind == spec.get("type"):
        return dict(spec)
    if kind not in SETTINGS:
        raise Invalid.field("type", "Choose what is set.")
    known = {key.name for key in setting_keys(kind)} | ({"labels"} if kind == "enum" else set())
    return {"type": kind, **{key: value for key, value in spec.items() if key in known}}


def _follow(edit: Edit, old: str, new: str) -> None:
    """The new name in every visible_if: of groups, of settings."""
    for index, group in enumerate(sequence(edit.values, "settings")):
        _renamed_in(edit, ("settings", index, "visible_if"), old, new)
        for name in list(mapping(group, "fields")):
            _renamed_in(edit, ("settings", index, "fields", name, "visible_if"), old, new)


def _renamed_in(edit: Edit, path: tuple[Any, ...], old: str, new: str) -> None:
    condition = at(edit.values, *path)
    if isinstance(condition, list):
        for index in range(len(condition)):
            _renamed_in(edit, (*path, index), old, new)
    if not isinstance(condition, dict):
        return
    for key in ("any", "all", "not"):
        _renamed_in(edit, (*path, key), old, new)
    if old in condition:
        edit.rename_key((*path, old), new)


def read_rows(form: Form, before: Values) -> Values:
    """The fields of a list's rows: name, type, label, and options where it has some. An empty name leaves one out."""
    lists = [form.getlist(f"fields.{part}") for part in ("name", "type", "label", "options")]
    wanted: Values = {}
    for typed, kind, label, options in zip(*lists, strict=False):
        if not typed.strip():
            continue
        name = identifier(typed, "fields", taken=wanted)
        spec = dict(mapping(before, name))
        spec["type"] = kind
        put(spec, "label", " ".join(label.split()) or label_of(typed, name))
        chosen = [part.strip() for part in options.split(",") if part.strip()]
        put(spec, "options", chosen if kind == "enum" else None)
        wanted[name] = {"type": spec.pop("type"), **spec} if "type" not in before.get(name, {}) else spec
    return wanted


def delete_setting(index: int, setting: str) -> Change:
    """The setting goes, and its group with the last of them."""

    def act(edit: Edit) -> None:
        fields = edit.mapping("settings", index, "fields")
        edit.mapping("settings", index, "fields", setting)
        del fields[setting]
        if not fields:
            groups = edit.values["settings"]
            put(edit.values, "settings", [*groups[:index], *groups[index + 1 :]])
        edit.note = f"setting {setting} deleted"

    return Change(act, (("settings", index, "fields"),), _group(index, lambda place: delete_setting(place, setting)))


def move_setting(index: int, setting: str, to: int) -> Change:
    """The setting at another place of its group."""

    def act(edit: Edit) -> None:
        group = edit.mapping("settings", index)
        edit.mapping("settings", index, "fields", setting)
        group["fields"] = moved_key(group["fields"], setting, to)
        edit.note = f"setting {setting} moved"

    entry = _group(index, lambda place: move_setting(place, setting, to))
    return Change(act, (("settings", index, "fields"),), entry)
