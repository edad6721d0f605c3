"""Pictures that people send: read within bounds and drawn anew as WebP, upright, without what a camera wrote into them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from app.errors import Invalid

MOST_BYTES, MOST_PIXELS, QUALITY = 8 << 20, 24_000_000, 82
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
TOO_MANY_PIXELS = f"A picture may have at most {MOST_PIXELS // 1_000_000} million pixels."
# Unpacking takes memory by the pixel: one at a time in a process, however many threads serve requests.
_one_at_a_time = threading.Semaphore(1)


class NotAPicture(Invalid):
    """This is no JPEG, PNG, WebP or GIF picture that can be read."""

    code = "not_a_picture"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as it was drawn anew: WebP, its size in px."""

    content: bytes
    width: int
    height: int


def draw_anew(content: bytes, *, edges: tuple[tuple[int, int], ...]) -> list[Drawn]:
    """The picture within each of the (width, height) in turn, the largest first. Raises NotAPicture, Invalid."""
    if len(content) > MOST_BYTES:
        raise Invalid(f"A picture may have at most {MOST_BYTES >> 20} MB.")
    try:
        with _one_at_a_time, Image.open(BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:  # read from its head, before a pixel is unpacked
                raise Invalid(TOO_MANY_PIXELS)
            picture.draft("RGB", edges[0])  # a JPEG is unpacked at a fraction of its size
            upright = ImageOps.exif_transpose(picture)
            plain = upright.convert("RGBA" if _see_through(upright) else "RGB")
            found = []
            for edge in edges:
                plain.thumbnail(edge)
                found.append(Drawn(_webp(plain), plain.width, plain.height))
            return found
    except Image.DecompressionBombError as error:
        raise Invalid(TOO_MANY_PIXELS) from error
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, MemoryError, OverflowError) as error:
        # what the decoders raise for broken files; which one depends on where a file is broken
        raise NotAPicture() from error


def _see_through(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _webp(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
