"""What a template sees of its data: JSON with nothing to call on it and nothing to change.

The template engine lets an author call every public method of a Python object, and lists and dicts have many. These
two have none but items(), and hide what they hold behind a name the engine refuses.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any


class Record:
    """A JSON object."""

    __slots__ = ("_held",)

    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def __getitem__(self, key: str) -> Any:
        return _seen(self._held[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._held == other._held

    __hash__ = None  # type: ignore[assignment]  # it holds lists

    def __str__(self) -> str:
        return to_json(self)

    __repr__ = __str__

    def items(self) -> list[tuple[str, Any]]:
        return [(key, _seen(value)) for key, value in self._held.items()]


class Blanks(Record):
    """A JSON object in which every name has a value: "" where it holds none."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        return _seen(self._held.get(key, "")) if isinstance(key, str) else super().__getitem__(key)


class Series:
    """A JSON array."""

    __slots__ = ("_held",)

    def __init__(self, held: list[Any]) -> None:
        self._held = held

    def __getitem__(self, index: int) -> Any:
        return _seen(self._held[index])

    def __iter__(self) -> Iterator[Any]:
        return map(_seen, self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, value: object) -> bool:
        return value in self._held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Series) and self._held == other._held

    __hash__ = None  # type: ignore[assignment]  # it holds records

    def __str__(self) -> str:
        return to_json(self)

    __repr__ = __str__


Mapping.register(Record)
Sequence.register(Series)


def _seen(value: Any) -> Any:
    return Series(value) if type(value) is list else value


def load(data: bytes) -> dict[str, Any]:
    """The top level as a dict, everything below as Record and Series."""
    top = json.loads(data, object_hook=Record)
    return dict(top.items())


def with_blanks(record: Record, names: tuple[str, ...]) -> Record:
    """A record of which these parts are Blanks."""
    parts = {
        key: Blanks(value._held) for key, value in record._held.items() if key in names and isinstance(value, Record)
    }
    return Record({**record._held, **parts})


def to_json(value: Any) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, (Record, Series)):
        return value._held
    raise TypeError(f"{type(value).__name__} has no JSON form.")
