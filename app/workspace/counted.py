"""Cards that count: one figure, a figure by group, a funnel of steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.errors import AppError
from app.modules.conditions import All, Condition, Test
from app.modules.expressions import Aggregate, parse_aggregate
from app.modules.kinds import Kind
from app.modules.manifest.fields import EnumField
from app.modules.manifest.views import ListView, sort_keys
from app.runtime.data import Page
from app.runtime.data.reads import Answers, Question
from app.runtime.query import Aggregation, Figure, Group, Metric, Query, Sort
from app.workspace.cells import NO_CURRENCY, Cell, cell_of, title
from app.workspace.desk import Desk
from app.workspace.figures import PLAIN, Unit, drawn, figure, unit_of
from app.workspace.labels import one, option_label
from app.workspace.narrowing import ListLink, list_link

MOST_BARS = 12
MOST_STEPS = 50
MOST_CURRENCIES = 6
NONE = Cell("text", "None")
NO_TITLES: dict[str, str] = {}
Titles = dict[str, str]
Plan = tuple[list[Question], Callable[[Answers, Titles], Any]]


@dataclass(frozen=True, slots=True)
class Numbers:
    """One figure; several of an amount that is in several currencies. more: there are further currencies."""

    figures: tuple[Cell, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A group. share: the length of its bar, 0 to 100; of_first: of a funnel's step, how much of the first it is, None
    where nobody is in the first.
    """

    label: Cell
    figure: Cell
    share: float
    link: ListLink | None = None
    of_first: float | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """Groups. more: there are more than are shown, which are the largest. mixed: amounts of several currencies, which
    cannot be put side by side; without: how many records are in no step.
    """

    rows: tuple[Bar, ...]
    more: bool = False
    mixed: bool = False
    without: int = 0


def where_of(desk: Desk, card: Any) -> Condition:
    """The condition of a card."""
    return desk.data.model.tables[card.of].condition(card.where) if card.where else All(())


def aggregate_of(desk: Desk, card: Any, text: str) -> tuple[Aggregate, Unit]:
    """The expression of a card, and the unit of its figures."""
    aggregate = parse_aggregate(text, desk.data.model.tables[card.of].columns)
    return aggregate, unit_of(desk, card.of, aggregate)


def currency_groups(desk: Desk, unit: Unit) -> tuple[Group, ...]:
    """The fields that hold the currencies of an amount, to group by."""
    return tuple(Group(name, currency=desk.context.site.currency) for name in unit.currencies)


def currency_question(desk: Desk, card: Any, unit: Unit, where: Condition) -> list[Question]:
    """Asks which currencies the amounts of a card are in, where records may say their own."""
    if not unit.currencies:
        return []
    groups = currency_groups(desk, unit)
    return [(card.of, Aggregation(group=groups, metrics=(Metric("count"),), where=where, limit=MOST_CURRENCIES))]


def currency_of(desk: Desk, unit: Unit, group: dict[str, Any]) -> str:
    """The currency of a group by currency_groups(); fields that differ make one that does not exist."""
    said = {str(group[name]) for name in unit.currencies} or {desk.context.site.currency}
    return said.pop() if len(said) == 1 else NO_CURRENCY


def one_currency(desk: Desk, unit: Unit, answers: Answers) -> str | None:
    """The currency all amounts of a card are in; None when there are several."""
    groups: Any = answers[1] if unit.currencies else []
    found = {currency_of(desk, unit, group) for group in groups} or {desk.context.site.currency}
    return found.pop() if len(found) == 1 and found != {NO_CURRENCY} else None


# -- one figure


def number(desk: Desk, card: Any) -> Plan:
    aggregate, unit = aggregate_of(desk, card, card.number)
    asked = Aggregation(
        group=currency_groups(desk, unit),
        metrics=(Figure(aggregate),),
        where=where_of(desk, card),
        limit=MOST_CURRENCIES,
        first="largest",
    )

    def draw(answers: Answers, titles: Titles) -> Numbers:
        found: Any = answers[0]
        if not found:  # grouped by currency, and no record at all
            empty = 0 if aggregate.fn == "sum" else None
            return Numbers((figure(unit, empty, desk.context.site.currency),))
        figures = [figure(unit, group["figure"], currency_of(desk, unit, group)) for group in found]
        return Numbers(tuple(figures), more=len(found) == MOST_CURRENCIES)

    return [(card.of, asked)], draw


# -- figures by group


def bars(desk: Desk, card: Any) -> tuple[Any, ...]:
    aggregate, unit = aggregate_of(desk, card, card.bar)
    where, name = where_of(desk, card), card.by
    asked = Aggregation(
        group=(Group(name),), metrics=(Figure(aggregate),), where=where, limit=MOST_BARS + 1, first="largest"
    )
    field = desk.table(card.of).fields.get(name)
    target = getattr(field, "to", None)

    def draw(answers: Answers, titles: Titles) -> Bars:
        found: Any = answers[0]
        currency = one_currency(desk, unit, answers)
        if currency is None:
            return Bars((), mixed=True)
        more = len(found) > MOST_BARS
        groups = found[:MOST_BARS] if more else _in_order(field, name, found, zero=aggregate.fn in ("count", "sum"))
        heights = [drawn(unit, group["figure"], currency) or 0.0 for group in groups]
        top = max(heights, default=0) or 1
        rows = [
            Bar(
                label=group_label(desk, card.of, name, group[name], titles),
                figure=figure(unit, group["figure"], currency),
                share=round(max(0.0, height / top * 100), 2) if top > 0 else 0,
                link=_group_link(desk, card, name, group[name]),
            )
            for group, height in zip(groups, heights, strict=True)
        ]
        return Bars(tuple(rows) if found else (), more=more)

    def wanted(answers: Answers) -> Question | None:
        groups: Any = answers[0] if target else []
        ids = [UUID(group[name]) for group in groups if group[name]]
        return titles_question(desk, target, ids) if target else None

    return [(card.of, asked), *currency_question(desk, card, unit, where)], draw, wanted


def titles_question(desk: Desk, table: str, ids: list[UUID]) -> Question | None:
    """Asks what records are called; None where there are none, or this person may not read them."""
    if not ids or not desk.can(table, "read"):
        return None
    name = desk.table(table).title_field
    where = Test("id", "in", tuple(ids), Kind.UUID)
    return table, Query(where=where, limit=len(ids), fields=(name,) if name else ("id",))


def titles_in(desk: Desk, question: Question, answers: Answers | AppError) -> Titles | AppError:
    """The titles a titles_question() was answered with, by id, or why it was not."""
    if isinstance(answers, AppError):
        return answers
    page: Any = answers[0]
    return {row["id"]: title(desk, question[0], row) for row in page.records}


def _in_order(field: Any, name: str, groups: list[dict[str, Any]], *, zero: bool) -> list[dict[str, Any]]:
    """Options in the manifest's order, those without records too where that means zero; other groups by size."""
    if not isinstance(field, EnumField):
        return groups
    by_option = {group[name]: group for group in groups}
    if zero and len(field.options) <= MOST_BARS:
        by_option = {option: {name: option, "figure": 0} for option in field.options} | by_option
    order = {option: number for number, option in enumerate(field.options)}
    return sorted(by_option.values(), key=lambda group: order.get(group[name], len(order)))


def group_label(desk: Desk, table: str, name: str, value: Any, titles: Titles) -> Cell:
    """A group in words."""
    field = desk.table(table).fields.get(name)
    if value is None:
        return Cell("text", "Nobody") if field is not None and field.type == "user" else NONE
    target = getattr(field, "to", None)
    if target:
        return Cell("text", titles.get(str(value)) or f"{one(desk.manifest, target)} {str(value)[-6:]}")
    if isinstance(field, EnumField):
        return Cell("text", option_label(field, value))
    shown = cell_of(desk, table, name, value, {})
    return NONE if shown.empty else shown


def _group_link(desk: Desk, card: Any, name: str, value: Any) -> ListLink | None:
    """The list of one group, where lists can be narrowed to it."""
    field = desk.table(card.of).fields.get(name)
    if field is None or field.type not in ("enum", "ref", "user", "boolean"):
        return None
    kind = desk.data.model.tables[card.of].columns[name].kind
    test = Test(name, "is", "null", kind)
    if value is not None:
        test = Test(name, "eq", UUID(value) if kind is Kind.UUID else value, kind)
    found = list_link(desk, card.of, card.where, test)
    return found if found and found.query else None  # the whole list is no list of this group


# -- steps


def funnel(desk: Desk, card: Any) -> Plan:
    name = card.funnel
    field = desk.table(card.of).fields[name]
    asks: list[Question] = [(card.of, Aggregation(group=(Group(name),), where=where_of(desk, card)))]
    target = getattr(field, "to", None)
    if target:
        asks.append((target, Query(sort=step_order(desk, target), limit=MOST_STEPS)))

    def draw(answers: Answers, titles: Titles) -> Bars:
        groups: Any = answers[0]
        counts = {group[name]: group["count"] for group in groups}
        page = answers[1] if target else None
        if isinstance(page, Page) and target:
            steps = [(row["id"], Cell("text", title(desk, target, row))) for row in page.records]
        else:
            steps = [(option, Cell("text", option_label(field, option))) for option in field.options]  # type: ignore[arg-type,union-attr]  # an enum
        first = counts.get(steps[0][0], 0) if steps else 0
        top = max((counts.get(value, 0) for value, _ in steps), default=0) or 1
        rows = [
            Bar(
                label=label,
                figure=Cell(PLAIN, count := counts.get(value, 0)),
                share=round(count / top * 100, 2),
                link=_group_link(desk, card, name, value),
                of_first=count / first if first else None,
            )
            for value, label in steps
        ]
        more = isinstance(page, Page) and page.has_more
        return Bars(tuple(rows) if counts else (), more=more, without=counts.get(None, 0))

    return asks, draw


def step_order(desk: Desk, table: str) -> tuple[Sort, ...]:
    """The order of records that are steps: that of the table's list, else by `position` or `order`, else as they were made."""
    for view in desk.manifest.views.values():
        if isinstance(view, ListView) and view.table == table and view.sort:
            return tuple(map(Sort.of, sort_keys(view.sort)))
    fields = desk.table(table).fields
    named = next(
        (
            name
            for name in ("position", "order", "sort")
            if name in fields and fields[name].type in ("integer", "decimal")
        ),
        None,
    )
    return (Sort(named or "created_at"),)
