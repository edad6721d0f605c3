"""How a file is handed out: as what it was found to be, never as a document, under a name every client understands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from app.runtime.files.queries import StoredFile

CHUNK = 1 << 18
# Pictures were drawn anew and may be looked at in place; whatever else it is, it is saved to disk.
SANDBOX = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


def content_disposition(name: str, *, inline: bool) -> str:
    """RFC 6266: a plain name for old clients, the whole one in UTF-8 for the others."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    plain = "".join(letter if letter.isprintable() and letter not in '"\\;%' else "_" for letter in plain)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def file_headers(file: StoredFile, *, media_type: str, attachment: bool = False, size: str = "") -> dict[str, str]:
    """What every answer with a file says besides its length. Who may read it is asked anew each time.

    size: as open_bytes() found it.
    """
    inline = file.family == "image" and not attachment
    return {
        "Content-Type": f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type,
        "Content-Disposition": content_disposition(file.name, inline=inline),
        "Content-Security-Policy": SANDBOX,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{file.sha256[:32]}{f"-{size}" if size else ""}"',
    }


def chunks(content: IO[bytes]) -> Iterator[bytes]:
    """The bytes in pieces; closes the file at the end, and when the client goes away."""
    with content:
        while piece := content.read(CHUNK):
            yield piece
