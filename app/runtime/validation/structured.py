"""Values with parts: lists, addresses, places, opening hours, files, JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from babel import Locale

from app.modules.hours import DAYS as DAYS
from app.modules.hours import WrongHours, read_hours
from app.modules.kinds import Kind
from app.modules.manifest.fields import FilesField, RefsField, TagsField
from app.modules.values import WrongValue, read_value
from app.runtime.validation.problems import Wrong
from app.runtime.validation.texts import line, plain

MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_TAG, MAX_TAGS, MAX_REFS = 65_536, 20, 60, 100, 500
ADDRESS = ("line1", "line2", "city", "region", "postcode", "country")
_FILE_KEYS = ("id", "name", "type", "size", "width", "height")
_COUNTRIES = frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code))


def identifier(value: Any) -> UUID:
    try:
        found: UUID = read_value(Kind.UUID, value)
    except WrongValue:
        raise Wrong("must be an id") from None
    return found


def tags(field: TagsField, value: Any) -> list[str]:
    found = list(dict.fromkeys(tag for item in _list(value, "texts") if (tag := line(item, MAX_TAG))))
    for tag in found:
        if field.options and tag not in field.options:
            raise Wrong(f'"{tag}" is not one of {", ".join(field.options)}', "option")
    most = field.max or MAX_TAGS
    if len(found) > most:
        raise Wrong(f"must be at most {most}", "max")
    return found


def refs(field: RefsField, value: Any) -> list[UUID]:
    found = [identifier(item) for item in _list(value, "ids")]
    if len(set(found)) < len(found):
        raise Wrong("names the same record twice", "twice")
    if len(found) > MAX_REFS:
        raise Wrong(f"must be at most {MAX_REFS}", "max")
    return found


def address(value: Any) -> dict[str, str]:
    given = _object(value, ADDRESS)
    found = {key: line(text, 200) for key, text in given.items() if text is not None}
    country = found.get("country", "").upper()
    if country and country not in _COUNTRIES:
        raise Wrong("country must be a code of two letters such as PT")
    if country:
        found["country"] = country
    return {key: found[key] for key in ADDRESS if found.get(key)}


def geo(value: Any) -> dict[str, float]:
    given = _object(value, ("lat", "lng"))
    for key, most in (("lat", 90), ("lng", 180)):
        number = given.get(key)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not -most <= number <= most:
            raise Wrong(f"{key} must be a number from -{most} to {most}")
    return {"lat": given["lat"], "lng": given["lng"]}


def hours(value: Any) -> dict[str, list[list[str]]]:
    """Each day's times in order, none meeting another; 24:00 is the end of the day."""
    try:
        return read_hours(value)
    except WrongHours as wrong:
        raise Wrong(str(wrong)) from None


def file(value: Any) -> dict[str, Any]:
    """An uploaded file by its id, alone or in the object that answers give. What it is the platform knows itself."""
    found = value if isinstance(value, str) else _object(value, _FILE_KEYS).get("id")
    if not found:
        raise Wrong("must be the id of an uploaded file")
    return {"id": str(identifier(found))}


def files(field: FilesField, value: Any) -> list[dict[str, Any]]:
    found = [file(item) for item in _list(value, "files")]
    most = field.max or 100
    if len({one["id"] for one in found}) < len(found):
        raise Wrong("names the same file twice", "twice")
    if len(found) > most:
        raise Wrong(f"must be at most {most}", "max")
    return found


def anything(value: Any) -> Any:
    """Any JSON of at most 64 KiB and 20 levels."""
    _keepable(value, 0)
    if len(json.dumps(value, separators=(",", ":"))) > MAX_JSON_BYTES:
        raise Wrong(f"must be at most {MAX_JSON_BYTES // 1024} KiB", "max")
    return value


def _keepable(value: Any, depth: int) -> None:
    if depth > MAX_JSON_DEPTH:
        raise Wrong(f"must be at most {MAX_JSON_DEPTH} levels deep", "max")
    if isinstance(value, str):
        plain(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            plain(key)
            _keepable(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _keepable(item, depth + 1)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Wrong("must be a JSON value")
    elif value is not None and not isinstance(value, (bool, int)):
        raise Wrong("must be a JSON value")


def _list(value: Any, of: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise Wrong(f"must be a list of {of}")
    if len(value) > 1000:
        raise Wrong("must be at most 1000", "max")
    return list(value)


def _object(value: Any, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Wrong(f"must be an object with {', '.join(keys)}")
    for key in value:
        if key not in keys:
            raise Wrong(f'has no "{str(key)[:60]}"; it has {", ".join(keys)}')
    return value
