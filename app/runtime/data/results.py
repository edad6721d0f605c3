"""What the data layer hands out: JSON as PostgreSQL built it, parsed only by who needs values."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

Opener = Callable[[dict[str, Any]], dict[str, Any]]


def as_is(record: dict[str, Any]) -> dict[str, Any]:
    """The record itself."""
    return record


@dataclass(frozen=True, slots=True)
class Record:
    """One record. text: its JSON object; version: its ETag; opened: opens secrets for the module's own functions."""

    id: UUID
    version: int
    text: str
    opened: Opener = field(default=as_is, repr=False, compare=False)

    @property
    def data(self) -> bytes:
        """The JSON object in UTF-8."""
        return self.text.encode()

    @property
    def values(self) -> dict[str, Any]:
        """The record as Python values, parsed anew at each call."""
        return self.opened(json.loads(self.text))


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list. next_cursor: "" on the last page; count: only when it was asked for."""

    texts: tuple[str, ...]
    next_cursor: str = ""
    count: int | None = None
    opened: Opener = field(default=as_is, repr=False, compare=False)

    @property
    def has_more(self) -> bool:
        return bool(self.next_cursor)

    @property
    def data(self) -> bytes:
        """The JSON array in UTF-8."""
        return f"[{','.join(self.texts)}]".encode()

    @property
    def body(self) -> bytes:
        """The whole answer: {"data": […], "has_more": …, "next_cursor": …} and "count" when it was asked for."""
        cursor = f'"{self.next_cursor}"' if self.next_cursor else "null"
        count = f',"count":{self.count}' if self.count is not None else ""
        more = "true" if self.next_cursor else "false"
        return f'{{"data":[{",".join(self.texts)}],"has_more":{more},"next_cursor":{cursor}{count}}}'.encode()

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records as Python values, parsed anew at each call."""
        return [self.opened(record) for record in json.loads(self.data)]


Records = list[Record]
