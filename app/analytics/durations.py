"""How long API calls and functions take: within what time half of them stayed, and 19 of 20; over time and against before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.analytics.windows import Window

STEP = 8 / 7  # each step of a duration is so much longer than the one before (sum_calls.sql)
FEW = 20  # durations below which a percentile of a stretch says nothing
LABELS = {"call": "API calls", "run": "Functions"}


@dataclass(frozen=True, slots=True)
class Pair:
    """Milliseconds within which half stayed, and 19 of 20; at most a seventh too high."""

    half: float
    most: float


@dataclass(frozen=True, slots=True)
class Course:
    """Durations of one kind. now, before: of a whole stretch, None of too few. half, most: of each step, None where nothing
    was measured; and of the steps before.
    """

    event: str
    label: str
    count: int
    now: Pair | None
    before: Pair | None
    half: list[float | None]
    most: list[float | None]
    half_before: list[float | None]
    most_before: list[float | None]

    @property
    def change(self) -> float | None:
        """How much longer 19 of 20 take than before, as a share; None when either is not known."""
        return self.now.most / self.before.most - 1 if self.now and self.before else None


def courses(rows: Sequence[dict[str, Any]], window: Window) -> list[Course]:
    """Of each kind that was measured in the stretch. rows: what dashboard.sql says of latency."""
    found = []
    for event, label in LABELS.items():
        own = {(row["now"], row["at"]): row for row in rows if row["event"] == event}
        if (True, "") not in own:
            continue
        steps = [_pair(own.get((True, at))) for at in window.steps]
        before = [_pair(own.get((False, at))) for at in window.steps_before]
        found.append(
            Course(
                event, label, int(own[True, ""]["count"]), _of_stretch(own.get((True, ""))), _of_stretch(own.get((False, ""))),
                _halves(steps), _mosts(steps), _halves(before), _mosts(before),
            )
        )  # fmt: skip
    return found


def _of_stretch(row: dict[str, Any] | None) -> Pair | None:
    return _pair(row) if row and row["count"] >= FEW else None


def _pair(row: dict[str, Any] | None) -> Pair | None:
    return Pair(_milliseconds(row["half"]), _milliseconds(row["most"])) if row else None


def _milliseconds(step: int) -> float:
    """The end of a step, in the digits that it is known by."""
    found = STEP**step / 1000
    return round(found, 1) if found < 10 else float(round(found))


def _halves(pairs: Sequence[Pair | None]) -> list[float | None]:
    return [pair.half if pair else None for pair in pairs]


def _mosts(pairs: Sequence[Pair | None]) -> list[float | None]:
    return [pair.most if pair else None for pair in pairs]
