"""A value as people write it in one text: in a cell of a file, in a line of an automation's step."""

from __future__ import annotations

import re
from typing import Any

from babel.numbers import get_currency_symbol

from app.modules.manifest import FieldSpec
from app.modules.manifest.fields import EnumField
from app.runtime.validation.problems import Wrong
from app.workspace.forms.raw import Place, from_raw
from app.workspace.labels import option_label

_YES, _NO = frozenset({"yes", "true", "y", "1", "x", "on"}), frozenset({"no", "false", "n", "0", "off"})
_SHORT_TIME = re.compile(r"\d:\d{2}(:\d{2})?")


def read_written(field: FieldSpec, text: str, place: Place) -> Any:
    """The value of a text, as plain JSON for the data layer to judge; records and people are the caller's to find.

    An option by its label, yes and no, 1,299.50 and €1,299.50, 45 min, a day for a moment. Raises Wrong.
    """
    if isinstance(field, EnumField):
        return _option(field, text)
    match field.type:
        case "boolean":
            return _flag(text)
        case "money":
            text = _bare_amount(text, place.currency)
        case "datetime" if len(text) == 10:
            text += "T00:00"
        case "time" if _SHORT_TIME.fullmatch(text):
            text = f"0{text}"
        case "address" | "geo" | "hours":
            return from_raw("json", "value", {"value": [text]}, place)
        case "rrule":
            return text
    return from_raw(field.type, "value", {"value": [text]}, place)


def _option(field: EnumField, text: str) -> str:
    by_label = {option_label(field, one).lower(): one for one in field.options}
    return text if text in field.options else by_label.get(text.lower(), text)


def _flag(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise Wrong("must be yes or no")


def _bare_amount(text: str, currency: str) -> str:
    """Without the currency's own sign or code before or after it; another's is left to be refused."""
    for sign in (currency, get_currency_symbol(currency, locale="en")):
        text = text.removeprefix(sign).removesuffix(sign).strip()
    return text
