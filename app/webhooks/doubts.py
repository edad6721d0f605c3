"""What is written in the form of an endpoint and would do nothing: events that nothing tells, fields that none of them has.

Such a value may be meant, for a module that is yet to be installed; so it is asked about, not refused for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from app.webhooks.catalogue import Group
from app.webhooks.message import FIELD
from app.webhooks.patterns import PATTERN, matches

_MOST = 2  # names that are offered in place of one
_NEAR = 0.7


@dataclass(frozen=True, slots=True)
class Doubt:
    """value: what is doubted, on the field of this name. detail: why, with what was perhaps meant."""

    field: str
    value: str
    detail: str


def doubts(groups: Iterable[Group], *, patterns: Iterable[str], fields: Iterable[str]) -> list[Doubt]:
    """What of these patterns and paths fits no event of the groups, which are all that the endpoint could get."""
    schemas: dict[str, list[dict[str, Any]]] = {}
    for group in groups:
        for one in group.events:
            schemas.setdefault(one.type, []).append(one.schema["properties"]["data"])
    chosen = [one for one in patterns if PATTERN.fullmatch(one)]  # what is none at all is refused elsewhere
    lost = [_of_pattern(one, schemas) for one in chosen if not any(matches([one], kind) for kind in schemas)]
    heard = [data for kind, found in schemas.items() if matches(chosen, kind) for data in found]
    if heard:  # else there is nothing to hold them against
        lost += [
            Doubt("fields", path, f"No event chosen here has {path}.{_meant(path, _paths(heard))}")
            for path in fields
            if FIELD.fullmatch(path) and not any(_has(data, path.split(".")) for data in heard)
        ]
    return lost


def _of_pattern(pattern: str, schemas: Iterable[str]) -> Doubt:
    whole = pattern.endswith(".*")
    kinds = {f"{kind.rpartition('.')[0]}.*" if whole else kind for kind in schemas}
    return Doubt("patterns", pattern, f"Nothing tells {pattern}.{_meant(pattern, kinds)}")


def _meant(text: str, known: Iterable[str]) -> str:
    near = get_close_matches(text, sorted(known), _MOST, _NEAR)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _has(schema: dict[str, Any], path: list[str]) -> bool:
    """Whether a value of the schema can have something there. What the schema leaves open can have anything."""
    if not path:
        return True
    if "properties" in schema:
        deeper = schema["properties"].get(path[0])
        return deeper is not None and _has(deeper, path[1:])
    kinds = schema.get("type", "object")
    return "object" in ([kinds] if isinstance(kinds, str) else kinds)


def _paths(schemas: Iterable[dict[str, Any]], above: str = "") -> set[str]:
    found = set()
    for schema in schemas:
        for name, deeper in schema.get("properties", {}).items():
            found |= {f"{above}{name}"} | _paths([deeper], f"{above}{name}.")
    return found
