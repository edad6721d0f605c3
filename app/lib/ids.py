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
    """A time-ordered uuid (RFC 9562, version 7): 48 bits of milliseconds, then random."""
    millis = time.time_ns() // 1_000_000
    value = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


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
