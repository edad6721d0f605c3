"""In which order rows are put back: what is referred to before what refers to it, what hangs together in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.rollouts.putback.file import Line

Key = tuple[str, Any]


def in_order(lines: Sequence[Line], together: Callable[[Line], Key | None]) -> list[list[Line]]:
    """The rows in parts that are put back whole or not at all: created ones, changed ones, then deleted ones.

    together: a key that rows share which only fit with each other, such as the lines of one entry of a ledger. Rows that
    refer to each other in a circle are one part.
    """
    created = _parts([one for one in lines if one.change == "created"], together)
    changed = [[one] for one in lines if one.change == "changed"]
    deleted = _parts([one for one in lines if one.change == "deleted"], lambda one: None)
    return [*created, *changed, *reversed(deleted)]


def _parts(lines: Sequence[Line], together: Callable[[Line], Key | None]) -> list[list[Line]]:
    by_id = {str(one.record_id): one for one in lines}
    ways = {name: [other for other in _referred(one) if other in by_id] for name, one in by_id.items()}
    groups: dict[Key, list[str]] = {}
    for name, one in by_id.items():
        key = together(one)
        if key is not None:
            groups.setdefault(key, []).append(name)
    for names in groups.values():  # a ring of ways makes one part of them
        for name, after in zip(names, [*names[1:], names[0]], strict=True):
            ways[name].append(after)
    return [[by_id[name] for name in part] for part in _circles(ways)]


def _referred(line: Line) -> Iterable[str]:
    """Every text of the row that may be an id of another."""
    for value in (line.values or line.before or {}).values():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str) and len(one) == 36:
                yield one


def _circles(ways: dict[str, list[str]]) -> list[list[str]]:
    """Tarjan's strongly connected components, each after those it leads to. Without recursion: chains may be long."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    is_open: set[str] = set()
    found: list[list[str]] = []
    for start in ways:
        if start in numbers:
            continue
        path = [(start, iter(ways[start]))]
        numbers[start] = lowest[start] = len(numbers)
        open_.append(start)
        is_open.add(start)
        while path:
            name, left = path[-1]
            for other in left:
                if other not in numbers:
                    numbers[other] = lowest[other] = len(numbers)
                    open_.append(other)
                    is_open.add(other)
                    path.append((other, iter(ways[other])))
                    break
                if other in is_open:
                    lowest[name] = min(lowest[name], numbers[other])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[name])
                if lowest[name] == numbers[name]:
                    part = [open_.pop()]
                    while part[-1] != name:
                        part.append(open_.pop())
                    is_open.difference_update(part)
                    found.append(part[::-1])
    return found
