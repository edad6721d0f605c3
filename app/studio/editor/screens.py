"""Screens for staff, drawn for previews. Who knows how is handed in by the composition root: the Studio knows no workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.access.actors import Actor
from app.errors import Unavailable
from app.modules.manifest import Manifest
from app.runtime.data import Data


class Drawn(Protocol):
    """A screen. records: titles of those it can show; chosen: which it shows, counted from 1, 0 for none."""

    @property
    def html(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def records(self) -> Sequence[str]: ...
    @property
    def chosen(self) -> int: ...


class Draw(Protocol):
    """Draws one of the screens that are offered. Raises NotFound."""

    def __call__(self, data: Data, actor: Actor, *, screen: str, record: int = 0) -> Drawn: ...


@dataclass(frozen=True, slots=True)
class Screens:
    """offered: (key, label) of every screen a module gives staff."""

    offered: Callable[[Manifest], Iterable[tuple[str, str]]]
    draw: Draw


_handed_in: dict[str, Screens] = {}


def configure_screens(screens: Screens) -> None:
    """Once per process."""
    _handed_in["screens"] = screens


def screens() -> Screens:
    """What was handed in. Raises Unavailable where nothing was."""
    if "screens" not in _handed_in:
        raise Unavailable("This process draws no screens.")
    return _handed_in["screens"]
