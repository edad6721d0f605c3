"""Galleries: of each record its first picture, how many there are, or what stands in the place of one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.modules.manifest.views import GalleryView
from app.runtime.files.images import COPIES
from app.workspace.cards import Card, cards_of
from app.workspace.desk import Desk
from app.workspace.listing import ListState, page_of

WIDEST = 2.2
"""Of the longer side to the shorter: a picture beyond is shown whole, since a cut would leave little of it."""
_CAMERA = re.compile(
    r"^(img|dsc[fn]?|dcim|p|pxl|mvi|gopr|dji|image|photo|picture|screenshot|scan|unnamed|whatsapp)?[\W\d_]*$"
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-f]{24}")
_MOST_ALT = 120


@dataclass(frozen=True, slots=True)
class Picture:
    """What an <img> needs. copies: (size as in ?size=, its width in pixels), () where nobody knows them."""

    file_id: str
    alt: str
    width: int | None
    height: int | None
    copies: tuple[tuple[str, int], ...]

    @property
    def whole(self) -> bool:
        """Whether it is shown whole, with room around it."""
        if not self.width or not self.height:
            return False
        return max(self.width, self.height) > WIDEST * min(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Tile:
    """A record. count: its pictures; file: the name of one that is none, where it has nothing else."""

    card: Card
    picture: Picture | None
    count: int
    file: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """A page of a gallery. count: of all records, none after the first page; takes: whether a picture can be added."""

    view: GalleryView
    tiles: tuple[Tile, ...]
    count: int | None
    next_cursor: str
    takes: bool


def read_gallery(desk: Desk, view: GalleryView, state: ListState) -> tuple[Gallery, ListState]:
    """A page as somebody sees it, and from where it is. One round trip for any number of records and pictures."""
    found, state = page_of(desk, state)
    cards = cards_of(desk, view.table, state.columns, found.records, without=(view.image,))
    tiles = tuple(tile_of(card, row.get(view.image)) for card, row in zip(cards, found.records, strict=True))
    field: Any = desk.table(view.table).fields[view.image]
    takes = field.takes("image") and desk.can(view.table, "update")
    return Gallery(view, tiles, found.count, found.next_cursor, takes), state


def tile_of(card: Card, value: Any) -> Tile:
    """A record with what its field holds: one file, several, or none."""
    files = value if isinstance(value, list) else [value] if value else []
    pictures = [one for one in files if one["type"].startswith("image/")]
    first = _picture(pictures[0], card.title) if pictures else None
    return Tile(card, first, len(pictures), files[0]["name"] if files and not pictures else "")


def _picture(file: Mapping[str, Any], title: str) -> Picture:
    width, height = file.get("width"), file.get("height")
    copies = copy_widths(width, height) if width and height else ()
    return Picture(file["id"], alt_of(file["name"], title), width, height, copies)


def copy_widths(width: int, height: int) -> tuple[tuple[str, int], ...]:
    """How wide the smaller pictures of one are; one that is as small as the last is left out."""
    found: dict[int, str] = {}
    for size, side in COPIES.items():
        found.setdefault(max(1, round(width * min(1, side / max(width, height)))), size)
    return tuple((size, pixels) for pixels, size in found.items())


def alt_of(name: str, title: str) -> str:
    """What a picture shows, as far as anybody has said: the words of its file's name, else whose it is."""
    stem = name.rpartition(".")[0] if "." in name else name
    words = " ".join(re.split(r"[\s_\-.]+", stem)).strip()
    if _CAMERA.match(stem.lower()) or _UUID.search(stem.lower()):
        return f"Picture of {title}"
    return words[:_MOST_ALT]
