"""From what a dashboard's statement found to what it says: totals, changes, rankings. Nothing is said of what was not measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.analytics.windows import Window

FAILURES = {"error": "Script errors", "call_failed": "Failed API calls", "run_failed": "Failed functions"}
TRIED = ("mount", "call", "run")  # what a share of failures is of
MARKS = {"installed": "Installed", "upgraded": "Upgraded to", "rolled_back": "Rolled back to", "removed": "Removed",
         "released": "Released"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure differs from the stretch before. text: with its sign; tone: ok, bad or neutral."""

    text: str
    tone: str
    up: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure. note: what it is compared with or a share of; trend: its value in each step."""

    label: str
    value: float
    kind: str  # number or percent
    note: str
    change: Change | None
    trend: list[float]
    tone: str = "ok"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a ranking. share: of the longest, 0 to 100. key: what a filter of it is called, "" when there is none."""

    label: str
    count: int
    visitors: int
    share: float
    key: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened to modules. step: where on the axis, from 0."""

    step: int
    text: str


class Series:
    """Counts by event and step; of the stretch and of the one before."""

    def __init__(self, rows: Sequence[dict[str, Any]], window: Window) -> None:
        self.window = window
        self._rows: dict[tuple[str, str], dict[str, int]] = {}
        for row in rows:
            self._rows[row["event"], row["at"]] = row

    def of(self, event: str, what: str = "count", *, before: bool = False) -> list[int]:
        steps = self.window.steps_before if before else self.window.steps
        return [int(self._rows.get((event, step), {}).get(what) or 0) for step in steps]

    def sum(self, event: str, what: str = "count", *, before: bool = False) -> int:
        return sum(self.of(event, what, before=before))

    def sums(self, events: Sequence[str], *, before: bool = False) -> int:
        return sum(self.sum(event, before=before) for event in events)

    @property
    def anything(self) -> bool:
        return any(row["count"] for row in self._rows.values())


def key_figures(series: Series, window: Window) -> list[Figure]:
    """Views, visitors, forms sent, error rate."""
    views, visitors = series.of("view"), series.of("view", "visitors")
    sent, seen = series.of("submit"), sum(views)
    failed, tried = series.sums(tuple(FAILURES)), series.sums(TRIED)
    failed_before, tried_before = series.sums(tuple(FAILURES), before=True), series.sums(TRIED, before=True)
    rate = failed / tried if tried else 0.0
    rates = [_share(series, number) for number in range(window.length)]
    before = f"the {window.before} before"
    points = (rate - failed_before / tried_before) * 100 if tried and tried_before else None
    seen_before, people_before = series.sum("view", before=True), series.sum("view", "visitors", before=True)
    people = sum(visitors)
    added_up = {"hour": "Each hour's, added up; ", "day": "Each day's, added up; "}[window.grain]
    added_up = (
        added_up if window.length > 1 else ""
    )  # who comes on two days is two: nothing kept tells that they are one
    return [
        Figure("Views", seen, "number", _vs(seen_before, before), _change(seen, seen_before), _floats(views)),
        Figure(
            "Visitors", people, "number", f"{added_up}{_vs(people_before, before)}", _change(people, people_before),
            _floats(visitors),
        ),
        Figure(
            "Forms sent", sum(sent), "number", f"{sum(sent) / seen:.1%} of views" if seen else "No views yet",
            _change(sum(sent), series.sum("submit", before=True)), _floats(sent),
        ),
        Figure(
            "Error rate", rate, "percent", f"{failed:,} of {tried:,} page starts, calls and runs" if tried else "Nothing was tried",
            _points(points), rates, "bad" if rate >= 0.01 else "ok",
        ),
    ]  # fmt: skip


def more_facts(series: Series) -> list[tuple[str, str, str]]:
    """(label, figure, what it is of) of what is measured beside the key figures."""
    found = []
    times, mounts = series.sum("time", "total"), series.sum("mount")
    if times and mounts:
        found.append(("Time on a page", _duration(times / mounts), f"on average, of {mounts:,} page starts"))
    again, visitors = series.sum("view", "repeats"), series.sum("view", "visitors")
    if visitors:
        found.append(("Looked more than once", f"{again / visitors:.0%}", "of visitors, within a day"))
    return found


def funnel(series: Series) -> list[Line]:
    """Seen, begun, sent. A form that was sent was begun, also where no script could tell."""
    seen, sent = series.sum("view"), series.sum("submit")
    if not sent and not series.sum("start"):
        return []
    begun = max(series.sum("start"), sent)
    steps = (("Saw a page", seen), ("Began a form", begun), ("Sent it", sent))
    return [Line(label, count, 0, count / seen * 100 if seen else 0) for label, count in steps]


def ranking(tops: Sequence[dict[str, Any]], dimension: str, *, event: str = "view", most: int = 8) -> list[Line]:
    rows = [row for row in tops if (row["dimension"], row["event"]) == (dimension, event)]
    longest = max((row["count"] for row in rows), default=0)
    return [
        Line(row["value"], row["count"], row["visitors"], row["count"] / longest * 100, row["value"])
        for row in rows[:most]
    ]


def versions(tops: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """{version, view, mount, error, submit} of each version, the most seen first."""
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"view": 0, "mount": 0, "error": 0, "submit": 0})
    for row in tops:
        if row["dimension"] == "version" and row["event"] in ("view", "mount", "error", "submit"):
            found[row["value"]][row["event"]] = row["count"]
    return sorted(({"version": name, **row} for name, row in found.items()), key=lambda row: -row["view"])


def marks(rows: Sequence[dict[str, Any]], window: Window) -> list[Mark]:
    """What happened to modules, at the step it happened in; several of one step in one mark."""
    places = {step: number for number, step in enumerate(window.steps)}
    by_step: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        if row["at"] in places:
            times = f" on {row['count']} sites" if row["count"] > 1 else ""
            version = f" {row['version']}" if row["event"] != "removed" else ""
            by_step[places[row["at"]]].append(
                f"{row['module'] or 'A module'}: {MARKS[row['event']].lower()}{version}{times}"
            )
    return [
        Mark(step, "; ".join(texts[:4]) + (" …" if len(texts) > 4 else "")) for step, texts in sorted(by_step.items())
    ]


def _share(series: Series, number: int) -> float:
    tried = sum(series.of(event)[number] for event in TRIED)
    return sum(series.of(event)[number] for event in FAILURES) / tried if tried else 0.0


def _floats(values: Sequence[int]) -> list[float]:
    return [float(value) for value in values]


def _vs(before: int, what: str) -> str:
    return f"vs {before:,}, {what}"


def _change(now: float, before: float) -> Change | None:
    """In percent of before; None where there was nothing before, of which there are no percent."""
    if not before:
        return None
    share = (now - before) / before
    return Change(f"{share:+.1%}", "ok" if share > 0 else "bad" if share < 0 else "neutral", share >= 0)


def _points(points: float | None) -> Change | None:
    """Percentage points of a rate that had better be low."""
    if points is None or abs(points) < 0.005:
        return None
    return Change(f"{points:+.2f} pt", "bad" if points > 0 else "ok", points > 0)


def _duration(milliseconds: float) -> str:
    seconds = round(milliseconds / 1000)
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
