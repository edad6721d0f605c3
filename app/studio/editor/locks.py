"""Who has which file open: told to the others on screen, never a refusal; saving compares revisions anyway.

Kept in Valkey for three quarters of a minute and renewed while the page is open. Without Valkey nobody is shown.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from uuid import UUID

from redis import RedisError

from app.queue.enqueue import impatient_redis

log = logging.getLogger(__name__)
HELD_S = 45
_KEY = "dramac:studio:open:"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody at work on a file."""

    path: str
    person: str
    name: str


def hold(project_id: UUID, *, path: str, person: str, name: str, now: float | None = None) -> list[Holder]:
    """Note that a person has a file open, and who else has one open."""
    moment = time.time() if now is None else now
    key = f"{_KEY}{project_id}"
    try:
        client = impatient_redis()
        client.hset(key, person, json.dumps([path, name, moment + HELD_S]))
        client.expire(key, HELD_S * 2)
        kept: dict[bytes, bytes] = client.hgetall(key)  # type: ignore[assignment]  # the client is synchronous
    except RedisError as error:
        log.warning("who has a file open is not known: %s", error)
        return []
    found = []
    for other, text in kept.items():
        where, who, until = json.loads(text)
        if other.decode() != person and until > moment:
            found.append(Holder(where, other.decode(), who))
    return sorted(found, key=lambda one: (one.path, one.name))
