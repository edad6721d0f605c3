"""Keeps machines out of forms without asking people anything: a signed time stamp, a trap, a rate.

The stamp is bound to its install and page, works once, not before MIN_S and not after MAX_S. Nothing is kept in a cookie.

A page that other servers keep and hand out has one stamp for everybody who gets it. Such a shared stamp works shorter
(SHARED_S after PART_KEPT_S) and for many: what is taken for a second click is the same words from the same place within AGAIN_S.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
from collections.abc import Iterable
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
PART_KEPT_S = 60 + 600  # how long a part may be handed out: its Cache-Control
SHARED_S = 2 * 3600  # and how long somebody may sit over it
AGAIN_S = 60
PER_MINUTE = 10
_PURPOSE, _SHARED = "form-stamp", "~"  # which no random token has in it


class Verdict(Enum):
    """What came of looking at a sent form."""

    FINE = "fine"
    MACHINE = "machine"  # the trap is filled: it is told that all went well
    TOO_FAST = "too_fast"
    EXPIRED = "expired"  # too old, not ours, or of another page


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stamp that was read. nonce: "" when nothing about it holds; shared: many may have it."""

    verdict: Verdict
    issued: int = 0
    nonce: str = ""
    shared: bool = False

    def once(self, sent: Iterable[tuple[str, str]], address: str) -> Once:
        """What may be done once with it by who sent this from that address."""
        if not self.shared:
            return Once(self.nonce, MAX_S + 60)
        told = repr((_network(address), sorted(sent))).encode()
        return Once(f"{self.nonce}:{hashlib.sha256(told).hexdigest()[:32]}", AGAIN_S)


@dataclass(frozen=True, slots=True)
class Once:
    """Something that is done once. for_s: how long that is remembered."""

    name: str
    for_s: int


def make_stamp(keys: tuple[str, ...], install_id: UUID, page: str, *, now: datetime, issued: int = 0) -> str:
    """A new stamp. issued: when the person first saw the form, so that correcting it is not called too fast."""
    return _stamp(keys, install_id, page, f"{issued or int(now.timestamp())}.{random_token(12)}")


def make_shared_stamp(keys: tuple[str, ...], install_id: UUID, page: str, *, now: datetime) -> str:
    """A stamp for a page that is kept and handed to many."""
    return _stamp(keys, install_id, page, f"{int(now.timestamp())}.{_SHARED}{random_token(12)}")


def _stamp(keys: tuple[str, ...], install_id: UUID, page: str, head: str) -> str:
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
    shared = parts[1].startswith(_SHARED)
    if age_s > (PART_KEPT_S + SHARED_S if shared else MAX_S):
        return Stamp(Verdict.EXPIRED)
    return Stamp(Verdict.TOO_FAST if age_s < MIN_S else Verdict.FINE, issued, parts[1], shared)


def use_once(once: Once) -> bool:
    """Whether this stamp is used for the first time; a second click on the button is not a second record."""
    try:
        return bool(redis().set(f"dramac:form-used:{once.name}", "1", nx=True, ex=once.for_s))
    except RedisError as error:
        log.error("a form's stamp cannot be marked as used: %s", error)
        return True


def give_back(once: Once) -> None:
    """The form was not kept after all: its stamp may be used again."""
    try:
        redis().delete(f"dramac:form-used:{once.name}")
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
