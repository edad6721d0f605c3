"""Which files are taken in, and how each is told by what it holds: never by its name, never by what a browser says it is.

The list is all there is: HTML, SVG, scripts, programs, archives and office files with macros are not on it.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, Literal

from app.errors import Invalid
from app.modules.manifest.fields import FileField, FilesField

Family = Literal["image", "pdf", "document", "audio", "video"]
MAX_NAME = 120
_HEAD, _CHUNK, _MOST_PARTS = 4096, 1 << 16, 5000


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file. extensions: the first is what a name gets that has none of them."""

    media_type: str
    family: Family
    extensions: tuple[str, ...]


class FileNotAccepted(Invalid):
    """This kind of file is not accepted."""

    code = "file_type"


def _kind(media_type: str, family: Family, *extensions: str) -> FileKind:
    return FileKind(media_type, family, extensions)


_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"
PNG = _kind("image/png", "image", "png")
JPEG = _kind("image/jpeg", "image", "jpg", "jpeg", "jfif")
GIF = _kind("image/gif", "image", "gif")
WEBP = _kind("image/webp", "image", "webp")
PDF = _kind("application/pdf", "pdf", "pdf")
MP3 = _kind("audio/mpeg", "audio", "mp3")
FLAC = _kind("audio/flac", "audio", "flac")
OGG = _kind("audio/ogg", "audio", "ogg", "oga", "opus")
WAV = _kind("audio/wav", "audio", "wav")
M4A = _kind("audio/mp4", "audio", "m4a")
MP4 = _kind("video/mp4", "video", "mp4", "m4v")
MOV = _kind("video/quicktime", "video", "mov")
WEBM = _kind("video/webm", "video", "webm")
TEXTS = {
    "txt": _kind("text/plain", "document", "txt", "log", "md"),
    "csv": _kind("text/csv", "document", "csv"),
}
_IN_ZIP = {
    "word/document.xml": _kind(f"{_OFFICE}.wordprocessingml.document", "document", "docx"),
    "xl/workbook.xml": _kind(f"{_OFFICE}.spreadsheetml.sheet", "document", "xlsx"),
    "ppt/presentation.xml": _kind(f"{_OFFICE}.presentationml.presentation", "document", "pptx"),
}
_OPEN_DOCUMENTS = {
    f"{_OPEN}.text": _kind(f"{_OPEN}.text", "document", "odt"),
    f"{_OPEN}.spreadsheet": _kind(f"{_OPEN}.spreadsheet", "document", "ods"),
    f"{_OPEN}.presentation": _kind(f"{_OPEN}.presentation", "document", "odp"),
}
_MAGIC: tuple[tuple[re.Pattern[bytes], FileKind], ...] = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PNG),
    (re.compile(rb"\xff\xd8\xff"), JPEG),
    (re.compile(rb"GIF8[79]a"), GIF),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), WEBP),
    (re.compile(rb"%PDF-[12]\.\d"), PDF),
    (re.compile(rb"ID3[\x02-\x04]|\xff[\xfb\xf3\xf2]"), MP3),
    (re.compile(rb"fLaC"), FLAC),
    (re.compile(rb"OggS\x00"), OGG),
    (re.compile(rb"RIFF....WAVE", re.DOTALL), WAV),
    (re.compile(rb"....ftypM4A", re.DOTALL), M4A),
    (re.compile(rb"....ftypqt  ", re.DOTALL), MOV),
    (re.compile(rb"....ftyp(isom|iso[2-9]|mp4[12]|avc1|M4V |dash|MSNV)", re.DOTALL), MP4),
    (re.compile(rb"\x1a\x45\xdf\xa3.{4,60}webm", re.DOTALL), WEBM),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_LOOKS_LIKE_CODE = re.compile(r"\s*(\ufeff)?\s*<(!doctype|\?xml|\?php|html|svg|script|!--)", re.IGNORECASE)
TAKEN = "Images (PNG, JPEG, GIF, WebP), PDF, Word, Excel, PowerPoint and OpenDocument files, text, audio and video are taken."


def tell_kind(content: IO[bytes], name: str) -> FileKind:
    """What a file is by its bytes. Raises FileNotAccepted, also when its name says it is something else."""
    content.seek(0)
    head = content.read(_HEAD)
    found = next((kind for magic, kind in _MAGIC if magic.match(head)), None)
    if found is None and head.startswith(b"PK\x03\x04"):
        found = _office(content)
    if found is None:
        found = _text(content, _extension(name))
    if found is None:
        raise FileNotAccepted(f"This file is of no kind that is taken. {TAKEN}")
    _must_be_named_so(found, name)
    return found


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _must_be_named_so(kind: FileKind, name: str) -> None:
    """A name that ends like another kind is a mistake or a trick; phones do call a PNG .jpg, so images may."""
    extension = _extension(name)
    if extension in kind.extensions:
        return
    others = [one for one in ALL_KINDS if extension in one.extensions]
    if any(one.family != kind.family or kind.family != "image" for one in others):
        raise FileNotAccepted(f"The file is named .{extension}, but what it holds is {kind.media_type}.")


def _office(content: IO[bytes]) -> FileKind | None:
    """The office format of a zip, read from its directory; None for any other archive, and for one with macros."""
    try:
        with zipfile.ZipFile(content) as package:
            names = set(package.namelist()) if len(package.infolist()) <= _MOST_PARTS else set()
            if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js", ".vbs")) for name in names):
                return None
            if "mimetype" in names and package.getinfo("mimetype").file_size < 100:
                return _OPEN_DOCUMENTS.get(package.read("mimetype").decode("ascii", "replace").strip())
            found = [kind for part, kind in _IN_ZIP.items() if part in names]
            return found[0] if len(found) == 1 and "[Content_Types].xml" in names else None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, KeyError):
        return None


def _text(content: IO[bytes], extension: str) -> FileKind | None:
    """Plain text or CSV, when every byte of it is text and it is named so. A page or a picture in XML is neither."""
    kind = next((kind for kind in TEXTS.values() if extension in kind.extensions), None)
    if kind is None:
        return None
    content.seek(0)
    rest, first = b"", True
    while chunk := content.read(_CHUNK):
        data = rest + chunk
        try:
            text, rest = data.decode("utf-8"), b""
        except UnicodeDecodeError as error:
            if error.end < len(data) - 4 or error.reason != "unexpected end of data":
                return None
            text, rest = data[: error.start].decode("utf-8"), data[error.start :]
        if _CONTROL.search(text) or (first and _LOOKS_LIKE_CODE.match(text)):
            return None
        first = False
    return None if rest else kind


ALL_KINDS: tuple[FileKind, ...] = (
    *(kind for _, kind in _MAGIC), *_IN_ZIP.values(), *_OPEN_DOCUMENTS.values(), *TEXTS.values(),
)  # fmt: skip

# -- what a field takes


def accept_attribute(field: FileField | FilesField) -> str:
    """The accept attribute of a file input; it helps a person choose, nothing more."""
    return ",".join(f".{end}" for kind in ALL_KINDS if field.takes(kind.family) for end in kind.extensions)


# -- names

_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean_name(name: str, kind: FileKind) -> str:
    """The last part of a name without what a file system or a reader could stumble over, with the kind's extension."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    text = " ".join(_UNSAFE.sub(" ", last).split()).strip(". ")
    stem, dot, extension = text.rpartition(".")
    if not dot or extension.lower() not in _known_extensions():
        stem, extension = text, ""
    right = extension.lower() if extension.lower() in kind.extensions else kind.extensions[0]
    return f"{stem.strip('. ')[: MAX_NAME - 6] or 'file'}.{right}"


def _known_extensions() -> Iterable[str]:
    return {end for kind in ALL_KINDS for end in kind.extensions}
