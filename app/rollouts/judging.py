"""Whether an install does worse since its upgrade than before it. Pure; numbers that a quiet site does not reach by chance.

Errors and times are held against the install's own 7 days before, so that a module that always was slow is not blamed on its
new version. Below the least counts nothing is judged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

LEAST_TRIED = 12  # calls and runs together
LEAST_FAILED = 5
MANY_TRIED = 200
MARGIN, MARGIN_OF_MANY = 10.0, 3.0  # percentage points above the base; many calls tell a smaller difference from chance
LEAST_TIMED = 50  # calls, on either side, before their p95 says anything
SLOWER_TIMES, SLOWER_MS = 2.0, 250.0
PAGES_TIMES = 3.0
BASE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a while. failed: by no fault of the caller; pages_failed: visitors' pages that ended in an error."""

    calls: int = 0
    calls_failed: int = 0
    p95_ms: float | None = None
    runs: int = 0
    runs_failed: int = 0
    pages_failed: int = 0

    @property
    def tried(self) -> int:
        return self.calls + self.runs

    @property
    def failed(self) -> int:
        return self.calls_failed + self.runs_failed

    @property
    def error_rate(self) -> float:
        """In percent; 0 when nothing was tried."""
        return self.failed * 100 / self.tried if self.tried else 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Figures:
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


@dataclass(frozen=True, slots=True)
class Verdict:
    """breach: why to go back, '' when all is well. slow: calls take too long now; twice in a row is a breach."""

    breach: str = ""
    slow: bool = False


def judge(base: Figures, now: Figures, *, watched: timedelta, was_slow: bool) -> Verdict:
    """base: of BASE before the upgrade; now: of `watched` since. was_slow: what the last look found."""
    if reason := _errors(base, now) or _pages(base, now, watched):
        return Verdict(reason)
    slow = _slow(base, now)
    return Verdict(slow if slow and was_slow else "", bool(slow))


def _errors(base: Figures, now: Figures) -> str:
    if now.tried < LEAST_TRIED or now.failed < LEAST_FAILED:
        return ""
    margin = MARGIN if now.tried < MANY_TRIED else MARGIN_OF_MANY
    if now.error_rate < base.error_rate + margin or now.error_rate < 2 * base.error_rate:
        return ""
    return (
        f"{now.failed} of {now.tried} calls and runs failed since the upgrade ({now.error_rate:.0f} %); "
        f"before it {base.error_rate:.1f} % did."
    )


def _pages(base: Figures, now: Figures, watched: timedelta) -> str:
    """Pages that worked are not counted anywhere, so failures are held against those of as long a while before."""
    usual = base.pages_failed * (watched / BASE)
    if now.pages_failed < LEAST_FAILED or now.pages_failed < PAGES_TIMES * usual:
        return ""
    return f"{now.pages_failed} visitors' pages ended in an error since the upgrade; before it, {usual:.1f} in as long a time."


def _slow(base: Figures, now: Figures) -> str:
    if base.p95_ms is None or now.p95_ms is None or min(base.calls, now.calls) < LEAST_TIMED:
        return ""
    if now.p95_ms < SLOWER_TIMES * base.p95_ms or now.p95_ms < base.p95_ms + SLOWER_MS:
        return ""
    return f"One call in twenty takes {now.p95_ms:.0f} ms or longer since the upgrade; before it, {base.p95_ms:.0f} ms."
