"""Pictures are drawn anew from their pixels: no camera data, no place, no second file hidden behind the first."""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass
from typing import IO, Any

from PIL import Image, ImageOps, ImageSequence

from app.runtime.files.kinds import GIF, JPEG, PNG, WEBP, FileKind, FileNotAccepted

MAX_PIXELS = 40_000_000  # of all frames together: decoded, 160 MB
MAX_SIDE = 20_000
MAX_FRAMES = 300
COPIES = {"small": 320, "medium": 960}
"""Smaller pictures that are kept beside one: {size: most pixels of the longer side}."""
COPY_TYPE = "image/webp"
TOO_LARGE = (
    "A picture may have 40 megapixels, and 20,000 pixels on its longer side. Make it smaller, then send it again."
)
_FORMATS = {PNG.media_type: "PNG", JPEG.media_type: "JPEG", GIF.media_type: "GIF", WEBP.media_type: "WEBP"}
# Decoding takes memory by the pixel: one at a time in a process, however many threads serve requests.
_one_at_a_time = threading.Semaphore(1)
# Pillow's own limit, for what it measures while it opens a file; it warns from here on and refuses twice as much.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn anew. copies: {size: a smaller one as WebP}; one that is no larger than small has that alone."""

    content: bytes
    copies: dict[str, bytes]
    width: int
    height: int


def redraw(content: IO[bytes], kind: FileKind) -> Picture:
    """The picture as new bytes of the same kind, upright, without anything but its pixels. Raises FileNotAccepted."""
    form = _FORMATS[kind.media_type]
    content.seek(0)
    with _one_at_a_time:
        try:
            with Image.open(content, formats=(form,)) as image:
                frames = _must_be_small_enough(image)
                return _redrawn(image, form, frames)
        except FileNotAccepted:
            raise
        except Image.DecompressionBombError as error:
            raise FileNotAccepted(TOO_LARGE) from error
        except (OSError, ValueError, SyntaxError, EOFError, TypeError, IndexError, MemoryError, OverflowError) as error:
            # what the decoders raise for broken files; which one depends on where a file is broken
            raise FileNotAccepted("This picture is damaged. Save it anew, then send it again.") from error


def _must_be_small_enough(image: Image.Image) -> int:
    """The number of frames; from the headers, before any pixel is decoded."""
    width, height = image.size
    frames = getattr(image, "n_frames", 1) if image.format != "JPEG" else 1
    if frames > MAX_FRAMES:
        raise FileNotAccepted(f"A moving picture may have {MAX_FRAMES} frames; this one has {frames}.")
    if max(width, height) > MAX_SIDE or width * height * frames > MAX_PIXELS:
        raise FileNotAccepted(TOO_LARGE)
    return frames


def _redrawn(image: Image.Image, form: str, frames: int) -> Picture:
    if frames > 1:
        drawn = [frame.copy().convert("RGBA") for frame in ImageSequence.Iterator(image)]
        durations = [max(20, int(image.info.get("duration") or 100))] * len(drawn)
        content = _saved(drawn[0], form, save_all=True, append_images=drawn[1:], duration=durations, loop=0)
        first = drawn[0]
    else:
        image.load()
        first = _plain(ImageOps.exif_transpose(image), form)
        content = _saved(first, form)
    return Picture(content, _copies(first), first.width, first.height)


def _copies(image: Image.Image) -> dict[str, bytes]:
    plain, copies = image.convert("RGBA" if _has_alpha(image) else "RGB"), {}
    for size, side in COPIES.items():
        if size == "small" or max(image.size) > COPIES["small"]:
            copy = plain.copy()
            copy.thumbnail((side, side))
            copies[size] = _saved(copy, "WEBP")
    return copies


def _plain(image: Image.Image, form: str) -> Image.Image:
    """Pixels alone: a new image shares none of the old one's notes."""
    mode = "RGB" if form == "JPEG" or not _has_alpha(image) else "RGBA"
    converted = image.convert(mode)
    bare = Image.new(mode, converted.size)
    bare.paste(converted)
    return bare


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info


def _saved(image: Image.Image, form: str, **more: Any) -> bytes:
    options: dict[str, Any] = {"JPEG": {"quality": 88, "optimize": True}, "WEBP": {"quality": 86, "method": 4}}.get(
        form, {}
    )
    out = io.BytesIO()
    image.save(out, form, **options, **more)
    return out.getvalue()
