"""The address of a list, read: search, filters, order, columns, page. What it does not understand it leaves out, so that
an old bookmark still opens. Filters are `f.<field>`; days are `f.<field>.from` and `f.<field>.to`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from werkzeug.datastructures import MultiDict

from app.modules.conditions import All, Condition, Test
from app.modules.kinds import Kind
from app.runtime.data import Page
from app.runtime.query import MAX_Q, Query, QueryInvalid, Sort
from app.workspace.desk import Desk
from app.workspace.periods import begins
from app.workspace.screens import FACETS, ListScreen, column_choices, sortable

LIMITS = (25, 50, 100, 200)
MAX_CURSOR = 4000
PREFIX = "f."
GIVEN = "set."
"""What an address gives a new record, `set.<field>`, when that is not what the list it came from is narrowed to."""
_DAYS = ("date", "datetime")


@dataclass(frozen=True, slots=True)
class ListState:
    """What is asked of a list. filters: {field: texts as in the address}; days: {field: (from, to)} as ISO texts."""

    screen: ListScreen
    q: str
    sort: tuple[Sort, ...]
    limit: int
    cursor: str
    columns: tuple[str, ...]
    filters: dict[str, tuple[str, ...]]
    days: dict[str, tuple[str, str]]
    query: Query

    @property
    def sort_key(self) -> str:
        """The first key of the order as in the address: name or -name."""
        return (
            f"-{self.sort[0].field}"
            if self.sort and self.sort[0].descending
            else self.sort[0].field
            if self.sort
            else ""
        )

    @property
    def narrowed(self) -> bool:
        return bool(self.q or self.filters or self.days)


def read_list(desk: Desk, screen: ListScreen, args: MultiDict[str, str], *, zone: str) -> ListState:
    """The state of a list. zone: the viewer's, in which days begin."""
    table = screen.table
    searchable = screen.search and desk.data.searchable(table).search
    q = " ".join(args.get("q", "").replace("\x00", "").split())[:MAX_Q] if searchable else ""
    sort = _sort(desk, screen, args.get("sort", ""))
    known = column_choices(desk, table)
    wanted = [name for name in dict.fromkeys(args.getlist("col")) if name in known]
    columns = tuple(
        sorted(wanted, key=lambda name: screen.columns.index(name) if name in screen.columns else len(known))
    )
    filters = dict(_filters(desk, table, args))
    days = dict(_days(desk, table, args))
    parts: list[Condition] = [screen.where]
    parts += [_choice_test(desk, table, name, values) for name, values in filters.items()]
    parts += [test for name, span in days.items() for test in _day_tests(desk, table, name, span, zone)]
    asked = args.get("limit", "")
    limit = int(asked) if asked in {str(one) for one in LIMITS} else LIMITS[0]
    state = ListState(
        screen=screen,
        q=q,
        sort=sort,
        limit=limit,
        cursor=args.get("cursor", "")[:MAX_CURSOR],
        columns=columns or _visible(desk, screen),
        filters=filters,
        days=days,
        query=Query(where=All(tuple(parts)), q=q, sort=sort, limit=limit),
    )
    return replace(
        state, query=replace(state.query, cursor=state.cursor, expand=expandable(desk, table, state.columns))
    )


def page_of(desk: Desk, state: ListState) -> tuple[Page, ListState]:
    """A page, counted while it is the first; a cursor that belongs to another order starts again."""
    try:
        return desk.data.list(state.screen.table, replace(state.query, count=not state.cursor)), state
    except QueryInvalid:
        if not state.cursor:
            raise
        state = at_cursor(state, "")
        return desk.data.list(state.screen.table, replace(state.query, count=True)), state


def at_cursor(state: ListState, cursor: str) -> ListState:
    """The same list from another place on."""
    cursor = cursor[:MAX_CURSOR]
    return replace(state, cursor=cursor, query=replace(state.query, cursor=cursor))


def narrowed_by(state: ListState) -> Iterator[tuple[str, str]]:
    """The parameters that narrow another list in the same way."""
    if state.q:
        yield "q", state.q
    for name, values in state.filters.items():
        yield from ((PREFIX + name, value) for value in values)
    for name, span in state.days.items():
        yield from ((f"{PREFIX}{name}.{end}", day) for end, day in zip(("from", "to"), span, strict=True) if day)


def expandable(desk: Desk, table: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The references among some fields whose records this person may see."""
    allowed = desk.data.searchable(table).expandable
    return tuple(name for name in names if name in allowed)[:10]


def _visible(desk: Desk, screen: ListScreen) -> tuple[str, ...]:
    known = column_choices(desk, screen.table)
    return tuple(name for name in screen.columns if name in known)


def _sort(desk: Desk, screen: ListScreen, text: str) -> tuple[Sort, ...]:
    key = Sort.of(text)
    if key.field in column_choices(desk, screen.table) and sortable(desk, screen.table, key.field):
        return (key,)
    return screen.sort or (Sort("created_at", descending=True),)


def filterable(desk: Desk, table: str) -> dict[str, str]:
    """{field: type} of what an address may filter by."""
    found = {name: field.type for name, field in desk.table(table).fields.items() if field.type in FACETS}
    return {**found, "created_at": "datetime", "updated_at": "datetime"}


def _filters(desk: Desk, table: str, args: MultiDict[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, kind in filterable(desk, table).items():
        if kind in _DAYS:
            continue
        values = tuple(
            value for value in dict.fromkeys(args.getlist(PREFIX + name)) if _known(desk, table, name, value)
        )
        if values:
            yield name, values[:50]


def _known(desk: Desk, table: str, name: str, value: str) -> bool:
    field = desk.table(table).fields[name]
    if field.type == "enum":
        return value in field.options or (value == "none" and not field.required)
    if field.type == "boolean":
        return value in ("true", "false")
    if field.type == "tags":
        return 0 < len(value) <= 60 and "\x00" not in value
    return value == "none" or (field.type == "user" and value == "me") or _uuid(value) is not None


def _choice_test(desk: Desk, table: str, name: str, values: tuple[str, ...]) -> Condition:
    kind = desk.table(table).fields[name].type
    if kind in ("tags", "refs"):
        if values == ("none",) and kind == "refs":
            return Test(name, "is", "null", Kind.LIST)
        return All(tuple(Test(name, "contains", value, Kind.LIST) for value in values if value != "none"))
    if kind == "enum":
        return Test(name, "in", tuple(None if value == "none" else value for value in values), Kind.TEXT)
    if kind == "boolean":
        return Test(name, "in", tuple(value == "true" for value in values), Kind.BOOLEAN)
    wanted = [desk.me.id if value == "me" else _uuid(value) for value in values]
    return Test(name, "in", tuple(wanted), Kind.UUID)


def _days(desk: Desk, table: str, args: MultiDict[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name, kind in filterable(desk, table).items():
        if kind in _DAYS:
            span = read_day(args.get(f"{PREFIX}{name}.from")), read_day(args.get(f"{PREFIX}{name}.to"))
            if any(span):
                yield name, span


def _day_tests(desk: Desk, table: str, name: str, span: tuple[str, str], zone: str) -> Iterator[Condition]:
    """From the start of the first day to the end of the last, both included."""
    kind = desk.data.model.tables[table].columns[name].kind
    first, last = (date.fromisoformat(text) if text else None for text in span)
    if kind is Kind.DATE:
        if first:
            yield Test(name, "gte", first, kind)
        if last:
            yield Test(name, "lte", last, kind)
        return
    if first:
        yield Test(name, "gte", begins(first, zone), kind)
    if last and last < date.max:
        yield Test(name, "lt", begins(last + timedelta(days=1), zone), kind)


def read_day(text: str | None) -> str:
    """A day of four-digit years that any calendar can show; "" for anything else."""
    try:
        return text if text and len(text) == 10 and 1900 <= date.fromisoformat(text).year <= 2200 else ""
    except ValueError:
        return ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
