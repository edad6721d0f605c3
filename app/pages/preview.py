"""Signed links to a draft or an older version, for an hour. Who has the link sees it; nobody else does."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from app.errors import NotFound
from app.lib.crypto import sign, verify
from app.lib.ids import decode, encode

PURPOSE = "pages.preview"
LASTS = timedelta(hours=1)


class LinkOver(NotFound):
    """This preview link is over. Open the preview from the editor again."""

    code = "preview_over"


def preview_token(
    keys: tuple[str, ...], page_id: UUID, *, now: datetime, version_id: UUID | None = None, framed: bool = False
) -> str:
    """`pag_….pgv_….<seconds>.<f|w>.<signature>`. framed: for the editor's own frame, where nothing else may be framed."""
    named = encode("pgv", version_id) if version_id else "draft"
    said = f"{encode('pag', page_id)}.{named}.{int((now + LASTS).timestamp())}.{'f' if framed else 'w'}"
    return f"{said}.{sign(keys[0], PURPOSE, said.encode())}"


def read_token(keys: tuple[str, ...], token: str, *, now: datetime) -> tuple[UUID, UUID | None, bool]:
    """(page, version or None for the draft, framed). Raises LinkOver, NotFound."""
    said, _, signature = token.rpartition(".")
    parts = said.split(".")
    if len(parts) != 4 or not verify(keys, PURPOSE, said.encode(), signature):
        raise NotFound()
    page, version, until, how = parts
    if int(until) < now.timestamp():
        raise LinkOver()
    return decode("pag", page), None if version == "draft" else decode("pgv", version), how == "f"
