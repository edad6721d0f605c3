"""What the data layer hands out: JSON as PostgreSQL built it, parsed only by who needs values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Record:
    """One record. text: its JSON object; version: its ETag."""

    id: UUID
    version: int
    text: str

    @property
    def data(self) -> bytes:
        """The JSON object in UTF-8."""
        return self.text.encode()

    @property
    def values(self) -> dict[str, Any]:
        """The record as Python values, parsed anew at each call."""
        found: dict[str, Any] = json.loads(self.text)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list. next_cursor: "" on the last page; count: only when it was asked for."""

    texts: tuple[str, ...]
    next_cursor: str = ""
    count: int | None = None

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
        found: list[dict[str, Any]] = json.loads(self.data)
        return found
