"""Pictures of a site: taken in, encoded anew as WebP without what the camera wrote into them, kept in the object storage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, NotFound
from app.lib.ids import decode, encode, uuid7
from app.lib.pictures import draw_anew
from app.lib.storage import storage
from app.pages.models import SiteImage
from app.tenancy.models import Site

MOST_IMAGES = 1000
EDGE, SMALL_EDGE = 2000, 800
SIZES = ("", "-800")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A picture as it is kept. small: the same 800 px wide, b"" when it is hardly wider anyway."""

    full: bytes
    small: bytes
    width: int
    height: int


def keep_image(db: Session, *, site: Site, name: str, content: bytes, now: datetime) -> SiteImage:
    """Take a picture in. name: what its file was called. Raises NotAPicture, Invalid (too large), Conflict (too many)."""
    count = db.scalar(select(func.count()).select_from(SiteImage).where(SiteImage.site_id == site.id)) or 0
    if count >= MOST_IMAGES:
        raise Conflict(f"A site keeps at most {MOST_IMAGES} pictures.")
    encoded = encode_picture(content)
    image = SiteImage(
        id=uuid7(), agency_id=site.agency_id, site_id=site.id, name=name[:200], width=encoded.width,
        height=encoded.height, size_bytes=len(encoded.full), small=bool(encoded.small), created_at=now,
    )  # fmt: skip
    storage().write(object_name(site.id, image.id, ""), encoded.full)
    if encoded.small:
        storage().write(object_name(site.id, image.id, "-800"), encoded.small)
    db.add(image)
    db.flush()
    return image


def encode_picture(content: bytes) -> Encoded:
    """WebP of at most 2000 px a side, upright, without metadata. Raises NotAPicture, Invalid."""
    full, small = draw_anew(content, edges=((EDGE, EDGE), (SMALL_EDGE, EDGE)))
    worth_it = full.width > SMALL_EDGE * 1.25
    return Encoded(full.content, small.content if worth_it else b"", full.width, full.height)


def read_image(site_id: UUID, name: str) -> bytes:
    """The bytes of `img_….webp` or `img_…-800.webp` of this site. Raises NotFound."""
    stem, dot, ending = name.rpartition(".")
    public_id, dash, size = stem.partition("-")
    if (dot, ending) != (".", "webp") or dash + size not in SIZES:
        raise NotFound()
    return storage().read(object_name(site_id, decode("img", public_id), dash + size))


def object_name(site_id: UUID, image_id: UUID, size: str) -> str:
    return f"pages/{encode('ste', site_id)}/{encode('img', image_id)}{size}.webp"
