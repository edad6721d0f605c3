"""News of changed keys between processes, over Valkey's publish and subscribe: a revoked key stops working at once."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from redis import RedisError

from app.queue.enqueue import redis

log = logging.getLogger(__name__)

CHANNEL = "dramac:key-changed"
_RETRY_S = 0.5
Forget = Callable[[bytes | None], None]


def announce(digest: bytes) -> None:
    """Tell every process that the key with this hash changed. Without Valkey they notice by themselves within seconds."""
    try:
        redis().publish(CHANNEL, digest.hex())
    except RedisError as error:
        log.error("could not announce a changed key: %s", error)


class KeyChanges:
    """Hears of changed keys in a thread of its own, started with the first listener's first use of the process."""

    def __init__(self) -> None:
        self.heard = False  # False: changes may be missed right now
        self.generation = 0  # counts changes, so that a read that a change overtook is not kept
        self._forget: list[Forget] = []
        self._process = 0
        self._lock = threading.Lock()

    def listen(self, forget: Forget) -> None:
        """Call `forget` with a key's hash when it changed, with None when anything may have."""
        self._forget.append(forget)

    def start(self) -> None:
        """Begin to listen, once per process; cheap to call again."""
        if self._process == os.getpid():
            return
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                threading.Thread(target=self._run, name="key-changes", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self._hear()
            except (RedisError, OSError) as error:
                log.warning("changes of keys are not heard: %s", error)
            finally:
                self.heard = False
                self._tell(None)
            time.sleep(_RETRY_S)

    def _hear(self) -> None:
        with redis().pubsub(ignore_subscribe_messages=False) as subscription:  # type: ignore[no-untyped-call]  # redis has no types there
            subscription.subscribe(CHANNEL)
            while True:
                message = subscription.get_message(timeout=5.0)
                if message is None:
                    subscription.ping()  # finds out that the other side is gone
                elif message["type"] == "subscribe":
                    self._tell(None)  # what changed before was not heard
                    self.heard = True
                elif message["type"] == "message":
                    self._tell(_digest(message["data"]))

    def _tell(self, digest: bytes | None) -> None:
        self.generation += 1
        for forget in self._forget:
            forget(digest)


def _digest(data: bytes) -> bytes | None:
    try:
        return bytes.fromhex(data.decode())
    except ValueError:
        return None
