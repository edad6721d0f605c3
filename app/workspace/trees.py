"""Trees: which records are below which, what is found with what is above it, and where a record may go."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.modules.conditions import All, Test
from app.modules.kinds import Kind
from app.modules.manifest.views import TreeView
from app.runtime.query import Aggregation, Group, Metric, Query, Sort
from app.workspace.cards import Card, cards_of
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.facets import record_options
from app.workspace.labels import field_label, inside, many
from app.workspace.listing import LIMITS, ListState

TOP = "top"
MOST_OPEN = 40
MOST_ROWS = 1000
MOST_LEVELS = 40
MOST_PLACES = 50
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """A record in its place. above: the ids on the way to it from the top; below: how many records are directly below it;
    context: it is only shown because something below it was found; hint: why it is at the top though it is below another.
    """

    card: Card
    above: tuple[str, ...]
    below: int
    open: bool
    branch: Branch
    context: bool = False
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """Records beside each other. more: there are further ones; of: the record they are below, "" at the top."""

    nodes: tuple[Node, ...] = ()
    more: bool = False
    of: str = ""


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree. count: of all its records, or of those that were found; shown: how many are drawn; limit: of one branch."""

    view: TreeView
    top: Branch
    count: int
    shown: int
    found: bool
    limit: int
    opened: tuple[str, ...]

    @property
    def closed(self) -> tuple[str, ...]:
        """The records that are shown and could be opened."""
        return tuple(node.card.id for node in _all(self.top) if node.below and not node.open)

    @property
    def wider(self) -> int:
        """The next larger number of records beside each other, 0 when there is none."""
        return next((one for one in LIMITS if one > self.limit), 0)


@dataclass(frozen=True, slots=True)
class Spot:
    """A record that another can be put below. above: the titles on the way to it."""

    id: str
    title: str
    above: tuple[str, ...]


def opened_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The records an address opens: each once, the last ones where they are too many."""
    return tuple(dict.fromkeys(text for text in texts if _is_id(text)))[-MOST_OPEN:]


def read_tree(desk: Desk, view: TreeView, state: ListState, opened: tuple[str, ...]) -> Tree:
    """A tree as somebody sees it: the same number of statements for any number of records and any depth."""
    expand = tuple(
        name for name in state.query.expand if name != view.parent
    )  # an id says more than what nobody may see
    state = replace(state, query=replace(state.query, cursor="", expand=expand))
    return _found(desk, view, state) if state.narrowed else _browsed(desk, view, state, opened)


def places(desk: Desk, view: TreeView, state: ListState, card: str, words: str) -> tuple[tuple[Spot, ...], bool]:
    """Where a record can go: the first by title, or those whose title has the words; and whether there are more.

    Neither itself nor what is below it is among them.
    """
    name, model = desk.table(view.table).title_field, desk.data.model.tables[view.table]
    textual = name is not None and model.columns[name].kind is Kind.TEXT
    parts = [state.screen.where]
    if words and name and textual:
        parts.append(Test(name, "contains", words[:200], Kind.TEXT))
    wanted = tuple(one for one in (name, view.parent) if one)
    query = Query(
        where=All(tuple(parts)), sort=(Sort(name),) if name and textual else (), fields=wanted, limit=MOST_PLACES
    )
    page = desk.data.list(view.table, query)
    found = [str(row["id"]) for row in page.records]
    rows = _by_id(_lineage(desk, view, state, replace(query, sort=()), found))
    spots = []
    for one in found:
        way = _way_up(rows, view.parent, one)
        if card != one and card not in way:
            spots.append(
                Spot(one, title(desk, view.table, rows[one]), tuple(title(desk, view.table, rows[up]) for up in way))
            )
    return tuple(spots), page.has_more


# -- looking around: what is open, level by level


def _browsed(desk: Desk, view: TreeView, state: ListState, opened: tuple[str, ...]) -> Tree:
    limit = max(LIMITS[0], min(state.limit, MOST_ROWS // (len(opened) + 1)))
    query = replace(state.query, where=state.screen.where, limit=limit)
    tops = desk.data.tops(view.table, query, view.parent)
    count = desk.data.count(view.table, query)
    pages = desk.data.list_groups(view.table, query, view.parent, [UUID(one) for one in opened])
    branches = {one: (page.records, page.has_more) for one, page in zip(opened, pages, strict=True)}
    first = tops.records
    below = _below(desk, view, state, [*first, *(row for rows, _ in branches.values() for row in rows)])
    hints = _hints(desk, view, first)

    def build(rows: Sequence[Row], more: bool, above: tuple[str, ...]) -> Branch:
        return Branch(tuple(grow(row, above) for row in rows), more, above[-1] if above else "")

    def grow(row: Row, above: tuple[str, ...]) -> Node:
        own = str(row["id"])
        branch = build(*branches[own], (*above, own)) if own in branches and below.get(own) else Branch()
        hint = "" if above else hints.get(str(row[view.parent]), "")
        return Node(_card(desk, view, state, row), above, below.get(own, 0), bool(branch.nodes), branch, hint=hint)

    top = build(first, tops.has_more, ())
    return Tree(view, top, count, sum(1 for _ in _all(top)), False, limit, opened)


# -- searching: what was found, with what is above it


def _found(desk: Desk, view: TreeView, state: ListState) -> Tree:
    page = desk.data.list(view.table, replace(state.query, fields=("id",), expand=(), limit=state.limit, count=True))
    ids = [str(row["id"]) for row in page.records]
    rows = _lineage(desk, view, state, state.query, ids)
    below = _below(desk, view, state, rows)
    known, parent = _by_id(rows), view.parent
    of: dict[str, list[Row]] = {}
    tops = []
    for row in rows:
        if row[parent] and str(row[parent]) in known:
            of.setdefault(str(row[parent]), []).append(row)
        else:
            tops.append(row)
    hints, seen, deeper = _hints(desk, view, tops), set[str](), list[Row]()

    def grow(row: Row, above: tuple[str, ...], hint: str) -> Node:
        own = str(row["id"])
        seen.add(own)
        further = [one for one in of.get(own, ()) if str(one["id"]) not in seen]
        if len(above) == MOST_LEVELS:  # what is further down stands at the top again
            deeper.extend(further)
            further = []
        nodes = tuple(grow(one, (*above, own), "") for one in further)
        card, context = _card(desk, view, state, row), own not in ids
        return Node(card, above, below.get(own, 0), bool(nodes), Branch(nodes, of=own), context=context, hint=hint)

    nodes = [grow(row, (), hints.get(str(row[parent]), "")) for row in tops]
    for row in deeper:  # which grows meanwhile
        label, name = field_label(desk.table(view.table), parent), title(desk, view.table, known[str(row[parent])])
        nodes.append(grow(row, (), f"{label}: {name}"))
    # records that are above themselves, from before there was a tree: they are below no top
    for row in rows:
        if str(row["id"]) not in seen:
            nodes.append(grow(row, (), "Part of a circle: it is above itself. Move it to the top."))
    assert page.count is not None
    top = Branch(tuple(nodes), page.has_more)
    return Tree(view, top, page.count, len(ids), True, state.limit, ())


def _lineage(desk: Desk, view: TreeView, state: ListState, query: Query, ids: Sequence[str]) -> list[Row]:
    if not ids:
        return []
    query = replace(query, where=state.screen.where, q="", cursor="")
    return desk.data.lineage(view.table, query, view.parent, [UUID(one) for one in ids]).records


def _below(desk: Desk, view: TreeView, state: ListState, rows: Sequence[Row]) -> dict[str, int]:
    """How many records are directly below each of some."""
    ids = tuple(UUID(str(row["id"])) for row in rows)
    if not ids:
        return {}
    where = All((state.screen.where, Test(view.parent, "in", ids, Kind.UUID)))
    asked = Aggregation(group=(Group(view.parent),), metrics=(Metric("count"),), where=where)
    return {str(row[view.parent]): row["count"] for row in json.loads(desk.data.aggregate(view.table, asked))}


def _hints(desk: Desk, view: TreeView, tops: Iterable[Row]) -> dict[str, str]:
    """{id of what is above some of the tops but not in the tree: what to say of it}."""
    missing = list(dict.fromkeys(str(row[view.parent]) for row in tops if row[view.parent]))
    if not missing:
        return {}
    named = dict(record_options(desk, view.table, ids=missing[:200])[0])
    label, records = field_label(desk.table(view.table), view.parent), inside(many(desk.manifest, view.table))
    return {
        one: f"{label}: {named[one]}, which is not shown here"
        if one in named
        else f"Below one of the {records} you do not see"
        for one in missing
    }


def _card(desk: Desk, view: TreeView, state: ListState, row: Row) -> Card:
    [card] = cards_of(desk, view.table, state.columns, [row], without=(view.parent,))
    return card


def _way_up(rows: dict[str, Row], parent: str, one: str) -> tuple[str, ...]:
    """The ids above a record, from the top."""
    way: list[str] = []
    above = str(rows[one][parent]) if rows[one][parent] else ""
    while above in rows and above not in way and above != one:
        way.insert(0, above)
        above = str(rows[above][parent]) if rows[above][parent] else ""
    return tuple(way)


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {str(row["id"]): row for row in rows}


def _all(branch: Branch) -> Iterable[Node]:
    for node in branch.nodes:
        yield node
        yield from _all(node.branch)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
