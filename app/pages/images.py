"""Pictures of a site: taken in, encoded anew as WebP without what the camera wrote into them, kept in the object storage."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from uuid import UUID

from PIL import Image, ImageOps
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Invalid, NotFound
from app.lib.ids import decode, encode, uuid7
from app.lib.storage import storage
from app.pages.models import SiteImage
from app.tenancy.models import Site

MOST_BYTES, MOST_PIXELS, MOST_IMAGES = 8 << 20, 24_000_000, 1000
EDGE, SMALL_EDGE, QUALITY = 2000, 800, 82
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
TOO_MANY_PIXELS = f"A picture may have at most {MOST_PIXELS // 1_000_000} million pixels."
# Unpacking takes memory by the pixel: one at a time in a process, however many threads serve requests.
_one_at_a_time = threading.Semaphore(1)
SIZES = ("", "-800")


class NotAPicture(Invalid):
    """This is no JPEG, PNG, WebP or GIF picture that can be read."""

    code = "not_a_picture"


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
    if len(content) > MOST_BYTES:
        raise Invalid(f"A picture may have at most {MOST_BYTES >> 20} MB.")
    try:
        with _one_at_a_time, Image.open(BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:  # read from its head, before a pixel is unpacked
                raise Invalid(TOO_MANY_PIXELS)
            picture.draft("RGB", (EDGE, EDGE))  # a JPEG is unpacked at a fraction of its size
            upright = ImageOps.exif_transpose(picture)
            plain = upright.convert("RGBA" if _see_through(upright) else "RGB")
            plain.thumbnail((EDGE, EDGE))
            full = _webp(plain)
            width, height, small = plain.width, plain.height, b""
            if plain.width > SMALL_EDGE * 1.25:
                plain.thumbnail((SMALL_EDGE, EDGE))
                small = _webp(plain)
    except Image.DecompressionBombError as error:
        raise Invalid(TOO_MANY_PIXELS) from error
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, MemoryError, OverflowError) as error:
        # what the decoders raise for broken files; which one depends on where a file is broken
        raise NotAPicture() from error
    return Encoded(full, small, width, height)


def read_image(site_id: UUID, name: str) -> bytes:
    """The bytes of `img_….webp` or `img_…-800.webp` of this site. Raises NotFound."""
    stem, dot, ending = name.rpartition(".")
    public_id, dash, size = stem.partition("-")
    if (dot, ending) != (".", "webp") or dash + size not in SIZES:
        raise NotFound()
    return storage().read(object_name(site_id, decode("img", public_id), dash + size))


def object_name(site_id: UUID, image_id: UUID, size: str) -> str:
    return f"pages/{encode('ste', site_id)}/{encode('img', image_id)}{size}.webp"


def _see_through(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _webp(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
