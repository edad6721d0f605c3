"""Keeps machines out of forms without asking people anything: a signed time stamp, a trap, a rate.

The stamp is bound to its install and page, works once, not before MIN_S and not after MAX_S. Nothing is kept in a cookie.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from redis import RedisError

from app.lib.crypto import random_token, sign, verify
from app.queue.enqueue import redis

log = logging.getLogger(__name__)

STAMP, TRAP = "dramac_stamp", "dramac_website"
MIN_S, MAX_S = 2, 24 * 3600
PER_MINUTE = 10
_PURPOSE = "form-stamp"


class Verdict(Enum):
    """What came of looking at a sent form."""

    FINE = "fine"
    MACHINE = "machine"  # the trap is filled: it is told that all went well
    TOO_FAST = "too_fast"
    EXPIRED = "expired"  # too old, not ours, or of another page


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stamp that was read. nonce: "" when nothing about it holds."""

    verdict: Verdict
    issued: int = 0
    nonce: str = ""


def make_stamp(keys: tuple[str, ...], install_id: UUID, page: str, *, now: datetime, issued: int = 0) -> str:
    """A new stamp. issued: when the person first saw the form, so that correcting it is not called too fast."""
    head = f"{issued or int(now.timestamp())}.{random_token(12)}"
    return f"{head}.{sign(keys[0], _PURPOSE, _message(install_id, page, head))}"


def read_stamp(keys: tuple[str, ...], install_id: UUID, page: str, *, stamp: str, trap: str, now: datetime) -> Stamp:
    """Judge a sent form by its stamp and trap."""
    if trap:
        return Stamp(Verdict.MACHINE)
    parts = stamp.split(".")
    if len(stamp) > 300 or len(parts) != 3 or not parts[0].isascii() or not parts[0].isdigit():
        return Stamp(Verdict.EXPIRED)
    if not verify(keys, _PURPOSE, _message(install_id, page, f"{parts[0]}.{parts[1]}"), parts[2]):
        return Stamp(Verdict.EXPIRED)
    issued = int(parts[0])
    age_s = now.timestamp() - issued
    if age_s > MAX_S:
        return Stamp(Verdict.EXPIRED)
    return Stamp(Verdict.TOO_FAST if age_s < MIN_S else Verdict.FINE, issued, parts[1])


def use_once(nonce: str) -> bool:
    """Whether this stamp is used for the first time; a second click on the button is not a second record."""
    try:
        return bool(redis().set(f"dramac:form-used:{nonce}", "1", nx=True, ex=MAX_S + 60))
    except RedisError as error:
        log.error("a form's stamp cannot be marked as used: %s", error)
        return True


def give_back(nonce: str) -> None:
    """The form was not kept after all: its stamp may be used again."""
    try:
        redis().delete(f"dramac:form-used:{nonce}")
    except RedisError as error:
        log.error("a form's stamp cannot be given back: %s", error)


def wait_s(install_id: UUID, address: str, *, what: str = "form", most: int = PER_MINUTE) -> int:
    """Count one sent form (or other `what`) of this address; 0 when it may pass, else the seconds to wait."""
    minute = int(time.time()) // 60
    key = f"dramac:{what}:{install_id}:{_network(address)}:{minute}"
    try:
        with redis().pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, 61)
            sent = pipe.execute()[0]
    except RedisError as error:
        log.error("calls of %s are not counted: %s", what, error)
        return 0
    return 0 if sent <= most else 60 - int(time.time()) % 60


def _message(install_id: UUID, page: str, head: str) -> bytes:
    return f"{install_id}|{page}|{head}".encode()


def _network(address: str) -> str:
    """What one visitor can send from, hashed: an IPv4 address, or the /64 that a household has of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    text = str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
