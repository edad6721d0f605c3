"""What may happen once: looking at a secret right after it was made, and sending a form whose answer shows one.

What can be shown again later is shown by a page of its own: the page that made it redirects there, with leave to look once, and
loading either again neither makes it anew nor shows it again. Only the leave is kept, in Valkey, for its person and for minutes.
What is kept as a hash exists in one answer, to a form that carries a number of its own: loaded again, it is known.
"""

from __future__ import annotations

import logging

from flask import request
from flask_login import current_user
from redis import RedisError

from app.lib.crypto import random_token
from app.queue.enqueue import redis

log = logging.getLogger(__name__)

KEPT_S, FORM_KEPT_S = 300, 86_400


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


def form_number() -> str:
    """A number for one form: the template writes it, in a field named `once`."""
    return random_token()


def sent_before() -> bool:
    """Whether the form of this request was sent, and taken, before. The answer to it is this request's alone from now on."""
    number = request.form.get("once", "")
    if not number or len(number) > 100:
        return False
    try:
        return not redis().set(_key(f"form:{number}"), "sent", ex=FORM_KEPT_S, nx=True)
    except RedisError as error:
        log.error("whether a form was sent before is not known: %s", error)
        return False


def not_sent() -> None:
    """What the form asked for was refused: it may be sent again."""
    try:
        redis().delete(_key(f"form:{request.form.get('once', '')}"))
    except RedisError as error:
        log.error("a form that was refused stays counted: %s", error)


def _key(subject: str) -> str:
    return f"dramac:look-once:{current_user.get_id()}:{subject}"
