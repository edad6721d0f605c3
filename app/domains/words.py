"""What a check found, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Step = tuple[str, str, str | None]  # (label, done | now | todo | failed, note)

_DNS = {
    "proven": "The record is there.",
    "absent": "There is no such record yet. A new one can take an hour to be seen everywhere.",
    "other": "There is a record, with another value: {values}",
    "silent": "The name servers of this domain did not answer.",
}
_META = {
    "proven": "The tag is there.",
    "absent": "There is no such tag in the <head> of the home page.",
    "other": "There is such a tag, with another token: {values}",
    "moved": "The home page leads to {detail}. Add that host instead, or use the record.",
    "status": "The home page answers {detail} instead of 200.",
}
_FAILURES = {
    "dns": "The name has no address.",
    "blocked": "The name leads to an address that is not on the public internet.",
    "connect": "Nothing answers at its address by https.",
    "tls": "Its certificate is not valid.",
    "timeout": "The home page did not answer in time.",
    "protocol": "The answer could not be read.",
    "too_large": "The answer could not be read.",
    "url": "The answer could not be read.",
}


def check_steps(found: Mapping[str, Any], *, running: bool) -> list[Step]:
    """The two places that are looked at, in order. Empty when nothing was looked at and nothing is."""
    if not found.get("dns") and not running:
        return []
    return [
        _step("TXT record", found.get("dns"), _DNS, waiting="now" if running else "todo"),
        _step("Meta tag", found.get("meta"), _META, waiting="now" if running and found.get("dns") else "todo"),
    ]


def _step(label: str, finding: Mapping[str, Any] | None, words: Mapping[str, str], *, waiting: str) -> Step:
    if finding is None:
        return label, waiting, None
    text = words.get(finding["state"]) or _FAILURES.get(finding.get("detail", ""), "It could not be read.")
    values = ", ".join(f"“{value}”" for value in finding["values"])
    note = text.format(values=values, detail=finding.get("detail", ""))
    return label, "done" if finding["state"] == "proven" else "failed", note
