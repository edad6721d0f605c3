"""Passwords: hashed with argon2id, judged by how hard they are to guess (security.md A3).

At least 12 characters with a zxcvbn score of 3: a length of 15 would be asked for without a judge of strength; with one,
12 characters that score 3 stand above 10^8 guesses, and sign-in is throttled. No composition rules, up to 256 bytes.
"""

from __future__ import annotations

import re
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

MIN_CHARACTERS = 12
MAX_BYTES = 256
MIN_SCORE = 3
PRODUCT_WORDS = ("dramac", "module", "modules", "agency", "studio", "marketplace", "website")
_JUDGED_CHARACTERS = 72  # zxcvbn's cost grows with the square of the length; what follows only makes it stronger

HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)  # OWASP's first choice, about 20 ms


def hash_password(password: str) -> str:
    """The argon2id hash to keep, salt and parameters included."""
    return HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password made the hash. None costs the same time as a wrong password, so that nobody can tell."""
    try:
        right = HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return right and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """True when today's parameters are stronger than those of the hash."""
    return HASHER.check_needs_rehash(password_hash)


def weakness(password: str, *, about: tuple[str, ...] = ()) -> str | None:
    """Why a new password is not good enough, as a sentence that says the fix; None when it is.

    about: the person's name, e-mail and agency, which guessers try first.
    """
    if len(password) < MIN_CHARACTERS:
        return f"Use at least {MIN_CHARACTERS} characters. Four unrelated words are easy to remember."
    if len(password.encode()) > MAX_BYTES:
        return f"Use at most {MAX_BYTES} bytes."
    words = [*PRODUCT_WORDS, *(part for text in about for part in re.split(r"[\W_]+", text) if len(part) > 2)]
    if len(_without(words, password)) < MIN_CHARACTERS // 2:
        return "This is mostly your name, your address or our product's. Use words that have nothing to do with you."
    verdict = zxcvbn(password[:_JUDGED_CHARACTERS], user_inputs=[*words, *about])
    if verdict["score"] >= MIN_SCORE:
        return None
    warning = verdict["feedback"]["warning"] or "This is too easy to guess"
    return f"{warning.rstrip('.')}. Add one or two more unrelated words."


def _without(words: list[str], password: str) -> str:
    """The letters and digits of a password that are left when the words are taken out."""
    longest_first = sorted(words, key=len, reverse=True)
    left = re.sub("|".join(map(re.escape, longest_first)), "", password, flags=re.IGNORECASE)
    return re.sub(r"[\s\-_.@]+", "", left)


@cache
def _nobodys_hash() -> str:
    return HASHER.hash("nobody has this password")
