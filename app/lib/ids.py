"""Identifiers: uuid v7 inside, `prefix_` + Crockford base32 of the same uuid outside."""

from __future__ import annotations

import os
import time
from uuid import UUID

from app.errors import NotFound

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford: no i, l, o, u
_VALUES = {char: value for value, char in enumerate(_ALPHABET)}
_LENGTH = 26  # 130 bits hold a uuid's 128
# two characters at a time: every answer of the API carries such an id
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = tuple(range(120, -1, -10))


def uuid7() -> UUID:
    """A time-ordered uuid (RFC 9562, version 7): 48 bits of milliseconds, 12 of their 4096ths (6.2, method 3), then random.

    What one process makes is in the order it was made: letters and records of one moment are listed by it.
    """
    millis, left_ns = divmod(time.time_ns(), 1_000_000)
    fraction = left_ns * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return UUID(int=(millis << 80) | (0x7 << 76) | (fraction << 64) | (0x2 << 62) | random)


def encode(prefix: str, value: UUID) -> str:
    """`ste` and a uuid to `ste_01k…` (prefix, underscore, 26 characters)."""
    number = value.int
    return f"{prefix}_{''.join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])}"


def decode(prefix: str, text: str) -> UUID:
    """The uuid behind a public id. Raises NotFound for another prefix or a malformed id."""
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != _LENGTH or any(char not in _VALUES for char in tail):
        raise NotFound()
    number = 0
    for char in tail:
        number = number << 5 | _VALUES[char]
    if number >> 128:
        raise NotFound()
    return UUID(int=number)


def decode_or_none(prefix: str, text: str) -> UUID | None:
    """As decode(); None for what is no such id, as where a part of an address that is wrong counts as absent."""
    try:
        return decode(prefix, text)
    except NotFound:
        return None
