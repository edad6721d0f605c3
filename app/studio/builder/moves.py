"""Small changes of plain mappings and lists that keep the order of everything else."""

from __future__ import annotations

from typing import Any


def with_key(data: dict[str, Any], old: str, new: str, value: Any) -> dict[str, Any]:
    """The mapping with one entry under another name or with another value, in the same place."""
    return {(new if key == old else key): (value if key == old else kept) for key, kept in data.items()}


def moved_key(data: dict[str, Any], key: str, to: int) -> dict[str, Any]:
    """The mapping with one entry at another place, counted from 0 among the others."""
    rest = [(name, value) for name, value in data.items() if name != key]
    rest.insert(max(0, min(to, len(rest))), (key, data[key]))
    return dict(rest)


def moved(items: list[Any], at: int, to: int) -> list[Any]:
    """The list with one entry at another place."""
    rest = [*items[:at], *items[at + 1 :]]
    rest.insert(max(0, min(to, len(rest))), items[at])
    return rest


def put(data: dict[str, Any], key: str, value: Any) -> None:
    """Set a key, or take it away where there is nothing to say."""
    if value in (None, "", [], {}, False):
        data.pop(key, None)
    else:
        data[key] = value
