"""Rows nobody waits for: queued in the process and written in batches by one thread.

Nothing on the way of a request waits for them. A clean stop writes what is queued; a crash may lose the last half second.
Writers send one INSERT from arrays: COPY is not possible into a table with row-level security.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from multiprocessing.util import Finalize
from typing import Any, Generic, TypeVar
from weakref import WeakSet

import psycopg
from psycopg_pool import PoolTimeout

from app.db.pools import runtime_pool

log = logging.getLogger(__name__)

EVERY_S = 0.5
STOP_WITHIN_S = 5.0
NO_PARTITION = "23514"  # check_violation: PostgreSQL's word for "no partition takes this row"

Item = TypeVar("Item")
Row = TypeVar("Row")

_writers: WeakSet[QueueWriter[Any, Any]] = WeakSet()


class QueueWriter(ABC, Generic[Item, Row]):
    """The queue of one process and the thread that empties it. A writer says how an item becomes a row and how rows are written.

    name: what the log calls it. batch: most rows of one write. most_queued: what comes on top is dropped and counted.
    beats: called by the thread after each round, every half second. at_stop: called once, when the last row is written.
    """

    def __init__(
        self,
        name: str,
        *,
        batch: int,
        most_queued: int,
        beats: Sequence[Callable[[], None]] = (),
        at_stop: Callable[[], None] = lambda: None,
        every_s: float = EVERY_S,
    ) -> None:
        self.name, self.batch, self.most_queued, self.every_s = name, batch, most_queued, every_s
        self._beats, self._at_stop = beats, at_stop
        self._start_anew()
        _writers.add(self)

    @abstractmethod
    def prepared(self, items: list[Item]) -> list[Row]:
        """The rows of these items; called once for each item, by the thread."""

    @abstractmethod
    def write(self, connection: psycopg.Connection, rows: list[Row]) -> None:
        """Write rows, all or none. psycopg.DataError: they can never be kept; any other error of the database: not now."""

    def after_writing(self) -> None:
        """What else is written with each round, whether the rows were taken or not."""

    def no_partition(self) -> None:
        """Called when the table has no partition for a row, which waits until there is one."""

    @property
    def queued(self) -> int:
        """Items and rows that are not written yet."""
        return len(self._queue) + len(self._ready)

    def add(self, item: Item) -> None:
        """Queue an item; never blocks while the thread is there."""
        if self._thread is None:
            self._start()
        if self.queued >= self.most_queued:
            self.dropped += 1
            return
        self._queue.append(item)
        if self._stopping.is_set():
            self.flush()  # the thread is gone: an answer that was still being made writes itself
        elif len(self._queue) >= self.batch and not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Write everything that is queued now."""
        with self._writing:
            while self._queue or self._ready:
                items = [self._queue.popleft() for _ in range(min(self.batch, len(self._queue)))]
                self._ready.extend(self.prepared(items))
                if not self._write_ready():
                    break
            self.after_writing()

    def stop(self) -> None:
        """Write what is queued and end the thread; for a clean end of the process. Safe to repeat."""
        if self._thread is None or self._stopping.is_set():
            return
        self._stopping.set()
        self._wake.set()
        self._thread.join(STOP_WITHIN_S)
        self.flush()
        self._at_stop()

    def _start_anew(self) -> None:
        """As made: nothing queued, no thread. In a forked child the queue is the parent's, who writes it, and locks may be held."""
        self.dropped = 0  # since the last write that went through
        self._queue: deque[Item] = deque()
        self._ready: deque[Row] = deque()  # prepared, not yet taken by the database
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        with self._writing:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name=self.name.replace(" ", "-"), daemon=True)
            thread.start()
            self._thread = thread
        # a server's worker processes are multiprocessing children, which end without atexit
        Finalize(self, self.stop, exitpriority=100)
        atexit.register(self.stop)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self.every_s)
            self._wake.clear()
            try:
                self.flush()
                for beat in self._beats:
                    beat()
            except Exception:  # the thread lives as long as the process: what fails once may work the next time
                log.exception("%s stumbled", self.name)

    def _write_ready(self) -> bool:
        """Write up to a batch of what is prepared; False when the database did not take it, which stays."""
        rows = list(islice(self._ready, self.batch))
        if not rows:
            return True
        try:
            with runtime_pool().connection() as connection:
                self.write(connection, rows)
        except psycopg.DataError:
            log.exception("%s: %d rows cannot be kept", self.name, len(rows))
        except (psycopg.Error, PoolTimeout, OSError) as error:
            log.error("%s is waiting, %d queued: %s", self.name, self.queued, error)
            if getattr(error, "sqlstate", None) == NO_PARTITION:
                self.no_partition()
            return False
        for _ in rows:
            self._ready.popleft()
        if self.dropped:
            log.error("%s was full, %d were dropped", self.name, self.dropped)
            self.dropped = 0
        return True


def _start_all_anew() -> None:
    for writer in list(_writers):
        writer._start_anew()


os.register_at_fork(after_in_child=_start_all_anew)
