"""What the texts of a record step mean in the table's fields: checked when the step is saved, read when it is run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from app.automations.steps import Step, filled, found_in, is_fixed
from app.errors import FieldError, Invalid
from app.modules.manifest import FieldSpec, Table
from app.modules.manifest.fields import MoneyField, RefField, RefsField
from app.runtime.validation import fields as validation
from app.runtime.validation.problems import Facts, Wrong
from app.workspace.cells import currency_code
from app.workspace.forms.raw import Place, tag_list
from app.workspace.forms.written import read_written

_AS_IT_IS = frozenset({"text", "richtext", "slug", "email", "phone", "url", "color", "rrule", "secret", "user", "ref"})
Known = Mapping[str, str]


class Finder(Protocol):
    """Finds what people call by name. Both raise Wrong when it is nobody, nothing, or more than one."""

    def person(self, text: str) -> str: ...
    def record(self, table: str, text: str) -> str: ...


def wanted(
    step: Step, table: Table, place: Place, values: dict[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The record's values as plain JSON for the data layer to judge. values: of the event; before: of the record there is.

    Raises Invalid with an error per field that cannot be read.
    """
    found, wrong = {}, []
    for name, text in step["values"].items():
        field = table.fields.get(name)
        if field is None:
            found[name] = found_in(text, values)  # the data layer says that there is no such field
            continue
        try:
            own = Place(_currency(field, step, values, place, before or {}), place.zone)
            found[name] = _value(field, text, values, own, step.get("known", {}).get(name, {}))
        except Wrong as error:
            wrong.append(FieldError(f"/{name}", error.code, str(error)))
    if wrong:
        raise Invalid("; ".join(f"{one.pointer[1:]}: {one.detail}" for one in wrong), errors=wrong)
    return found


def check_values(step: Step, table: Table, place: Place, facts: Facts, finder: Finder) -> Step:
    """The step with what its texts name. Only what is the same for every event can be wrong already.

    Raises Invalid with an error for each field, all of them at `values`.
    """
    wrong, known = [], {}
    for name, text in step["values"].items():
        field = table.fields[name]
        if field.type in validation.READ_ONLY:
            wrong.append(f"{name} is set by the server.")
            continue
        if not is_fixed(text):
            continue
        try:
            if named := _named(field, text.strip(), finder):
                known[name] = named
            own = Place(_currency(field, step, {}, place, {}), place.zone)
            value = validation.read(field, _value(field, text, {}, own, named), facts)
            if value in (None, []) and field.required and not field.visible_if:
                wrong.append(f"{name} is required.")
        except Wrong as error:
            wrong.append(f"{name} {error}.")
    wrong += [f"{name} is required." for name in _missing(step, table)]
    if wrong:
        raise Invalid(errors=[FieldError("/values", "invalid", detail) for detail in wrong])
    return {**step, "known": known}


def _missing(step: Step, table: Table) -> list[str]:
    """Fields that a new record needs for certain, and gets from nowhere."""
    if step["act"] != "create":
        return []
    return [
        name
        for name, field in table.fields.items()
        if field.required and field.default is None and not field.visible_if and name not in step["values"]
        and field.type not in validation.READ_ONLY and not getattr(field, "from_", None)
    ]  # fmt: skip


def _value(field: FieldSpec, text: str, values: dict[str, Any], place: Place, known: Known) -> Any:
    found = found_in(text, values)
    if not isinstance(found, str):
        return found
    words = found.strip()
    if isinstance(field, RefsField):
        return [known.get(one, one) for one in tag_list(words)]
    if field.type in _AS_IT_IS or not words:
        return known.get(words, found)
    if field.type == "date" and "T" in words:
        words = _day_of(words, place.zone)
    return read_written(field, words, place)


def _day_of(text: str, zone: str) -> str:
    """The day a moment falls on at the site; a text that is none stays as it is."""
    try:
        moment = datetime.fromisoformat(text)
        return text if moment.tzinfo is None else moment.astimezone(ZoneInfo(zone)).date().isoformat()
    except (ValueError, OverflowError):
        return text


def _currency(field: FieldSpec, step: Step, values: dict[str, Any], place: Place, before: Mapping[str, Any]) -> str:
    """What an amount is in: what the record says, which the step may say itself, else the site's."""
    name = field.currency if isinstance(field, MoneyField) else None
    if name is None:
        return place.currency
    said = filled(step["values"][name], values) if name in step["values"] else before.get(name)
    return currency_code(said) if said else place.currency


def _named(field: FieldSpec, text: str, finder: Finder) -> dict[str, str]:
    """{text: id} of the records or the person it names; ids name themselves."""
    words = tag_list(text) if isinstance(field, RefsField) else [text] if text else []
    words = [one for one in words if not _is_id(one)]
    if field.type == "user":
        return {one: finder.person(one) for one in words}
    if isinstance(field, (RefField, RefsField)):
        return {one: finder.record(field.to, one) for one in words}
    return {}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
