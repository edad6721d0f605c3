"""What a check found, in sentences that say what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
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


_ADDRESS = {
    "here": "It leads here.",
    "partly": "Some of its addresses lead elsewhere: {values}. Remove those.",
    "elsewhere": "It leads to {values}.",
    "absent": "It has no address yet. A new record can take an hour to be seen everywhere.",
    "silent": "The name servers of this domain did not answer.",
}
_TLS = {
    "expired": "It has expired.",
    "other_host": "It was made for another host.",
    "untrusted": "No authority that browsers trust has signed it.",
    "refused": "There is none yet. It is made when the first visitor comes, which can take a minute.",
    "timeout": "There is none yet. It is made when the first visitor comes, which can take a minute.",
}


def check_steps(found: Mapping[str, Any], *, running: bool) -> list[Step]:
    """The two places where a proof is looked for, in order. Empty when nothing was looked at and nothing is."""
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


def standing_steps(
    found: Mapping[str, Any], hosts: list[str], *, running: bool, when: Callable[[datetime], str]
) -> list[Step]:
    """For each host that visitors are served at: where it leads, and its certificate. when: how a day is written."""
    known = {one["host"]: one for one in found.get("standing", ())}
    steps: list[Step] = []
    for host in hosts:
        one = known.get(host)
        waiting = "now" if running else "todo"
        steps.append(_address_step(host, one["address"]) if one else (f"Address of {host}", waiting, None))
        if one and one["certificate"]:
            steps.append(_certificate_step(host, one["certificate"], when))
        else:
            steps.append((f"Certificate of {host}", "todo", None))
    return steps


def _address_step(host: str, address: Mapping[str, Any]) -> Step:
    note = _ADDRESS[address["state"]].format(values=", ".join(address["values"]))
    return f"Address of {host}", "done" if address["state"] == "here" else "failed", note


def _certificate_step(host: str, found: Mapping[str, Any], when: Callable[[datetime], str]) -> Step:
    label = f"Certificate of {host}"
    if found["state"] != "valid":
        return label, "failed", _TLS.get(found["detail"], "Nothing answers there by https.")
    until = when(datetime.fromisoformat(found["until"]))
    return label, "done", f"By {found['issuer']}, until {until}." if found["issuer"] else f"Until {until}."
