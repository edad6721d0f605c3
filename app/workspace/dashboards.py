"""A dashboard: which cards of it this person sees, what each asks of the records, and what becomes of the answers.

Everything is asked in one round trip, and the titles of records that bars stand for in a second one. A card that fails
says so in its place and leaves the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from app.errors import AppError, NotFound
from app.modules.manifest.views import CARD_TYPES, Card, DashboardView
from app.runtime.data.reads import Answers, Question
from app.workspace import charted, counted, listed
from app.workspace.charted import Chart
from app.workspace.counted import NO_TITLES, Bars, Numbers, Titles, titles_in
from app.workspace.desk import Desk
from app.workspace.figures import figure_label
from app.workspace.labels import field_label, inside, many, words
from app.workspace.listed import Rows
from app.workspace.narrowing import ListLink, list_link
from app.workspace.screens import may_see_card

PATIENCE_MS, LEAST_MS, MOST_MS = 10_000, 500, 3_000
Drawing = Numbers | Chart | Bars | Rows


@dataclass(frozen=True, slots=True)
class CardScreen:
    """A card with what it shows. kind: its key in the manifest; error: the code of why it shows nothing, "" if it does."""

    number: int
    kind: str
    label: str
    help: str
    table: str
    link: ListLink | None
    drawing: Drawing | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class DashboardScreen:
    """A dashboard as one person sees it."""

    key: str
    label: str
    help: str
    cards: tuple[CardScreen, ...]

    @property
    def rows(self) -> list[tuple[bool, list[CardScreen]]]:
        """The cards in stretches, each with whether it is figures alone, which stand side by side."""
        runs = groupby(self.cards, key=lambda card: card.kind == "number")
        return [(figures, list(cards)) for figures, cards in runs]


@dataclass(frozen=True, slots=True)
class Work:
    """What a card asks, and how the answers are drawn. titles: asks what the records are called that its groups stand for,
    which `draw` is handed by id.
    """

    asks: list[Question]
    draw: Callable[[Answers, Titles], Drawing]
    titles: Callable[[Answers], Question | None] = lambda answers: None


def dashboard_view(desk: Desk, name: str) -> DashboardView:
    """The view at a name. Raises NotFound for what is none, or none of whose tables this person may read."""
    view = desk.manifest.views.get(name)
    if not isinstance(view, DashboardView) or not _cards(desk, view):
        raise NotFound()
    return view


def work_out(desk: Desk, name: str, *, now: datetime) -> DashboardScreen:
    """The dashboard with its figures. Raises NotFound."""
    view = dashboard_view(desk, name)
    cards = _cards(desk, view)
    works = [_work(desk, card, now) for _, card in cards]
    each_ms = max(LEAST_MS, min(MOST_MS, PATIENCE_MS // sum(len(work.asks) for work in works)))
    found = desk.data.ask([work.asks for work in works], each_ms=each_ms)
    named = _titles(desk, works, found, each_ms)
    drawn = [
        _screen(desk, number, card, work, answers, titles)
        for (number, card), work, answers, titles in zip(cards, works, found, named, strict=True)
    ]
    return DashboardScreen(name, view.label or words(name), view.help or "", tuple(drawn))


def _cards(desk: Desk, view: DashboardView) -> list[tuple[int, Card]]:
    """The cards this person may see, with their numbers in the manifest."""
    return [(number, card) for number, card in enumerate(view.cards, 1) if may_see_card(desk, card)]


def _work(desk: Desk, card: Card, now: datetime) -> Work:
    kind = kind_of_card(card)
    if kind == "number":
        return Work(*counted.number(desk, card))
    if kind == "funnel":
        return Work(*counted.funnel(desk, card))
    if kind in ("list", "table"):
        return Work(*listed.rows(desk, card))
    if "/" in card.by:  # type: ignore[union-attr]  # lines and bars have it
        return Work(*charted.over_time(desk, card, now))
    return Work(*counted.bars(desk, card))


def _titles(
    desk: Desk, works: Sequence[Work], found: Sequence[Answers | AppError], each_ms: int
) -> list[Titles | AppError]:
    """The titles of the records that groups stand for, by id, for each card."""
    wanted = [
        None if isinstance(answers, AppError) else work.titles(answers)
        for work, answers in zip(works, found, strict=True)
    ]
    asks = [[question] for question in wanted if question is not None]
    answered = iter(desk.data.ask(asks, each_ms=each_ms) if asks else ())
    return [NO_TITLES if question is None else titles_in(desk, question, next(answered)) for question in wanted]


def _screen(
    desk: Desk,
    number: int,
    card: Card,
    work: Work,
    answers: Answers | AppError,
    titles: Titles | AppError,
) -> CardScreen:
    failed = next((one for one in (answers, titles) if isinstance(one, AppError)), None)
    drawing = None if failed else work.draw(answers, titles)  # type: ignore[arg-type]  # none of both failed
    return CardScreen(
        number=number,
        kind=kind_of_card(card),
        label=card.label or made_label(desk, card),
        help=card.help or "",
        table=card.of,
        link=list_link(desk, card.of, card.where),
        drawing=drawing,
        error=failed.code if failed else "",
    )


def kind_of_card(card: Any) -> str:
    """The key that says what a card is."""
    return next(kind for kind in CARD_TYPES if hasattr(card, kind))


def made_label(desk: Desk, card: Any) -> str:
    """What a card without a label is called, by what it counts: "Deals", "Amount in all", "Deals by week"."""
    nouns, spec, kind = many(desk.manifest, card.of), desk.table(card.of), kind_of_card(card)
    if kind in ("list", "table"):
        return nouns
    if kind == "funnel":
        return f"{nouns} by {inside(field_label(spec, card.funnel))}"
    label = figure_label(desk, card.of, getattr(card, kind))
    if kind == "number":
        return label
    field, _, period = card.by.partition("/")
    return f"{label} by {period or inside(field_label(spec, field))}"
