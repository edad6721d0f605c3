"""One field as the texts of its controls, and back. A control is called after its field, or `field.part`.

What comes back is plain JSON for the data layer to judge; only what a person writes differently than it is kept (money,
times of the site, durations, opening hours) is converted here. Raises Wrong with a sentence for what cannot be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from app.runtime.validation.problems import Wrong
from app.runtime.validation.structured import ADDRESS, DAYS
from app.workspace.cells import clock

Raw = Mapping[str, list[str]]
"""{control: texts}, as a browser sends them; a control that is not there sends nothing."""
RRULES = {
    "FREQ=DAILY": "Every day",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "Every working day",
    "FREQ=WEEKLY": "Every week",
    "FREQ=WEEKLY;INTERVAL=2": "Every two weeks",
    "FREQ=MONTHLY": "Every month",
    "FREQ=YEARLY": "Every year",
}
CUSTOM = "custom"
_DURATION = re.compile(r"(-?)(\d{1,6}):([0-5]\d)(?::([0-5]\d))?")
_UNITS = re.compile(r"(?:(\d{1,6})\s*h)?\s*(?:(\d{1,4})\s*m(?:in)?)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where amounts and times belong. currency: ISO 4217; zone: IANA name."""

    currency: str
    zone: str


def parts_of(kind: str, name: str) -> tuple[str, ...]:
    """The controls of a field."""
    match kind:
        case "address":
            return tuple(f"{name}.{part}" for part in ADDRESS)
        case "geo":
            return f"{name}.lat", f"{name}.lng"
        case "hours":
            return tuple(f"{name}.{day}" for day in DAYS)
        case "rrule":
            return f"{name}.preset", name
        case "secret":
            return name, f"{name}.clear"
        case "ref" | "refs":
            return name, f"{name}.find"
        case _:
            return (name,)


def to_raw(kind: str, name: str, value: Any, place: Place) -> dict[str, list[str]]:
    """The texts of a value."""
    if value is None or kind == "secret":
        return {}
    writer = _WRITERS.get(kind)
    if writer is not None:
        return {key: texts for key, texts in writer(name, value, place).items() if texts}
    return {name: [str(value)]}


def from_raw(kind: str, name: str, raw: Raw, place: Place) -> Any:
    """The value of what was sent; None for nothing. Raises Wrong."""
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(name, raw, place)
    return first(raw, name).replace("\r\n", "\n") or None


def control_name(key: str) -> str:
    """The name and id of a control in the page. A bare field name could hide a property of its form from scripts: a
    control called `form`, `elements` or `action` does.
    """
    return f"v-{key}"


def first(raw: Raw, key: str) -> str:
    """The first text of a control, trimmed."""
    return (raw.get(key) or [""])[0].strip()


def digits_of(currency: str) -> int:
    """How many digits of an amount are decimals."""
    return int(get_currency_precision(currency))


def read_decimal(text: str) -> Decimal:
    """`1,299.50`, `1.299,50` and `1299.5` alike: the last of two marks is the point; one mark before three digits groups."""
    plain = re.sub(r"[\s  '’]", "", text)
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and point >= 0:
        group, mark = (",", ".") if point > comma else (".", ",")
        plain = plain.replace(group, "").replace(mark, ".")
    elif comma >= 0:
        grouped = re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", plain)
        plain = plain.replace(",", "" if grouped else ".")
    try:
        if not re.fullmatch(r"[-+]?\d{1,40}(\.\d{0,20})?|[-+]?\.\d{1,20}", plain):
            raise InvalidOperation
        return Decimal(plain)
    except InvalidOperation:
        raise Wrong("must be a number such as 1299.50") from None


def read_money(text: str, currency: str) -> int:
    """Minor units of an amount. Raises Wrong."""
    digits = digits_of(currency)
    minor = read_decimal(text).scaleb(digits)
    if minor != int(minor):
        raise Wrong(f"must have at most {digits} digits after the point" if digits else "must be a whole amount")
    return int(minor)


def read_moment(text: str, zone: str) -> str:
    """RFC 3339 in UTC of a local time of the site. Raises Wrong."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Wrong("must be a day and time such as 2026-03-14 09:30") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise Wrong("is too far away") from None


def read_duration(text: str) -> int:
    """Seconds of `1:30`, `1:30:20`, `1h 30m` or `45 min`. Raises Wrong."""
    if match := _DURATION.fullmatch(text):
        sign, hours, minutes, seconds = match.groups()
        total = int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)
        return -total if sign else total
    if text and (units := _UNITS.fullmatch(text.strip())) and any(units.groups()):
        return int(units[1] or 0) * 3600 + int(units[2] or 0) * 60
    raise Wrong("must be hours and minutes such as 1:30")


def tag_list(text: str) -> list[str]:
    return [tag for part in text.split(",") if (tag := part.strip())]


def _number(text: str) -> Any:
    number = read_decimal(text)
    return int(number) if number == int(number) else str(number)


def _texts(values: Any) -> list[str]:
    return [str(one["id"] if isinstance(one, Mapping) else one) for one in values or ()]


def _amount(minor: int, currency: str) -> str:
    digits = digits_of(currency)
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


def _local(value: str, zone: str) -> str:
    return datetime.fromisoformat(value).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def _write_rrule(name: str, value: str, place: Place) -> dict[str, list[str]]:
    return {f"{name}.preset": [value]} if value in RRULES else {f"{name}.preset": [CUSTOM], name: [value]}


_WRITERS: dict[str, Callable[[str, Any, Place], dict[str, list[str]]]] = {
    "boolean": lambda name, value, place: {name: ["y"] if value else []},
    "money": lambda name, value, place: {name: [_amount(value, place.currency)]},
    "datetime": lambda name, value, place: {name: [_local(value, place.zone)]},
    "time": lambda name, value, place: {name: [str(value)[:5]]},
    "duration": lambda name, value, place: {name: [clock(int(value))]},
    "tags": lambda name, value, place: {name: list(value)},
    "ref": lambda name, value, place: {name: _texts([value])},
    "refs": lambda name, value, place: {name: _texts(value)},
    "json": lambda name, value, place: {name: [json.dumps(value, ensure_ascii=False, indent=2)]},
    "file": lambda name, value, place: {name: _texts([value])},
    "files": lambda name, value, place: {name: _texts(value)},
    "address": lambda name, value, place: {f"{name}.{part}": [value[part]] for part in ADDRESS if value.get(part)},
    "geo": lambda name, value, place: {f"{name}.lat": [str(value["lat"])], f"{name}.lng": [str(value["lng"])]},
    "hours": lambda name, value, place: {
        f"{name}.{day}": [", ".join("-".join(span) for span in value[day])] for day in DAYS if value.get(day)
    },
    "rrule": _write_rrule,
}


def _maybe(read: Callable[[str, Place], Any]) -> Callable[[str, Raw, Place], Any]:
    def reader(name: str, raw: Raw, place: Place) -> Any:
        text = first(raw, name)
        return read(text, place) if text else None

    return reader


def _read_json(text: str, place: Place) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Wrong(f'must be JSON such as {{"size": 3}}{where}') from None


def _read_tags(name: str, raw: Raw, place: Place) -> list[str]:
    return list(dict.fromkeys(tag for text in raw.get(name, []) for tag in tag_list(text)))


def _read_geo(name: str, raw: Raw, place: Place) -> Any:
    lat, lng = first(raw, f"{name}.lat"), first(raw, f"{name}.lng")
    if not lat and not lng:
        return None
    return {"lat": float(read_decimal(lat or "?")), "lng": float(read_decimal(lng or "?"))}


def _read_hours(name: str, raw: Raw, place: Place) -> dict[str, list[list[str]]]:
    return {day: spans for day in DAYS if (spans := read_spans(first(raw, f"{name}.{day}")))}


def read_spans(text: str) -> list[list[str]]:
    """`9:00-12:30, 13:30-17:00` as pairs. What is no time is left for the rules to refuse."""
    found = []
    for part in text.replace("–", "-").replace(";", ",").split(","):
        if part.strip():
            ends = [f"{end.strip():0>5}" if ":" in end else end.strip() for end in part.split("-")]
            found.append(ends)
    return found


def _read_rrule(name: str, raw: Raw, place: Place) -> Any:
    preset = first(raw, f"{name}.preset")
    return (first(raw, name) if preset == CUSTOM else preset) or None


_READERS: dict[str, Callable[[str, Raw, Place], Any]] = {
    "boolean": lambda name, raw, place: bool(first(raw, name)),
    "integer": _maybe(lambda text, place: _number(text)),
    "rating": _maybe(lambda text, place: _number(text)),
    "decimal": _maybe(lambda text, place: str(read_decimal(text))),
    "percent": _maybe(lambda text, place: str(read_decimal(text.removesuffix("%")))),
    "money": _maybe(lambda text, place: read_money(text, place.currency)),
    "datetime": _maybe(lambda text, place: read_moment(text, place.zone)),
    "duration": _maybe(lambda text, place: read_duration(text)),
    "json": _maybe(_read_json),
    "tags": _read_tags,
    "refs": lambda name, raw, place: [text for text in raw.get(name, []) if text],
    "file": lambda name, raw, place: next((text for text in reversed(raw.get(name, [])) if text), None),
    "files": lambda name, raw, place: [text for text in raw.get(name, []) if text],
    "address": lambda name, raw, place: (
        {part: text for part in ADDRESS if (text := first(raw, f"{name}.{part}"))} or None
    ),
    "geo": _read_geo,
    "hours": lambda name, raw, place: _read_hours(name, raw, place) or None,
    "rrule": _read_rrule,
}
