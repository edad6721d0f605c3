"""Plain values as YAML 1.2 text, in the hand that module.yaml is written in: one line where one is enough."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Path = tuple[str | int, ...]
Blocks = Callable[[Path], bool]
"""Whether the mapping at a path is written over several lines even where one would do."""

WIDTH = 120
_PLAIN = re.compile(r"-?[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
# Not texts to YAML 1.2, or to the readers of YAML 1.1 that other tools use.
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
# JSON leaves these as they are; in a YAML text they would end the line or be refused.
_BREAKS = {ord(char): f"\\u{ord(char):04x}" for char in "\x7f\x85\u2028\u2029\ufeff"}


def scalar(value: Any, *, style: str | None = None) -> str:
    """A text, number, flag or None. style: the quotes (" or ') a text had before, kept where they can hold it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    if style == "'" and "'" not in text and text.isprintable():
        return f"'{text}'"
    if style != '"' and _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False).translate(_BREAKS)


def flow(value: Any) -> str:
    """Any value on one line: {type: enum, options: [a, b]}."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {flow(child)}" for key, child in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(child) for child in value) + "]"
    return scalar(value)


def after_key(value: Any, path: Path, *, column: int, used: int, blocks: Blocks) -> str:
    """What follows `key:` at `column`: " value", or the lines of a block below it; without the last line end.

    used: how many characters of the line are taken.
    """
    if not (isinstance(value, (dict, list, tuple)) and value):
        return " " + flow(value)
    line = flow(value)
    if not _is_block(value, path, blocks) and used + 1 + len(line) <= WIDTH:
        return " " + line
    return "\n" + "\n".join(_lines(value, path, column + 2, blocks))


def after_dash(value: Any, path: Path, *, column: int, blocks: Blocks) -> str:
    """What follows `-` at `column`, without the last line end."""
    if isinstance(value, dict) and value:
        line = flow(value)
        if _is_block(value, path, blocks) or column + 2 + len(line) > WIDTH:
            return " " + "\n".join(_lines(value, path, column + 2, blocks)).lstrip(" ")
    return " " + flow(value)


def _lines(value: Any, path: Path, column: int, blocks: Blocks) -> list[str]:
    pad = " " * column
    if isinstance(value, dict):
        found = []
        for key, child in value.items():
            head = f"{pad}{scalar(key)}:"
            found.append(head + after_key(child, (*path, key), column=column, used=len(head), blocks=blocks))
        return found
    return [
        f"{pad}-" + after_dash(child, (*path, index), column=column, blocks=blocks) for index, child in enumerate(value)
    ]


def _is_block(value: Any, path: Path, blocks: Blocks) -> bool:
    """Several lines where the mapping is one of those people write so, and where a list of mappings stands in it."""
    if isinstance(value, dict):
        return blocks(path) or any(
            isinstance(child, list) and _is_block(child, path, blocks) for child in value.values()
        )
    return any(isinstance(child, dict) for child in value)
