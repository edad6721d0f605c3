"""What a receiver answered, as it may be kept and shown: text, without what looks like a secret."""

from __future__ import annotations

import re

MAX_EXCERPT = 4096
HIDDEN = "[hidden]"

_SECRETS = (
    re.compile(r"\b(?:whsec|whsk|dmc_[sp]k|sk|pk|rk|ghp|gho|xox[abp]|glpat)[_-][A-Za-z0-9+/=_-]{8,}"),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    re.compile(r"\bv1a?,[A-Za-z0-9+/]{40,}={0,2}"),
)
_NAMED = re.compile(
    r"""(?ix) ( ["']? [\w-]* (?:password|passwd|secret|token|api[_-]?key|authorization|cookie|signature) [\w-]* ["']?
        \s* [:=] \s* ) ( "(?:[^"\\]|\\.)*" | '[^']*' | [^\s,;&}<]+ )"""
)


def excerpt(body: bytes, *, known: tuple[str, ...] = ()) -> str:
    """At most 4,096 characters of an answer. known: secrets of ours that may have been sent back."""
    text = body[:MAX_EXCERPT].decode("utf-8", "replace")
    for secret in known:
        if secret:
            text = text.replace(secret, HIDDEN)
    text = _NAMED.sub(lambda found: found[1] + HIDDEN, text)
    for pattern in _SECRETS:
        text = pattern.sub(HIDDEN, text)
    return "".join(char if char in "\n\t" or char.isprintable() else "�" for char in text)[:MAX_EXCERPT]
