"""A row of the file against the record as it is: under today's names, and whether it can be put back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from app.modules.manifest import Manifest
from app.modules.storage.layout import TableLayout
from app.rollouts.putback.file import Line
from app.runtime.data.preparing import changed_values
from app.runtime.validation.fields import READ_ONLY
from app.workspace.desk import Desk

EXACT = frozenset({"decimal", "percent"})
SAID = {
    "open": "", "done": "put back already", "there": "the records say so already", "stays": "it stayed",
    "nothing": "it has nothing that this version has a place for", "gone": "this version has no such table",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where a table of the file is now. newer, older: {field of that version: field now}. entry: the field that groups a ledger."""

    table: str
    newer: Mapping[str, str]
    older: Mapping[str, str]
    entry: str = ""


@dataclass(frozen=True)
class Asked:
    """A row under today's names: what can be written. numbers: of number fields; secrets: that it had."""

    line: Line
    table: str
    values: dict[str, Any]
    before: dict[str, Any]
    numbers: dict[str, str]
    secrets: tuple[str, ...]
    entry: Any = None


@dataclass(frozen=True)
class Mark:
    """What became of the row before. at: when."""

    state: str
    why: tuple[dict[str, str], ...]
    at: datetime


@dataclass(frozen=True)
class Verdict:
    """state: open, done, there, since (changed since), stays, nothing, gone. wanted: what a change would write."""

    state: str
    said: str
    wanted: dict[str, Any]

    @property
    def settled(self) -> bool:
        """Nothing can come of putting it back."""
        return self.state not in ("open", "since")


def places(desk: Desk, newer: Manifest, older: Manifest) -> dict[str, Place]:
    """{table of the file: where it is now}, of the tables whose every record the person may see."""
    union, found = desk.context.physical, {}
    new, old = union.for_manifest(newer), union.for_manifest(older)
    for name in union.physical:
        shown = new.physical.get(name) or old.physical.get(name)
        now = desk.context.layout.physical.get(name)
        if shown is None:
            continue
        table = now.tables[-1] if now else ""
        if table and (not desk.can(table, "read") or desk.data.access.own_only(desk.manifest, table)):
            continue
        group = next((ledger.group for ledger in now.ledger), "") if now else ""
        column = now.physical.get(group) if now else None
        found[shown.tables[-1]] = Place(
            table, _names(new.physical.get(name), now), _names(old.physical.get(name) or shown, now),
            column.fields[-1] if column and column.fields else "",
        )  # fmt: skip
    return found


def _names(then: TableLayout | None, now: TableLayout | None) -> dict[str, str]:
    if then is None or now is None:
        return {}
    columns, links = now.physical, {link.name: link for link in now.links}
    found = {
        column.fields[-1]: columns[column.name].fields[-1]
        for column in then.columns
        if column.fields and column.name in columns and columns[column.name].fields
    }
    return found | {link.fields[-1]: links[link.name].fields[-1] for link in then.links if link.name in links}


def read_row(desk: Desk, place: Place, line: Line) -> Asked:
    """The row under today's names."""
    if not place.table:
        return Asked(line, "", {}, {}, {}, ())
    values, before = _now(desk, place, place.newer, line.values), _now(desk, place, place.older, line.before)
    fields = desk.table(place.table).fields
    kept = {name for name, field in fields.items() if field.type not in READ_ONLY and field.type != "secret"}
    told = {**before, **values}
    return Asked(
        line,
        place.table,
        {name: value for name, value in values.items() if name in kept},
        {name: value for name, value in before.items() if name in kept},
        {name: value for name, value in told.items() if fields[name].type == "number" and value is not None},
        tuple(name for name, value in told.items() if fields[name].type == "secret" and value and value["set"]),
        told.get(place.entry),
    )


def _now(desk: Desk, place: Place, names: Mapping[str, str], given: dict[str, Any] | None) -> dict[str, Any]:
    fields = desk.table(place.table).fields
    return {
        names[name]: value if fields[names[name]].type in EXACT else _plain(value)
        for name, value in (given or {}).items()
        if name in names and names[name] in fields
    }


def as_it_is(desk: Desk, table: str, text: str) -> dict[str, Any]:
    """A record's JSON as values that compare with those of a row."""
    fields = desk.table(table).fields
    return {
        name: value if name in fields and fields[name].type in EXACT else _plain(value)
        for name, value in json.loads(text, parse_float=Decimal).items()
    }


def _plain(value: Any) -> Any:
    """Numbers inside JSON as JSON has them."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def judge(desk: Desk, asked: Asked, now: Mapping[str, Any] | None, mark: Mark | None, back_at: datetime) -> Verdict:
    """Whether a row can be put back. now: the record as it is, None when there is none; back_at: when it was gone back."""
    if not asked.table:
        return _is("gone")
    if asked.line.stays:
        return _is("stays")
    model = desk.data.model.tables[asked.table]
    done = mark is not None and mark.state == "put_back"
    if asked.line.change == "deleted":
        if now is None:
            return _is("done" if done else "there")
        if done:
            return _since("it came back since")
        return (
            _since() if _touched(asked, now, mark, back_at, changed_values(model, now, asked.before)) else _is("open")
        )
    if now is None:
        return _since("deleted since") if done or asked.line.change == "changed" else _is("open")
    if done:
        return _is("done")
    if asked.line.change == "created":
        differs = changed_values(model, now, asked.values)
        return _since("a record with this id is there with other values", differs) if differs else _is("there")
    then = {**{name: now.get(name) for name in asked.values}, **asked.before}  # a list of references is not in `before`
    wanted = changed_values(model, then, asked.values)
    if not wanted:
        return _is("nothing")
    if not changed_values(model, now, wanted):
        return _is("there")
    if _touched(asked, now, mark, back_at, changed_values(model, now, asked.before)):
        return _since(wanted=wanted)
    return Verdict("open", "", wanted)


def _touched(
    asked: Asked, now: Mapping[str, Any], mark: Mark | None, back_at: datetime, differs: dict[str, Any]
) -> bool:
    """Somebody changed it after the way back; undoing a put-back is not that."""
    moment = max(back_at, mark.at) if mark and mark.state == "undone" else back_at
    return bool(differs) or datetime.fromisoformat(now["updated_at"]) > moment


def _is(state: str) -> Verdict:
    return Verdict(state, SAID[state], {})


def _since(said: str = "changed since", wanted: dict[str, Any] | None = None) -> Verdict:
    return Verdict("since", said, wanted or {})
