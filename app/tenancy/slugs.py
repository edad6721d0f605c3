"""Short names for addresses, made from names: 'Café Zürich' becomes 'cafe-zurich'."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterator

MAX = 40
PATTERN = r"[a-z][a-z0-9-]{1,38}[a-z0-9]"


def slug_of(name: str, *, fallback: str) -> str:
    """3 to 40 of a–z, 0–9 and hyphens, beginning with a letter; the fallback word where the name has no such letters."""
    plain = unicodedata.normalize("NFKD", name.lower().replace("ß", "ss").replace("æ", "ae").replace("ø", "o"))
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"[\u0300-\u036f'’]", "", plain)).strip("-").lstrip("0123456789-")
    slug = words[:MAX].rstrip("-")
    return slug if len(slug) >= 3 else fallback


def candidates(wanted: str) -> Iterator[str]:
    """The wanted slug, then itself with -2, -3, -4, then with four random characters."""
    yield wanted
    for number in (2, 3, 4):
        yield f"{wanted[: MAX - 2].rstrip('-')}-{number}"
    for _ in range(3):
        yield f"{wanted[: MAX - 5].rstrip('-')}-{secrets.token_hex(2)}"
