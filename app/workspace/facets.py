"""The filters of a list as people see them: what can be chosen, what is chosen, and a chip for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from app.modules.conditions import Test
from app.modules.kinds import Kind
from app.modules.manifest.fields import EnumField
from app.runtime.query import Query, Sort
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.labels import field_label, option_label
from app.workspace.listing import PREFIX, ListState, filterable

MOST_CHOICES = 100
NONE = ("none", "None")
Option = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Facet:
    """One filter. name: of its parameter; span: (from, to) of a filter by days, whose options are ()."""

    name: str
    label: str
    options: tuple[Option, ...]
    selected: tuple[str, ...]
    span: tuple[str, str] | None = None
    more: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, and the parameter that turns it off."""

    label: str
    name: str
    value: str


def record_options(
    desk: Desk, table: str, *, limit: int = MOST_CHOICES, ids: Iterable[str] = ()
) -> tuple[list[Option], bool]:
    """Records of a table by title, for choosing, and whether there are more. ids: only these. One round trip."""
    if not desk.can(table, "read"):
        return [], False
    name = desk.table(table).title_field
    sortable = name is not None and desk.data.model.tables[table].columns[name].kind not in (Kind.LIST, Kind.JSON)
    chosen = tuple(UUID(one) for one in ids)
    query = Query(sort=(Sort(name),) if name and sortable else (), limit=limit, fields=(name,) if name else ("id",))
    if chosen:
        query = Query(where=Test("id", "in", chosen, Kind.UUID), limit=min(200, len(chosen)), fields=query.fields)
    page = desk.data.list(table, query)
    return [(row["id"], title(desk, table, row)) for row in page.records], page.has_more


def facets(desk: Desk, state: ListState) -> list[Facet]:
    """The list's filters, and those that only the address names."""
    known = filterable(desk, state.screen.table)
    names = dict.fromkeys([*state.screen.facets, *state.filters, *state.days])
    return [_facet(desk, state, name, known[name]) for name in names if name in known]


def chips(desk: Desk, state: ListState, shown: list[Facet]) -> list[Chip]:
    """What the list is narrowed to."""
    found = [Chip(f"“{state.q}”", "q", state.q)] if state.q else []
    for facet in shown:
        found += _chips(facet)
    return found


def _facet(desk: Desk, state: ListState, name: str, kind: str) -> Facet:
    table = state.screen.table
    label, parameter = field_label(desk.table(table), name), PREFIX + name
    if kind in ("date", "datetime"):
        return Facet(parameter, label, (), (), span=state.days.get(name, ("", "")))
    selected = state.filters.get(name, ())
    options, more = _options(desk, table, name, kind)
    missing = [value for value in selected if value not in dict(options)]
    if missing and kind in ("ref", "refs"):
        options += record_options(desk, desk.table(table).fields[name].to, ids=missing)[0]  # type: ignore[union-attr]  # a reference has it
    elif missing and kind == "user":
        options += [(value, desk.person_name(value)) for value in missing]
    elif missing:
        options += [(value, value) for value in missing]
    return Facet(parameter, label, tuple(options), selected, more=more)


def _options(desk: Desk, table: str, name: str, kind: str) -> tuple[list[Option], bool]:
    field = desk.table(table).fields[name]
    none = [] if field.required else [NONE]
    if isinstance(field, EnumField):
        return [(one, option_label(field, one)) for one in field.options] + none, False
    if kind == "boolean":
        return [("true", "Yes"), ("false", "No")], False
    if kind == "user":
        people = [(str(one.id), one.name) for one in desk.colleagues.values() if one.id != desk.me.id]
        return [("me", "Me"), *people[:MOST_CHOICES], *none], len(people) > MOST_CHOICES
    if kind == "tags":
        return [(one, one) for one in getattr(field, "options", None) or used_tags(desk, table, name)], False
    options, more = record_options(desk, field.to)  # type: ignore[union-attr]  # a reference has it
    return options + none, more


def used_tags(desk: Desk, table: str, name: str) -> list[str]:
    """Tags of the 200 newest records, the most frequent first; at most 30."""
    counted: dict[str, int] = {}
    for row in desk.data.list(table, Query(limit=200, fields=(name,))).records:
        for tag in row.get(name) or ():
            counted[tag] = counted.get(tag, 0) + 1
    return sorted(counted, key=lambda tag: (-counted[tag], tag.lower()))[:30]


def _chips(facet: Facet) -> Iterator[Chip]:
    if facet.span is None:
        labels = dict(facet.options)
        yield from (Chip(f"{facet.label}: {labels.get(value, value)}", facet.name, value) for value in facet.selected)
        return
    for end, word, value in (("from", "from", facet.span[0]), ("to", "up to", facet.span[1])):
        if value:
            yield Chip(f"{facet.label} {word} {value}", f"{facet.name}.{end}", value)
