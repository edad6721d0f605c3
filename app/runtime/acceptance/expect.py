"""Compares what an acceptance test expects with what there is; each difference is a sentence and its two sides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_MISSING = object()


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as expected. expected, found: both sides as text, line by line; "" where there are none."""

    text: str
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        return self.text


def differences(expected: Any, found: Any, where: str) -> list[Failure]:
    """What differs; [] when it is as expected. `present` and `absent` stand for any value and for none."""
    if expected == "present":
        missing = found in (None, "", [], {}, _MISSING)
        return [Failure(f"{where} has no value", "any value", _lines(found))] if missing else []
    if expected == "absent":
        if found in (None, "", [], {}, _MISSING):
            return []
        return [Failure(f"{where} is {_shown(found)}, expected none", "no value", _lines(found))]
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return [
            one
            for key, value in expected.items()
            for one in differences(value, found.get(key, _MISSING), f"{where}.{key}")
        ]
    if _same(expected, found):
        return []
    text = f"{where} is {_shown(found)}, expected {_shown(expected)}"
    return [Failure(text, _lines(expected), _lines(found))]


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, bool) or isinstance(found, bool) or found is _MISSING:
        return expected is found
    if isinstance(expected, (int, float)) and isinstance(found, (int, float)):
        return float(expected) == float(found)
    if isinstance(expected, str) and isinstance(found, str) and expected != found:
        return _moment(expected) is not None and _moment(expected) == _moment(found)
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(
            not differences(one, other, "") for one, other in zip(expected, found, strict=True)
        )
    return bool(expected == found)


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _shown(value: Any) -> str:
    text = "nothing" if value is _MISSING or value is None else repr(value)
    return text if len(text) <= 200 else text[:197] + "..."


def _lines(value: Any) -> str:
    """A value as people compare it: texts as they are, anything else as JSON over several lines."""
    if value is _MISSING or value is None:
        return "no value"
    if isinstance(value, str):
        return value[:4000]
    return json.dumps(value, indent=2, ensure_ascii=False, default=str, sort_keys=isinstance(value, Mapping))[:4000]
