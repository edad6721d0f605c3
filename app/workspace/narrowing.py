"""From a condition to the address of a list that is narrowed by it, where filters of lists can say it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from app.modules.conditions import All, Condition, Test
from app.modules.manifest.fields import EnumField
from app.modules.manifest.views import ListView
from app.workspace.desk import Desk
from app.workspace.listing import PREFIX

MOST_VALUES = 50


@dataclass(frozen=True, slots=True)
class ListLink:
    """A list: its key in the address, and the query that narrows it. exact: it shows what was asked for and nothing else."""

    key: str
    query: str = ""
    exact: bool = True


class _CannotSay(Exception):
    """Filters have no words for this."""


def list_link(desk: Desk, table: str, where: Any, *more: Condition) -> ListLink | None:
    """The list that shows the records of a table, narrowed by a condition of the manifest and further ones where filters
    can say them, else whole. None where no list shows all of the table's records.
    """
    parsed = desk.data.model.tables[table].condition(where) if where else All(())
    alike = _view_of(desk, table, where) if where else None
    key = alike or _view_of(desk, table, None) or (table if table not in desk.manifest.views else None)
    if key is None:
        return None
    try:
        return ListLink(key, urlencode(list(_pairs(desk, table, All((*(() if alike else (parsed,)), *more))))))
    except _CannotSay:
        return ListLink(key, exact=False)


def _view_of(desk: Desk, table: str, where: Any) -> str | None:
    """The first list of a table that holds exactly this condition."""
    views = desk.manifest.views.items()
    return next(
        (
            name
            for name, view in views
            if isinstance(view, ListView) and view.table == table and (view.where or None) == (where or None)
        ),
        None,
    )


def _pairs(desk: Desk, table: str, condition: Condition) -> Iterator[tuple[str, str]]:
    named: set[str] = set()
    for test in _tests(condition):
        said = list(_said(desk, table, test))
        if named & {name for name, _ in said}:  # filters of one field widen each other: they cannot say "both"
            raise _CannotSay()
        named |= {name for name, _ in said}
        yield from said


def _tests(condition: Condition) -> Iterator[Test]:
    if isinstance(condition, Test):
        yield condition
    elif isinstance(condition, All):
        for part in condition.parts:
            yield from _tests(part)
    else:
        raise _CannotSay()


def _said(desk: Desk, table: str, test: Test) -> Iterator[tuple[str, str]]:
    field = desk.table(table).fields.get(test.field)
    name = PREFIX + test.field
    if isinstance(field, EnumField):
        yield from ((name, value) for value in _options(field, test))
    elif field is not None and field.type == "boolean":
        yield name, _yes_or_no(test)
    elif field is not None and field.type in ("ref", "user"):
        yield from ((name, value) for value in _ids(test, optional=not field.required))
    elif field is not None and field.type == "date":
        yield from _days(name, test)
    else:
        raise _CannotSay()


def _options(field: EnumField, test: Test) -> list[str]:
    every = [*field.options, *([] if field.required else [None])]
    match test.op, test.value:
        case ("eq", value):
            found = [value]
        case ("in", values):
            found = [one for one in every if one in values]
        case ("ne", value):
            found = [one for one in every if one != value]
        case ("nin", values):
            found = [one for one in every if one not in values]
        case ("is", word):
            found = [one for one in every if (one is None) == (word == "null")]
        case _:
            raise _CannotSay()
    if not found or len(found) > MOST_VALUES:
        raise _CannotSay()
    return ["none" if one is None else one for one in found]


def _yes_or_no(test: Test) -> str:
    if test.op == "eq" and test.value is not None:
        return "true" if test.value else "false"
    if test.op == "is" and test.value in ("true", "false"):
        return str(test.value)
    raise _CannotSay()


def _ids(test: Test, *, optional: bool) -> list[str]:
    if test.op == "is" and test.value == "null" and optional:
        return ["none"]
    values = [test.value] if test.op == "eq" else list(test.value) if test.op == "in" else []
    if not values or None in values or len(values) > MOST_VALUES:
        raise _CannotSay()
    return [str(value) for value in values]


def _days(name: str, test: Test) -> Iterator[tuple[str, str]]:
    if not isinstance(test.value, date):
        raise _CannotSay()
    step = timedelta(days=1)
    match test.op:
        case "eq":
            spans = {"from": test.value, "to": test.value}
        case "gte":
            spans = {"from": test.value}
        case "gt":
            spans = {"from": test.value + step}
        case "lte":
            spans = {"to": test.value}
        case "lt":
            spans = {"to": test.value - step}
        case _:
            raise _CannotSay()
    yield from ((f"{name}.{end}", day.isoformat()) for end, day in spans.items())
