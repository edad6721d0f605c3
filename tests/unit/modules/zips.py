"""Zip archives made by hand, so that they can lie."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, replace

FLAG_ENCRYPTED, FLAG_UTF8 = 0x1, 0x800
REGULAR, SYMLINK, DEVICE = 0o100644, 0o120777, 0o060600


@dataclass(frozen=True)
class Entry:
    """One entry; `local_name`, `size` and `offset` are what the headers claim, when that is not the truth."""

    name: bytes
    content: bytes = b"x"
    mode: int = REGULAR
    flags: int = 0
    method: int = 8
    local_name: bytes | None = None
    size: int | None = None
    offset: int | None = None

    def packed(self) -> bytes:
        if self.method == 0:
            return self.content
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(self.content) + deflate.flush()


def archive(
    *entries: Entry, before: bytes = b"", between: bytes = b"", after: bytes = b"", comment: bytes = b""
) -> bytes:
    """The bytes of a zip: `before` ahead of it, `between` files and directory, `after` its end."""
    body, directory = bytearray(before), bytearray()
    for entry in entries:
        packed, offset = entry.packed(), len(body)
        size = len(entry.content) if entry.size is None else entry.size
        figures = (zlib.crc32(entry.content), len(packed), size)
        local_name = entry.name if entry.local_name is None else entry.local_name
        body += struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, entry.flags, entry.method, 0, 33, *figures, len(local_name), 0
        )
        body += local_name + packed
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 0x0314, 20, entry.flags, entry.method, 0, 33, *figures,
            len(entry.name), 0, 0, 0, 0, entry.mode << 16, offset if entry.offset is None else entry.offset,
        ) + entry.name  # fmt: skip
    body += between
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(body), len(comment)
    )
    return bytes(body) + bytes(directory) + end + comment + after


def good(files: dict[str, bytes]) -> list[Entry]:
    """Honest entries of files."""
    return [Entry(path.encode(), content) for path, content in files.items()]


def with_entry(files: dict[str, bytes], name: bytes, **lies: object) -> bytes:
    """A zip of good files and one entry more."""
    return archive(*good(files), replace(Entry(name), **lies))  # type: ignore[arg-type]
