"""Takes secrets out of what logs show: by the name of a value, and by what tokens look like wherever they stand."""

from __future__ import annotations

import re
from typing import Any

GONE = "[redacted]"

_SECRET_NAME = re.compile(
    r"authorization|cookie|passw(or)?d|passphrase|secret|token|api[-_]?key|private[-_]?key|credential|signature",
    re.IGNORECASE,
)
_SECRET_TEXTS = (
    re.compile(r"(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"(?i)(\b[\w-]*(?:authorization|cookie|passw(?:or)?d|secret|token|api[-_]?key|signature)[\"']?\s*[=:]\s*[\"']?)"
               r"(?!\[redacted\]|(?:bearer|basic)\s)[^\s\"'&,;}]+"),
    re.compile(r"()\bdmc_(?:sk|pk)_[0-9A-Za-z]{6,}"),
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"),  # a JSON web token
    re.compile(r"()\b(?:sk|rk|pk)_(?:live|test)_[0-9A-Za-z]{8,}"),
    re.compile(r"()\b(?:ghp|gho|ghs|xox[abp])[_-][0-9A-Za-z-]{10,}"),
)  # fmt: skip
_OURS = frozenset({"credential"})  # the public id of the key of a call, which names it and opens nothing


def redact_text(text: str) -> str:
    """The text with each secret in it replaced by "[redacted]"."""
    for pattern in _SECRET_TEXTS:
        text = pattern.sub(rf"\1{GONE}", text)
    return text


def redact(value: Any) -> Any:
    """A JSON value without its secrets: values under telling names whole, others by their text."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: GONE if _is_secret(key, item) else redact(item) for key, item in value.items()}
    return [redact(item) for item in value] if isinstance(value, list) else value


def _is_secret(name: str, value: Any) -> bool:
    return name not in _OURS and _SECRET_NAME.search(name) is not None and value not in (None, "", [], {})
