"""JSON that came out of a worker, read as if an attacker had written it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

DEPTH_LIMIT = 64
LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BadValue(ValueError):
    """Not JSON, or nested too deeply."""


def load(data: bytes) -> Any:
    """Raises BadValue. NaN and Infinity are no JSON; halves of surrogate pairs become U+FFFD, or no database takes them."""
    try:
        value = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadValue(str(error)) from None
    _check_depth(value)
    return _clean(value) if LONE_SURROGATE.search(data) else value


def _refuse(name: str) -> Any:
    raise BadValue(f"{name} is no JSON")


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEPTH_LIMIT):
        if not level:
            return
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, (dict, list))]
    if level:
        raise BadValue(f"nested more than {DEPTH_LIMIT} deep")


def _inside(outer: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
