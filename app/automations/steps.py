"""The steps of an automation as data, their words with {places} for values of the event, and whether they make sense.

Each has an id of its own beside:
{"kind": "mail", "to": "owners" | "managers" | "event", "path", "subject", "text"}
{"kind": "webhook", "webhook": id}
{"kind": "function", "install": id, "function": name}
{"kind": "record", "install": id, "table", "act": "create" | "change", "path", "values": {field: text},
 "known": {field: {text: id}}}

known: the records and people that the texts of values name, as they were found when the step was saved.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from app.errors import Invalid
from app.events.models import Event
from app.lib.clock import rfc3339

Step = dict[str, Any]
MOST_STEPS = 10
PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,5}")
_PLACE = re.compile(r"\{(" + PATH.pattern + r")\}")
MOST_TEXT = 20_000


def values_of(event: Event) -> dict[str, Any]:
    """What places can name: the event's data, and the event itself."""
    about = {"id": event.public_id, "type": event.type, "at": rfc3339(event.occurred_at)}
    return {**event.data, "event": about}


def at_path(path: str, values: dict[str, Any]) -> Any:
    """The value at `record.name`; None where there is nothing."""
    found: Any = values
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def filled(text: str, values: dict[str, Any]) -> str:
    """The text with each {record.name} replaced; what is not there leaves nothing."""
    return _PLACE.sub(lambda match: _word(at_path(match[1], values)), text)[:MOST_TEXT]


def found_in(text: str, values: dict[str, Any]) -> Any:
    """Of a text that is one place alone the value itself (a number stays one), else the filled text."""
    whole = _PLACE.fullmatch(text.strip())
    return at_path(whole[1], values) if whole else filled(text, values)


def is_fixed(text: str) -> bool:
    """Whether it is the same for every event."""
    return _PLACE.search(text) is None


def seen_of(content: dict[str, Any]) -> str:
    """A short text that tells whether something is still what somebody saw."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def check_path(path: str, field: str) -> None:
    """Raises Invalid for what is no path."""
    if not PATH.fullmatch(path):
        raise Invalid.field(field, "Name a value of the event, such as record.email.")


def field_values(text: str) -> dict[str, str]:
    """{field: text} of `field = value` lines. Raises Invalid on values."""
    found = {}
    for line in (line.strip() for line in text.splitlines()):
        if not line:
            continue
        name, equals, value = line.partition("=")
        if not equals or not PATH.fullmatch(name.strip()) or "." in name:
            raise Invalid.field("values", f'"{line[:80]}" sets no field. Write: status = {{record.status}}.')
        found[name.strip()] = value.strip()
    if not found:
        raise Invalid.field("values", "Set at least one field.")
    return found


def _word(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_word(one) for one in value)
    return "" if isinstance(value, dict) else str(value)
