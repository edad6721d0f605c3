"""Addresses of a name within a bounded time: what the system asks may take its own time, and cannot be called off."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable

from app.lib.judged import OutgoingFailed

Resolver = Callable[[str, int], list[str]]

AT_ONCE = 128  # questions under way, those that nobody waits for any more among them


def system_resolver(host: str, port: int) -> list[str]:
    """Addresses of a name as the system knows them. Raises OutgoingFailed("dns")."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutgoingFailed("dns", "The host name cannot be resolved.") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


_room = threading.BoundedSemaphore(AT_ONCE)


def resolve_within(resolver: Resolver, host: str, port: int, *, seconds: float) -> list[str]:
    """Ask in a thread of its own and wait no longer than this. Raises TimeoutError, and what the resolver raises."""
    started, room = time.monotonic(), _room
    if not room.acquire(timeout=max(seconds, 0)):
        raise TimeoutError(host)
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolver(host, port))
        except Exception as error:  # of the resolver, for whoever waits
            answers.put(error)
        finally:
            room.release()

    try:
        threading.Thread(target=ask, name="resolve", daemon=True).start()
    except RuntimeError:
        room.release()
        raise
    try:
        found = answers.get(timeout=max(seconds - (time.monotonic() - started), 0.001))
    except queue.Empty:
        raise TimeoutError(host) from None
    if isinstance(found, Exception):
        raise found
    return found
