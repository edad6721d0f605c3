"""What changed in the tables of a module: fields, rules, states, rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.modules.changes import Bump, Change, pairs, rights
from app.modules.manifest import Manifest, Table
from app.modules.manifest.fields import FieldBase, FormulaField, RollupField

# A value of the left type always is a value of the right one.
WIDENINGS = frozenset(
    {
        ("integer", "decimal"), ("rating", "integer"), ("rating", "decimal"), ("percent", "decimal"),
        ("text", "richtext"), ("enum", "text"), ("slug", "text"), ("email", "text"), ("phone", "text"), ("url", "text"),
        ("color", "text"), ("number", "text"), ("rrule", "text"), ("file", "files"), ("ref", "refs"), ("date", "datetime"),
    }
)  # fmt: skip


def table_changes(old: Manifest, new: Manifest) -> Iterator[Change]:
    matched, gone = pairs(old.tables, new.tables)
    for name in gone:
        yield Change("table_removed", f"tables.{name}", f'the table "{name}" is gone', "major")
    for name, table in new.tables.items():
        path = f"tables.{name}"
        if name not in matched:
            yield Change("table_added", path, f'the table "{name}" is new', "minor")
            continue
        if matched[name] != name:
            yield Change("table_renamed", path, f'the table "{matched[name]}" is now "{name}"', "major")
        before = old.tables[matched[name]]
        yield from _fields(before.fields, table.fields, f"{path}.fields", name)
        yield from _rules(before, table, path, name)


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], path: str, table: str) -> Iterator[Change]:
    matched, gone = pairs(old, new)
    for name in gone:
        yield Change("field_removed", f"{path}.{name}", f'the field "{name}" of {table} is gone', "major")
    for name, field in new.items():
        place = f"{path}.{name}"
        if name not in matched:
            if field.required and field.default is None:
                sentence = f'the field "{name}" of {table} is new and required, with no default'
                yield Change("required_field_added", place, sentence, "major")
            else:
                yield Change("field_added", place, f'the field "{name}" of {table} is new', "minor")
            continue
        if matched[name] != name:
            yield Change("field_renamed", place, f'the field "{matched[name]}" of {table} is now "{name}"', "major")
        yield from _field(old[matched[name]], field, place, f'"{name}" of {table}')


def _field(old: FieldBase, new: FieldBase, path: str, what: str) -> Iterator[Change]:
    before, after = str(getattr(old, "type", "")), str(getattr(new, "type", ""))
    if before != after:
        wider = (before, after) in WIDENINGS
        kind, bump = ("field_widened", "minor") if wider else ("field_narrowed", "major")
        yield Change(kind, path, f"{what} was {before} and is {after}", bump)  # type: ignore[arg-type]  # both are bumps
        if not wider:
            return
    narrowed = list(narrowings(old, new))
    # another target or result is a loss seen from either side; it is told once, as the loss it is
    widened = [reason for reason in narrowings(new, old) if not reason.startswith(("refers to", "gives"))]
    for reason in narrowed:
        kind = "required_added" if reason == "required" else "field_narrowed"
        yield Change(kind, path, f"{what} is narrower: {_NARROWER.get(reason, reason)}", "major")
    for reason in widened:
        yield Change("field_widened", path, f"{what} is wider: {_wider(reason)}", "minor")
    if before == after and not narrowed and not widened and _without_was(old) != _without_was(new):
        computed = isinstance(new, (FormulaField, RollupField))
        yield Change("field_changed", path, f"{what} changed", "minor" if computed else "patch")


_NARROWER = {"required": "it is required now", "unique": "it is unique now", "private": "it is private now"}
_WIDER = {"required": "it may be empty", "unique": "values may repeat", "private": "it is no longer private"}


def _wider(reason: str) -> str:
    """A limit of the old version, told as gone."""
    if reason.startswith("options "):
        return f"new {reason}"
    return _WIDER.get(reason) or f"no longer {reason}"


def _without_was(field: FieldBase) -> FieldBase:
    return field.model_copy(update={"was": None})


def narrowings(old: Any, new: Any) -> Iterator[str]:
    """What a value could be under `old` and can no longer be under `new`."""
    for flag in ("required", "unique", "private"):
        if getattr(new, flag, False) and not getattr(old, flag, False):
            yield flag
    low, high = (
        (getattr(old, "min", None), getattr(new, "min", None)),
        (getattr(old, "max", None), getattr(new, "max", None)),
    )
    if low[1] is not None and (low[0] is None or low[1] > low[0]):
        yield f"min {low[1]}"
    if high[1] is not None and (high[0] is None or high[1] < high[0]):
        yield f"max {high[1]}"
    options = getattr(old, "options", None) or (), getattr(new, "options", None) or ()
    lost = [option for option in options[0] if option not in options[1]] if options[1] else []
    if lost:
        yield f"options {', '.join(lost)}"
    elif options[1] and not options[0] and getattr(old, "type", "") == getattr(new, "type", ""):
        yield "only its options"
    if getattr(old, "scale", 0) > getattr(new, "scale", 10):
        yield f"{new.scale} digits after the point"
    if getattr(old, "max_mb", 0) > getattr(new, "max_mb", 1000):
        yield f"files of {new.max_mb} MiB"
    if getattr(old, "to", None) != getattr(new, "to", None):
        yield f"refers to {getattr(new, 'to', None)}"
    if getattr(old, "as_", None) != getattr(new, "as_", None):
        yield f"gives {getattr(new, 'as_', None)}"


def _rules(old: Table, new: Table, path: str, table: str) -> Iterator[Change]:
    for key, words in (("unique", "a unique rule"), ("check", "a check")):
        before, after = getattr(old, key), getattr(new, key)
        if any(rule not in before for rule in after):
            yield Change("rule_added", f"{path}.{key}", f"{table} has {words} it had not", "major")
        if any(rule not in after for rule in before):
            yield Change("rule_removed", f"{path}.{key}", f"{table} lost {words}", "minor")
    for key in ("no_overlap", "capacity", "ledger"):
        before, after = getattr(old, key), getattr(new, key)
        if before != after:
            bump: Bump = "minor" if after is None else "major"
            kind = "rule_removed" if after is None else "rule_added"
            yield Change(
                kind, f"{path}.{key}", f"{key} of {table} {'is gone' if after is None else 'is new or changed'}", bump
            )
    yield from _states(old, new, f"{path}.states", table)
    for who in ("public", "staff", "api"):
        yield from rights(
            getattr(old.access, who), getattr(new.access, who), f"{path}.access.{who}", f"{who} of {table}"
        )
    for key in ("label", "title", "help", "indexes", "timeline", "audit"):
        if getattr(old, key) != getattr(new, key):
            bump = "minor" if key in ("timeline", "audit") else "patch"
            yield Change("table_changed", f"{path}.{key}", f"{key} of {table} changed", bump)


def _states(old: Table, new: Table, path: str, table: str) -> Iterator[Change]:
    if old.states == new.states:
        return
    before, after = _moves(old), _moves(new)
    if after is None:
        yield Change("rule_removed", path, f"{table} may change its state freely", "minor")
    elif before is None or before - after:
        yield Change("rule_added", path, f"{table} lost moves between states", "major")
    else:
        yield Change("rule_removed", path, f"{table} has new moves between states", "minor")


def _moves(table: Table) -> set[tuple[str, str]] | None:
    if table.states is None:
        return None
    return {(state, target) for state, targets in table.states.moves.items() for target in targets}
