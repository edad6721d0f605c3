"""What an editor does with blocks: put in, move, double, take out. Content in, content out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.errors import Invalid
from app.pages.content import KINDS, MOST_BLOCKS, Block, Columns, Content, ModulePage, block_name, new_block_id


class TooManyBlocks(Invalid):
    """A page holds at most 100 blocks. Take one out, or make another page."""

    code = "too_many_blocks"


def add_block(content: Content, kind: str, *, after: str = "", module: ModulePage | None = None) -> tuple[Content, str]:
    """A new, empty block behind the one named, at the end otherwise. Returns the page and the block's id."""
    if len(content.blocks) >= MOST_BLOCKS:
        raise TooManyBlocks()
    if kind not in KINDS or (kind == "module" and module is None):
        raise Invalid("There is no such kind of block.")
    made: Block = module if module is not None else KINDS[kind]()
    place = _place(content, after) + 1 if after else len(content.blocks)
    return _with(content, [*content.blocks[:place], made, *content.blocks[place:]]), made.id


def move_block(content: Content, block_id: str, by: int) -> Content:
    """One place up (-1) or down (1); at the end of the list it stays."""
    place = _place(content, block_id)
    aim = place + by
    if not 0 <= aim < len(content.blocks):
        return content
    blocks = list(content.blocks)
    blocks[place], blocks[aim] = blocks[aim], blocks[place]
    return _with(content, blocks)


def duplicate_block(content: Content, block_id: str) -> tuple[Content, str]:
    """The same block once more, behind itself."""
    if len(content.blocks) >= MOST_BLOCKS:
        raise TooManyBlocks()
    place = _place(content, block_id)
    copy = content.blocks[place].model_copy(update={"id": new_block_id()})
    return _with(content, [*content.blocks[: place + 1], copy, *content.blocks[place + 1 :]]), copy.id


def remove_block(content: Content, block_id: str) -> Content:
    place = _place(content, block_id)
    return _with(content, [*content.blocks[:place], *content.blocks[place + 1 :]])


def change_columns(content: Content, block_id: str, by: int) -> Content:
    """One column more (1) or less (-1), 2 to 4."""
    place = _place(content, block_id)
    block = content.blocks[place]
    if not isinstance(block, Columns):
        raise Invalid("Only columns have columns.")
    cells = (*block.cells, type(block.cells[0])()) if by > 0 else block.cells[:-1]
    if not 2 <= len(cells) <= 4:
        return content
    blocks = list(content.blocks)
    blocks[place] = block.model_copy(update={"cells": cells})
    return _with(content, blocks)


def said(act: str, content: Content, block_id: str = "") -> str:
    """The change in words, for undoing: "Text removed"."""
    named = next((block for block in content.blocks if block.id == block_id), None)
    what = block_name(named) if named is not None else "Block"
    return f"{what} {_PAST[act]}" if act in _PAST else "Words changed"


_PAST = {
    "add": "added", "up": "moved up", "down": "moved down", "copy": "duplicated", "remove": "removed",
    "more": "got a column", "fewer": "lost a column",
}  # fmt: skip

Edit = Callable[[Content, str], Content]
EDITS: dict[str, Edit] = {
    "up": lambda content, block_id: move_block(content, block_id, -1),
    "down": lambda content, block_id: move_block(content, block_id, 1),
    "copy": lambda content, block_id: duplicate_block(content, block_id)[0],
    "remove": remove_block,
    "more": lambda content, block_id: change_columns(content, block_id, 1),
    "fewer": lambda content, block_id: change_columns(content, block_id, -1),
}


def _place(content: Content, block_id: str) -> int:
    for place, block in enumerate(content.blocks):
        if block.id == block_id:
            return place
    raise Invalid("This block is no longer on the page. Load the page again.")


def _with(content: Content, blocks: Sequence[Block]) -> Content:
    return content.model_copy(update={"blocks": tuple(blocks)})
