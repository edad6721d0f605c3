"""Files for tests: honest ones and hostile ones."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from PIL import Image

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"

# What the tests of every way in install.
ALBUM = """
manifest: 1
slug: album
name: Album
summary: Pictures and papers.
version: 1.0.0
type: app
tables:
  cards:
    label: {one: Card, many: Cards}
    title: name
    fields:
      name:   {type: text, required: true, max: 40}
      photo:  {type: file, accept: [image], max_mb: 1}
      papers: {type: files, accept: [pdf, document], max: 3, max_mb: 2}
      inside: {type: file, private: true}
    access: {public: [read, create], staff: [read, create, update, delete], api: [read, create, update, delete]}
  notes:
    label: {one: Note, many: Notes}
    fields:
      text: {type: text}
      scan: {type: file}
    access: {public: [], staff: [read, create, update, delete], api: []}
"""


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 30), **save: object) -> bytes:
    """A small real picture."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 40, 90)).save(out, kind, **save)
    return out.getvalue()


def with_camera_data() -> bytes:
    """A JPEG that says where it was taken, lies on its side, and has a page hidden behind it."""
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turned by 90 degrees
    exif[0x010F] = "SecretCam"
    return picture("JPEG", exif=exif) + HTML


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises that many pixels."""
    rows = zlib.compress(b"\0" * 1000)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def office(*parts: str) -> bytes:
    """A zip with those parts, as office files are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        for part in ("[Content_Types].xml", *parts):
            package.writestr(part, "<x/>")
    return out.getvalue()
