"""What every check gets, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.modules.manifest import Problem
from app.modules.package import Package
from app.runtime.acceptance.runner import Result
from app.runtime.functions.asked import Question

MOST_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Work:
    """A version on its way. before: the release it would follow, its files read anew; before_version: its number."""

    package: Package
    now: datetime
    before: Package | None = None
    before_version: str = ""
    tested: Callable[[Result], None] = lambda result: None
    asked: list[Question] = field(default_factory=list)
    """What functions asked of their tables in the acceptance tests, once these ran."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check says. detail: one sentence; notes: further ones; problems: errors among them refuse the version."""

    detail: str
    notes: Sequence[str] = ()
    problems: Sequence[Problem] = field(default_factory=tuple)

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]


class Stopped(Exception):
    """A check found something that must be mended."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(str(problems[0]))
        self.problems = list(problems)


def told(sentences: Sequence[str], *, none: str) -> str:
    """The first sentences as one line."""
    if not sentences:
        return none
    rest = len(sentences) - MOST_SHOWN
    return "; ".join(sentences[:MOST_SHOWN]) + (f"; and {rest} more" if rest > 0 else "")


def count(number: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"
