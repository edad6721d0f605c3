"""What a report asks of the records: its figures in all, and of the groups that are shown, as the database works them out.

Level by level, as which groups of the second are shown depends on those of the first: so many round trips as there are
groups and one more, for any number of records. Amounts whose fields name currencies are asked by currency beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from app.errors import AppError
from app.modules.conditions import All, Condition
from app.modules.expressions import Aggregate
from app.runtime.data import Page
from app.runtime.data.reads import Question
from app.runtime.query import GROUPS_OF, Aggregation, Figure, First, Metric
from app.workspace.counted import Titles, currency_groups, currency_of, titles_in, titles_question
from app.workspace.desk import Desk
from app.workspace.figures import Unit
from app.workspace.grouping import By, Path, restricted

MOST = {1: (100,), 2: (25, 12), 3: (12, 6, 4)}
"""How many groups of each level are shown, by how many levels there are."""
MOST_AMOUNTS = 5000
PATIENCE_MS, LEAST_MS, MOST_MS = 10_000, 500, 3_000
RANK = "/rank"


class TooManyCurrencies(AppError):
    """The amounts are in more currencies than there is room for. Choose a filter."""

    code = "currencies"


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric of a report. key: its name in addresses and answers."""

    key: str
    label: str
    aggregate: Aggregate
    unit: Unit


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is asked for. rank: by what the groups that are shown are chosen at each level, and from which end."""

    table: str
    by: tuple[By, ...]
    measures: tuple[Measure, ...]
    where: Condition
    q: str
    rank: tuple[tuple[Measure, First], ...]

    @property
    def most(self) -> tuple[int, ...]:
        return MOST[len(self.by)]


@dataclass(slots=True)
class Found:
    """The answers. below: the groups under each group in the order they were chosen in; counts: how many there are of them;
    figures: (currency, figure) of each group and measure, several where the amounts are in several currencies."""

    records: int = 0
    below: dict[Path, list[Path]] = field(default_factory=dict)
    counts: dict[Path, int] = field(default_factory=dict)
    figures: dict[tuple[Path, str], list[tuple[str, Any]]] = field(default_factory=dict)
    titles: dict[str, Titles] = field(default_factory=dict)

    def level(self, depth: int) -> list[Path]:
        """The groups that are shown of a level."""
        return [path for parent, paths in self.below.items() if len(parent) == depth - 1 for path in paths]


Take = Callable[[Any], None]


def read_report(desk: Desk, asked: Asked) -> Found | AppError:
    """The figures, or why there are none."""
    reading = _Reading(desk, asked)
    for trip in range(len(asked.by) + 1):
        if failed := reading.ask(list(reading.questions(trip))):
            return failed
    return reading.found


class _Reading:
    def __init__(self, desk: Desk, asked: Asked) -> None:
        self.desk, self.asked, self.found = desk, asked, Found()
        self.plain = tuple(one for one in asked.measures if not one.unit.currencies)
        self.amounts: dict[tuple[str, ...], list[Measure]] = {}
        for one in asked.measures:
            if one.unit.currencies:
                self.amounts.setdefault(one.unit.currencies, []).append(one)
        levels = len(asked.by)
        statements = (levels + 1) * (1 + len(self.amounts)) + sum(1 for by in asked.by if by.target)
        self.each_ms = max(LEAST_MS, min(MOST_MS, PATIENCE_MS // statements))

    def ask(self, questions: Sequence[tuple[Question, Take]]) -> AppError | None:
        """One round trip."""
        asks = [[question] for question, _ in questions]
        answered = self.desk.data.ask(asks, each_ms=self.each_ms) if asks else ()
        for answers, (_, take) in zip(answered, questions, strict=True):
            if isinstance(answers, AppError):
                return answers
            try:
                take(answers[0])
            except TooManyCurrencies as error:
                return error
        return None

    def questions(self, trip: int) -> Iterator[tuple[Question, Take]]:
        levels = len(self.asked.by)
        for depth in (0, 1) if not trip else (trip + 1,) if trip < levels else ():
            if depth < 2 or self.found.level(depth - 1):
                yield self._level(depth)
        if not trip or self.found.level(trip):
            for measures in self.amounts.values():
                yield self._amounts(trip, measures)
        if trip == levels:
            yield from self._titles()

    def _where(self, depth: int) -> Condition:
        """What the report is of; of deeper levels only what is in the groups that are shown of this one."""
        if not depth:
            return self.asked.where
        shown = restricted(self.asked.by[:depth], self.found.level(depth), self.desk.context.site.time_zone)
        return All((self.asked.where, shown))

    def _level(self, depth: int) -> tuple[Question, Take]:
        asked, found = self.asked, self.found
        by = asked.by[:depth]
        figures = [Figure(one.aggregate, one.key) for one in self.plain]
        leading: Figure | Metric = Metric("count")
        first: First = ""
        if depth:
            measure, first = asked.rank[depth - 1]
            leading = Figure(measure.aggregate, RANK)
        question = Aggregation(
            group=tuple(one.group for one in by),
            metrics=(leading, *figures),
            where=self._where(max(depth - 1, 0)),
            q=asked.q,
            first=first,
            each=asked.most[depth - 1] if depth else 0,
        )

        def take(rows: list[dict[str, Any]]) -> None:
            for row in rows:
                path = tuple(row[one.group.key] for one in by)
                if path:
                    found.below.setdefault(path[:-1], []).append(path)
                    found.counts[path[:-1]] = row[GROUPS_OF]
                else:
                    found.records = row["count"]
                for one in self.plain:
                    found.figures[path, one.key] = [(self.desk.context.site.currency, row[one.key])]

        return (asked.table, question), take

    def _amounts(self, depth: int, measures: Sequence[Measure]) -> tuple[Question, Take]:
        """The amounts of a level by currency, of records that name none in that of the site."""
        asked, found, unit = self.asked, self.found, measures[0].unit
        by, own = asked.by[:depth], self.desk.context.site.currency
        grouped = {one.group.key for one in by}
        currencies = [group for group in currency_groups(self.desk, unit) if group.key not in grouped]
        question = Aggregation(
            group=(*(one.group for one in by), *currencies),
            metrics=tuple(Figure(one.aggregate, one.key) for one in measures),
            where=self._where(depth),
            q=asked.q,
            limit=MOST_AMOUNTS + 1,
        )

        def take(rows: list[dict[str, Any]]) -> None:
            if len(rows) > MOST_AMOUNTS:
                raise TooManyCurrencies()
            for row in rows:
                path = tuple(row[one.group.key] for one in by)
                said = {name: (str(row[name] or "").strip() or own).upper() for name in unit.currencies}
                for one in measures:
                    found.figures.setdefault((path, one.key), []).append(
                        (currency_of(self.desk, unit, said), row[one.key])
                    )

        return (asked.table, question), take

    def _titles(self) -> Iterator[tuple[Question, Take]]:
        """What the records are called that groups stand for."""
        for depth, by in enumerate(self.asked.by, 1):
            ids = {UUID(path[-1]) for path in self.found.level(depth) if path[-1] is not None} if by.target else set()
            question = titles_question(self.desk, by.target, sorted(ids)) if ids else None
            if question:
                yield question, partial(self._name, question)

    def _name(self, question: Question, page: Page) -> None:
        found = titles_in(self.desk, question, [page])
        assert not isinstance(found, AppError)  # only answers lead here
        self.found.titles.setdefault(question[0], {}).update(found)
