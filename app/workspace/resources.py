"""Days by person, room or thing: which columns there are, and what stands in their hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from app.modules.conditions import All, Condition, Test
from app.modules.kinds import Kind
from app.modules.manifest import FieldSpec
from app.modules.manifest.fields import RefField
from app.modules.manifest.views import ResourcesView
from app.workspace.boards import Place, possible
from app.workspace.cards import Card, cards_of
from app.workspace.desk import Desk
from app.workspace.facets import NONE, record_options
from app.workspace.labels import field_label
from app.workspace.listing import ListState
from app.workspace.narrowing import list_link
from app.workspace.screens import screen_label
from app.workspace.spans import DAY, Bar
from app.workspace.timed import (
    MOST_LANES,
    MOST_READ,
    Column,
    Grid,
    Look,
    TimedCard,
    answered,
    column_of,
    counting,
    day_label,
    during,
    grid_of,
    kind_of_time,
    legend,
    list_of_days,
    nearest,
    question,
    timed_cards,
    undated_questions,
)

MOST_COLUMNS = 20


@dataclass(frozen=True, slots=True)
class Resources:
    """A day. places: its columns; cut: there are more; elsewhere: records of the day that are in none of them; others: the
    list of what the columns are, by key and name, none for colleagues. The rest is as of a calendar.
    """

    view: ResourcesView
    look: Look
    span: str
    title: str
    count: int
    left_out: int
    previous: date
    next: date
    places: tuple[Place, ...]
    cut: bool
    elsewhere: int
    others: tuple[str, str] | None
    by_label: str
    grid: Grid
    near: tuple[date | None, date | None]
    undated: int
    waiting: tuple[Card, ...]
    legend: tuple[tuple[str, str], ...]
    rest: tuple[str, str] | None

    @property
    def options(self) -> list[tuple[str, str]]:
        return [(place.key, place.label) for place in self.places]


def is_hidden(desk: Desk, view: ResourcesView) -> bool:
    """Whether the columns are records of a table this person may not read."""
    field = desk.table(view.table).fields[view.by]
    return isinstance(field, RefField) and not desk.can(field.to, "read")


def read_resources(desk: Desk, view: ResourcesView, state: ListState, look: Look) -> Resources:
    """A day as somebody sees it: the same number of statements for any number of columns and records."""
    places, cut = places_of(desk, view, state)
    where = during(desk, view, state, look, look.day, look.day + DAY)
    here = All((where, _in_columns(view, places)))
    asks = [question(view, state, here), counting(view, state, where), counting(view, state, here)]
    answers: list[Any] = list(answered(desk, asks + undated_questions(desk, view, state, look)))
    page, [everywhere], [counted], *others = answers
    cards = [
        replace(card, place=_key_of(row.get(view.by)))
        for card, row in zip(
            timed_cards(desk, view, state, look, page.records, without=(view.by,)), page.records, strict=True
        )
    ]
    columns = [_column(desk, view, look, place, cards) for place in places]
    rest = list_of_days(desk, view, look.day, look.day)
    field = desk.table(view.table).fields[view.by]
    return Resources(
        view=view,
        look=look,
        span="day",
        title=day_label(look.day, look.locale),
        count=everywhere["count"],
        left_out=max(0, counted["count"] - MOST_READ),
        previous=look.day - DAY,
        next=look.day + DAY,
        places=tuple(places),
        cut=cut,
        elsewhere=everywhere["count"] - counted["count"],
        others=_others(desk, field),
        by_label=field_label(desk.table(view.table), view.by),
        grid=grid_of(columns, _top(places, cards, look.day), look, kind_of_time(desk, view), rest=rest),
        near=nearest(desk, view, state, look.zone, look.day, look.day + DAY)
        if not everywhere["count"]
        else (None, None),
        undated=others[0][0]["count"] if others else 0,
        waiting=cards_of(desk, view.table, state.columns, others[1].records) if len(others) > 1 else (),
        legend=legend(desk, view, state),
        rest=rest,
    )


def places_of(desk: Desk, view: ResourcesView, state: ListState) -> tuple[list[Place], bool]:
    """The columns, and whether there are more: those that the filter names, else the first by name; none comes last."""
    field = desk.table(view.table).fields[view.by]
    chosen = state.filters.get(view.by, ())
    named = [str(desk.me.id) if one == "me" else one for one in chosen if one != NONE[0]]
    cut = False
    if isinstance(field, RefField):
        options, cut = record_options(desk, field.to, limit=MOST_COLUMNS, ids=named[:MOST_COLUMNS])
        if chosen and not named:
            options, cut = [], False
    else:
        people = sorted(desk.colleagues.values(), key=lambda one: one.name.lower())
        options = [(str(one.id), one.name) for one in people if not chosen or str(one.id) in named]
        cut, options = len(options) > MOST_COLUMNS, options[:MOST_COLUMNS]
    found = [Place(*option) for option in options]
    if not field.required and (not chosen or NONE[0] in chosen):
        found.append(Place(*NONE))
    where = state.screen.where
    return [place for place in found if possible(where, view.by, None if place.none else UUID(place.key))], cut


def _others(desk: Desk, field: FieldSpec) -> tuple[str, str] | None:
    link = list_link(desk, field.to, None) if isinstance(field, RefField) else None
    return (link.key, screen_label(desk, link.key)) if link else None


def _in_columns(view: ResourcesView, places: Sequence[Place]) -> Condition:
    return Test(view.by, "in", tuple(None if place.none else UUID(place.key) for place in places), Kind.UUID)


def _key_of(value: Any) -> str:
    """The column a record is in, by the value of its field, which may be expanded."""
    return NONE[0] if value is None else str(value["id"] if isinstance(value, dict) else value)


def _column(desk: Desk, view: ResourcesView, look: Look, place: Place, cards: Sequence[TimedCard]) -> Column:
    mine = [card for card in cards if card.place == place.key]
    sets = {view.by: place.key}
    return column_of(desk, view, look, mine, look.day, most=MOST_LANES, key=place.key, label=place.label, sets=sets)


def _top(places: Sequence[Place], cards: Sequence[TimedCard], day: date) -> list[tuple[Bar, TimedCard]]:
    """What stands above the hours of each column, below each other."""
    found = []
    for number, place in enumerate(places):
        long = [card for card in cards if card.place == place.key and card.span.long]
        for lane, card in enumerate(long):
            found.append((Bar(lane, number, 1, lane, card.span.first < day, card.span.last > day), card))
    return found
