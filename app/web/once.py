"""Leave to look at something once, right after it was made: the page that made it redirects to the page that shows it, and
loading either again neither makes it anew nor shows it again.

Only the leave is kept, in Valkey, for its person and for minutes; what is shown stays where it is sealed.
"""

from __future__ import annotations

import logging

from flask_login import current_user
from redis import RedisError

from app.queue.enqueue import redis

log = logging.getLogger(__name__)

KEPT_S = 300


def let_look(subject: str, why: str) -> None:
    """Whoever is signed in may look at the subject once within five minutes. why: a word for the page that shows it."""
    try:
        redis().set(_key(subject), why, ex=KEPT_S)
    except RedisError as error:  # they can still look by giving their password
        log.error("leave to look is not kept: %s", error)


def take_look(subject: str) -> str | None:
    """The word that was kept, and no leave any more; None where there was none."""
    try:
        found = redis().getdel(_key(subject))
    except RedisError as error:
        log.error("leave to look is not read: %s", error)
        return None
    return found.decode() if isinstance(found, bytes) else None


def _key(subject: str) -> str:
    return f"dramac:look-once:{current_user.get_id()}:{subject}"
