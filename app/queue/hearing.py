"""News between processes, over Valkey's publish and subscribe: what one keeps in memory and another has changed."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from redis import RedisError

from app.queue.enqueue import redis

log = logging.getLogger(__name__)


class Hearing:
    """Hears a channel in a thread of its own, from the first listen() of a process on. Made once, at import.

    what: is changed, for the log. heard: called with each message. missed: called where messages may have been lost.
    within_s: how soon a change is noticed without being heard of.
    """

    def __init__(
        self, channel: str, what: str, *, heard: Callable[[bytes], None], missed: Callable[[], None], within_s: float
    ) -> None:
        self.channel, self.what, self.within_s = channel, what, within_s
        self._heard, self._missed = heard, missed
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        os.register_at_fork(after_in_child=self._start_anew)

    def listen(self) -> None:
        """Start the thread unless it runs; cheap to call again."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                name = self.channel.rpartition(":")[2]
                self._thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._thread.start()

    def _start_anew(self) -> None:
        self._lock, self._thread = threading.Lock(), None

    def _run(self) -> None:
        while True:
            try:
                self._hear()
            except (RedisError, OSError, ValueError) as error:
                log.warning(
                    "not hearing of changed %s: %s; they are noticed within %s s", self.what, error, self.within_s
                )
                time.sleep(1)

    def _hear(self) -> None:
        with redis().pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]  # redis-py does not type it
            pubsub.subscribe(self.channel)
            self._missed()  # whatever was said before is missed
            while True:
                if message := pubsub.get_message(timeout=2.0):
                    self._heard(message["data"])
