"""Reads JSON bodies: one strict reading, so that what we check is what we store."""

from __future__ import annotations

import json
import math
from typing import Any

from app.errors import BadRequest, UnsupportedMedia
from app.gateway.http import Call

MAX_DEPTH = 32


class MalformedJson(BadRequest):
    """The body is not JSON."""

    code = "malformed_json"


class NotJson(UnsupportedMedia):
    """Send JSON: `Content-Type: application/json`, in UTF-8, not compressed."""


def read_json(call: Call) -> Any:
    """The value of the call's JSON body. Raises NotJson, BodyTooLarge, MalformedJson (with the position where it is known)."""
    _must_be_json(call)
    body = call.body
    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise MalformedJson(f"Line {error.lineno}, column {error.colno}: {error.msg}.", position=where) from error
    except UnicodeDecodeError as error:
        raise MalformedJson(f"Byte {error.start} is not UTF-8.") from error
    except RecursionError as error:
        raise MalformedJson(f"Nested deeper than {MAX_DEPTH} levels.") from error
    except ValueError as error:  # a number with more digits than Python reads
        raise MalformedJson("A number has too many digits.") from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _must_be_flat(value)
    if b"\\u" in body and not _is_text(value):
        raise MalformedJson("A \\u escape is half of a surrogate pair.")
    return value


def _must_be_json(call: Call) -> None:
    kind, _, parameters = call.environ.get("CONTENT_TYPE", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in ("", "utf-8", "utf8"):
        raise NotJson()
    if call.header("Content-Encoding").lower() not in ("", "identity"):
        raise NotJson()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedJson(f'"{twice[:80]}" stands twice in one object.')
    return found


def _no_constant(text: str) -> Any:
    raise MalformedJson(f"{text} is not JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise MalformedJson("A number is too large.")
    return number


def _must_be_flat(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not level:
            return
    if any(isinstance(one, (dict, list)) for one in level):
        raise MalformedJson(f"Nested deeper than {MAX_DEPTH} levels.")


def _is_text(value: Any) -> bool:
    """Whether every string can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
