"""Compares what an acceptance test expects with what there is; each difference is a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_MISSING = object()


def differences(expected: Any, found: Any, where: str) -> list[str]:
    """Sentences; [] when it is as expected. `present` and `absent` stand for any value and for none."""
    if expected == "present":
        return [] if found not in (None, "", [], {}, _MISSING) else [f"{where} has no value"]
    if expected == "absent":
        return [] if found in (None, "", [], {}, _MISSING) else [f"{where} is {_shown(found)}, expected none"]
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return [
            text
            for key, value in expected.items()
            for text in differences(value, found.get(key, _MISSING), f"{where}.{key}")
        ]
    if _same(expected, found):
        return []
    return [f"{where} is {_shown(found)}, expected {_shown(expected)}"]


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
