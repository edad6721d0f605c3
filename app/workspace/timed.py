"""Records that have a time: what is asked for, their cards with a span and a colour, and the grid of hours they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from babel import Locale
from babel.dates import format_date

from app.errors import AppError
from app.modules.conditions import All, Condition, Test
from app.modules.kinds import Kind
from app.modules.manifest.fields import ColorField, EnumField
from app.modules.manifest.views import CalendarView, ResourcesView, TimelineView
from app.runtime.data import Page
from app.runtime.data.reads import Answers, Question
from app.runtime.query import Aggregation, Query, Sort
from app.workspace.boards import possible
from app.workspace.cards import Card, cards_of
from app.workspace.desk import Desk
from app.workspace.labels import field_label, option_label, option_tone
from app.workspace.listing import GIVEN, PREFIX, ListState
from app.workspace.narrowing import list_link
from app.workspace.spans import (
    DAY_MINUTES,
    Bar,
    Moment,
    Piece,
    Span,
    at_the_wall,
    bars,
    control,
    edge,
    hours_of,
    on_the_wall,
    overlapping,
    pieces,
    span_of,
)

MOST_READ = 200
"""Records of one question: those of a week of a month, of a week, of a day."""
MOST_LANES, MOST_ABOVE = 12, 5
"""Beside each other in the hours, and below each other above them."""
MOST_UNDATED = 50
PATIENCE_MS = 5_000
HOUR = 60
NOTHING_ELSE: Mapping[str, str] = {}
TimedView = CalendarView | ResourcesView
DatedView = TimedView | TimelineView


@dataclass(frozen=True, slots=True)
class Look:
    """What somebody looks at, and from where. now: by the clock on their wall; hours: all of a day."""

    day: date
    now: datetime
    zone: str
    locale: str
    hours: bool = False
    undated: bool = False

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def first_weekday(self) -> int:
        return int(Locale.parse(self.locale).first_week_day)


@dataclass(frozen=True, slots=True)
class TimedCard:
    """A card with its time. at, to: its start and its end as controls of a form want them, "" without one; when: its time in
    words; paint: a colour of its own, "" where it has a tone; said: what the colour stands for; place: the key of its column,
    where moving it can change that.
    """

    card: Card
    span: Span
    at: str
    to: str
    when: str
    tone: str
    paint: str = ""
    said: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of hours. key: of what it stands for; new: for each hour, what an address gives a record that begins then;
    now: the minute it is, -1 where it is another day; more: how many records there is no room for.
    """

    key: str
    label: str
    day: date
    weekday: str
    new: tuple[str, ...]
    new_day: str
    now: int
    placed: tuple[tuple[Piece, TimedCard], ...]
    more: int
    entry: int = 0

    def is_free(self, hour: int) -> bool:
        start, end = hour * HOUR, (hour + 1) * HOUR
        return all(piece.start + piece.length <= start or piece.start >= end for piece, _ in self.placed)


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of hours beside each other. top: what stands above the hours; timed: there are hours at all;
    rest: the list of the day, where what there is no room for has no better place.
    """

    columns: tuple[Column, ...]
    top: tuple[tuple[Bar, TimedCard], ...]
    first: int
    last: int
    timed: bool
    rest: tuple[str, str] | None

    @property
    def hours(self) -> range:
        return range(self.first, self.last)

    @property
    def lanes(self) -> int:
        return max((bar.lane + 1 for bar, _ in self.top), default=0)


# -- asking


def kind_of_time(desk: Desk, view: DatedView) -> Kind:
    """DATE or DATETIME."""
    return desk.data.model.tables[view.table].columns[view.from_].kind


def during(desk: Desk, view: TimedView, state: ListState, look: Look, first: date, end: date) -> Condition:
    """What the screen shows of some days, `end` not included."""
    return All((state.query.where, overlapping(view.from_, view.to, kind_of_time(desk, view), first, end, look.zone)))


def question(view: TimedView, state: ListState, where: Condition, *, limit: int = MOST_READ) -> Question:
    """The records, by their start."""
    return view.table, replace(state.query, where=where, sort=(Sort(view.from_), Sort("id")), limit=limit, cursor="")


def counting(view: TimedView, state: ListState, where: Condition) -> Question:
    return view.table, Aggregation(where=where, q=state.query.q)


def undated(desk: Desk, view: TimedView, state: ListState) -> Condition:
    """Those without a start."""
    return All((state.query.where, Test(view.from_, "is", "null", kind_of_time(desk, view))))


def undated_questions(desk: Desk, view: TimedView, state: ListState, look: Look) -> list[Question]:
    """How many there are without a start and, where they are looked at, the first of them; none where none can be."""
    if desk.table(view.table).fields[view.from_].required:
        return []
    where = undated(desk, view, state)
    asks = [counting(view, state, where)]
    if look.undated:
        asks.append((view.table, replace(state.query, where=where, limit=MOST_UNDATED, cursor="")))
    return asks


def answered(desk: Desk, asks: Sequence[Question]) -> Answers:
    """The answers, in one round trip. Raises what one of the questions failed with."""
    [answers] = desk.data.ask([asks], each_ms=PATIENCE_MS)
    if isinstance(answers, AppError):
        raise answers
    return answers


def nearest(
    desk: Desk, view: DatedView, state: ListState, zone: str, first: date, end: date
) -> tuple[date | None, date | None]:
    """The days of the last record before some days and of the first one after."""
    kind, days = kind_of_time(desk, view), list[date | None]()
    asks: list[Question] = []
    for op, day, back in (("lt", first, True), ("gte", end, False)):
        where = All((state.query.where, Test(view.from_, op, edge(day, kind, zone), kind)))
        asks.append((view.table, Query(where, state.query.q, (Sort(view.from_, descending=back),), limit=1)))
    for page in answered(desk, asks):
        assert isinstance(page, Page)
        start = moment_of(page.records[0][view.from_]) if page.records else None
        days.append(None if start is None else span_of(start, None, zone).first)
    return days[0], days[1]


def list_of_days(desk: Desk, view: DatedView, first: date, last: date) -> tuple[str, str] | None:
    """The list that has all that begins from one day to another, both included: its key and its query."""
    link = list_link(desk, view.table, view.where)
    if link is None:
        return None
    ends = [(f"{PREFIX}{view.from_}.{end}", day.isoformat()) for end, day in (("from", first), ("to", last))]
    return link.key, "&".join(part for part in (link.query, urlencode(ends)) if part)


# -- cards


def timed_cards(
    desk: Desk, view: TimedView, state: ListState, look: Look, rows: Sequence[dict[str, Any]], *, without: Iterable[str]
) -> list[TimedCard]:
    """Records that have a start, as cards. without: fields that their place says."""
    left_out = {view.from_, view.to or "", *without}
    cards = cards_of(desk, view.table, state.columns, rows, without=left_out)
    found = []
    for card, row in zip(cards, rows, strict=True):
        span = _span(view, row, look)
        assert span is not None
        at = span.start.date().isoformat() if span.all_day else span.start.isoformat(timespec="minutes")
        to = control(moment_of(row.get(view.to)), look.zone) if view.to else ""
        found.append(TimedCard(card, span, at, to, when(span, look.locale), *colour_of(desk, view, row)))
    return found


def moment_of(value: Any) -> Moment | None:
    """A day or a moment as records hold it."""
    if value is None or isinstance(value, date):
        return value
    return datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)


def _span(view: TimedView, row: dict[str, Any], look: Look) -> Span | None:
    start = moment_of(row.get(view.from_))
    return span_of(start, moment_of(row.get(view.to)) if view.to else None, look.zone) if start is not None else None


def when(span: Span, locale: str) -> str:
    """ "09:30–10:15", "1 Dec, 22:00 – 2 Dec, 06:00", "1–3 Dec" said at full length; "" of one whole day."""
    if span.all_day:
        return "" if span.first == span.last else f"{_short(span.first, locale)} – {_short(span.last, locale)}"
    if span.start == span.end:
        return f"{span.start:%H:%M}"
    if span.first == span.last:
        return f"{span.start:%H:%M}–{span.end:%H:%M}"
    return f"{_short(span.first, locale)}, {span.start:%H:%M} – {_short(span.end.date(), locale)}, {span.end:%H:%M}"


def _short(day: date, locale: str) -> str:
    return format_date(day, "d MMM", locale=locale)


def colour_of(desk: Desk, view: DatedView, row: dict[str, Any]) -> tuple[str, str, str]:
    """The tone, the colour of its own, and what it stands for."""
    field, value = desk.table(view.table).fields.get(view.color or ""), row.get(view.color or "")
    if isinstance(field, EnumField):
        if value is None:
            return "neutral", "", ""
        return option_tone(field, value), "", option_label(field, value)
    if isinstance(field, ColorField):
        return "neutral", value or "", ""
    return "info", "", ""


def legend(desk: Desk, view: DatedView, state: ListState) -> tuple[tuple[str, str], ...]:
    """(label, tone) of what the colours stand for, where the manifest gives options any."""
    field = desk.table(view.table).fields.get(view.color or "")
    if not isinstance(field, EnumField) or not field.colors:
        return ()
    shown = [one for one in field.options if possible(state.screen.where, view.color or "", one)]
    return tuple((option_label(field, one), option_tone(field, one)) for one in shown)


def time_labels(desk: Desk, view: DatedView) -> tuple[str, str]:
    """What the start is called, and the end, "" without one."""
    spec = desk.table(view.table)
    return field_label(spec, view.from_), field_label(spec, view.to) if view.to else ""


# -- what an address gives a record that begins at a place


def given(
    desk: Desk,
    view: TimedView,
    look: Look,
    day: date,
    minute: int | None = None,
    sets: Mapping[str, str] = NOTHING_ELSE,
) -> str:
    """A query string: the start, and the end an hour later. minute: of the day; None for the day, or its usual hour;
    sets: what it gets beside its times.

    Forms take times by the clock of the site, which may be another than that on the wall.
    """
    pairs = [(GIVEN + name, value) for name, value in sets.items()]
    if kind_of_time(desk, view) is Kind.DATE:
        ends = (day.isoformat(), day.isoformat())
    else:
        wall = datetime.combine(day, time()) + timedelta(minutes=9 * HOUR if minute is None else minute)
        begin = at_the_wall(wall, look.zone)
        ends = (_for_forms(desk, begin), _for_forms(desk, begin + timedelta(hours=1)))
    pairs += [(GIVEN + name, value) for name, value in zip((view.from_, view.to), ends, strict=True) if name]
    return urlencode(pairs)


def _for_forms(desk: Desk, moment: datetime) -> str:
    return on_the_wall(moment, desk.context.site.time_zone).isoformat(timespec="minutes")


# -- the grid


def column_of(
    desk: Desk,
    view: TimedView,
    look: Look,
    cards: Sequence[TimedCard],
    day: date,
    *,
    most: int,
    key: str,
    label: str,
    sets: Mapping[str, str] = NOTHING_ELSE,
) -> Column:
    """The hours of a day, with those of the cards that have times on it. most: lanes; what needs further ones is counted.

    sets: what a record gets that begins in it, beside its times.
    """
    timed = [card for card in cards if not card.span.long]
    found = pieces([card.span for card in timed], day)
    placed = tuple(
        (replace(piece, lanes=min(piece.lanes, most)), _fitting(timed[piece.which], piece))
        for piece in found
        if piece.lane < most
    )
    return Column(
        key=key,
        label=label,
        day=day,
        weekday=format_date(day, "EEE", locale=look.locale),
        new=tuple(given(desk, view, look, day, hour * HOUR, sets) for hour in range(24)),
        new_day=given(desk, view, look, day, None, sets),
        now=look.now.hour * HOUR + look.now.minute if day == look.today else -1,
        placed=placed,
        more=len(found) - len(placed),
    )


def _fitting(card: TimedCard, piece: Piece) -> TimedCard:
    """With as many of its facts as it has room for: what is cut off could still be reached by keyboard."""
    taken = 44 if piece.lanes == 1 else 84  # pixels of title and time, of 48 an hour; a fact has 24
    room = max(0, int((piece.length * 0.8 - taken) // 24))
    return (
        card if room >= len(card.card.facts) else replace(card, card=replace(card.card, facts=card.card.facts[:room]))
    )


def grid_of(
    columns: Sequence[Column],
    top: Sequence[tuple[Bar, TimedCard]],
    look: Look,
    kind: Kind,
    *,
    most: int = MOST_ABOVE,
    rest: tuple[str, str] | None,
) -> Grid:
    """top: what stands above the hours; what needs more lanes than `most` is counted in its columns."""
    first, last = hours_of([piece for column in columns for piece, _ in column.placed])
    if look.hours:
        first, last = 0, DAY_MINUTES // HOUR
    left_out = [bar for bar, _ in top if bar.lane >= most]
    counted = [
        replace(
            column,
            more=column.more + sum(1 for bar in left_out if bar.column <= number < bar.column + bar.days),
            entry=next((hour for hour in range(first, last) if column.is_free(hour)), first),
        )
        for number, column in enumerate(columns)
    ]
    shown = tuple((bar, card) for bar, card in top if bar.lane < most)
    return Grid(tuple(counted), shown, first, last, kind is Kind.DATETIME, rest)


def top_of(cards: Sequence[TimedCard], days: Sequence[date]) -> list[tuple[Bar, TimedCard]]:
    """What stands above the hours of some days in a row."""
    long = [card for card in cards if card.span.long]
    return [(bar, long[bar.which]) for bar in bars([card.span for card in long], days)]


def day_label(day: date, locale: str) -> str:
    """'Monday 30 November 2026'."""
    return format_date(day, "EEEE d MMMM y", locale=locale)
