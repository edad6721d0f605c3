"""A map: the records that have a place, as points and as the list beside them. Pure: no request, no session."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.errors import AppError
from app.modules.conditions import All, Box, Condition, Test
from app.modules.kinds import Kind
from app.modules.manifest.views import MapView
from app.runtime.data import Page
from app.runtime.query import Aggregation, Query, QueryInvalid
from app.workspace.cards import Card, cards_of
from app.workspace.cells import title
from app.workspace.desk import Desk
from app.workspace.listing import ListState

MOST_POINTS = 2000
PATIENCE_MS = 5_000
_LAST_ZOOM = 18


@dataclass(frozen=True, slots=True)
class Look:
    """What an address asks of a map. at: "lat,lng,zoom" of its middle; box: what the list is narrowed to; unplaced: the list
    is of the records without a place."""

    at: str = ""
    box: tuple[float, float, float, float] | None = None
    unplaced: bool = False

    @property
    def box_text(self) -> str:
        """The box as an address says it: south, west, north, east."""
        return ",".join(f"{side:g}" for side in self.box) if self.box else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in the list. place: (latitude, longitude)."""

    card: Card
    place: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class MapPage:
    """A page of the list. count: of the records it is of, None on further pages; placed, unplaced: of all that match, with a
    place and without."""

    entries: tuple[Entry, ...]
    count: int | None
    cursor: str
    placed: int
    unplaced: int


def may_see_places(desk: Desk, view: MapView) -> bool:
    """Whether this person's role shows them the field of places."""
    return view.at in desk.data.searchable(view.table).columns


def read_look(args: Mapping[str, str]) -> Look:
    """What an address asks for; what cannot be understood is left out."""
    at = _numbers(args.get("map", ""), 3)
    middle = f"{at[0]:g},{_turned(at[1]):g},{at[2]:g}" if at and abs(at[0]) <= 90 and 0 <= at[2] <= _LAST_ZOOM else ""
    return Look(middle, read_box(args.get("box", "")), args.get("placed") == "no")


def read_box(text: str) -> tuple[float, float, float, float] | None:
    """(south, west, north, east) of "south,west,north,east"; west > east goes over the 180th meridian."""
    sides = _numbers(text, 4)
    if not sides or not -90 <= sides[0] <= sides[2] <= 90:
        return None
    south, west, north, east = sides
    if abs(east - west) >= 360:
        return south, -180, north, 180
    return south, _turned(west), north, _turned(east)


def _numbers(text: str, count: int) -> list[float] | None:
    try:
        found = [float(part) for part in text[:120].split(",")]
    except ValueError:
        return None
    return found if len(found) == count and all(math.isfinite(one) and abs(one) <= 1e6 for one in found) else None


def _turned(lng: float) -> float:
    """A longitude of any turn around the earth as -180 to 180."""
    return lng if -180 <= lng <= 180 else (lng + 180) % 360 - 180


def read_map(desk: Desk, view: MapView, state: ListState, look: Look) -> MapPage:
    """The page of the list that the state asks for, and the counts, in one round trip."""
    where = state.query.where
    narrowed = [_placed(view, there=not look.unplaced)]
    narrowed += [Box(view.at, *look.box)] if look.box and not look.unplaced else []
    query = replace(state.query, where=All((where, *narrowed)), count=not state.cursor)
    counts = [Aggregation(where=All((where, _placed(view, there=there))), q=state.q) for there in (True, False)]
    try:
        page, *counted = _ask(desk, view, [query, *counts])
    except QueryInvalid:
        if not state.cursor:
            raise
        # made for another order: the list starts again
        page, *counted = _ask(desk, view, [replace(query, cursor="", count=True), *counts])
    placed, unplaced = (groups[0]["count"] for groups in counted)
    rows = page.records
    cards = cards_of(desk, view.table, state.screen.columns, rows, without=(view.at,))
    entries = tuple(
        Entry(card, _place(row[view.at]) if row[view.at] else None) for card, row in zip(cards, rows, strict=True)
    )
    return MapPage(entries, page.count, page.next_cursor, placed, unplaced)


def _ask(desk: Desk, view: MapView, queries: Sequence[Query | Aggregation]) -> list[Any]:
    [answers] = desk.data.ask([[(view.table, query) for query in queries]], each_ms=PATIENCE_MS)
    if isinstance(answers, AppError):
        raise answers
    return answers


def points(desk: Desk, view: MapView, state: ListState, look: Look) -> tuple[list[tuple[Any, ...]], bool]:
    """(id, latitude, longitude, title) of the first records in the order of the list, and whether there are more."""
    within = [Box(view.at, *look.box)] if look.box else []
    name = desk.table(view.table).title_field
    query = Query(
        where=All((state.query.where, _placed(view), *within)),
        q=state.q,
        sort=state.sort,
        limit=MOST_POINTS,
        fields=(view.at, name) if name else (view.at,),
    )
    page = desk.data.list(view.table, query)
    return [(row["id"], *_place(row[view.at]), title(desk, view.table, row)) for row in page.records], page.has_more


def point_card(desk: Desk, view: MapView, state: ListState, record_id: str) -> Card | None:
    """What a point says of its record; None where it is not on this map any more."""
    where = All((state.screen.where, Test("id", "eq", record_id, Kind.UUID)))
    page: Page = desk.data.list(view.table, Query(where=where, limit=1, expand=state.query.expand))
    found = cards_of(desk, view.table, state.screen.columns, page.records, without=(view.at,))
    return found[0] if found else None


def _placed(view: MapView, *, there: bool = True) -> Condition:
    return Test(view.at, "is", "not_null" if there else "null", Kind.JSON)


def _place(value: Any) -> tuple[float, float]:
    return float(value["lat"]), float(value["lng"])
