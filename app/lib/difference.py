"""What differs between two texts, line by line, as screens show it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference. kind: same, added, removed, skip (text says how many lines are left out)."""

    kind: str
    text: str


def difference(before: bytes | None, after: bytes | None) -> list[DiffLine] | None:
    """What changed between two states of a file, three lines around each change; None for what is no text."""
    try:
        old, new = [(content or b"").decode().splitlines() for content in (before, after)]
    except UnicodeDecodeError:
        return None
    return line_difference(old, new)


def line_difference(old: Sequence[str], new: Sequence[str]) -> list[DiffLine]:
    """What changed between two lists of lines, three around each change."""
    found: list[DiffLine] = []
    for line in difflib.unified_diff(old, new, lineterm="", n=3):
        if line.startswith(("---", "+++")) and not found:
            continue
        if line.startswith("@@"):
            found.append(DiffLine("skip", line))
        else:
            found.append(DiffLine({"+": "added", "-": "removed"}.get(line[:1], "same"), line[1:]))
    return found
