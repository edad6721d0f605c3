"""A visual act: what it makes of a manifest's plain values, where it takes effect, what the history calls it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from app.errors import Conflict, Invalid, NotFound
from app.studio.builder.manifesttext import at, mapping
from app.studio.builder.references import Reference, renamed_in
from app.studio.builder.render import Path
from app.studio.builder.rewrite import same

Values = dict[str, Any]


@dataclass(slots=True)
class Edit:
    """The values being changed. renamed: {where a key stood: its new name}; the text keeps what stands beside it."""

    values: Values
    note: str = ""
    renamed: dict[Path, str] = field(default_factory=dict)

    def mapping(self, *path: str | int) -> Values:
        """The mapping at a path, to be changed in place. Raises NotFound where there is none: it was taken away."""
        found = at(self.values, *path)
        if not isinstance(found, dict):
            raise NotFound()
        return found

    def room(self, *path: str) -> Values:
        """The mapping at a path, made where there is none. Raises Invalid where something else stands there."""
        here = self.values
        for step in path:
            if here.get(step) is None:
                here[step] = {}
            here = here[step]
            if not isinstance(here, dict):
                raise Invalid.field(step, f"{step} must be a mapping. Put the text right first.")
        return here

    def replace(self, path: Path, value: Values | list[Any]) -> None:
        """Put something else where `path` stands; an empty one takes its key away."""
        parent: Any = at(self.values, *path[:-1])
        if value or isinstance(path[-1], int):
            parent[path[-1]] = value
        else:
            parent.pop(path[-1], None)

    def rename_key(self, path: Path, new: str) -> None:
        """Another name for a key, in the same place."""
        old = path[-1]
        parent = self.mapping(*path[:-1])
        entries = [(new if key == old else key, value) for key, value in parent.items()]
        parent.clear()
        parent.update(entries)
        self.renamed[self._before(path)] = new

    def follow(self, refs: list[Reference], *, table: str, field: str | None, new: str) -> int:
        """Write the new name wherever the old one is; returns in how many places."""
        for ref in refs:
            path = self._after(ref.path)
            if ref.shape == "key":
                self.rename_key(path, new)
            else:
                parent = at(self.values, *path[:-1])
                parent[path[-1]] = renamed_in(parent[path[-1]], ref, table=table, field=field, new=new)
        return len(refs)

    def _after(self, path: Path) -> Path:
        """A path of the text as it stands now, through the renames made so far."""
        found: Path = ()
        for index, step in enumerate(path):
            found = (*found, self.renamed.get(path[: index + 1], step))
        return found

    def _before(self, path: Path) -> Path:
        """A path of the values as they are now, as it stood in the text."""
        found: Path = ()
        for step in path:
            old = next((p[-1] for p, new in self.renamed.items() if p[:-1] == found and new == step), step)
            found = (*found, old)
        return found


Act = Callable[[Edit], None]


class Gone(Conflict):
    """This was taken away a moment ago. What you see now is what is there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an act is about, where only its place in a list names it. of: the act on the entry at another place."""

    path: Path
    index: int
    of: Callable[[int], Change]

    def followed(self, texts: list[Values]) -> Change:
        """The act on the entry that was meant in the first of these states, wherever it stands in the last.

        An act changes one thing, so from one state to the next an entry is either somewhere unchanged, or changed where it
        stood. Raises Gone, NotFound.
        """
        lists = [at(values, *self.path) or [] for values in texts]
        place = self.index
        for before, after in pairwise(lists):
            if not isinstance(before, list) or not isinstance(after, list) or not 0 <= place < len(before):
                raise NotFound()
            same_ones = [there for there, one in enumerate(after) if same(one, before[place])]
            if same_ones:
                place = min(same_ones, key=lambda there: abs(there - place))
            elif len(after) != len(before):
                raise Gone()
        return self.of(place)


@dataclass(frozen=True, slots=True)
class Change:
    """An act and the parts of the manifest it takes effect in: while these are as they were, it fits a newer text too."""

    act: Act
    within: tuple[Path, ...]
    entry: Entry | None = None


def edited(values: Values, change: Change) -> Edit:
    """What a change makes of values, which stay as they are. Raises Invalid, NotFound."""
    edit = Edit(deepcopy(values))
    change.act(edit)
    return edit


def names(values: Values, *path: str) -> list[str]:
    """The keys of a mapping that are texts."""
    return [key for key in mapping(values, *path) if isinstance(key, str)]
