"""Inbound webhooks: a way of signing that says what it signs, and headers that give nothing away."""

from __future__ import annotations

import re

from app.modules.manifest.checks.context import Checker
from app.modules.manifest.inbound import Hmac
from app.modules.manifest.yamltext import Path

PLACES = re.compile(r"\{([^{}]*)\}")
KNOWN = ("body", "timestamp", "id")
NEVER = frozenset({"authorization", "cookie", "proxy-authorization", "webhook-signature"})


def check_inbound(checker: Checker) -> None:
    """Every inbound webhook."""
    for name, hook in checker.manifest.inbound.items():
        path: Path = ("inbound", name)
        checker.known(hook.call, checker.manifest.functions, (*path, "call"), "function", "functions")
        if hook.scheme == "hmac" and hook.hmac is None:
            checker.report((*path, "scheme"), "say under hmac how the sender signs", "required")
        if hook.scheme == "standard" and hook.hmac is not None:
            checker.report(
                (*path, "hmac"), "goes with scheme: hmac; Standard Webhooks say everything themselves", "value"
            )
        elif hook.hmac is not None:
            _hmac(checker, hook.hmac, (*path, "hmac"))
        checker.duplicates([header.lower() for header in hook.headers], (*path, "headers"), "header")
        hidden = NEVER | ({hook.hmac.header.lower()} if hook.hmac else set())
        for index, header in enumerate(hook.headers):
            if header.lower() in hidden:
                checker.report((*path, "headers", index), f"{header} is not shown to functions", "reserved")


def _hmac(checker: Checker, signed: Hmac, path: Path) -> None:
    places = PLACES.findall(signed.content)
    rest = PLACES.sub("", signed.content)
    content: Path = (*path, "content")
    for place in places:
        if place not in KNOWN:
            checker.report(content, f"{{{place}}} is not known; there are {{body}}, {{timestamp}} and {{id}}", "value")
    if "{" in rest or "}" in rest or not rest.isascii() or not rest.isprintable():
        checker.report(content, "write printable characters and {body}, {timestamp}, {id}", "value")
    if places.count("body") != 1:
        checker.report(content, "{body} stands in it once: what is not signed proves nothing", "value")
    if signed.timestamp_header and signed.timestamp_part:
        checker.report((*path, "timestamp_part"), "the time stands in one place; leave one of the two out", "value")
    if signed.timestamp_part and not signed.part:
        checker.report((*path, "timestamp_part"), "say in part which entries of the list are signatures", "required")
    if signed.timed and "timestamp" not in places:
        checker.report(content, "sign the timestamp too, or anybody could give an old message a new one", "value")
    if not signed.timed and "timestamp" in places:
        checker.report(content, "say in timestamp_header or timestamp_part where the time stands", "required")
    if signed.id_header and signed.id_field:
        checker.report((*path, "id_field"), "the id stands in one place; leave one of the two out", "value")
    if "id" in places and not signed.id_header:
        checker.report(content, "say in id_header where the id stands", "required")
