"""The account of every run: one row in module_function_runs, kept also when what the function did was undone."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import PoolTimeout

from app.access.actors import SYSTEM
from app.db.roles import RUNTIME
from app.errors import AppError
from app.lib.ids import uuid7
from app.runtime.context import InstallContext
from app.runtime.data.scoped import Scope, run_and_commit

log = logging.getLogger(__name__)

Trigger = Literal["route", "hook", "event", "schedule", "page", "test", "call", "inbound"]
Outcome = Literal["ok", "refused", "error", "timeout", "memory", "budget"]
MAX_ERROR = 2000
WAIT_S = 5.0

INSERT = (
    "INSERT INTO module_function_runs (id, agency_id, site_id, install_id, version, function, trigger, cause, request_id, "
    "outcome, error, logs, cpu_ms, host_calls, started_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run. cause: route path, table and event, event id, job name. cpu_ms: processor time in the sandbox."""

    function: str
    trigger: Trigger
    cause: str
    request_id: str
    outcome: Outcome
    error: str
    started_at: datetime
    logs: Sequence[dict[str, Any]] = field(default_factory=list)
    cpu_ms: float = 0.0
    host_calls: int = 0
    id: UUID = field(default_factory=uuid7)


def keep(context: InstallContext, runs: Sequence[Run], *, later: bool = False) -> None:
    """Write the accounts of runs in a transaction of their own.

    later: from a thread of its own, for who holds a connection now and must not wait for a second one. Of a trial nothing
    is kept.
    """
    if context.on_trial:
        return
    if later:
        _writer.add(context, runs)
    else:
        _write(context, runs)


def flush_runs() -> None:
    """Wait until what is to be written later is written."""
    _writer.flush()


def _write(context: InstallContext, runs: Sequence[Run]) -> None:
    scope = Scope(RUNTIME, context.site_id, context.agency_id, SYSTEM.ref, "", "")
    statements = [
        (
            INSERT,
            [
                one.id, context.agency_id, context.site_id, context.install_id, context.version, one.function, one.trigger,
                _clean(one.cause)[:300], one.request_id, one.outcome, _clean(one.error)[:MAX_ERROR], Jsonb(_logs(one.logs)),
                one.cpu_ms, one.host_calls, one.started_at,
            ],
        )
        for one in runs
    ]  # fmt: skip
    try:
        run_and_commit(scope, statements)
    except (AppError, psycopg.Error, PoolTimeout) as error:
        # the run itself is over and must not fail for want of its account
        log.error("accounts of %d runs of install %s are lost: %s", len(runs), context.install_id, error)


def _clean(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def _logs(logs: Sequence[dict[str, Any]]) -> list[Any]:
    """Log lines as jsonb takes them: NUL and lone surrogates have no place in it."""
    return [_plain(line) for line in logs]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {_clean(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


class _Writer:
    """A thread that writes what is queued; started when first needed, emptied at a clean end of the process."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._queue: queue.SimpleQueue[tuple[InstallContext, Sequence[Run]] | None] = queue.SimpleQueue()
        self._open = 0
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None

    def add(self, context: InstallContext, runs: Sequence[Run]) -> None:
        with self._state:
            self._open += 1
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="function-runs", daemon=True)
                self._thread.start()
        self._queue.put((context, runs))

    def flush(self) -> None:
        with self._state:
            if not self._state.wait_for(lambda: self._open == 0, WAIT_S):
                log.error("accounts of %d runs were not written in time", self._open)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                _write(*item)
            except Exception:  # this thread serves every later run as well
                log.exception("an account of a run could not be written")
            finally:
                with self._state:
                    self._open -= 1
                    self._state.notify_all()


_writer = _Writer()
atexit.register(flush_runs)
os.register_at_fork(after_in_child=_writer._reset)
