"""The settings of an install against its manifest: types, ranges, what must be there, what only functions may read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.errors import FieldError, Invalid
from app.modules.conditions import matches, parse_condition
from app.modules.hours import WrongHours, read_hours
from app.modules.kinds import Column
from app.modules.manifest import Manifest
from app.modules.manifest.checks.code import SETTING_KINDS

MAX_SECRET = 10_000
_COLOR = re.compile(r"#[0-9a-f]{6}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class SettingsInvalid(Invalid):
    """Some settings are not acceptable."""

    code = "settings_invalid"


@dataclass(frozen=True, slots=True)
class Known:
    """What values may name: ids of the agency's members, slugs of the site's modules."""

    people: Collection[UUID] = ()
    modules: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class CheckedSettings:
    """values: every setting but the secrets, defaults filled in, None without a value.

    secrets: {name: new text}; forgotten: names of secrets to remove.
    """

    values: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()


class _Wrong(ValueError):
    """The value is not acceptable; the message says why."""

    def __init__(self, detail: str, code: str = "value", at: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.at = at


def sealed_setting(install_id: UUID, name: str) -> str:
    """What a sealed setting is bound to: its install and name."""
    return f"modules_v2.secrets|{name}|{install_id}"


def check_settings(
    manifest: Manifest,
    given: Mapping[str, Any],
    *,
    known: Known,
    before: Mapping[str, Any] | None = None,
    secrets_set: Collection[str] = (),
) -> CheckedSettings:
    """The settings after `given` is put over `before` (the values kept so far; none for a new install).

    An empty text is no value, for a secret "as it was"; None takes a value away. A setting hidden by its condition is
    not required. Raises SettingsInvalid with one error per setting.
    """
    checker = _Checker(manifest, known)
    values = {name: spec.default for name, spec in manifest.setting_fields.items() if spec.type != "secret"}
    values |= {name: value for name, value in (before or {}).items() if name in values}
    secrets: dict[str, str] = {}
    forgotten = set()
    for name, value in given.items():
        spec = manifest.setting_fields.get(name)
        if spec is None:
            checker.errors.append(FieldError(f"/{name}", "unknown_setting", f'The module has no setting "{name}".'))
        elif spec.type == "secret" and value is None:
            forgotten.add(name)
        elif spec.type == "secret":
            secrets |= {name: text} if (text := checker.value(name, spec, value)) else {}
        else:
            values[name] = checker.value(name, spec, value)
    if not checker.errors:
        checker.require(values, {*secrets_set, *secrets} - forgotten)
    if checker.errors:
        raise SettingsInvalid("; ".join(error.detail for error in checker.errors), errors=checker.errors)
    return CheckedSettings(values, secrets, frozenset(forgotten))


class _Checker:
    def __init__(self, manifest: Manifest, known: Known) -> None:
        self.manifest = manifest
        self.known = known
        self.errors: list[FieldError] = []

    def value(self, name: str, spec: Any, value: Any) -> Any:
        """The value as it is kept, None when it is empty or wrong."""
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            if spec.type == "repeater":
                return self._rows(spec, value)
            return _READERS[spec.type](spec, value, self.known)
        except _Wrong as error:
            self.errors.append(FieldError(f"/{name}{error.at}", error.code, f"{_label(name, spec)} {error}."))
            return None

    def _rows(self, spec: Any, value: Any) -> list[dict[str, Any]]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(row, Mapping) for row in value):
            raise _Wrong("must be a list of rows", "type")
        if not spec.min <= len(value) <= spec.max:
            raise _Wrong(f"must have {spec.min} to {spec.max} rows", "length")
        return [self._row(spec, row, f"/{index}") for index, row in enumerate(value)]

    def _row(self, spec: Any, row: Mapping[str, Any], at: str) -> dict[str, Any]:
        for name in row:
            if name not in spec.fields:
                raise _Wrong(f'has no "{name}" in its rows', "unknown_setting", f"{at}/{name}")
        found: dict[str, Any] = {}
        for name, inner in spec.fields.items():
            value = row.get(name, inner.default)
            if value is None or (isinstance(value, str) and not value.strip()):
                if inner.required:
                    raise _Wrong(f"needs {_label(name, inner)} in every row", "required", f"{at}/{name}")
                found[name] = None
                continue
            try:
                found[name] = _READERS[inner.type](inner, value, self.known)
            except _Wrong as error:
                raise _Wrong(f"in row {int(at[1:]) + 1}: {_label(name, inner)} {error}", error.code, f"{at}/{name}")
        return found

    def require(self, values: Mapping[str, Any], secrets: Collection[str]) -> None:
        """Report required settings that are shown and have no value."""
        columns = {
            name: Column(SETTING_KINDS[spec.type], getattr(spec, "options", ()))
            for name, spec in self.manifest.setting_fields.items()
            if spec.type in SETTING_KINDS
        }
        for group in self.manifest.settings:
            for name, spec in group.fields.items():
                shown = all(
                    matches(parse_condition(condition, columns), values)
                    for condition in (group.visible_if, spec.visible_if)
                    if condition
                )
                there = name in secrets if spec.type == "secret" else values[name] not in (None, [], {})
                if spec.required and shown and not there:
                    self.errors.append(FieldError(f"/{name}", "required", f"{_label(name, spec)} is required."))


def _label(name: str, spec: Any) -> str:
    return spec.label or name.replace("_", " ").capitalize()


def _text(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str):
        raise _Wrong("must be a text", "type")
    text = value.replace("\r\n", "\n").strip()
    if _CONTROL.search(text) or ("\n" in text and not spec.multiline):
        raise _Wrong("must not contain control characters", "characters")
    if spec.min and len(text) < spec.min:
        raise _Wrong(f"must have at least {spec.min} characters", "length")
    most = spec.max or 10_000
    if len(text) > most:
        raise _Wrong(f"must have at most {most} characters", "length")
    return text


def _number(spec: Any, value: Any, known: Known) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or abs(value) >= 1e15:
        raise _Wrong("must be a number", "type")
    _bounds(spec, value)
    return value


def _range(spec: Any, value: Any, known: Known) -> int | float:
    number = _number(spec, value, known)
    steps = (Decimal(str(number)) - Decimal(str(spec.min))) / Decimal(str(spec.step))
    if steps != steps.to_integral_value():
        raise _Wrong(f"must be {spec.min} and then in steps of {spec.step}", "step")
    return number


def _money(spec: Any, value: Any, known: Known) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**53:
        raise _Wrong("must be a whole number of minor units", "type")
    _bounds(spec, value)
    return value


def _bounds(spec: Any, value: int | float) -> None:
    if spec.min is not None and value < spec.min:
        raise _Wrong(f"must be at least {spec.min}", "min")
    if spec.max is not None and value > spec.max:
        raise _Wrong(f"must be at most {spec.max}", "max")


def _boolean(spec: Any, value: Any, known: Known) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("must be yes or no", "type")
    return value


def _enum(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or value not in spec.options:
        raise _Wrong(f"must be one of {', '.join(spec.options)}", "option")
    return value


def _color(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or not _COLOR.fullmatch(value.lower()):
        raise _Wrong("must be a colour such as #1a2b3c", "color")
    return value.lower()


def _secret(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or len(value) > MAX_SECRET or "\x00" in value:
        raise _Wrong(f"must be a text of at most {MAX_SECRET} characters", "type")
    return value.strip()


def _user(spec: Any, value: Any, known: Known) -> str:
    try:
        person = value if isinstance(value, UUID) else UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise _Wrong("must be a member of the agency", "unknown_person") from error
    if person not in known.people:
        raise _Wrong("must be a member of the agency", "unknown_person")
    return str(person)


def _page(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or len(value) > 200 or _CONTROL.search(value):
        raise _Wrong("must be the address of a page", "type")
    return value.strip()


def _module(spec: Any, value: Any, known: Known) -> str:
    if not isinstance(value, str) or value not in known.modules:
        raise _Wrong("must be a module that is installed on this site", "unknown_module")
    return value


def _hours(spec: Any, value: Any, known: Known) -> dict[str, list[list[str]]]:
    try:
        return read_hours(value)
    except WrongHours as wrong:
        raise _Wrong(str(wrong), wrong.code, f"/{wrong.day}" if wrong.day else "") from None


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
