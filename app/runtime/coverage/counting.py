"""What a test run reached, added up over all its calls, and told by file, line and function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from app.runtime.coverage.marks import Marked, Point, mark, reached

LineState = Literal["ran", "part", "not"]
SLOWER = 3  # counting takes time as well: the processor time a call may use is this many times as long

_current: ContextVar[Coverage | None] = ContextVar("coverage", default=None)


@dataclass(frozen=True, slots=True)
class Part:
    """One function of a file. name: "" for one without; statements: (reached, all) of its own, without inner functions."""

    name: str
    line: int
    last: int
    called: bool
    statements: tuple[int, int]


@dataclass(frozen=True, slots=True)
class FileCoverage:
    """One file. measured: whether it could be counted in; lines: {number: state} of those that hold a statement."""

    path: str
    measured: bool
    statements: tuple[int, int] = (0, 0)
    branches: tuple[int, int] = (0, 0)
    lines: Mapping[int, LineState] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()

    @property
    def percent(self) -> int:
        """Of statements and branches together, 100 only when nothing is left."""
        ran, every = self.statements[0] + self.branches[0], self.statements[1] + self.branches[1]
        return int(100 * ran / every) if every else 100


class Coverage:
    """Counts while `counting(self)` holds. files: {path: source} of every function, called or not."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._marked = {path: mark(source) for path, source in files.items()}
        self._reached: dict[str, set[int]] = {path: set() for path in files}

    def marked(self, path: str) -> Marked | None:
        """The source with counters; None for one that is run as it is."""
        return self._marked.get(path)

    def forget(self, path: str) -> None:
        """Run this file as it is from now on: with counters it did not even load."""
        self._marked[path] = None

    def add(self, path: str, hits: str) -> None:
        """What one call reached: "1" or "0" for each counter."""
        marked = self._marked.get(path)
        if marked is not None:
            self._reached[path].update(reached(marked, hits))

    def report(self) -> tuple[FileCoverage, ...]:
        """Every file by path."""
        return tuple(self._file(path, marked) for path, marked in sorted(self._marked.items()))

    def _file(self, path: str, marked: Marked | None) -> FileCoverage:
        if marked is None:
            return FileCoverage(path, measured=False)
        ran = self._reached[path]
        points = list(enumerate(marked.points))
        parts = tuple(
            Part(
                unit.name, unit.line, unit.last,
                any(index in ran for index, point in points if point.owner == number and point.kind == "function"),
                _of(points, ran, "statement", number),
            )
            for number, unit in enumerate(marked.units)
        )  # fmt: skip
        return FileCoverage(
            path, True, _of(points, ran, "statement"), _of(points, ran, "branch"), _lines(points, ran), parts
        )


def _of(points: list[tuple[int, Point]], ran: set[int], kind: str, owner: int | None = None) -> tuple[int, int]:
    mine = [index for index, point in points if point.kind == kind and owner in (None, point.owner)]
    return sum(index in ran for index in mine), len(mine)


def _lines(points: list[tuple[int, Point]], ran: set[int]) -> dict[int, LineState]:
    """A line ran when every statement and branch on it did, in part when some did."""
    states: dict[int, list[tuple[bool, bool]]] = {}
    for index, point in points:
        if point.kind != "function":
            states.setdefault(point.line, []).append((point.kind == "statement", index in ran))
    found: dict[int, LineState] = {}
    for line, seen in sorted(states.items()):
        some = any(hit for _, hit in seen)
        found[line] = "ran" if all(hit for _, hit in seen) else "part" if some else "not"
    return found


def under_way() -> Coverage | None:
    """The coverage of the test run this thread is in; None everywhere else."""
    return _current.get()


@contextmanager
def counting(coverage: Coverage) -> Iterator[None]:
    """Calls of functions in this thread count for it while this holds."""
    token = _current.set(coverage)
    try:
        yield
    finally:
        _current.reset(token)
