"""One value of one field: read, brought into the form it is kept in, held to the field's bounds."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.modules.kinds import Kind
from app.modules.manifest import FieldSpec
from app.modules.values import WrongValue, read_value
from app.runtime.validation import structured, texts
from app.runtime.validation.problems import Facts, Wrong

_DIGITS = Context(prec=40)  # 30 before the point and 10 after it; Python's own stops at 28
READ_ONLY = frozenset({"number", "formula", "rollup"})


def read(field: FieldSpec, value: Any, facts: Facts) -> Any:
    """The value as it is kept; None for no value, which "" and blank texts are too. Raises Wrong."""
    if value is None or value == "":
        return None
    reader = _READERS.get(field.type)
    found = reader(field, value, facts) if reader else _kind(field, value, facts)
    if found == "":
        return None
    _length(field, found)
    _bounds(field, found, facts)
    return found


def default(field: FieldSpec, facts: Facts) -> Any:
    """The value of a new record that gives none; `now` and `today` are moments of the site."""
    value = field.default
    if field.type == "datetime" and value == "now":
        return facts.now
    if field.type == "date" and value in ("today", "now"):
        return today(facts)
    return read(field, value, facts)


def today(facts: Facts) -> date:
    """The day it is at the site."""
    return facts.now.astimezone(ZoneInfo(facts.time_zone)).date()


def _kind(field: FieldSpec, value: Any, facts: Facts) -> Any:
    try:
        return read_value(field.kind, value)
    except WrongValue as error:
        raise Wrong(str(error)) from None


def _decimal(field: Any, value: Any, facts: Facts) -> Decimal:
    number: Decimal = _kind(field, value, facts)
    if number.copy_abs() >= Decimal(10) ** 30:
        raise Wrong("is too large a number", "max")
    scale = getattr(field, "scale", 10)
    rounded = number.quantize(Decimal(1).scaleb(-scale), context=_DIGITS)
    if rounded != number:
        raise Wrong(f"must have at most {scale} digits after the point", "scale")
    return rounded if field.type == "decimal" else number


def _option(field: Any, value: Any, facts: Facts) -> str:
    found = texts.plain(value)
    if found not in field.options:
        near = difflib.get_close_matches(found, field.options, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        raise Wrong(f"must be one of {', '.join(field.options)}{hint}", "option")
    return found


def _rating(field: Any, value: Any, facts: Facts) -> int:
    number: int = _kind(field, value, facts)
    if not 1 <= number <= field.max:
        raise Wrong(f"must be from 1 to {field.max}", "range")
    return number


_READERS: dict[str, Callable[[Any, Any, Facts], Any]] = {
    "text": texts.text,
    "richtext": texts.richtext,
    "slug": texts.slug,
    "email": lambda field, value, facts: texts.email(value),
    "phone": lambda field, value, facts: texts.phone(value, facts),
    "url": lambda field, value, facts: texts.url(value),
    "color": lambda field, value, facts: texts.color(value),
    "rrule": lambda field, value, facts: texts.rrule(value, facts),
    "secret": lambda field, value, facts: texts.secret(value),
    "decimal": _decimal,
    "percent": _decimal,
    "enum": _option,
    "rating": _rating,
    "tags": lambda field, value, facts: structured.tags(field, value),
    "refs": lambda field, value, facts: structured.refs(field, value),
    "address": lambda field, value, facts: structured.address(value) or None,
    "geo": lambda field, value, facts: structured.geo(value),
    "hours": lambda field, value, facts: structured.hours(value) or None,
    "file": lambda field, value, facts: structured.file(value),
    "files": lambda field, value, facts: structured.files(field, value),
    "json": lambda field, value, facts: structured.anything(value),
    "user": lambda field, value, facts: structured.identifier(value),
    "ref": lambda field, value, facts: structured.identifier(value),
}


def _length(field: FieldSpec, value: Any) -> None:
    if field.type not in ("text", "richtext", "slug"):
        return
    if field.min and len(value) < field.min:
        raise Wrong(f"must have at least {field.min} characters", "min")
    if field.max is not None and len(value) > field.max:
        raise Wrong(f"must have at most {field.max} characters", "max")


_BOUNDED = frozenset({"integer", "decimal", "money", "percent", "duration", "date", "time", "datetime"})


def _bounds(field: Any, value: Any, facts: Facts) -> None:
    if field.type not in _BOUNDED:
        return
    low, high = _bound(field, field.min, facts), _bound(field, field.max, facts)
    if low is not None and value < low:
        raise Wrong(f"must be at least {_shown(low)}", "min")
    if high is not None and value > high:
        raise Wrong(f"must be at most {_shown(high)}", "max")


def _bound(field: Any, bound: Any, facts: Facts) -> Any:
    if bound == "now" and field.type == "datetime":
        return facts.now
    if bound in ("today", "now") and field.type == "date":
        return today(facts)
    return None if bound is None else read_value(Kind(field.kind), bound)


def _shown(bound: Any) -> str:
    return bound.isoformat().replace("+00:00", "Z") if isinstance(bound, datetime) else str(bound)
