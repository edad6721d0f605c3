"""Hearing of changes: what is said reaches the listener, and what may have been missed is told first."""

from __future__ import annotations

import queue
from uuid import uuid4

from app.config import Config
from app.queue.enqueue import redis
from app.queue.hearing import Hearing


def test_what_is_said_is_heard_once_listening_has_begun(wired: Config) -> None:
    told: queue.SimpleQueue[object] = queue.SimpleQueue()
    channel = f"dramac:test:{uuid4()}"
    hearing = Hearing(channel, "things", heard=told.put, missed=lambda: told.put("missed"), within_s=5)
    redis().publish(channel, "before anybody listened")
    hearing.listen()
    hearing.listen()  # the thread is there
    assert told.get(timeout=10) == "missed"
    while not redis().publish(channel, "lamp"):
        pass  # the subscription has been sent, not yet taken
    assert told.get(timeout=10) == b"lamp"
    assert told.empty()
