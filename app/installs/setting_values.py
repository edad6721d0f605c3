"""The value of one setting against what the manifest says of it: its kind, its range, what it may name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.modules.hours import WrongHours, read_hours

MAX_SECRET = 10_000
_COLOR = re.compile(r"#[0-9a-f]{6}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Everything(Collection[Any]):
    """Holds whatever is asked for: a value is judged by its kind alone."""

    def __contains__(self, one: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Known:
    """What values may name: ids of the agency's members, slugs of the site's modules."""

    people: Collection[UUID] = ()
    modules: Collection[str] = ()


ANYTHING = Known(Everything(), Everything())


class WrongValue(ValueError):
    """The value is not acceptable; the message says why. at: where in the value, as a pointer."""

    def __init__(self, detail: str, code: str = "value", at: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.at = at


def read_value(spec: Any, value: Any, known: Known) -> Any:
    """The value as it is kept; None for an empty one. Raises WrongValue."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if spec.type == "repeater":
        return _rows(spec, value, known)
    return _READERS[spec.type](spec, value, known)


def fits(spec: Any, value: Any) -> bool:
    """Whether a kept value is one that this setting could have; whom or what it names is not looked at."""
    try:
        read_value(spec, value, ANYTHING)
    except WrongValue:
        return False
    return True


def _rows(spec: Any, value: Any, known: Known) -> list[dict[str, Any]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(row, Mapping) for row in value):
        raise WrongValue("must be a list of rows", "type")
    if not spec.min <= len(value) <= spec.max:
        raise WrongValue(f"must have {spec.min} to {spec.max} rows", "length")
    return [_row(spec, row, f"/{index}", known) for index, row in enumerate(value)]


def _row(spec: Any, row: Mapping[str, Any], at: str, known: Known) -> dict[str, Any]:
    for name in row:
        if name not in spec.fields:
            raise WrongValue(f'has no "{name}" in its rows', "unknown_setting", f"{at}/{name}")
    found: dict[str, Any] = {}
    for name, inner in spec.fields.items():
        value = row.get(name, inner.default)
        if value is None or (isinstance(value, str) and not value.strip()):
            if inner.required:
                raise WrongValue(f"needs {label_of(name, inner)} in every row", "required", f"{at}/{name}")
            found[name] = None
            continue
        try:
            found[name] = _READERS[inner.type](inner, value, known)
        except WrongValue as error:
            raise WrongValue(f"in row {int(at[1:]) + 1}: {label_of(name, inner)} {error}", error.code, f"{at}/{name}")
    return found


def label_of(name: str, spec: Any) -> str:
    return spec.label or name.replace("_", " ").capitalize()


def _text(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be a text", "type")
    text = value.replace("\r\n", "\n").strip()
    if _CONTROL.search(text) or ("\n" in text and not spec.multiline):
        raise WrongValue("must not contain control characters", "characters")
    if spec.min and len(text) < spec.min:
        raise WrongValue(f"must have at least {spec.min} characters", "length")
    most = spec.max or 10_000
    if len(text) > most:
        raise WrongValue(f"must have at most {most} characters", "length")
    return text


def _number(spec: Any, value: Any, known: Known) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) >= 1e15:
        raise WrongValue("must be a number", "type")
    _bounds(spec, value)
    return value


def _range(spec: Any, value: Any, known: Known) -> int | float:
    number = _number(spec, value, known)
    steps = (Decimal(str(number)) - Decimal(str(spec.min))) / Decimal(str(spec.step))
    if steps != steps.to_integral_value():
        raise WrongValue(f"must be {spec.min} and then in steps of {spec.step}", "step")
    return number


def _money(spec: Any, value: Any, known: Known) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise WrongValue("must be a whole number of minor units", "type")
    _bounds(spec, value)
    return value


def _bounds(spec: Any, value: int | float) -> None:
    if spec.min is not None and value < spec.min:
        raise WrongValue(f"must be at least {spec.min}", "min")
    if spec.max is not None and value > spec.max:
        raise WrongValue(f"must be at most {spec.max}", "max")


def _boolean(spec: Any, value: Any, known: Known) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("must be yes or no", "type")
    return value


def _enum(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or value not in spec.options:
        raise WrongValue(f"must be one of {', '.join(spec.options)}", "option")
    return value


def _color(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or not _COLOR.fullmatch(value.lower()):
        raise WrongValue("must be a colour such as #1a2b3c", "color")
    return value.lower()


def _secret(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or len(value) > MAX_SECRET or "\x00" in value:
        raise WrongValue(f"must be a text of at most {MAX_SECRET} characters", "type")
    return value.strip()


def _user(spec: Any, value: Any, known: Known) -> str:
    try:
        person = value if isinstance(value, UUID) else UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise WrongValue("must be a member of the agency", "unknown_person") from error
    if person not in known.people:
        raise WrongValue("must be a member of the agency", "unknown_person")
    return str(person)


def _page(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or len(value) > 200 or _CONTROL.search(value):
        raise WrongValue("must be the address of a page", "type")
    return value.strip()


def _module(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or value not in known.modules:
        raise WrongValue("must be a module that is installed on this site", "unknown_module")
    return value


def _hours(spec: Any, value: Any, known: Known) -> dict[str, list[list[str]]]:
    try:
        return read_hours(value)
    except WrongHours as wrong:
        raise WrongValue(str(wrong), wrong.code, f"/{wrong.day}" if wrong.day else "") from None


_READERS: dict[str, Callable[[Any, Any, Known], Any]] = {
    "text": _text,
    "number": _number,
    "range": _range,
    "money": _money,
    "boolean": _boolean,
    "enum": _enum,
    "color": _color,
    "secret": _secret,
    "user": _user,
    "page": _page,
    "module": _module,
    "hours": _hours,
}
