"""What a difference between two manifests is made of: changes, and what is compared by name alike for every part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Bump = Literal["patch", "minor", "major"]
_RANK: dict[Bump, int] = {"patch": 0, "minor": 1, "major": 2}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Change:
    """One change: `kind` is stable (field_added …), `sentence` is for people, `least_bump` what it needs."""

    kind: str
    path: str
    sentence: str
    least_bump: Bump


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    """Every change from an old to a new manifest."""

    changes: tuple[Change, ...]

    @property
    def least_bump(self) -> Bump:
        """What the changes need together; a release without changes is still a patch."""
        return max((change.least_bump for change in self.changes), key=_RANK.__getitem__, default="patch")

    @property
    def needs_consent(self) -> bool:
        """Whether the new version asks an agency for more than it agreed to."""
        return any(change.kind in ("permission_added", "requirement_added") for change in self.changes)

    def of_kind(self, *kinds: str) -> tuple[Change, ...]:
        """The changes of these kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)


def pairs(old: Mapping[str, T], new: Mapping[str, T]) -> tuple[dict[str, str], list[str]]:
    """({new name: old name} by name or `was`, [old names that are gone])."""
    found: dict[str, str] = {}
    for name, item in new.items():
        was: str | None = getattr(item, "was", None)
        if name in old:
            found[name] = name
        elif was is not None and was in old and was not in new:
            found[name] = was
    return found, [name for name in old if name not in found.values()]


def rights(old: Iterable[str], new: Iterable[str], path: str, who: str) -> Iterator[Change]:
    before, after = set(old), set(new)
    for right in sorted(before - after):
        yield Change("right_removed", path, f"{who} may no longer {right}", "major")
    for right in sorted(after - before):
        yield Change("right_added", path, f"{who} may {right}", "minor")


def named(kind: str, old: Mapping[str, Any], new: Mapping[str, Any], *, gone: Bump) -> Iterator[Change]:
    """Changes of a mapping by name; `gone` is what a removal needs."""
    for name in sorted(old.keys() - new.keys()):
        yield Change(f"{kind}_removed", f"{kind}s.{name}", f'the {kind} "{name}" is gone', gone)
    for name, item in new.items():
        if name not in old:
            yield Change(f"{kind}_added", f"{kind}s.{name}", f'the {kind} "{name}" is new', "minor")
        elif old[name] != item:
            yield Change(f"{kind}_changed", f"{kind}s.{name}", f'the {kind} "{name}" changed', "patch")
