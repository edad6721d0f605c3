"""Who sent a message: Standard Webhooks 1.0.0, or the HMAC that a manifest describes. Nothing here knows the database."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.inbound.models import Reason
from app.modules.manifest.inbound import Hmac, Inbound

PREFIX = "whsec_"
TOLERANCE_S = 300  # both ways
MOST_SIGNATURES = 10  # in one header
LONGEST_ID = 200
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)


class Sent(Protocol):
    """Headers of a request, found whatever their case."""

    def get(self, key: str, default: str, /) -> str:
        """The value of one, the default where it was not sent."""


class NotProven(Exception):
    """The message proves nothing. reason: for the agency alone; the sender is told the same in every case."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Message:
    """A proven message. id: the sender's, '' for none; key: the hash by which a repeat is known."""

    id: str
    key: bytes


def new_secret(declared: Inbound) -> str:
    """A secret as senders of this kind take it: 32 random bytes."""
    return (
        PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
        if declared.scheme == "standard"
        else secrets.token_urlsafe(32)
    )


def secret_problem(declared: Inbound, secret: str) -> str | None:
    """What is wrong with a secret that somebody enters; None when it can be used."""
    if declared.scheme == "standard":
        try:
            size = len(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
        except (binascii.Error, ValueError):
            size = 0
        return None if 24 <= size <= 64 else "A secret of Standard Webhooks is whsec_ and 24 to 64 bytes in base64."
    if not 8 <= len(secret) <= 500 or not secret.isprintable():
        return "Enter the secret as the sender shows it: 8 to 500 characters in one line."
    return None


def proven(declared: Inbound, *, headers: Sent, body: bytes, known: Iterable[str], now: datetime) -> Message:
    """The message, when one of the known secrets signed exactly these bytes within five minutes of now.

    Raises NotProven; the time is looked at last, so that it says something only of who has the secret.
    """
    found = _standard(headers) if declared.scheme == "standard" else _hmac(_way(declared), headers)
    if not found.signatures or (found.timed and _TIME.fullmatch(found.timestamp) is None):
        raise NotProven("no_signature")
    signed = found.content(body)
    # every pair is compared, in constant time each: how long it takes tells nothing of a secret
    matches = [
        hmac.compare_digest(found.expected(secret, signed), given)
        for secret in known
        for given in found.signatures[:MOST_SIGNATURES]
    ]
    if not any(matches):
        raise NotProven("signature")
    if found.timed and abs(int(found.timestamp) - now.timestamp()) > TOLERANCE_S:
        raise NotProven("timestamp")
    return _message(declared, found.id, body)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the headers of a message say. way None: Standard Webhooks."""

    way: Hmac | None
    signatures: list[bytes]
    timestamp: str
    id: str

    @property
    def timed(self) -> bool:
        return self.way is None or self.way.timed

    def content(self, body: bytes) -> bytes:
        before, _, after = (self.way.content if self.way else "{id}.{timestamp}.{body}").partition("{body}")
        values = {"{timestamp}": self.timestamp, "{id}": self.id}
        head, tail = (_filled(part, values).encode("latin-1", "replace") for part in (before, after))
        return head + body + tail

    def expected(self, secret: str, signed: bytes) -> bytes:
        if self.way is None:
            key = base64.b64decode(secret.removeprefix(PREFIX))
            return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
        mac = hmac.new(secret.encode(), signed, self.way.algorithm)
        return mac.hexdigest().encode() if self.way.encoding == "hex" else base64.b64encode(mac.digest())


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Each place filled once: a value that looks like a place stays what it is."""
    return re.sub(r"\{(?:timestamp|id)\}", lambda place: values[place[0]], text)


def _standard(headers: Sent) -> _Found:
    message_id = headers.get("webhook-id", "")
    given = [one.partition(",") for one in headers.get("webhook-signature", "").split(" ")]
    signatures = [_bytes(text) for version, _, text in given if version == "v1" and text]
    # a full stop in the id could move what the signature covers into the time
    usable = bool(message_id) and "." not in message_id
    return _Found(None, signatures if usable else [], headers.get("webhook-timestamp", ""), message_id)


def _hmac(way: Hmac, headers: Sent) -> _Found:
    header = headers.get(way.header, "").strip()
    timestamp = headers.get(way.timestamp_header, "").strip() if way.timestamp_header else ""
    texts = [header]
    if way.part:
        parts = [(name.strip(), value.strip()) for name, _, value in (one.partition("=") for one in header.split(","))]
        texts = [value for name, value in parts if name == way.part]
        if way.timestamp_part:
            timestamp = next((value for name, value in parts if name == way.timestamp_part), "")
    shown = [text.removeprefix(way.prefix) for text in texts if text and text.startswith(way.prefix)]
    signatures = [_bytes(text.lower() if way.encoding == "hex" else text) for text in shown if text]
    return _Found(way, signatures, timestamp, headers.get(way.id_header, "").strip() if way.id_header else "")


def _way(declared: Inbound) -> Hmac:
    if declared.hmac is None:  # the checks of a manifest refuse it
        raise NotProven("no_signature")
    return declared.hmac


def _bytes(text: str) -> bytes:
    return text.encode("ascii", "replace")


def _message(declared: Inbound, header_id: str, body: bytes) -> Message:
    found = header_id
    if declared.hmac is not None and declared.hmac.id_field:
        found = _in_body(body, declared.hmac.id_field)
    key = b"id\0" + found.encode("utf-8", "replace") if found else b"body\0" + body
    shown = "".join(char if char.isprintable() else "�" for char in found)
    return Message(shown[:LONGEST_ID], hashlib.sha256(key).digest())


def _in_body(body: bytes, path: str) -> str:
    """The id at a place of a JSON body, '' where there is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value)
