"""What a page names: pictures and modules. Both have to be the site's own."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound
from app.installs.models import Install
from app.lib.ids import decode
from app.pages.content import AnyBlock, Columns, Content, Image, ModulePage, stored
from app.pages.models import SiteImage, SitePage

Size = dict[str, int]
UNKNOWN: Size = {"width": 0, "height": 0}


def checked(db: Session, *, page: SitePage, content: Content) -> Content:
    """The page with the sizes of its pictures. What is of another site is refused; installs of the draft may be gone.

    Raises Invalid.
    """
    installs = _decoded("ins", _installs(content) - _installs(stored(page.draft)))
    if installs:
        own = select(Install.id).where(Install.site_id == page.site_id, Install.id.in_(installs))
        if installs - set(db.scalars(own)):
            raise Invalid("One of the modules is not on this site. Install it first.")
    sizes = _sizes(db, page, set(content.images()))
    blocks = [_measured(block, sizes) for block in content.blocks]
    return content.model_copy(update={"blocks": tuple(blocks)})


def _sizes(db: Session, page: SitePage, pictures: set[str]) -> dict[str, Size]:
    wanted = _decoded("img", pictures)  # a text that only begins like one is refused here
    if not wanted:
        return {}
    own = select(SiteImage).where(SiteImage.site_id == page.site_id, SiteImage.id.in_(wanted))
    found = {image.public_id: {"width": image.width, "height": image.height} for image in db.scalars(own)}
    if pictures - found.keys():
        raise Invalid("One of the pictures is not of this site. Upload it here.")
    return found


def _measured(block: AnyBlock, sizes: dict[str, Size]) -> AnyBlock:
    if isinstance(block, Image):
        return block.model_copy(update=sizes.get(block.source, UNKNOWN))
    if isinstance(block, Columns):
        cells = [cell.model_copy(update=sizes.get(cell.source, UNKNOWN)) for cell in block.cells]
        return block.model_copy(update={"cells": tuple(cells)})
    return block


def _installs(content: Content) -> set[str]:
    return {block.install for block in content.blocks if isinstance(block, ModulePage)}


def _decoded(prefix: str, public_ids: set[str]) -> set[UUID]:
    try:
        return {decode(prefix, public_id) for public_id in public_ids}
    except NotFound:
        raise Invalid("Something this page shows is not there.") from None
