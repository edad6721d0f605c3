"""API keys as text: `dmc_sk_` or `dmc_pk_`, 256 random bits in base62, and a checksum that gives a typo away."""

from __future__ import annotations

import re
import secrets
import zlib

from app.errors import Unauthenticated

KINDS = {"secret": "sk", "publishable": "pk"}
SHOWN_CHARACTERS = 13  # dmc_sk_ and six more: enough to recognise, nothing to guess from

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY, _CHECKSUM = 43, 6  # base62 digits of 256 and of 32 bits
_KEY = re.compile(rf"dmc_(?:sk|pk)_[0-9A-Za-z]{{{_BODY + _CHECKSUM}}}", re.ASCII)


class KeyMistyped(Unauthenticated):
    """This is not one of our API keys: its checksum does not fit, so it was cut or mistyped. Copy it again."""

    code = "key_mistyped"


def new_token(kind: str) -> str:
    """A new key of a kind ("secret" or "publishable"), 56 characters."""
    head = f"dmc_{KINDS[kind]}_{_base62(secrets.randbits(256), _BODY)}"
    return head + _checksum(head)


def shown_part(token: str) -> str:
    """The first characters, by which people tell their keys apart."""
    return token[:SHOWN_CHARACTERS]


def check_token(text: str) -> None:
    """Raises KeyMistyped for what cannot be a key; says nothing about whether it is one."""
    if not _KEY.fullmatch(text) or _checksum(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        raise KeyMistyped()


def _checksum(head: str) -> str:
    return _base62(zlib.crc32(head.encode()), _CHECKSUM)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
