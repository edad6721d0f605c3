"""The queue writer by itself: what is queued is written once, waits while the database is away, and a stop loses nothing."""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from app.db import behind
from app.db.behind import QueueWriter


class Numbers(QueueWriter[int, str]):
    """Writes numbers as text, to a list in the place of a table. `fail`: raised by the next write."""

    def __init__(self, *beats: Callable[[], None], batch: int = 3, most_queued: int = 10, every_s: float = 60) -> None:
        super().__init__(
            "the numbers",
            batch=batch,
            most_queued=most_queued,
            beats=beats,
            every_s=every_s,
            at_stop=lambda: self.told.append("stopped"),
        )
        self.writes: list[list[str]] = []
        self.told: list[str] = []
        self.fail: Exception | None = None

    def prepared(self, items: list[int]) -> list[str]:
        self.told += [f"prepared {item}" for item in items]
        return [str(item) for item in items if item >= 0]

    def write(self, connection: psycopg.Connection, rows: list[str]) -> None:
        if self.fail is not None:
            raise self.fail
        self.writes.append(rows)

    def after_writing(self) -> None:
        self.told.append("after")

    def no_partition(self) -> None:
        self.told.append("no partition")


class Pool:
    """The place of the runtime pool: a writer of this file needs no connection."""

    @contextmanager
    def connection(self) -> Iterator[None]:
        yield


@pytest.fixture(autouse=True)
def pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "runtime_pool", Pool)


def test_a_flush_writes_in_batches_and_leaves_out_what_is_no_row() -> None:
    numbers = Numbers(batch=100)
    for number in (1, 2, -3, 4, 5):
        numbers.add(number)
    numbers.batch = 3  # smaller from the start would have woken the thread
    numbers.flush()
    assert numbers.writes == [["1", "2"], ["4", "5"]]
    assert numbers.queued == 0


def test_the_thread_writes_by_itself_and_beats_after_each_round() -> None:
    beaten = threading.Event()
    numbers = Numbers(beaten.set, every_s=0.01)
    numbers.add(1)
    assert beaten.wait(5)
    numbers.stop()
    assert numbers.writes == [["1"]]


def test_a_full_batch_wakes_the_thread() -> None:
    beaten = threading.Event()
    numbers = Numbers(beaten.set, batch=2, every_s=60)
    numbers.add(1)
    numbers.add(2)
    assert beaten.wait(5)
    assert [row for rows in numbers.writes for row in rows] == ["1", "2"]


def test_what_does_not_fit_is_counted_and_the_count_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    numbers = Numbers(batch=10, most_queued=2)
    for number in range(5):
        numbers.add(number)
    assert (numbers.dropped, numbers.queued) == (3, 2)
    with caplog.at_level(logging.ERROR):
        numbers.flush()
    assert [record.getMessage() for record in caplog.records] == ["the numbers was full, 3 were dropped"]
    assert (numbers.dropped, numbers.writes) == (0, [["0", "1"]])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (psycopg.OperationalError("gone"), ["prepared 1", "after", "after"]),
        (psycopg.errors.CheckViolation("no partition of relation"), ["prepared 1", "no partition", "after", "after"]),
    ],
)
def test_what_the_database_does_not_take_waits_and_is_prepared_once(
    error: Exception, told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    numbers = Numbers()
    numbers.add(1)
    numbers.fail = error
    with caplog.at_level(logging.CRITICAL):
        numbers.flush()
    assert (numbers.queued, numbers.writes) == (1, [])
    numbers.fail = None
    numbers.flush()
    assert (numbers.queued, numbers.writes, numbers.told) == (0, [["1"]], told)


def test_what_can_never_be_kept_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    numbers = Numbers()
    numbers.add(1)
    numbers.fail = psycopg.errors.NumericValueOutOfRange("too large")
    with caplog.at_level(logging.CRITICAL):
        numbers.flush()
    numbers.fail = None
    numbers.add(2)
    numbers.flush()
    assert numbers.writes == [["2"]]


def test_the_thread_lives_through_a_failing_beat(caplog: pytest.LogCaptureFixture) -> None:
    beats = threading.Semaphore(0)

    def beat() -> None:
        beats.release()
        raise ValueError("no")

    numbers = Numbers(beat, every_s=0.01)
    with caplog.at_level(logging.CRITICAL):
        numbers.add(1)
        assert all(beats.acquire(timeout=5) for _ in range(2))
        numbers.stop()


def test_a_stop_writes_first_and_then_says_that_it_is_over() -> None:
    numbers = Numbers(batch=10)
    numbers.stop()
    assert numbers.told == []  # nothing was ever added
    numbers.add(1)
    numbers.stop()
    numbers.stop()
    assert numbers.writes == [["1"]]
    assert (numbers.told[0], numbers.told[-1], numbers.told.count("stopped")) == ("prepared 1", "stopped", 1)
    numbers.add(2)  # an answer that was still being made
    assert numbers.writes == [["1"], ["2"]]


def _in_a_child(numbers: Numbers, told: multiprocessing.SimpleQueue[object]) -> None:
    before = numbers.queued
    numbers.add(7)
    numbers.stop()
    told.put((before, numbers.writes))


def test_a_forked_child_has_a_queue_and_a_thread_of_its_own() -> None:
    """Also when the thread of the parent was in the middle of a write: the child's lock is a new one."""
    numbers = Numbers(batch=10)
    numbers.add(1)
    fork = multiprocessing.get_context("fork")
    told = fork.SimpleQueue()
    with numbers._writing:
        child = fork.Process(target=_in_a_child, args=(numbers, told))
        child.start()
    child.join(20)
    assert (child.exitcode, told.get()) == (0, (0, [["7"]]))
    numbers.stop()
    assert numbers.writes == [["1"]]
