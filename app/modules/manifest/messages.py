"""Turns pydantic's errors into problems that name the place and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from app.modules.manifest.base import TAG_MARK
from app.modules.manifest.problems import Problem, did_you_mean
from app.modules.manifest.views import CARD_TYPES
from app.modules.manifest.yamltext import Document, Path, join

# What each pattern of the models asks for, in words.
_PATTERNS = {
    r"^[a-z][a-z0-9_]{0,40}$": "use lower-case letters, digits and _, starting with a letter, at most 41 characters",
    r"^[a-z][a-z0-9-]{1,38}[a-z0-9]$": "use 3 to 40 lower-case letters, digits and hyphens, starting with a letter",
    r"^-?[a-z][a-z0-9_]{0,40}$": "write a field, or -field for the largest first",
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "use lower-case words joined by hyphens, such as contact-form",
    r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$": "write what and what happened, such as deal.won",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "write the file's name without a folder, such as capture.js",
    r"^(/[a-z0-9][a-z0-9_-]*)+$": "write lower-case segments that each start with /, such as /quote",
    r"^[1-9][0-9]{0,5}/(s|min|hour|day)$": "write calls per s, min, hour or day, such as 30/min",
    r"^[A-Z]{3}$": "write the ISO 4217 code, such as EUR",
    r"^[a-z0-9][a-z0-9_-]{0,59}$": "use lower-case letters, digits, _ and -, at most 60 characters",
    r"^[a-z][a-z0-9_]{0,40}(/(day|week|month|quarter|year))?$": (
        "write a field, or a date field and its period, such as created_at/week"
    ),
    r"^[a-z][a-z0-9_]{0,40}\.[a-z][a-z0-9_]{0,40}$": "write table.field",
    r"^[a-z][a-z0-9_]{0,40}(\.[a-z][a-z0-9_]{0,40})?$": "write table.field, or the table alone",
    r"^[a-z][a-z0-9_]*:[a-z][a-z0-9_]*$": "write what and which right, such as records:read",
    r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$": "write a language tag, such as en or pt-BR",
    r"^([A-Za-z0-9/_.-]|\{year\}|\{month\})*$": "use letters, digits, / _ . - and {year} or {month}",
    r"^https://[^\s\"'<>\\]{3,400}$": "write a whole address that starts with https://",
    r"^[A-Za-z][A-Za-z0-9-]{0,59}$": "write the name of a header, such as X-GitHub-Event",
    r"^[A-Za-z0-9_-]{1,20}$": "write the name of a part, such as v1",
    r"^[A-Za-z0-9_-]{1,60}(\.[A-Za-z0-9_-]{1,60}){0,4}$": "write where it stands in the body, such as data.id",
    r"^[!-~]{0,20}$": "write at most 20 characters without a space, such as sha256=",
    r"^[a-zA-Z0-9][a-zA-Z0-9_./-]*$": "write a file such as icon.svg, or the name of an icon",
}
_LIMITS = {
    "greater_than_equal": ("ge", "must be at least {}"),
    "less_than_equal": ("le", "must be at most {}"),
    "greater_than": ("gt", "must be more than {}"),
    "less_than": ("lt", "must be less than {}"),
    "string_too_long": ("max_length", "must have at most {} characters"),
    "string_too_short": ("min_length", "must have at least {} characters"),
}
_TYPES = {
    "int_type": "must be a whole number",
    "number_type": "must be a number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list: [a, b]",
    "dict_type": "must be a mapping: key: value",
    "model_type": "must be a mapping: key: value",
    "model_attributes_type": "must be a mapping: key: value",
}


def plain_path(location: Iterable[str | int]) -> Path:
    """Pydantic's location without the tags of unions and without its [key] mark."""
    return tuple(part for part in location if not (isinstance(part, str) and _is_mark(part)))


def problems_of(error: ValidationError, *, model: type[BaseModel], document: Document, file: str) -> list[Problem]:
    """One problem for each of pydantic's errors, in the order of the file."""
    items = error.errors(include_url=False)
    found = [_problem(item, model, document, file) for item in items if not _follows_from_others(item, items)]
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def _follows_from_others(item: Any, items: list[Any]) -> bool:
    """A list is "too short" for pydantic when its entries are bad; only the entries are worth a report."""
    own = item["loc"]
    return item["type"] == "too_short" and any(len(i["loc"]) > len(own) and i["loc"][: len(own)] == own for i in items)


def _problem(item: Any, model: type[BaseModel], document: Document, file: str) -> Problem:
    location, kind = tuple(item["loc"]), item["type"]
    path = plain_path(location)
    about_key = kind in {"extra_forbidden", "missing"} or (bool(location) and location[-1] == "[key]")
    message = _message(item, location, model)
    line, column = document.where(path, key=about_key)
    return Problem(join(path), message, line, column, _code(kind), file=file)


def _code(kind: str) -> str:
    return {"extra_forbidden": "unknown_key", "missing": "required", "union_tag_not_found": "required"}.get(
        kind, "value"
    )


def _message(item: Any, location: tuple[str | int, ...], model: type[BaseModel]) -> str:
    kind, context, value = item["type"], item.get("ctx", {}), item["input"]
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        known = _known_keys(model, location[:-1])
        name = str(location[-1])
        hint = did_you_mean(name, known) or (f"; known are {', '.join(known)}" if len(known) <= 12 else "")
        return f'unknown key "{name}"{hint}'
    if kind == "union_tag_not_found":
        return _needs_type(item)
    if kind == "union_tag_invalid":
        name, known = context["tag"].replace(TAG_MARK, ""), _quoted(context["expected_tags"])
        return f'no type "{name}"{did_you_mean(name, known) or "; choose " + _or(known)}'
    if kind == "literal_error":
        known = _quoted(context["expected"])
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        return f"{_shown(value)} is not allowed{hint or '; choose ' + _or(known)}"
    return _value_message(kind, context, value, item)


def _value_message(kind: str, context: Any, value: Any, item: Any) -> str:
    if kind == "string_type":
        quote = f'; write it in quotes: "{value}"' if isinstance(value, (int, float)) and value is not True else ""
        return f"must be a text{quote}"
    if kind == "string_pattern_mismatch":
        return f"{_shown(value)} is not allowed: {_PATTERNS[context['pattern']]}"
    if kind == "too_long":
        return f"has {context['actual_length']} entries; at most {context['max_length']} are allowed"
    if kind == "too_short":
        return f"needs at least {context['min_length']} {'entry' if context['min_length'] == 1 else 'entries'}"
    if kind in _LIMITS:
        name, template = _LIMITS[kind]
        return template.format(context[name])
    return _TYPES.get(kind, str(item["msg"]))


def _needs_type(item: Any) -> str:
    if not isinstance(item["input"], dict):
        return "must be a mapping: key: value"
    if "_card_type" in item["msg"]:
        return f"needs one of the keys {_or(list(CARD_TYPES))}"
    return "needs a type: type: text"


def _is_mark(part: str) -> bool:
    return part.startswith(TAG_MARK) or part == "[key]"


def _quoted(text: str) -> list[str]:
    """The names of a list in pydantic's words: "'a', 'b' or 1"."""
    found = [quoted or number for quoted, number in re.findall(r"'([^']*)'|\b([0-9]+)\b", text)]
    return [name.replace("\\x01", "").replace(TAG_MARK, "") for name in found]


def _or(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value if len(value) <= 60 else value[:57] + "..."}"'
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return str(value)


def _known_keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys a manifest may write at a location, found by walking the types of the models."""
    found = _walk(model, location)
    if not (isinstance(found, type) and issubclass(found, BaseModel)):
        return []
    return [field.alias or name for name, field in found.model_fields.items()]


def _walk(annotation: Any, location: tuple[str | int, ...]) -> Any:
    annotation = _without_none(annotation)
    if not location:
        return annotation
    step, rest = location[0], location[1:]
    if isinstance(step, str) and step.startswith(TAG_MARK):
        return _walk(_member(annotation, step), rest)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            if step in (name, field.alias):
                inner = field.annotation
                return _walk(Annotated[inner, *field.metadata] if field.metadata else inner, rest)
        return None
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return _walk(arguments[1], rest)
    if get_origin(annotation) is tuple:
        return _walk(arguments[0], rest)
    return None


def _without_none(annotation: Any) -> Any:
    """The type without Annotated and without `| None`; a union of several stays."""
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _without_none(members[0]) if len(members) == 1 else annotation
    return annotation


def _member(union: Any, mark: str) -> Any:
    for member in get_args(union):
        if any(isinstance(extra, Tag) and extra.tag == mark for extra in get_args(member)[1:]):
            return get_args(member)[0]
    return None
