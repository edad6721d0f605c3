"""A whole record against its table: types, required, defaults, states, checks, what is shown."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import FieldError
from app.modules.conditions import Condition, matches, parse_condition
from app.modules.kinds import Columns
from app.modules.manifest import FieldSpec, Table
from app.modules.manifest.fields import SlugField
from app.modules.naming import SYSTEM_FIELDS
from app.runtime.validation import fields
from app.runtime.validation.problems import Facts, Wrong, pointer
from app.runtime.validation.texts import slug_from

_SLUG_LENGTH = 80


@dataclass(frozen=True)
class Rules:
    """A table's conditions, parsed once."""

    table: Table
    shown: Mapping[str, Condition]
    checks: tuple[tuple[Condition, tuple[str, ...]], ...]

    @classmethod
    def of(cls, table: Table, columns: Columns) -> Rules:
        return cls(
            table,
            {name: parse_condition(one.visible_if, columns) for name, one in table.fields.items() if one.visible_if},
            tuple((parse_condition(check.when, columns), check.require) for check in table.check),
        )


@dataclass(frozen=True)
class Checked:
    """values: what to write, by field, in the form it is kept in. errors: everything that is wrong."""

    values: dict[str, Any]
    errors: list[FieldError]


def check_new(rules: Rules, given: Any, writable: Iterable[str], facts: Facts, *, at: tuple[int, ...] = ()) -> Checked:
    """A new record, with defaults. writable: the fields this caller may write; at: its index in a batch."""
    found = _given(rules.table, given, frozenset(writable), facts, at)
    for name, field in rules.table.fields.items():
        if name in found.values or field.type in fields.READ_ONLY:
            continue
        if field.default is not None:
            found.values[name] = fields.default(field, facts)
    _make_slugs(rules.table, found.values)
    wrong = {error.pointer for error in found.errors}
    _hide(rules, found.values, given if isinstance(given, Mapping) else {}, found, at, wrong)
    for name, field in rules.table.fields.items():
        missing = field.required and field.type not in fields.READ_ONLY and _empty(found.values.get(name))
        if missing and _is_shown(rules, name, found.values) and pointer(*at, name) not in wrong:
            found.errors.append(FieldError(pointer(*at, name), "required", "is required"))
    _check_rules(rules, found.values, found, at)
    return found


def check_change(rules: Rules, given: Any, before: Mapping[str, Any], writable: Iterable[str], facts: Facts) -> Checked:
    """Changes of a record. before: the record as it is, by field."""
    found = _given(rules.table, given, frozenset(writable), facts, ())
    merged = {**before, **found.values}
    wrong = {error.pointer for error in found.errors}
    _hide(rules, merged, found.values, found, (), wrong)
    for name, field in rules.table.fields.items():
        if name in found.values and field.required and _empty(found.values[name]) and _is_shown(rules, name, merged):
            found.errors.append(FieldError(pointer(name), "required", "is required"))
    _check_move(rules.table, before, found)
    _check_rules(rules, merged, found, ())
    return found


def _given(table: Table, given: Any, writable: frozenset[str], facts: Facts, at: tuple[int, ...]) -> Checked:
    found = Checked({}, [])
    if not isinstance(given, Mapping):
        found.errors.append(FieldError(pointer(*at), "type", "must be an object with the record's fields"))
        return found
    for name, value in given.items():
        problem = _unwritable(table, name, writable)
        if problem is None:
            try:
                found.values[name] = fields.read(table.fields[name], value, facts)
                continue
            except Wrong as wrong:
                problem = (wrong.code, str(wrong))
        found.errors.append(FieldError(pointer(*at, str(name)[:100]), *problem))
    return found


def _unwritable(table: Table, name: Any, writable: frozenset[str]) -> tuple[str, str] | None:
    field = table.fields.get(name) if isinstance(name, str) else None
    if name in SYSTEM_FIELDS or (field is not None and name in writable and field.type in fields.READ_ONLY):
        return "read_only", "is set by the server"
    if field is None or name not in writable:
        near = difflib.get_close_matches(str(name)[:60], writable, n=1)
        return "unknown_field", f'there is no field "{str(name)[:60]}"' + (
            f'; did you mean "{near[0]}"?' if near else ""
        )
    return None


def _make_slugs(table: Table, values: dict[str, Any]) -> None:
    for name, field in table.fields.items():
        if isinstance(field, SlugField) and field.from_ and values.get(name) is None:
            source = values.get(field.from_)
            values[name] = (slug_from(source, field.max or _SLUG_LENGTH) or None) if isinstance(source, str) else None


def _is_shown(rules: Rules, name: str, record: Mapping[str, Any]) -> bool:
    condition = rules.shown.get(name)
    return condition is None or matches(condition, record)


def _hide(
    rules: Rules,
    record: dict[str, Any],
    sent: Mapping[str, Any],
    found: Checked,
    at: tuple[int, ...],
    wrong: set[str],
) -> None:
    """A field that is not shown for this record takes no value: refused when it was sent, dropped as a default."""
    for name in rules.shown:
        if found.values.get(name) is None or _is_shown(rules, name, record):
            continue
        if sent.get(name) is None:
            found.values.pop(name)
        elif pointer(*at, name) not in wrong:
            found.errors.append(FieldError(pointer(*at, name), "hidden", "does not apply to this record"))


def _check_move(table: Table, before: Mapping[str, Any], found: Checked) -> None:
    states = table.states
    if states is None or states.field not in found.values:
        return
    old, new = before.get(states.field), found.values[states.field]
    if old is None or old == new:
        return
    ways = states.moves.get(old, ())
    if new not in ways:
        where = f"it can become {' or '.join(ways)}" if ways else "it stays as it is"
        found.errors.append(FieldError(pointer(states.field), "move", f'"{old}" cannot become "{new}"; {where}'))


def _check_rules(rules: Rules, record: Mapping[str, Any], found: Checked, at: tuple[int, ...]) -> None:
    told = {error.pointer for error in found.errors}
    for when, require in rules.checks:
        missing = [name for name in require if _empty(record.get(name))]
        if not missing or not matches(when, record):
            continue
        for name in missing:
            if pointer(*at, name) not in told:
                told.add(pointer(*at, name))
                found.errors.append(FieldError(pointer(*at, name), "required", "is required for this record"))


def _empty(value: Any) -> bool:
    return value is None or value == []


def writable_fields(visible: Mapping[str, FieldSpec]) -> frozenset[str]:
    """The names a caller may write: what it sees. Read-only ones are refused by their own message."""
    return frozenset(visible)
