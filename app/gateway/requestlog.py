"""external_api_requests: every answered call, queued in the process and written in batches by one thread.

Nothing on the way of a request waits for it. A clean stop writes what is queued; a crash may lose the last half second.
Batches are one INSERT from arrays: COPY is not possible into a table with row-level security.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from multiprocessing.util import Finalize
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from app.db.pools import runtime_pool
from app.queue.enqueue import wake

log = logging.getLogger(__name__)

EVERY_S = 0.5
BATCH = 500
MOST_QUEUED = 50_000
STOP_WITHIN_S = 5.0

_INSERT = """
INSERT INTO external_api_requests (at, request_id, agency_id, site_id, install_id, credential, surface, method, path, status,
                                   duration_us, bytes_out, ip, user_agent, origin, error_code)
SELECT * FROM unnest(%b::timestamptz[], %b::text[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[],
                     %b::text[], %b::smallint[], %b::integer[], %b::integer[], %b::inet[], %b::text[], %b::text[], %b::text[])
"""
_USED = "SELECT api_keys_used(%b::uuid[], %b::timestamptz[], %b::inet[])"
NO_PARTITION = "23514"  # check_violation: PostgreSQL's word for "no partition takes this row"


class Entry(NamedTuple):
    """One answered call. path: without its query, which may say who somebody looked for. address: '' when not known."""

    at: datetime
    request_id: str
    agency_id: UUID
    site_id: UUID
    install_id: UUID | None
    credential: str
    surface: str
    method: str
    path: str
    status: int
    duration_us: int
    bytes_out: int
    address: str | None
    user_agent: str
    origin: str
    error_code: str


class RequestLog:
    """The queue of one process and the thread that empties it. `beats` are called with each round, every half second."""

    def __init__(self, *beats: Callable[[], None], at_stop: Callable[[], None] = lambda: None) -> None:
        self.dropped = 0  # since the last round
        self._queue: deque[Entry] = deque()
        self._used: dict[UUID, tuple[datetime, str | None]] = {}
        self._beats = beats
        self._at_stop = at_stop
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._process = 0
        self._thread: threading.Thread | None = None

    def add(self, entry: Entry, key_id: UUID | None = None) -> None:
        """Queue a call; never blocks. key_id: the API key that was used, for its `last used`."""
        if self._process != os.getpid():
            self._start()
        if len(self._queue) >= MOST_QUEUED:
            self.dropped += 1
            return
        self._queue.append(entry)
        if key_id is not None:
            self._used[key_id] = (entry.at, entry.address)
        if self._stopping.is_set():
            self.flush()  # the thread is gone: an answer that was still being made writes itself
        elif len(self._queue) >= BATCH and not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Write everything that is queued now."""
        with self._writing:
            while self._queue and self._write_batch():
                pass
            self._write_used()

    def stop(self) -> None:
        """Write what is queued and end the thread; for a clean end of the process. Safe to repeat."""
        if self._process != os.getpid() or self._stopping.is_set():
            return
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(STOP_WITHIN_S)
        self.flush()
        self._at_stop()

    def _start(self) -> None:
        with self._writing:
            if self._process == os.getpid():
                return
            self._stopping.clear()
            self._process = os.getpid()
            self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
            self._thread.start()
        # a server's worker processes are multiprocessing children, which end without atexit
        Finalize(self, self.stop, exitpriority=100)
        atexit.register(self.stop)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(EVERY_S)
            self._wake.clear()
            try:
                self.flush()
                for beat in self._beats:
                    beat()
            except Exception:  # the thread lives as long as the process: what fails once may work the next time
                log.exception("the request log stumbled")

    def _write_batch(self) -> bool:
        """Write up to BATCH entries; False when the database did not take them, which stay queued."""
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        try:
            with runtime_pool().connection() as connection:
                connection.execute(_INSERT, [list(column) for column in zip(*batch, strict=True)], binary=False)
        except psycopg.DataError:
            log.exception("%d lines of the request log cannot be kept", len(batch))
        except (psycopg.Error, PoolTimeout, OSError) as error:
            self._queue.extendleft(reversed(batch))
            log.error("the request log is waiting, %d lines queued: %s", len(self._queue), error)
            if getattr(error, "sqlstate", None) == NO_PARTITION:
                wake("gateway.partitions")
            return False
        if self.dropped:
            log.error("the request log was full, %d lines were dropped", self.dropped)
            self.dropped = 0
        return True

    def _write_used(self) -> None:
        if not self._used:
            return
        used, self._used = self._used, {}
        moments, addresses = zip(*used.values(), strict=True)
        try:
            with runtime_pool().connection() as connection:
                connection.execute(_USED, [list(used), list(moments), list(addresses)])
        except (psycopg.Error, PoolTimeout, OSError) as error:
            log.error("when keys were last used is not noted: %s", error)
