"""The filters and functions of module templates: which of the engine's stay, and our own with bounded output."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from html import escape
from itertools import islice
from typing import Any

from minijinja import Environment, pass_state, safe

from . import zones
from .values import Record, to_json

TEXT_LIMIT = 1 << 20  # characters any one filter may give
ITEMS_LIMIT = 10_000

# What the engine brings that can grow without using fuel, switches escaping off or shows insides.
REMOVED_FILTERS = (
    "format", "indent", "replace", "join", "batch", "slice", "safe", "tojson", "pprint", "wordwrap", "chain", "zip",
    "truncate", "attr", "title", "split", "lines", "string", "list",
)  # fmt: skip
REMOVED_GLOBALS = ("debug", "lipsum", "cycler", "joiner")


class FilterFailed(ValueError):
    """A filter refuses its value. args: sentence, filter name, template name."""


def install(env: Environment) -> None:
    for name in REMOVED_FILTERS:
        env.remove_filter(name)
    for name in REMOVED_GLOBALS:
        env.remove_global(name)
    for name, function in FILTERS.items():
        env.add_filter(name, _named(name, function))


def _named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what a filter raises into FilterFailed, which knows the filter and the template."""

    @pass_state
    def wrapped(state: Any, *args: Any, **options: Any) -> Any:
        try:
            return function(state, *args, **options)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            message = str(error) if isinstance(error, ValueError) else f"{name} cannot work with this value."
            raise FilterFailed(message, name, state.name) from None

    return wrapped


def _site(state: Any, key: str, default: str) -> str:
    site = state.lookup("site")
    value = site[key] if isinstance(site, Record) and key in site else None
    return value if isinstance(value, str) and value else default


def _bounded(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"The text grows past {TEXT_LIMIT} characters.")
    return text


def _items(value: Any) -> list[Any]:
    if isinstance(value, (str, Record)) or not isinstance(value, Iterable):
        raise ValueError("This is not a list.")
    items = list(islice(value, ITEMS_LIMIT + 1))
    if len(items) > ITEMS_LIMIT:
        raise ValueError(f"The list is longer than {ITEMS_LIMIT}.")
    return items


def _whole(value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"The number has to be whole, {low} to {high}.")
    return value


def _html(value: Any) -> str:
    """A part of a safe result: escaped unless it is safe itself."""
    return str(value) if hasattr(value, "__html__") else escape(str(value))


def _join(state: Any, value: Any, between: str = "", attribute: str | None = None) -> str:
    items = _items(value)
    if attribute is not None:
        items = [item[attribute] for item in items]
    if len(between) * len(items) > TEXT_LIMIT:
        raise ValueError(f"The text grows past {TEXT_LIMIT} characters.")
    texts = ["" if item is None else item for item in items]
    if any(hasattr(text, "__html__") for text in texts):
        return safe(_bounded(_html(between).join(map(_html, texts))))
    return _bounded(between.join(map(str, texts)))


def _replace(state: Any, value: Any, old: str, new: str, count: int = -1) -> str:
    text, old, new = str(value), str(old), str(new)
    if len(text) + text.count(old) * max(len(new) - len(old), 0) > TEXT_LIMIT:
        raise ValueError(f"The text grows past {TEXT_LIMIT} characters.")
    return str.replace(text, old, new, count)


def _slice(state: Any, value: Any, start: int = 0, end: int | None = None) -> Any:
    """Part of a text or list, as Python's value[start:end]."""
    return (str(value) if isinstance(value, str) else _items(value))[start:end]


def _batch(state: Any, value: Any, size: int) -> list[list[Any]]:
    items = _items(value)
    size = _whole(size, 1, ITEMS_LIMIT)
    return [items[at : at + size] for at in range(0, len(items), size)]


def _tojson(state: Any, value: Any) -> str:
    """JSON that may stand in an element, a script block or an attribute in single quotes."""
    text = _bounded(to_json(value))
    for mark in "<>&'\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return safe(text)


def _nl2br(state: Any, value: Any) -> str:
    return safe(_bounded(re.sub(r"\r\n|\r|\n", "<br>\n", _html("" if value is None else value))))


def _truncate(state: Any, value: Any, length: int = 255, end: str = "…") -> str:
    text, length = str(value), _whole(length, 0, TEXT_LIMIT)
    if len(text) <= length:
        return text
    cut = text[:length].rsplit(" ", 1)[0] if " " in text[:length] else text[:length]
    return cut.rstrip() + str(end)[:100]


def _slugify(state: Any, value: Any) -> str:
    plain = unicodedata.normalize("NFKD", str(value)[:1000]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _title(state: Any, value: Any) -> str:
    return _bounded(str(value).title())


def _split(state: Any, value: Any, by: str | None = None) -> list[str]:
    parts = str(value).split(by if by != "" else None, ITEMS_LIMIT)
    return parts[:ITEMS_LIMIT]


def _list(state: Any, value: Any) -> list[Any]:
    return list(value[:ITEMS_LIMIT]) if isinstance(value, str) else _items(value)


def _string(state: Any, value: Any) -> str:
    return _bounded(str(value))


def _date(state: Any, value: Any, pattern: str = "date", zone: str | None = None, locale: str | None = None) -> str:
    zone, locale = zone or _site(state, "timezone", "UTC"), locale or _site(state, "locale", "en")
    return "" if value is None else zones.format_date(value, pattern, zone, locale)


def _time(state: Any, value: Any, pattern: str = "time", zone: str | None = None, locale: str | None = None) -> str:
    return _date(state, value, pattern, zone, locale)


def _datetime(
    state: Any, value: Any, pattern: str = "datetime", zone: str | None = None, locale: str | None = None
) -> str:
    return _date(state, value, pattern, zone, locale)


def _number(state: Any, value: Any, decimals: int | None = None, locale: str | None = None) -> str:
    return "" if value is None else zones.format_number(value, decimals, locale or _site(state, "locale", "en"))


def _money(state: Any, value: Any, currency: str | None = None, locale: str | None = None) -> str:
    """Minor units, or {amount, currency}, in the site's language."""
    if value is None:
        return ""
    if isinstance(value, Record):
        value, currency = value["amount"], currency or value["currency"]
    return zones.format_money(
        value, currency or _site(state, "currency", "EUR"), locale or _site(state, "locale", "en")
    )


def plain_none(value: Any) -> Any:
    """An empty field shows as nothing."""
    return "" if value is None else NotImplemented


FILTERS: dict[str, Callable[..., Any]] = {
    "join": _join,
    "replace": _replace,
    "slice": _slice,
    "batch": _batch,
    "tojson": _tojson,
    "nl2br": _nl2br,
    "truncate": _truncate,
    "slugify": _slugify,
    "title": _title,
    "split": _split,
    "list": _list,
    "string": _string,
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "number": _number,
    "money": _money,
}
