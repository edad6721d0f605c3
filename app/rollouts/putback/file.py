"""The file of a rollback, read by its rows: where each begins, and the whole of some."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.lib.storage import storage

_START = re.compile(  # as installs.since writes it
    rb'\{"table":"([^"]+)","id":"([0-9a-f-]{36})","change":"([a-z]+)","stays":(true|false)'
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A row that has not been read. position counts from 1; offset in bytes."""

    position: int
    offset: int
    table: str
    record_id: UUID
    change: str
    stays: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file, under the names of the versions: `values` of the newer one, `before` of the older one."""

    position: int
    table: str
    record_id: UUID
    change: str
    stays: bool
    values: dict[str, Any] | None
    before: dict[str, Any] | None
    not_held: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file is of, and its rows."""

    name: str
    gone_back_at: datetime
    spots: tuple[Spot, ...]


def survey(name: str) -> Survey:
    """Look through a file without reading its rows. Raises ObjectMissing."""
    spots = []
    with storage().reading(name) as file:
        head = next(file)
        offset = len(head)
        for position, line in enumerate(file, 1):
            found = _START.match(line)
            assert found is not None, f"{name} has a line that nobody writes"
            table, record_id, change, stays = (part.decode() for part in found.groups())
            spots.append(Spot(position, offset, table, UUID(record_id), change, stays == "true"))
            offset += len(line)
    return Survey(name, datetime.fromisoformat(json.loads(head)["gone_back_at"]), tuple(spots))


def lines_of(name: str, spots: Iterable[Spot]) -> list[Line]:
    """These rows of a file, whole. Numbers keep every digit. Raises ObjectMissing."""
    found = []
    with storage().reading(name) as file:
        for spot in spots:
            file.seek(spot.offset)
            one = json.loads(file.readline(), parse_float=Decimal)
            found.append(
                Line(
                    spot.position,
                    spot.table,
                    spot.record_id,
                    spot.change,
                    one["stays"],
                    one["values"],
                    one["before"],
                    tuple(one["not_held"]),
                )
            )
    return found
