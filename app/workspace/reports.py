"""A report: figures by up to three groups as nested lines with subtotals, their total, and a chart of one of them. Pure.

Totals and subtotals are figures of the records themselves, so an average is one of all records, not of averages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from app.errors import AppError
from app.modules.expressions import parse_aggregate
from app.modules.kinds import NUMBERS, Kind
from app.modules.manifest.views import ReportView
from app.runtime.query import First
from app.workspace.cells import Cell
from app.workspace.charted import Chart
from app.workspace.counted import MOST_BARS, Bar, Bars
from app.workspace.desk import Desk
from app.workspace.figures import drawn, figure, figure_label, unit_of
from app.workspace.grouping import By, Path, group_link, ordered
from app.workspace.listing import ListState
from app.workspace.narrowing import ListLink
from app.workspace.periods import COLUMN, label_of, moved
from app.workspace.report_reads import Asked, Found, Measure, read_report

GROUP = "group"
"""The sort key of the column of groups."""
MOST_POINTS = 60
_DRAWN = (*NUMBERS, Kind.DURATION)


@dataclass(frozen=True, slots=True)
class Line:
    """A group. figures: for each measure its figure, several where amounts are in several currencies; left: how many of
    the groups below it are not among its lines."""

    label: Cell
    figures: tuple[tuple[Cell, ...], ...]
    link: ListLink | None = None
    lines: tuple[Line, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """The chart of a report. measure: what it is of; measures: what it can be of."""

    kind: str  # "line", "bars" over time, or "ranking"
    measure: Measure
    measures: tuple[Measure, ...]
    drawing: Chart | Bars


@dataclass(frozen=True, slots=True)
class Report:
    """sort: the key of the column it is in the order of, with - backwards, "" as its groups come; counted: how many groups
    of the first level there are; error: the code of why it shows nothing, "" if it does."""

    groups: tuple[str, ...]
    measures: tuple[Measure, ...]
    sort: str
    records: int = 0
    counted: int = 0
    chosen: First = "largest"
    lines: tuple[Line, ...] = ()
    total: tuple[tuple[Cell, ...], ...] = ()
    picture: Picture | None = None
    error: str = ""

    @property
    def left(self) -> int:
        """How many groups of the first level are not shown."""
        return self.counted - len(self.lines)


def work_out(desk: Desk, view: ReportView, state: ListState, *, sort: str, metric: str, zone: str) -> Report:
    """The report of what the state narrows it to. sort, metric: as the address says them, whatever that is; zone: the
    viewer's, for links to lists."""
    by = tuple(By.of(desk, view.table, key) for key in view.group)
    measures = tuple(_measure(desk, view.table, number, text) for number, text in enumerate(view.metrics, 1))
    if sort.removeprefix("-") not in (GROUP, *(one.key for one in measures)):
        sort = ""
    asked = Asked(
        table=view.table,
        by=by,
        measures=measures,
        where=state.query.where,
        q=state.q,
        rank=tuple(_rank(one, measures, sort) for one in by),
    )
    found = read_report(desk, asked)
    labels = tuple(one.label for one in by)
    if isinstance(found, AppError):
        return Report(labels, measures, sort, error=found.code)
    return _Making(desk, view, state, asked, found, sort, metric, zone).report(labels)


def _measure(desk: Desk, table: str, number: int, text: str) -> Measure:
    aggregate = parse_aggregate(text, desk.data.model.tables[table].columns)
    label = figure_label(desk, table, text)
    return Measure(f"m{number}", label, aggregate, unit_of(desk, table, aggregate))


def _rank(by: By, measures: Sequence[Measure], sort: str) -> tuple[Measure, First]:
    """Which groups are shown where there are too many: the largest by the first measure, of days and periods the last, and
    where a measure sorts the report those that come first by it."""
    chosen = next((one for one in measures if one.key == sort.removeprefix("-")), None)
    if chosen is not None:
        return chosen, "largest" if sort.startswith("-") else "smallest"
    return measures[0], "latest" if by.over_time else "largest"


@dataclass(frozen=True)
class _Making:
    """From answers to what is shown."""

    desk: Desk
    view: ReportView
    state: ListState
    asked: Asked
    found: Found
    sort: str
    metric: str
    zone: str

    def report(self, labels: tuple[str, ...]) -> Report:
        return Report(
            groups=labels,
            measures=self.asked.measures,
            sort=self.sort,
            records=self.found.records,
            counted=self.found.counts.get((), 0),
            chosen=self.asked.rank[0][1],
            lines=self.lines(()),
            total=self.figures(()),
            picture=self.picture() if self.view.chart and self.first else None,
        )

    def lines(self, parent: Path) -> tuple[Line, ...]:
        return tuple(self.line(path) for path in self.paths(parent))

    def line(self, path: Path) -> Line:
        by = self.asked.by[len(path) - 1]
        lines = self.lines(path)
        return Line(
            label=by.shown(self.desk, path[-1], self.titles(by)),
            figures=self.figures(path),
            link=self.link(path),
            lines=lines,
            left=self.found.counts.get(path, 0) - len(lines),
        )

    def paths(self, parent: Path) -> list[Path]:
        """The groups below a group, in their order."""
        chosen = self.found.below.get(parent, [])
        by = self.asked.by[min(len(parent), len(self.asked.by) - 1)]
        if self.sort.removeprefix("-") != GROUP and (self.sort or not by.has_order):
            return chosen
        values = [path[-1] for path in chosen]
        backwards = self.sort.startswith("-")
        return [(*parent, value) for value in ordered(self.desk, by, values, self.titles(by), backwards=backwards)]

    def titles(self, by: By) -> dict[str, str]:
        return self.found.titles.get(by.target, {})

    def link(self, path: Path) -> ListLink | None:
        groups = list(zip(self.asked.by, path, strict=False))
        return group_link(self.desk, self.state, self.view.where, groups, zone=self.zone)

    def amounts(self, path: Path, measure: Measure) -> list[tuple[str, Any]]:
        """A figure in each currency there is one in, the site's first."""
        own = self.desk.context.site.currency
        found = self.found.figures.get((path, measure.key)) or [(own, 0 if measure.aggregate.fn == "sum" else None)]
        # what says "nothing" in one currency beside something in another only takes room
        some = [pair for pair in found if pair[1]] or found[:1]
        return sorted(some, key=lambda pair: (pair[0] != own, pair[0]))

    def figures(self, path: Path) -> tuple[tuple[Cell, ...], ...]:
        return tuple(
            tuple(figure(one.unit, value, currency) for currency, value in self.amounts(path, one))
            for one in self.asked.measures
        )

    # -- the chart

    @cached_property
    def first(self) -> list[Path]:
        """The groups of the first level, in their order."""
        return self.paths(())

    def picture(self) -> Picture | None:
        able = tuple(one for one in self.asked.measures if one.aggregate.result_type in _DRAWN)
        if not able:
            return None
        measure = next((one for one in able if one.key == self.metric), able[0])
        by, known = self.asked.by[0], [path for path in self.first if path[0] is not None]
        currencies = {currency for path in self.first for currency, value in self.amounts(path, measure) if value}
        currency = next(iter(currencies), self.desk.context.site.currency) if len(currencies) < 2 else None
        if not by.period or not known:
            return Picture("ranking", measure, able, self._ranking(by, measure, currency))
        kind = "line" if self.view.chart == "line" else "bars"
        return Picture(kind, measure, able, self._over_time(by, known, measure, currency))

    def _ranking(self, by: By, measure: Measure, currency: str | None) -> Bars:
        if currency is None:
            return Bars((), mixed=True)
        heights = {path: drawn(measure.unit, self.amounts(path, measure)[0][1], currency) or 0.0 for path in self.first}
        largest = sorted(self.first, key=lambda path: -heights[path])[:MOST_BARS]
        shown = self.first if len(self.first) <= MOST_BARS and by.has_order else largest
        top = max(heights[largest[0]], 0.0)
        rows = tuple(
            Bar(
                label=by.shown(self.desk, path[0], self.titles(by)),
                figure=figure(measure.unit, self.amounts(path, measure)[0][1], currency),
                share=round(max(0.0, heights[path] / top * 100), 2) if top else 0,
                link=self.link(path),
            )
            for path in shown
        )
        return Bars(rows, more=self.found.counts[()] > len(rows))

    def _over_time(self, by: By, known: list[Path], measure: Measure, currency: str | None) -> Chart:
        """The last periods up to the last with records; between them also those without."""
        starts = sorted(date.fromisoformat(path[0]) for path in known)
        shown = list(_periods(by.period, starts[0], starts[-1]))
        gap = 0 if measure.aggregate.fn in ("count", "sum") else None
        there = {path[0] for path in known}
        values = [
            self.amounts((start.isoformat(),), measure)[0][1] if start.isoformat() in there else gap for start in shown
        ]
        return Chart(
            labels=tuple(label_of(by.period, start) for start in shown),
            heights=tuple(drawn(measure.unit, value, currency or "") for value in values) if currency else (),
            figures=tuple(figure(measure.unit, value, currency or "") for value in values),
            column=COLUMN[by.period],
            period=by.period,
            hours=measure.unit.look == "duration",
            mixed=currency is None,
        )


def _periods(period: str, first: date, last: date) -> Iterator[date]:
    """The periods from one to another, of more than fit the last."""
    back = [last]
    while back[-1] > first and len(back) < MOST_POINTS:
        back.append(moved(period, back[-1], -1))
    return reversed(back)


# -- the file


def rows_of(report: Report) -> Iterator[tuple[tuple[Cell, ...], tuple[tuple[Cell, ...], ...]]]:
    """Each line that is shown as (labels of its groups, figures), the total last."""
    yield from _rows(report.lines, ())
    yield (Cell("text", "Total"),), report.total


def _rows(
    lines: Sequence[Line], above: tuple[Cell, ...]
) -> Iterator[tuple[tuple[Cell, ...], tuple[tuple[Cell, ...], ...]]]:
    for line in lines:
        labels = (*above, line.label)
        yield labels, line.figures
        yield from _rows(line.lines, labels)
