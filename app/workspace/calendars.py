"""Calendars: the records of a month, a week or a day, and where each of them stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from babel.dates import format_date

from app.modules.kinds import Kind
from app.modules.manifest.views import CalendarView
from app.workspace.cards import Card, cards_of
from app.workspace.desk import Desk
from app.workspace.listing import ListState
from app.workspace.spans import DAY, Bar, bars, stepped, week_of, weeks_of
from app.workspace.timed import (
    MOST_ABOVE,
    MOST_LANES,
    MOST_READ,
    Grid,
    Look,
    TimedCard,
    answered,
    column_of,
    counting,
    day_label,
    during,
    given,
    grid_of,
    kind_of_time,
    legend,
    list_of_days,
    nearest,
    question,
    timed_cards,
    top_of,
    undated_questions,
)

SpanName = Literal["month", "week", "day"]
SPANS: tuple[SpanName, ...] = ("month", "week", "day")
MOST_IN_CELL = 3
MOST_IN_AGENDA = 20
MOST_IN_WEEK = 4
"""Lanes of a day of a week; a day alone has room for more."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a month. bars: those that are drawn from it on; more: how many there is no room for; count: of all on it."""

    day: date
    label: str
    inside: bool
    bars: tuple[tuple[Bar, TimedCard], ...]
    more: int
    count: int
    tones: tuple[tuple[str, str], ...]
    new: str


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a month. cut: it has more records than were read, so that its last days may not show all of theirs."""

    days: tuple[Day, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Agenda:
    """The records of one day below each other. more: how many are left out; past: before the day that is looked at."""

    day: date
    label: str
    cards: tuple[TimedCard, ...]
    more: int
    past: bool
    new: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar. title: its period; count: of the records in it; left_out: how many of a week or day were not read.

    weeks: of a month; agenda: of a month, and of a day without hours; grid: of a week or day; new_day: what an address gives
    a record of the day; near: the days of the records before and after an empty period;
    undated: how many have no start; waiting: the first of those, where they are looked at; rest: the list of the day.
    """

    view: CalendarView
    look: Look
    span: SpanName
    title: str
    count: int
    left_out: int
    previous: date
    next: date
    names: tuple[str, ...]
    weeks: tuple[Week, ...]
    agenda: tuple[Agenda, ...]
    grid: Grid | None
    near: tuple[date | None, date | None]
    undated: int
    waiting: tuple[Card, ...]
    legend: tuple[tuple[str, str], ...]
    rest: tuple[str, str] | None
    new_day: str

    @property
    def cut(self) -> bool:
        return any(week.cut for week in self.weeks)


def read_calendar(desk: Desk, view: CalendarView, state: ListState, look: Look, span: SpanName) -> Calendar:
    """A calendar as somebody sees it: the same number of statements for any number of records."""
    stretches = _stretches(span, look)
    first, end = _period(span, look, stretches)
    asks = [question(view, state, during(desk, view, state, look, days[0], days[-1] + DAY)) for days in stretches]
    asks.append(counting(view, state, during(desk, view, state, look, first, end)))
    answers: list[Any] = list(answered(desk, asks + undated_questions(desk, view, state, look)))
    pages, (counted, *others) = answers[: len(stretches)], answers[len(stretches) :]
    count = counted[0]["count"]
    below = span == "day" and kind_of_time(desk, view) is Kind.DATE  # there are no hours to draw
    rest = list_of_days(desk, view, look.day, look.day) if span == "day" else None
    found = [timed_cards(desk, view, state, look, page.records, without=()) for page in pages]
    return Calendar(
        view=view,
        look=look,
        span=span,
        title=_title(span, look, stretches),
        count=count,
        left_out=max(0, count - MOST_READ) if span != "month" else 0,
        previous=stepped(span, look.day, -1),
        next=stepped(span, look.day, 1),
        names=tuple(format_date(day, "EEE", locale=look.locale) for day in stretches[0]),
        weeks=tuple(
            _week(desk, view, look, days, cards, cut=page.has_more)
            for days, cards, page in zip(stretches, found, pages, strict=True)
        )
        if span == "month"
        else (),
        agenda=_agenda(desk, view, look, stretches, found, most=MOST_IN_AGENDA if span == "month" else MOST_READ)
        if span == "month" or below
        else (),
        grid=_grid(desk, view, look, stretches[0], found[0], rest) if span != "month" and not below else None,
        near=nearest(desk, view, state, look.zone, first, end) if not count else (None, None),
        undated=others[0][0]["count"] if others else 0,
        waiting=cards_of(desk, view.table, state.columns, others[1].records) if len(others) > 1 else (),
        legend=legend(desk, view, state),
        rest=rest,
        new_day=given(desk, view, look, look.day),
    )


def _stretches(span: SpanName, look: Look) -> tuple[tuple[date, ...], ...]:
    """The days that are drawn, in rows; each row is one question."""
    if span == "month":
        return weeks_of(look.day, look.first_weekday)
    return (week_of(look.day, look.first_weekday) if span == "week" else (look.day,),)


def _period(span: SpanName, look: Look, stretches: Sequence[Sequence[date]]) -> tuple[date, date]:
    """The days that are counted: of a month its own, not those of its neighbours that are drawn with it."""
    if span == "month":
        return look.day.replace(day=1), stepped("month", look.day, 1)
    return stretches[0][0], stretches[-1][-1] + DAY


def _title(span: SpanName, look: Look, stretches: Sequence[Sequence[date]]) -> str:
    if span == "month":
        return format_date(look.day, "LLLL y", locale=look.locale)
    if span == "day":
        return day_label(look.day, look.locale)
    days = stretches[0]
    first, last = days[0], days[-1]
    form = "d MMM y" if first.year != last.year else "d MMM" if first.month != last.month else "d"
    text = f"{format_date(first, form, locale=look.locale)} – {format_date(last, 'd MMM y', locale=look.locale)}"
    # the weeks of ISO 8601 begin on Monday: elsewhere their numbers say nothing
    return text if look.first_weekday else f"{text} · Week {days[0].isocalendar().week}"


def _week(
    desk: Desk, view: CalendarView, look: Look, days: Sequence[date], cards: Sequence[TimedCard], *, cut: bool
) -> Week:
    placed = bars([card.span for card in cards], days)
    found = []
    for number, day in enumerate(days):
        here = [bar for bar in placed if bar.column <= number < bar.column + bar.days]
        drawn = [bar for bar in here if bar.column == number and bar.lane < MOST_IN_CELL]
        found.append(
            Day(
                day=day,
                label=day_label(day, look.locale),
                inside=day.month == look.day.month,
                bars=tuple((bar, cards[bar.which]) for bar in sorted(drawn, key=lambda bar: bar.lane)),
                more=sum(1 for bar in here if bar.lane >= MOST_IN_CELL),
                count=len(here),
                tones=tuple((cards[bar.which].tone, cards[bar.which].paint) for bar in here[:MOST_IN_CELL]),
                new=given(desk, view, look, day),
            )
        )
    return Week(tuple(found), cut)


def _agenda(
    desk: Desk,
    view: CalendarView,
    look: Look,
    stretches: Sequence[Sequence[date]],
    found: Sequence[Sequence[TimedCard]],
    *,
    most: int,
) -> tuple[Agenda, ...]:
    """The days of the month that have records; what goes on over several stands on each."""
    days = []
    for stretch, cards in zip(stretches, found, strict=True):
        for day in stretch:
            here = [card for card in cards if card.span.on(day)]
            if here and day.month == look.day.month:
                shown = tuple(here[:most])
                new = given(desk, view, look, day)
                days.append(
                    Agenda(day, day_label(day, look.locale), shown, len(here) - len(shown), day < look.day, new)
                )
    return tuple(days)


def _grid(
    desk: Desk,
    view: CalendarView,
    look: Look,
    days: Sequence[date],
    cards: Sequence[TimedCard],
    rest: tuple[str, str] | None,
) -> Grid:
    alone = len(days) == 1
    columns = [
        column_of(
            desk,
            view,
            look,
            cards,
            day,
            most=MOST_LANES if alone else MOST_IN_WEEK,
            key=day.isoformat(),
            label=day_label(day, look.locale),
        )
        for day in days
    ]
    kind = kind_of_time(desk, view)
    above = MOST_LANES if alone or kind is Kind.DATE else MOST_ABOVE
    return grid_of(columns, top_of(cards, days), look, kind, most=above, rest=rest)
