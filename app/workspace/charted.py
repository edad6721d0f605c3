"""Cards over time: a figure for each of the last twelve days, weeks, months, quarters or years of the site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.modules.conditions import All
from app.runtime.data.reads import Answers
from app.runtime.query import Aggregation, Figure, Group
from app.workspace.cells import Cell
from app.workspace.counted import Plan, Titles, aggregate_of, currency_question, one_currency, where_of
from app.workspace.desk import Desk
from app.workspace.figures import drawn, figure
from app.workspace.periods import COLUMN, label_of, last_periods, within


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures in the order of time. heights: None where there is no figure, such as the average of nothing; column: what
    the labels are; hours: heights are hours; mixed: amounts of several currencies, which cannot be drawn in one.
    """

    labels: tuple[str, ...]
    heights: tuple[float | None, ...]
    figures: tuple[Cell, ...]
    column: str
    period: str
    hours: bool = False
    mixed: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing at all happened in these periods."""
        return not any(self.heights)


def over_time(desk: Desk, card: Any, now: datetime) -> Plan:
    """Asks for a line, or bars, by a period."""
    aggregate, unit = aggregate_of(desk, card, getattr(card, "line", None) or card.bar)
    field, _, period = card.by.partition("/")
    zone = desk.context.site.time_zone
    starts = last_periods(period, now.astimezone(ZoneInfo(zone)).date())
    kind = desk.data.model.tables[card.of].columns[field].kind
    where = All((where_of(desk, card), within(field, kind, period, starts, zone)))
    group = Group(field, period)
    asked = Aggregation(group=(group,), metrics=(Figure(aggregate),), where=where)

    def draw(answers: Answers, titles: Titles) -> Chart:
        groups: Any = answers[0]
        currency = one_currency(desk, unit, answers)
        found = {row[group.key]: row["figure"] for row in groups}
        gap = 0 if aggregate.fn in ("count", "sum") else None
        values = [found.get(start.isoformat(), gap) for start in starts] if currency else []
        return Chart(
            labels=tuple(label_of(period, start) for start in starts),
            heights=tuple(drawn(unit, value, currency or "") for value in values),
            figures=tuple(figure(unit, value, currency or "") for value in values),
            column=COLUMN[period],
            period=period,
            hours=unit.look == "duration",
            mixed=currency is None,
        )

    return [(card.of, asked), *currency_question(desk, card, unit, where)], draw
