"""What a visitor typed into a form, as values of a record; and errors, as the template finds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from app.errors import FieldError
from app.modules.manifest import FieldSpec
from app.modules.manifest.pages import Page
from app.runtime.context import InstallContext
from app.runtime.pages.spam import STAMP, TRAP

MAX_INPUTS, MAX_VALUE = 300, 20_000
_WHOLE = re.compile(r"[-+]?\d{1,18}")
_DECIMAL = re.compile(r"[-+]?\d{1,20}([.,]\d{1,10})?")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_TRUE = ("1", "on", "yes", "true")
UPLOADS = ("file", "files")  # come as files; a text in their place could name what somebody else has sent
_PARTS = ("json", "address", "geo")
Posted = Mapping[str, Sequence[str]]


def posted_inputs(page: Page, context: InstallContext, given: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The inputs a page's form has: its fields, and `field.key` for parts of one. Anything else is dropped."""
    assert page.table is not None
    fields = context.manifest.tables[page.table].fields
    found: dict[str, list[str]] = {}
    for name, value in given:
        head, dot, key = name.partition(".")
        whole = head in (page.fields or ()) and len(name) <= 120 and name not in (STAMP, TRAP)
        if not whole or fields[head].type in UPLOADS or (dot and (fields[head].type not in _PARTS or not key)):
            continue
        if name in found or len(found) < MAX_INPUTS:
            found.setdefault(name, []).append(value[: MAX_VALUE + 1])
    return found


def record_values(page: Page, context: InstallContext, posted: Posted) -> dict[str, Any]:
    """The values to make a record of. A text that is no value of its field stays a text: the record's rules say why."""
    assert page.table is not None
    assert page.fields is not None
    fields = context.manifest.tables[page.table].fields
    found = {}
    for name in page.fields:
        value = _value(fields[name], name, posted, context)
        if value is not None:
            found[name] = value
    return found


def shown_values(posted: Posted) -> dict[str, Any]:
    """What form.values holds: the text of each input, a list where several were chosen."""
    return {name: values[0] if len(values) == 1 else list(values) for name, values in posted.items()}


def shown_errors(errors: Iterable[FieldError]) -> dict[str, str]:
    """What form.errors holds: {input name: sentence}, the first of each; "" for the record as a whole."""
    found: dict[str, str] = {}
    for error in errors:
        name = ".".join(part.replace("~1", "/").replace("~0", "~") for part in error.pointer.split("/")[1:])
        found.setdefault(name, sentence(error.detail))
    return found


def sentence(detail: str) -> str:
    """`is required` becomes `This is required.`; what is a sentence already stays."""
    text = detail.strip()
    if text[:1].islower():
        text = f"This {text}"
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _value(field: FieldSpec, name: str, posted: Posted, context: InstallContext) -> Any:
    if field.type in _PARTS:
        return _parts(field, name, posted)
    values = [value.strip() for value in posted.get(name, ())]
    if field.type == "boolean":
        if values:
            return values[-1].lower() in _TRUE
        # a box that is not ticked is not sent; one that must be ticked then has no value
        return None if field.required else False
    if field.type in ("tags", "refs"):
        return [value for value in values if value] or None
    text = values[0].replace("\r\n", "\n") if values else ""
    return _read(field, text, context) if text else None


def _parts(field: FieldSpec, name: str, posted: Posted) -> Any:
    """A JSON object of the inputs `name.key` that hold something."""
    found: dict[str, Any] = {}
    for input_name, values in posted.items():
        head, _, key = input_name.partition(".")
        texts = [value.strip() for value in values if value.strip()]
        if head == name and key and texts:
            found[key] = texts[0] if len(texts) == 1 else texts
    if field.type == "geo":
        found = {key: _number(value) for key, value in found.items()}
    return found or None


def _read(field: FieldSpec, text: str, context: InstallContext) -> Any:
    if field.type in ("integer", "rating", "duration"):
        return int(text) if _WHOLE.fullmatch(text) else text
    if field.type in ("decimal", "percent"):
        return text.replace(",", ".") if _DECIMAL.fullmatch(text) else text
    if field.type == "money":
        return _minor_units(text, context.site.currency)
    if field.type == "datetime" and _LOCAL.fullmatch(text):
        return _moment(text, context.site.time_zone)
    return text


def _number(text: Any) -> Any:
    return float(text.replace(",", ".")) if isinstance(text, str) and _DECIMAL.fullmatch(text) else text


def _minor_units(text: str, currency: str) -> Any:
    """12.50 typed for euros is 1250; finer than the currency goes stays a text and is refused."""
    if not _DECIMAL.fullmatch(text):
        return text
    amount = Decimal(text.replace(",", ".")).scaleb(get_currency_precision(currency))
    return int(amount) if amount == amount.to_integral_value() else text


def _moment(text: str, zone: str) -> str:
    """A date and time without a zone is the site's."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).isoformat()
    except ValueError:
        return text
