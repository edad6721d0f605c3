"""A function that fails every time rests, in every process, and is tried again later."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.access.actors import SYSTEM
from app.lib.ids import uuid7
from app.runtime.functions import run
from app.runtime.functions.breaker import FIRST_S, LONGEST_S, MOST_FAILURES, TRY_S, Breakers, FunctionRests
from app.runtime.functions.errors import FunctionFailed, RefusedByFunction
from app.runtime.functions.run import run_function
from app.runtime.sandbox.pool import SandboxTimeout
from tests.support.modules import Installed


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(platform_app: Flask, clock: Clock) -> Iterator[Callable[[], Breakers]]:
    """Another process with the same Valkey."""
    prefix = f"dramac:breakers-test-{uuid7().hex}:"
    return lambda: Breakers(clock, prefix)


INSTALL = uuid7()


def attempt(breakers: Breakers, failing: Exception | None = None, *, waited_for: bool = False) -> str:
    try:
        with breakers.guarding(INSTALL, "work", waited_for=waited_for):
            if failing is not None:
                raise failing
    except FunctionRests:
        return "rests"
    except (FunctionFailed, RefusedByFunction, ValueError):
        return "failed"
    return "worked"


def fail_until_it_rests(breakers: Breakers) -> None:
    for _ in range(MOST_FAILURES):
        assert attempt(breakers, FunctionFailed()) == "failed"


def test_after_failures_in_a_row_it_rests_in_every_process(process: Callable[[], Breakers]) -> None:
    here, there = process(), process()
    fail_until_it_rests(here)
    assert (attempt(here), attempt(there)) == ("rests", "rests")
    with here.guarding(INSTALL, "another", waited_for=False):
        pass
    [broken] = there.resting(INSTALL)
    assert (broken.function, broken.failures, broken.wait_s) == ("work", MOST_FAILURES, FIRST_S)


def test_one_success_between_failures_keeps_it_going(process: Callable[[], Breakers]) -> None:
    here = process()
    for _ in range(MOST_FAILURES - 1):
        attempt(here, FunctionFailed())
    attempt(here)
    for _ in range(MOST_FAILURES - 1):
        attempt(here, FunctionFailed())
    assert attempt(here) == "worked"


def test_after_its_rest_one_process_tries_and_a_success_ends_it(process: Callable[[], Breakers], clock: Clock) -> None:
    here, there = process(), process()
    fail_until_it_rests(here)
    clock.now += FIRST_S + 1
    with here.guarding(INSTALL, "work", waited_for=False):
        assert attempt(there) == "rests"
    clock.now += 2
    assert (attempt(there), there.resting(INSTALL)) == ("worked", [])


def test_each_failed_try_doubles_the_rest_up_to_half_an_hour(process: Callable[[], Breakers], clock: Clock) -> None:
    here = process()
    fail_until_it_rests(here)
    waits = []
    for _ in range(8):
        clock.now += LONGEST_S + 1
        assert attempt(here, FunctionFailed("It broke.")) == "failed"
        waits.append(here.resting(INSTALL)[0].wait_s)
        assert attempt(here) == "rests"
    assert waits == [60, 120, 240, 480, 960, 1800, 1800, 1800]
    assert here.resting(INSTALL)[0].error == "It broke."


def costly() -> FunctionFailed:
    error = FunctionFailed()
    error.__cause__ = SandboxTimeout()
    return error


def test_where_somebody_waits_only_what_costs_time_counts(process: Callable[[], Breakers]) -> None:
    here = process()
    for _ in range(MOST_FAILURES * 2):  # a visitor who provokes errors switches nothing off
        attempt(here, FunctionFailed(), waited_for=True)
    assert attempt(here, waited_for=True) == "worked"
    for _ in range(MOST_FAILURES):
        attempt(here, costly(), waited_for=True)
    assert attempt(here, waited_for=True) == "rests"


@pytest.mark.parametrize("error", [RefusedByFunction(), ValueError()])
def test_refusals_and_faults_of_ours_are_no_failures(process: Callable[[], Breakers], error: Exception) -> None:
    here = process()
    for _ in range(MOST_FAILURES * 2):
        attempt(here, error)
    assert attempt(here) == "worked"


def test_a_reset_lets_it_run_at_once(process: Callable[[], Breakers], clock: Clock) -> None:
    here, there = process(), process()
    fail_until_it_rests(here)
    assert (there.reset(INSTALL, "work"), there.reset(INSTALL, "work")) == (True, False)
    clock.now += 2  # what the other process read a moment ago
    assert attempt(here) == "worked"


def test_a_process_that_died_while_trying_blocks_nobody_for_long(process: Callable[[], Breakers], clock: Clock) -> None:
    here = process()
    fail_until_it_rests(here)
    clock.now += FIRST_S + 1
    with pytest.raises(FunctionRests) as told, here.guarding(INSTALL, "work", waited_for=False):
        process().guarding(INSTALL, "work", waited_for=False).__enter__()
    assert told.value.retry_after_s == TRY_S


def test_a_run_goes_through_the_breaker_and_the_test_of_an_author_does_not(
    tools: Installed, process: Callable[[], Breakers], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = process()
    monkeypatch.setattr(run, "breakers", here)

    def throws(trigger: Any) -> None:
        with pytest.raises(FunctionFailed):
            run_function(tools.context, "do", {"steps": [["throw", "No."]]}, trigger=trigger, actor=SYSTEM)

    for _ in range(MOST_FAILURES):
        throws("event")
    with pytest.raises(FunctionRests):
        run_function(tools.context, "do", {"steps": []}, trigger="event", actor=SYSTEM)
    throws("test")
    install: UUID = tools.context.install_id
    assert "No." in here.resting(install)[0].error
