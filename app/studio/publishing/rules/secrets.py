"""Secrets in any file: known formats were refused when the package was read; here are those that only their names betray.

A text is taken for a secret when it stands under a telling name and looks random; a mere random text never is, since
digests, ids and fixtures look the same.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from app.modules.manifest import Problem
from app.modules.package import Package

REMEDY = "Take it out, replace it where it is valid, and ask for it by a setting of type secret."
_TEXTS = (".js", ".mjs", ".css", ".html", ".txt", ".md", ".yaml", ".yml", ".json", ".csv", ".svg")
_NAMED = re.compile(
    r"""(?P<name>[A-Za-z0-9_.\-]*(?:password|passwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key|credential)[A-Za-z0-9_]*)
        ["']?\s*(?:[:=]|=>)\s*["'`](?P<value>[^"'`\s{}<>]{12,200})["'`]""",
    re.IGNORECASE | re.VERBOSE,
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}")
_IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{2,20}://[^\s/:@\"'`{}<>]+:(?P<value>[^\s/@\"'`{}<>]{6,})@[A-Za-z0-9.-]+")
_BEARER = re.compile(r"\bBearer\s+(?P<value>[A-Za-z0-9._~+/-]{24,}=*)")
_HARMLESS = re.compile(
    r"example|sample|dummy|placeholder|changeme|your[_-]?|xxxx|0000|1234|test|demo|secret_?setting", re.IGNORECASE
)
_LEAST_BITS = 3.3  # per character; English words have about 2.8 at this length, random base64 above 4


def secret_problems(package: Package) -> list[Problem]:
    """A problem for each likely secret; the secret itself is never repeated."""
    found: list[Problem] = []
    for path, content in package.files.items():
        if path.endswith(_TEXTS):
            found += dict.fromkeys(_of_text(path, content.decode(errors="replace")))
    return found


def _of_text(path: str, text: str) -> Iterator[Problem]:
    for match in _JWT.finditer(text):
        yield _problem(path, text, match.start(), "holds a signed token (JWT)")
    for match in _IN_ADDRESS.finditer(text):
        if not _HARMLESS.search(match["value"]):
            yield _problem(path, text, match.start(), "holds an address with a password in it")
    for pattern, what in ((_NAMED, ""), (_BEARER, "Authorization")):
        for match in pattern.finditer(text):
            if _random(match["value"]):
                name = what or match["name"]
                yield _problem(path, text, match.start("value"), f"holds what looks like a secret, under {name[:60]}")


def _random(value: str) -> bool:
    if _HARMLESS.search(value) or value.startswith(("/", "http", "ctx.", "settings.", "process.env", "$")):
        return False
    has_both = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return has_both and bits >= _LEAST_BITS


def _problem(path: str, text: str, at: int, message: str) -> Problem:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return Problem("", message, line, column, "secret", file=path, remedy=REMEDY)
