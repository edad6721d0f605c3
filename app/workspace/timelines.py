"""Timelines: the records of a period as bars on its axis, in groups, and what they are when they are moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from babel.dates import format_date, format_time

from app.modules.conditions import All, Test
from app.modules.kinds import Kind
from app.modules.manifest.fields import EnumField
from app.modules.manifest.views import TimelineView
from app.runtime.data import Page
from app.runtime.data.reads import Question
from app.runtime.query import Aggregation, Group, Metric, Sort
from app.workspace.axis import DAY, Axis, Place
from app.workspace.cards import Card, cards_of
from app.workspace.cells import cell, text_of
from app.workspace.desk import Desk
from app.workspace.facets import NONE
from app.workspace.labels import option_tone
from app.workspace.listing import ListState
from app.workspace.spans import Moment, Span, control, overlapping, span_of
from app.workspace.timed import MOST_UNDATED, answered, colour_of, kind_of_time, legend, moment_of, nearest

MOST_ROWS = 200
ROOM_PX, LETTER_PX = 640, 7
"""How wide an axis is at least, and about a letter of a title: what decides where it is written."""
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """Where the title of a bar stands: in it, or after or before it. x: in percent; end: it ends there."""

    x: float
    text: str
    where: str

    @property
    def end(self) -> bool:
        return self.where == "before"


@dataclass(frozen=True, slots=True)
class Row:
    """A record. at, to: its dates as controls of a form want them, "" without one; when: in words; paint: a colour of its
    own, "" where it has a tone; said: what the colour stands for.
    """

    card: Card
    at: str
    to: str
    when: str
    place: Place | None = None
    written: Written | None = None
    tone: str = "info"
    paint: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A group. count: of all its records in the period, of which only the first may be shown."""

    key: str
    label: str
    tone: str
    rows: tuple[Row, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """A timeline. now: where it is, in percent, None in another period; earlier, later: the days of the nearest records where
    there are none; undated: how many have no start, None where none can be; waiting: the first of them, when asked for.
    """

    view: TimelineView
    axis: Axis
    groups: tuple[Rows, ...]
    count: int
    now: float | None
    today: date
    legend: tuple[tuple[str, str], ...]
    undated: int
    waiting: tuple[Row, ...]
    earlier: date | None = None
    later: date | None = None
    timed: bool = False

    @property
    def shown(self) -> int:
        return sum(len(group.rows) for group in self.groups)


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody looks at, and from where. now: by the clock on their wall; undated: those without a start, too."""

    axis: Axis
    now: datetime
    zone: str
    undated: bool = False


def read_timeline(desk: Desk, view: TimelineView, state: ListState, look: Look) -> Timeline:
    """A timeline as somebody sees it: the same number of statements for any number of records."""
    axis, kind = look.axis, kind_of_time(desk, view)
    where = All((state.query.where, overlapping(view.from_, view.to, kind, axis.first, axis.end, look.zone)))
    state = replace(state, query=replace(state.query, cursor="", expand=_expanded(desk, view, state)))
    query = replace(state.query, where=where, sort=(Sort(view.from_), Sort("id")), limit=MOST_ROWS, count=True)
    asks: list[Question] = [(view.table, query)]
    if view.by:
        asks.append((view.table, Aggregation((Group(view.by),), (Metric("count"),), where, state.query.q)))
    dated = desk.table(view.table).fields[view.from_].required
    if not dated:
        nowhere = All((state.query.where, Test(view.from_, "is", "null", kind)))
        asks.append(
            (view.table, replace(state.query, where=nowhere, limit=MOST_UNDATED if look.undated else 1, count=True))
        )
    answers = answered(desk, asks)
    page, waiting = answers[0], answers[-1] if not dated else Page((), count=0)
    assert isinstance(page, Page)
    assert isinstance(waiting, Page)
    counts = {_key(one[view.by]): one["count"] for one in answers[1]} if view.by else {"": page.count}  # type: ignore[union-attr]  # groups were asked for
    timeline = Timeline(
        view=view,
        axis=axis,
        groups=tuple(_groups(desk, view, state, look, page.records, counts)),
        count=page.count or 0,
        now=axis.at(look.now) if axis.first <= look.now.date() < axis.end else None,
        today=look.now.date(),
        legend=legend(desk, view, state) if view.color != view.by else (),
        undated=waiting.count or 0,
        waiting=tuple(_rows(desk, view, state, look, waiting.records)) if look.undated else (),
        timed=kind is Kind.DATETIME,
    )
    if timeline.count:
        return timeline
    earlier, later = nearest(desk, view, state, look.zone, axis.first, axis.end)
    return replace(timeline, earlier=earlier, later=later)


# -- when a record is, in words


def said_of(view: TimelineView, values: Values, zone: str, locale: str) -> str:
    """When a record is, in words."""
    start, end = moment_of(values[view.from_]), moment_of(values[view.to]) if view.to else None
    return "no dates" if start is None else when(start, end, zone, locale)


def when(start: Moment, end: Moment | None, zone: str, locale: str) -> str:
    """ "3 Mar 2026", "3 – 14 Mar 2026", "3 Mar 2026, 09:00 – 12:30"."""
    first, last = (control(one, zone) for one in (start, end))
    if not last or last <= first:
        return _words(first, locale)
    if first[:10] == last[:10]:
        return f"{_words(first, locale)} – {_clock(last, locale)}" if len(last) > 10 else _words(first, locale)
    alike = first[:4] == last[:4] and len(first) == 10
    return f"{_words(first, locale, year=not alike)} – {_words(last, locale)}"


def _words(text: str, locale: str, *, year: bool = True) -> str:
    day = format_date(date.fromisoformat(text[:10]), "d MMM y" if year else "d MMM", locale=locale)
    return f"{day}, {_clock(text, locale)}" if len(text) > 10 else day


def _clock(text: str, locale: str) -> str:
    return format_time(datetime.fromisoformat(text), "short", locale=locale)


# -- reading


def _expanded(desk: Desk, view: TimelineView, state: ListState) -> tuple[str, ...]:
    """The references on the cards and the one that groups, as far as this person may see their records."""
    may = desk.data.searchable(view.table).expandable
    return tuple(dict.fromkeys([*state.query.expand, *([view.by] if view.by in may else [])]))[:10]


def _groups(
    desk: Desk, view: TimelineView, state: ListState, look: Look, records: Sequence[Values], counts: dict[str, Any]
) -> Iterable[Rows]:
    rows = _rows(desk, view, state, look, records)
    if not view.by:
        return [Rows("", "", "", tuple(rows), counts[""])] if rows else []
    found: dict[str, Rows] = {}
    field = desk.table(view.table).fields[view.by]
    for row, record in zip(rows, records, strict=True):
        key = _key(record[view.by])
        if key not in found:
            label = text_of(cell(desk, view.table, view.by, record)) if record[view.by] is not None else NONE[1]
            tone = option_tone(field, key) if isinstance(field, EnumField) and key in field.options else ""
            found[key] = Rows(key, label, tone, (), counts.get(key, 0))
        found[key] = replace(found[key], rows=(*found[key].rows, row))
    options = list(field.options) if isinstance(field, EnumField) else []
    place = {key: number for number, key in enumerate(options)}
    return sorted(
        found.values(), key=lambda one: (one.key == NONE[0], place.get(one.key, len(place)), one.label.casefold())
    )


def _key(value: Any) -> str:
    """A group's key, of a value that may be an expanded record."""
    if value is None:
        return NONE[0]
    return str(value["id"]) if isinstance(value, dict) else str(value)


def _rows(desk: Desk, view: TimelineView, state: ListState, look: Look, records: Sequence[Values]) -> list[Row]:
    said = [one for one in (view.from_, view.to, view.by) if one]
    cards = cards_of(desk, view.table, state.columns, records, without=said)
    return [_row(desk, view, look, card, record) for card, record in zip(cards, records, strict=True)]


def _row(desk: Desk, view: TimelineView, look: Look, card: Card, record: Values) -> Row:
    start, end = moment_of(record[view.from_]), moment_of(record[view.to]) if view.to else None
    tone, paint, said = colour_of(desk, view, record)
    at, to = control(start, look.zone), control(end, look.zone)
    if start is None:
        return Row(card, at, to, "No start", tone=tone, paint=paint, said=said)
    place = _place(look.axis, span_of(start, end, look.zone), point=end is None)
    text = when(start, end, look.zone, look.axis.locale)
    return Row(card, at, to, text, place, _written(place, card.title) if place else None, tone, paint, said)


def _place(axis: Axis, span: Span, *, point: bool) -> Place | None:
    """point: there is no end. A day without one is a point in its middle."""
    if point:
        middle = span.start + DAY / 2 if span.all_day else span.start
        return axis.place(middle, middle)
    return axis.place(span.start, span.end)


def _written(place: Place, title: str) -> Written:
    """In the bar where the title fits, else after it, else before it; where it fits nowhere it is cut where most of it does."""
    text = title if len(title) <= 60 else f"{title[:59]}…"
    needs = (len(text) * LETTER_PX + 20) / ROOM_PX * 100
    rooms = {"in": place.width, "after": 100 - place.x - place.width, "before": place.x}
    where = next((one for one, room in rooms.items() if room >= needs), max(rooms, key=lambda one: rooms[one]))
    if rooms[where] < needs:
        fit = max(1, int(rooms[where] / 100 * ROOM_PX - 20) // LETTER_PX)
        text = f"{text[: fit - 1]}…" if fit > 1 else ""
    x = {"in": place.x, "after": place.x + place.width, "before": place.x}[where]
    return Written(x, text, where)
