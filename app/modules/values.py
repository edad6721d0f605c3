"""Values of each kind: what a manifest, a record or a query string may write, and the Python type it has."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from app.modules.kinds import Kind

MIN_BIGINT, MAX_BIGINT = -(2**63), 2**63 - 1
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?")
_DECIMAL = re.compile(r"[-+]?\d{1,40}(\.\d{1,20})?")

_WANTED = {
    Kind.TEXT: "a text",
    Kind.INTEGER: "a whole number",
    Kind.DECIMAL: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a day such as 2026-03-14",
    Kind.TIME: "a time such as 14:30",
    Kind.DATETIME: "a moment such as 2026-03-14T09:26:53Z",
    Kind.DURATION: "a whole number of seconds",
    Kind.UUID: "an id",
    Kind.LIST: "a list of texts",
    Kind.JSON: "a JSON value",
}


class WrongValue(ValueError):
    """The value is not of the kind that is wanted; the message says what is."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"must be {_WANTED[kind]}")


def read_value(kind: Kind, value: Any) -> Any:
    """A value as written in YAML, JSON or a row, in its Python type; None stays None. Raises WrongValue.

    INTEGER and DURATION are int, DECIMAL is Decimal, DATETIME is aware and in UTC, LIST is a tuple of texts.
    """
    if value is None:
        return None
    reader = _READERS.get(kind)
    if reader is None:
        return value
    try:
        return reader(value)
    except (ValueError, TypeError, InvalidOperation, OverflowError) as error:
        raise WrongValue(kind) from error


def read_text(kind: Kind, text: str) -> Any:
    """A value from a query string, in its Python type. Raises WrongValue."""
    if kind in (Kind.INTEGER, Kind.DURATION) and re.fullmatch(r"[-+]?\d{1,19}", text):
        return read_value(kind, int(text))
    if kind is Kind.DECIMAL and _DECIMAL.fullmatch(text):
        return Decimal(text)
    if kind is Kind.BOOLEAN and text in ("true", "false"):
        return text == "true"
    return read_value(kind, text)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:  # PostgreSQL stores every character but NUL
        raise TypeError
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or value != int(value):
        raise TypeError
    if not MIN_BIGINT <= value <= MAX_BIGINT:
        raise OverflowError
    return int(value)


def _decimal(value: Any) -> Decimal:
    written = isinstance(value, str) and _DECIMAL.fullmatch(value)
    if isinstance(value, bool) or not (written or isinstance(value, (int, float, Decimal))):
        raise TypeError
    number = Decimal(str(value))
    if not number.is_finite():
        raise ValueError
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        raise TypeError
    if isinstance(value, date):
        return value
    if not _DATE.fullmatch(value):
        raise ValueError
    return date.fromisoformat(value)


def _clock(value: Any) -> time:
    if isinstance(value, time):
        return value
    if not _TIME.fullmatch(value):
        raise ValueError
    return time.fromisoformat(value)


def _moment(value: Any) -> datetime:
    if isinstance(value, str):
        if _DATE.fullmatch(value):
            value += "T00:00:00Z"
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError
    return value.astimezone(UTC)


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(_text(value))


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return tuple(str(item) if isinstance(item, UUID) else _text(item) for item in value)


_READERS = {
    Kind.TEXT: _text,
    Kind.INTEGER: _whole,
    Kind.DURATION: _whole,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _flag,
    Kind.DATE: _day,
    Kind.TIME: _clock,
    Kind.DATETIME: _moment,
    Kind.UUID: _uuid,
    Kind.LIST: _texts,
}
