"""When an upgrade counts as worse: against its own base, and never on few calls."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.rollouts.judging import Figures, judge

HALF = timedelta(minutes=30)
CALM = Figures(calls=1000, calls_failed=2, p95_ms=80, runs=200, runs_failed=1)


@pytest.mark.parametrize(
    ("base", "now", "breach"),
    [
        (CALM, Figures(calls=30, calls_failed=10), True),
        (CALM, Figures(calls=11, calls_failed=11), False),  # too few
        (CALM, Figures(calls=100, calls_failed=4), False),
        (CALM, Figures(calls=100, calls_failed=8), False),  # 8 % of few
        (CALM, Figures(calls=2000, calls_failed=80), True),  # 4 % of many
        (CALM, Figures(runs=12, runs_failed=5), True),
        (Figures(), Figures(calls=12, calls_failed=5), True),  # a quiet site without a base
        (Figures(calls=100, calls_failed=30), Figures(calls=100, calls_failed=35), False),  # it always was like that
        (Figures(calls=100, calls_failed=30), Figures(calls=100, calls_failed=70), True),
        (CALM, Figures(pages_failed=5), True),
        (CALM, Figures(pages_failed=4), False),
        (Figures(pages_failed=1000), Figures(pages_failed=6), False),
        (CALM, Figures(), False),
    ],
)
def test_errors(base: Figures, now: Figures, breach: bool) -> None:
    verdict = judge(base, now, watched=HALF, was_slow=False)
    assert (bool(verdict.breach), verdict.slow) == (breach, False)


@pytest.mark.parametrize(
    ("base", "now", "slow"),
    [
        (CALM, Figures(calls=60, p95_ms=400), True),
        (CALM, Figures(calls=49, p95_ms=4000), False),
        (CALM, Figures(calls=60, p95_ms=300), False),  # more than twice, but not by much
        (Figures(calls=60, p95_ms=900), Figures(calls=60, p95_ms=1300), False),
        (Figures(calls=20, p95_ms=10), Figures(calls=60, p95_ms=1300), False),  # no base to speak of
    ],
)
def test_slow_answers_count_the_second_time_in_a_row(base: Figures, now: Figures, slow: bool) -> None:
    first = judge(base, now, watched=HALF, was_slow=False)
    assert (first.breach, first.slow) == ("", slow)
    assert bool(judge(base, now, watched=HALF, was_slow=True).breach) == slow


def test_figures_survive_being_kept() -> None:
    assert Figures.from_dict({**CALM.to_dict(), "later": 1}) == CALM
