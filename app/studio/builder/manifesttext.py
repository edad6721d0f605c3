"""module.yaml as the visual editors see it: plain values read with care, and the text written back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.modules.manifest.yamltext import read_yaml
from app.studio.builder.render import Path
from app.studio.builder.rewrite import Renamed, rewrite


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a text cannot be edited by clicking, and the line to go to."""

    message: str
    line: int


@lru_cache(maxsize=32)  # one act reads the same text several times over
def read_values(text: str) -> dict[str, Any] | Unreadable:
    """The values of a manifest, valid or not, or why its text is no YAML we take (anchors, aliases and tags included).

    Not to be changed in place: the next to ask for the same text gets the same values.
    """
    document = read_yaml(text)
    if document.problems:
        first = document.problems[0]
        return Unreadable(first.message, first.line)
    if not isinstance(document.value, dict):
        return Unreadable("the file must be a mapping that starts with manifest: 1", 1)
    return document.value


def write_values(text: str, values: dict[str, Any], renamed: Renamed | None = None) -> str:
    """The text made to say `values`. Raises NotEditable."""
    return rewrite(text, values, blocks=is_written_out, renamed=renamed)


_LINES = {
    (), ("tables",), ("tables", "*"), ("tables", "*", "fields"), ("views",), ("permissions",), ("pages",), ("functions",),
    ("roles",), ("jobs",), ("connections",), ("connections", "*"), ("inbound",), ("inbound", "*"),
    ("settings", "*"), ("settings", "*", "fields"),
}  # fmt: skip


def is_written_out(path: Path) -> bool:
    """Whether the mapping at a path is written over several lines, as people write a manifest."""
    return any(
        len(path) == len(shape) and all(want in ("*", step) for want, step in zip(shape, path, strict=True))
        for shape in _LINES
    )


def mapping(value: Any, *path: str | int) -> dict[str, Any]:
    """The mapping at a path, {} where there is none: a module that is being written may hold anything anywhere."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def sequence(value: Any, *path: str | int) -> list[Any]:
    """The list at a path, [] where there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def at(value: Any, *path: str | int) -> Any:
    """What stands at a path, None where nothing does."""
    for step in path:
        value = _step(value, step)
    return value


def _step(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return None
