"""Boards: which columns there are, what is in them, and where a card may go."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.errors import NotFound
from app.modules.conditions import All, AnyOf, Box, Condition, Not, Test, matches
from app.modules.manifest import Table
from app.modules.manifest.fields import EnumField, MoneyField, RefField
from app.modules.manifest.views import BoardView, ResourcesView
from app.runtime.data import Page
from app.runtime.query import Aggregation, Group, Metric
from app.workspace.cards import Card, cards_of
from app.workspace.cells import Cell, cell_of
from app.workspace.desk import Desk
from app.workspace.facets import NONE, record_options
from app.workspace.labels import field_label, option_label, option_tone
from app.workspace.listing import ListState

MOST_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """Where a card can be. key: in addresses and forms, "none" where there is no value; tone: "" for a record."""

    key: str
    label: str
    tone: str = ""

    @property
    def none(self) -> bool:
        return self.key == NONE[0]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. sums: a figure, one for each currency; moves: where its cards may go; cursor: of its next cards."""

    place: Place
    count: int
    sums: tuple[Cell, ...]
    cards: tuple[Card, ...]
    moves: tuple[Place, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Board:
    """A board. cut: there are more columns than are shown; sum_label: what the figure at the head is."""

    view: BoardView
    columns: tuple[Column, ...]
    cut: bool
    sum_label: str
    by_label: str

    @property
    def count(self) -> int:
        return sum(column.count for column in self.columns)


def read_board(desk: Desk, view: BoardView, state: ListState) -> Board:
    """A board as somebody sees it: the same number of statements for any number of columns and cards."""
    places, cut = places_of(desk, view)
    shown = [place for place in places if _wanted(view, state, place)]
    totals = _totals(desk, view, state, shown)
    shown = [place for place in shown if not place.none or place.key in totals]
    query = replace(state.query, cursor="")
    pages = desk.data.list_groups(view.table, query, view.by, [value_of(desk, view, place.key) for place in shown])
    columns = tuple(_column(desk, view, state, places, totals, *pair) for pair in zip(shown, pages, strict=True))
    spec = desk.table(view.table)
    return Board(view, columns, cut, field_label(spec, view.sum) if view.sum else "", field_label(spec, view.by))


def more_cards(desk: Desk, view: BoardView, state: ListState, key: str, cursor: str) -> tuple[tuple[Card, ...], str]:
    """The next cards of a column, and the cursor after them. Raises NotFound (no such column), QueryInvalid."""
    query = desk.data.group_query(view.table, replace(state.query, cursor=cursor), view.by, value_of(desk, view, key))
    page = desk.data.list(view.table, query)
    return _cards(desk, view, state, page), page.next_cursor


def places_of(desk: Desk, view: BoardView) -> tuple[list[Place], bool]:
    """Where the cards of a board can be, and whether there are more such places than are shown."""
    field, cut = desk.table(view.table).fields[view.by], False
    if isinstance(field, EnumField):
        found = [Place(one, option_label(field, one), option_tone(field, one)) for one in field.options]
    else:
        assert isinstance(field, RefField)
        options, cut = record_options(desk, field.to, limit=MOST_COLUMNS)
        found = [Place(*option) for option in options]
    return found + ([] if field.required else [Place(*NONE)]), cut


def value_of(desk: Desk, view: BoardView | ResourcesView, key: str) -> str | UUID | None:
    """The value of the view's field that a key stands for. Raises NotFound for one that cannot be."""
    field = desk.table(view.table).fields[view.by]
    if key == NONE[0] and not field.required:
        return None
    if isinstance(field, EnumField):
        if key not in field.options:
            raise NotFound()
        return key
    try:
        return UUID(key)
    except ValueError:
        raise NotFound() from None


def moves_of(table: Table, by: str, places: Sequence[Place], key: str) -> tuple[Place, ...]:
    """Where a card may go from a place: where the table's states allow it, else anywhere else."""
    others = tuple(place for place in places if place.key != key)
    states = table.states
    if states is None or states.field != by or key == NONE[0]:
        return others
    ways = states.moves.get(key, ())
    return tuple(place for place in others if place.key in ways)


def possible(where: Condition, field: str, value: object) -> bool:
    """Whether a record whose `field` has this value can match a condition, whatever its other fields hold."""
    return _truth(where, field, value) is not False


def _truth(where: Condition, field: str, value: object) -> bool | None:
    """None: it depends on other fields."""
    if isinstance(where, Test):
        return matches(where, {field: value}) if where.field == field else None
    if isinstance(where, Box):
        return None
    if isinstance(where, Not):
        inner = _truth(where.part, field, value)
        return None if inner is None else not inner
    decides = isinstance(where, AnyOf)  # one part that is true settles an any, one that is false an all
    found = [_truth(part, field, value) for part in where.parts]
    if decides in found:
        return decides
    return None if None in found else not decides


def _wanted(view: BoardView, state: ListState, place: Place) -> bool:
    """Whether a column can have cards: neither the view's own condition nor the filter on it says no."""
    chosen = state.filters.get(view.by)
    if chosen and place.key not in chosen:
        return False
    return possible(state.screen.where, view.by, None if place.none else place.key)


def _totals(
    desk: Desk, view: BoardView, state: ListState, shown: list[Place]
) -> dict[str, tuple[int, tuple[Cell, ...]]]:
    """{key: (count, figures)} of the columns that have cards, by one statement."""
    kind = desk.data.model.tables[view.table].columns[view.by].kind
    values = tuple(value_of(desk, view, place.key) for place in shown)
    currency = _currency_of(desk, view)
    asked = Aggregation(
        group=(Group(view.by), *((Group(currency, currency=desk.context.site.currency),) if currency else ())),
        metrics=(Metric("count"), *((Metric("sum", view.sum),) if view.sum else ())),
        where=All((state.query.where, Test(view.by, "in", values, kind))),
        q=state.query.q,
    )
    found: dict[str, tuple[int, tuple[Cell, ...]]] = {}
    for row in json.loads(desk.data.aggregate(view.table, asked)):
        key = NONE[0] if row[view.by] is None else str(row[view.by])
        count, sums = found.get(key, (0, ()))
        found[key] = (count + row["count"], (*sums, *_figure(desk, view, row)))
    return found


def _currency_of(desk: Desk, view: BoardView) -> str:
    """The field that says in which currency the figure is; "" where all are in the site's. Different ones are not added up."""
    field = desk.table(view.table).fields.get(view.sum or "")
    return (isinstance(field, MoneyField) and field.currency) or ""


def _figure(desk: Desk, view: BoardView, row: dict[str, Any]) -> Iterator[Cell]:
    if not view.sum:
        return
    value = row[f"sum:{view.sum}"]
    shown = cell_of(desk, view.table, view.sum, value, row)
    yield Cell("number", value) if shown.look == "rating" else shown  # stars do not add up to stars


def _column(
    desk: Desk,
    view: BoardView,
    state: ListState,
    places: list[Place],
    totals: dict[str, tuple[int, tuple[Cell, ...]]],
    place: Place,
    page: Page,
) -> Column:
    count, sums = totals.get(place.key, (0, ()))
    may = desk.can(view.table, "update")
    return Column(
        place=place,
        count=count,
        sums=sums,
        cards=_cards(desk, view, state, page),
        moves=moves_of(desk.table(view.table), view.by, places, place.key) if may else (),
        cursor=page.next_cursor,
    )


def _cards(desk: Desk, view: BoardView, state: ListState, page: Page) -> tuple[Card, ...]:
    return cards_of(desk, view.table, state.columns, page.records, without=(view.by,))
