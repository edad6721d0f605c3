"""Zip archives: read with suspicion, written the same for the same files."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping

from app.modules.manifest.problems import Problem
from app.modules.package.limits import MAX_ENTRIES, MAX_PACKED_BYTES, MAX_RATIO, MAX_UNPACKED_BYTES
from app.modules.package.paths import collisions, is_junk, path_fault, shown

_END = b"PK\x05\x06"
_END_SIZE = 22
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DESCRIPTOR = 0x8
_UTF8 = 0x800
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Refused(Exception):
    """The archive is refused; `.problems` say why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(str(problems[0]))
        self.problems = list(problems)


def _whole(message: str, code: str) -> Refused:
    return Refused(Problem("", message, code=code, file="package"))


def unzip(data: bytes) -> dict[str, bytes]:
    """The files of a zip by path. Raises Refused with every problem of the directory, or the first of the contents."""
    if len(data) > MAX_PACKED_BYTES:
        raise _whole(f"the package has {len(data)} bytes; at most {MAX_PACKED_BYTES} are allowed", "size")
    end = _end_of_archive(data)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, struct.error, EOFError, UnicodeDecodeError, NotImplementedError) as error:
        raise _whole("the file is not a readable zip archive", "zip") from error
    with archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:  # the figure at the end of the archive is only what it says of itself
            raise _whole(f"the package has {len(entries)} entries; at most {MAX_ENTRIES} are allowed", "entries")
        _check_directory(entries)
        _check_layout(data, entries, end)
        return _inflate(data, [entry for entry in entries if not entry.filename.endswith("/")])


def _end_of_archive(data: bytes) -> int:
    """Where the directory ends. Nothing may follow the archive, and it must be a plain zip of one part."""
    end = data.rfind(_END)
    if end < 0 or len(data) < end + _END_SIZE:
        raise _whole("the file is not a zip archive", "zip")
    disk, start_disk, here, total, size, offset, comment = struct.unpack_from("<4H2LH", data, end + 4)
    if end + _END_SIZE + comment != len(data):
        raise _whole("there is data after the end of the archive", "zip_trailing")
    if 0xFFFF in (here, total) or 0xFFFFFFFF in (size, offset) or data[max(0, end - 20) : end - 16] == b"PK\x06\x07":
        raise _whole("the archive is a ZIP64 archive, which a package never needs", "zip64")
    if disk or start_disk or here != total:
        raise _whole("the archive is one part of several", "zip")
    if total > MAX_ENTRIES:
        raise _whole(f"the package has {total} entries; at most {MAX_ENTRIES} are allowed", "entries")
    if offset + size != end:
        raise _whole("there is data before the archive or between its files and its directory", "zip_hidden")
    return int(offset)


def _check_directory(entries: list[zipfile.ZipInfo]) -> None:
    """Every rule that the directory alone can answer, before a byte is unpacked."""
    problems = []
    total = 0
    for entry in entries:
        total += entry.file_size
        fault = _entry_fault(entry)
        if fault:
            problems.append(Problem("", fault[1], code=fault[0], file=shown(entry.orig_filename)))
    problems += collisions(entry.orig_filename.rstrip("/") for entry in entries)
    if total > MAX_UNPACKED_BYTES:
        message = f"unpacks to {total} bytes; at most {MAX_UNPACKED_BYTES} are allowed"
        problems.append(Problem("", message, code="unpacked_size", file="package"))
    if problems:
        raise Refused(*problems)


def _entry_fault(entry: zipfile.ZipInfo) -> tuple[str, str] | None:
    name, mode = entry.orig_filename, entry.external_attr >> 16
    is_folder = name.endswith("/")
    fault = path_fault(name[:-1] if is_folder else name)
    if fault:
        return fault
    if not name.isascii() and not entry.flag_bits & _UTF8:
        return "path_unicode", "has a name in an old character set; pack it with UTF-8 names"
    if entry.flag_bits & _ENCRYPTED:
        return "encrypted", "is encrypted"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a link" if stat.S_ISLNK(mode) else "a device, pipe or socket"
        return "link", f"is {kind}; only plain files are allowed"
    if is_folder != stat.S_ISDIR(mode) and stat.S_IFMT(mode):
        return "link", "is a folder by its mode and a file by its name, or the reverse"
    if entry.compress_type not in _METHODS:
        return "zip", "is packed by a method other than deflate"
    if is_folder and entry.file_size:
        return "zip", "is a folder that has contents"
    if entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
        return "ratio", f"grows more than {MAX_RATIO} times when unpacked"
    return None


def _check_layout(data: bytes, entries: list[zipfile.ZipInfo], end: int) -> None:
    """Entries lie one after the other from the first byte to the directory, and their own headers agree with it."""
    position = 0
    for entry in sorted(entries, key=lambda item: item.header_offset):
        if entry.header_offset < position:
            raise Refused(Problem("", "overlaps another entry", code="overlap", file=shown(entry.orig_filename)))
        if entry.header_offset > position:
            raise _whole("there is hidden data before or between the files of the archive", "zip_hidden")
        position = _entry_end(data, entry)
    if position != end:
        raise _whole("there is hidden data between the files and the directory", "zip_hidden")


def _entry_end(data: bytes, entry: zipfile.ZipInfo) -> int:
    disagree = Refused(
        Problem("", "has a header that does not agree with the directory", code="zip", file=shown(entry.orig_filename))
    )
    start = entry.header_offset
    if start + _LOCAL.size > len(data):
        raise disagree
    mark, _, flags, method, _, _, _, packed, size, name_length, extra_length = _LOCAL.unpack_from(data, start)
    name_start = start + _LOCAL.size
    encoding = "utf-8" if entry.flag_bits & _UTF8 else "cp437"
    same_name = data[name_start : name_start + name_length] == entry.orig_filename.encode(encoding)
    if mark != b"PK\x03\x04" or flags != entry.flag_bits or method != entry.compress_type or not same_name:
        raise disagree
    after: int = name_start + name_length + extra_length + entry.compress_size
    if not flags & _DESCRIPTOR:
        if (packed, size) != (entry.compress_size, entry.file_size):
            raise disagree
        return after
    figures = struct.pack("<3L", entry.CRC, entry.compress_size, entry.file_size)
    if data[after : after + 16] == b"PK\x07\x08" + figures:
        return after + 16
    if data[after : after + 12] == figures:
        return after + 12
    raise disagree


def _inflate(data: bytes, entries: list[zipfile.ZipInfo]) -> dict[str, bytes]:
    """The contents, never more of one than its directory entry says: directories lie about sizes."""
    return {entry.filename: _content(data, entry) for entry in entries}


def _content(data: bytes, entry: zipfile.ZipInfo) -> bytes:
    name_length, extra_length = struct.unpack_from("<2H", data, entry.header_offset + 26)
    start = entry.header_offset + _LOCAL.size + name_length + extra_length
    packed = data[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        found, ended = packed, True
    else:
        stream = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            found = stream.decompress(packed, entry.file_size + 1)
        except zlib.error as error:
            raise _damaged(entry, "its contents cannot be unpacked") from error
        ended = stream.eof and not stream.unused_data
    if len(found) != entry.file_size or not ended:
        raise _damaged(entry, "it has another size than the directory says")
    if zlib.crc32(found) != entry.CRC:
        raise _damaged(entry, "its contents do not agree with the directory")
    return found


def _damaged(entry: zipfile.ZipInfo, why: str) -> Refused:
    return Refused(Problem("", f"is damaged: {why}", code="zip", file=shown(entry.orig_filename)))


def gather(files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """The files of a dropped folder by path, under the same rules as a zip. Raises Refused."""
    problems: list[Problem] = []
    found: dict[str, bytes] = {}
    total = 0
    names: list[str] = []
    for path, content in files:
        names.append(path)
        total += len(content)
        if len(names) > MAX_ENTRIES:
            raise _whole(f"the folder has more than {MAX_ENTRIES} files", "entries")
        if total > MAX_UNPACKED_BYTES:
            raise _whole(f"the folder has more than {MAX_UNPACKED_BYTES} bytes", "unpacked_size")
        if fault := path_fault(path):
            problems.append(Problem("", fault[1], code=fault[0], file=shown(path)))
        found[path] = content
    problems += collisions(names)
    if problems:
        raise Refused(*problems)
    return found


def without_junk(files: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[Problem]]:
    """The files without what operating systems leave behind, and a warning for each of those."""
    kept = {path: content for path, content in files.items() if not is_junk(path)}
    skipped = [
        Problem("", "was left behind by an operating system and is skipped", code="junk", severity="warning", file=path)
        for path in files
        if path not in kept
    ]
    return kept, skipped


def write_package(files: Mapping[str, bytes]) -> bytes:
    """A zip of the files, byte for byte the same for the same files."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[path])
    return target.getvalue()
