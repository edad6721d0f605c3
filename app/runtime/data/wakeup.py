"""Tells the dispatcher of events that there is work, off the path of the write that caused it."""

from __future__ import annotations

import os
import threading

from app.queue.enqueue import wake

_PAUSE_S = 0.02  # writes that come together cause one call

_due = threading.Event()
_lock = threading.Lock()
_threads: dict[str, threading.Thread] = {}


def wake_dispatcher() -> None:
    """Soon after: order events.dispatch unless it is ordered. Lost in a crash, its timed run finds the events."""
    _due.set()
    thread = _threads.get("waker")
    if thread is None or not thread.is_alive():
        with _lock:
            if (thread := _threads.get("waker")) is None or not thread.is_alive():
                _threads["waker"] = threading.Thread(target=_work, name="wake-dispatcher", daemon=True)
                _threads["waker"].start()


def _work() -> None:
    while True:
        _due.wait()
        _due.clear()
        wake("events.dispatch")
        threading.Event().wait(_PAUSE_S)


os.register_at_fork(after_in_child=_threads.clear)
