"""Kinds of values: what conditions, formulas and storage need to know of a field, whatever its type is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a value behaves. DURATION is whole seconds; money is INTEGER minor units; tags and refs are a LIST."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    DURATION = "duration"
    UUID = "uuid"
    LIST = "list"
    JSON = "json"


SQL_TYPES: dict[Kind, str] = {
    Kind.TEXT: "text",
    Kind.INTEGER: "bigint",
    Kind.DURATION: "bigint",
    Kind.DECIMAL: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.DATETIME: "timestamptz",
    Kind.UUID: "uuid",
}

NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL})


@dataclass(frozen=True, slots=True)
class Column:
    """One name a condition or formula may use. `options` limits a text to these values; () is any text."""

    kind: Kind
    options: tuple[str, ...] = ()


Columns = Mapping[str, Column]

# What the server adds to every table. `custom` is left out: its values have no declared kind.
SYSTEM_COLUMNS: dict[str, Column] = {
    "id": Column(Kind.UUID),
    "created_at": Column(Kind.DATETIME),
    "updated_at": Column(Kind.DATETIME),
    "created_by": Column(Kind.TEXT),
    "version": Column(Kind.INTEGER),
}
