"""Hostile archives, one of each kind: all are refused with a clear word, none is unpacked."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.modules.package import PackageInvalid, check_folder, check_package, read_folder, read_package, write_package
from app.modules.package.limits import MAX_PACKED_BYTES
from tests.unit.modules.examples import FILES
from tests.unit.modules.zips import (
    DEVICE,
    FLAG_ENCRYPTED,
    FLAG_UTF8,
    REGULAR,
    SYMLINK,
    Entry,
    archive,
    good,
    with_entry,
)

Build = Callable[[], bytes]
GOOD = archive(*good(FILES))


def overlapping() -> bytes:
    """Two names in the directory share one file's bytes, the trick of quine and bomb archives."""
    entries = good(FILES)
    twin = Entry(b"assets/twin.css", entries[0].content, offset=0, local_name=entries[0].name)
    return archive(*entries, twin)


def cut_short() -> bytes:
    return GOOD[: len(GOOD) // 2]


def damaged() -> bytes:
    at = GOOD.index(b"README.md") + len(b"README.md")
    return GOOD[:at] + bytes([GOOD[at] ^ 0xFF]) + GOOD[at + 1 :]


HOSTILE: dict[str, tuple[Build, str]] = {
    "parent": (lambda: with_entry(FILES, b"../evil.css"), "../evil.css: leaves the package by .."),
    "parent inside": (lambda: with_entry(FILES, b"assets/../../a.css"), "assets/../../a.css: leaves the package by .."),
    "absolute": (lambda: with_entry(FILES, b"/etc/passwd"), "/etc/passwd: has an absolute path; paths start at the package"),
    "drive": (lambda: with_entry(FILES, b"C:/a.css"), "C:/a.css: has a drive letter in its name"),
    "backslash": (lambda: with_entry(FILES, b"assets\\..\\a.css"),
                  "assets\\..\\a.css: has a backslash in its name; use /"),
    "nul": (lambda: with_entry(FILES, b"a.css\x00.png"),
            "a.css\\x00.png: has a control or invisible character in its name"),
    "newline": (lambda: with_entry(FILES, b"assets/a\n.css"),
                "assets/a\\n.css: has a control or invisible character in its name"),
    "right to left": (lambda: with_entry(FILES, "assets/a\u202ecss.js".encode(), flags=FLAG_UTF8),
                      "assets/a\\u202ecss.js: has a control or invisible character in its name"),
    "empty name": (lambda: with_entry(FILES, b""), ": has an empty name"),
    "empty part": (lambda: with_entry(FILES, b"assets//a.css"), "assets//a.css: has an empty or . part in its path"),
    "device name": (lambda: with_entry(FILES, b"assets/con.css"), "assets/con.css: has a name that is a device on Windows"),
    "long path": (lambda: with_entry(FILES, b"assets/" + b"a" * 200),
                  "assets/" + "a" * 70 + "...: has a path of over 200 characters"),
    "deep path": (lambda: with_entry(FILES, b"assets/" + b"a/" * 8 + b"a.css"),
                  "assets/a/a/a/a/a/a/a/a/a.css: lies more than 8 levels deep"),
    "twice": (lambda: with_entry(FILES, b"README.md"), "README.md: is in the archive twice"),
    "case": (lambda: with_entry(FILES, b"readme.MD"), "readme.MD: has the same name as README.md on many systems"),
    "not NFC": (lambda: with_entry(FILES, "assets/e\u0301.css".encode(), flags=FLAG_UTF8),
                "assets/e\u0301.css: has a name that is not in Unicode form NFC"),
    "old character set": (lambda: with_entry(FILES, b"assets/\x82.css"),
                          "assets/é.css: has a name in an old character set; pack it with UTF-8 names"),
    "symlink": (lambda: with_entry(FILES, b"assets/a.css", mode=SYMLINK, content=b"/etc/passwd"),
                "assets/a.css: is a link; only plain files are allowed"),
    "device": (lambda: with_entry(FILES, b"assets/a.css", mode=DEVICE),
               "assets/a.css: is a device, pipe or socket; only plain files are allowed"),
    "folder with contents": (lambda: with_entry(FILES, b"assets/x/", mode=0o040755), "assets/x/: is a folder that has contents"),
    "folder that is a file": (lambda: with_entry(FILES, b"assets/x/", mode=REGULAR, content=b""),
                              "assets/x/: is a folder by its mode and a file by its name, or the reverse"),
    "encrypted": (lambda: with_entry(FILES, b"assets/a.css", flags=FLAG_ENCRYPTED), "assets/a.css: is encrypted"),
    "other method": (lambda: with_entry(FILES, b"assets/a.css", method=12),
                     "assets/a.css: is packed by a method other than deflate"),
    "bomb": (lambda: with_entry(FILES, b"assets/a.css", content=b"\0" * 1_000_000),
             "assets/a.css: grows more than 100 times when unpacked"),
    "bomb that lies": (lambda: with_entry(FILES, b"assets/a.css", content=b"\0" * 1_000_000, size=10),
                       "assets/a.css: is damaged: it has another size than the directory says"),
    "too large unpacked": (lambda: archive(*good(FILES), *(Entry(b"assets/%d.css" % n, b"x", size=100) for n in range(9)),
                                           Entry(b"assets/big.css", b"y" * 600_000, method=0, size=50_000_000)),
                           "package: unpacks to 50004"),
    "too many entries": (lambda: archive(*good(FILES), *(Entry(b"assets/%d.css" % n) for n in range(500))),
                         "package: the package has 515 entries; at most 500 are allowed"),
    "too large": (lambda: b"PK" + bytes(MAX_PACKED_BYTES),
                  "package: the package has 10000002 bytes; at most 10000000 are allowed"),
    "overlap": (overlapping, "assets/twin.css: overlaps another entry"),
    "data before": (lambda: archive(*good(FILES), before=b"#!/bin/sh\n"),
                    "package: there is hidden data before or between the files of the archive"),
    "data prepended": (lambda: b"#!/bin/sh\n" + GOOD,
                       "package: there is data before the archive or between its files and its directory"),
    "data between": (lambda: archive(*good(FILES), between=b"hidden"),
                     "package: there is hidden data between the files and the directory"),
    "data after": (lambda: GOOD + b"evil", "package: there is data after the end of the archive"),
    "second end in comment": (lambda: archive(*good(FILES), comment=b"PK\x05\x06" + bytes(20)),
                              "package: there is data after the end of the archive"),
    "two archives": (lambda: GOOD + GOOD, "package: there is data before the archive or between its files and its directory"),
    "other local name": (lambda: with_entry(FILES, b"assets/a.css", local_name=b"assets/b.css"),
                         "assets/a.css: has a header that does not agree with the directory"),
    "cut short": (cut_short, "package: the file is not a zip archive"),
    "damaged": (damaged, "README.md: is damaged: its contents cannot be unpacked"),
    "wrong checksum": (lambda: archive(*good(FILES), Entry(b"assets/a.css", b"abc", method=0)).replace(b"abc", b"abd", 1),
                       "assets/a.css: is damaged: its contents do not agree with the directory"),
    "no zip": (lambda: b"hello", "package: the file is not a zip archive"),
    "empty": (lambda: b"", "package: the file is not a zip archive"),
    "only an end": (lambda: archive(), "package: the package has no module.yaml at its top"),
    "nested zip": (lambda: archive(*good({**FILES, "assets/a.css": GOOD})),
                   "assets/a.css: is an archive; a package holds no archives"),
    "nested gzip": (lambda: archive(*good({**FILES, "assets/a.txt": gzip.compress(b"x")})),
                    "assets/a.txt: is an archive; a package holds no archives"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_with_a_clear_word(kind: str) -> None:
    build, expected = HOSTILE[kind]

    checked = check_package(build())

    assert checked.package is None
    shown = [str(problem).replace("module.yaml: the package", "package: the package") for problem in checked.problems]
    assert shown[0][: len(expected)] == expected


def test_every_bad_name_of_an_archive_is_reported() -> None:
    data = archive(*good(FILES), Entry(b"../a"), Entry(b"/b"), Entry(b"c", mode=SYMLINK))

    assert [problem.code for problem in check_package(data).problems] == ["path_parent", "path_absolute", "link"]


@pytest.mark.parametrize("path", ["../a.css", "/a.css", "assets\\a.css", "C:a.css", "assets/a\x00.css"])
def test_a_dropped_folder_follows_the_same_rules(path: str) -> None:
    checked = check_folder([*FILES.items(), (path, b"x")])

    assert (checked.package, [problem.code[:5] for problem in checked.problems]) == (None, ["path_"])


def test_a_dropped_folder_is_counted_while_it_is_read() -> None:
    taken = []

    def endless() -> object:
        for number in range(10_000):
            taken.append(number)
            yield f"assets/{number}.css", b"x"

    assert [problem.code for problem in check_folder(endless()).problems] == ["entries"]  # type: ignore[arg-type]
    assert len(taken) == 501


def test_an_honest_archive_of_another_program_is_read() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive_of_python:
        archive_of_python.mkdir("crm")
        for path, content in FILES.items():
            with archive_of_python.open(f"crm/{path}", "w") as file:  # a stream: sizes follow in a data descriptor
                file.write(content)
        archive_of_python.comment = b"0123456789abcdef0123456789abcdef01234567"

    assert read_package(target.getvalue()).digest == read_folder(FILES.items()).digest


def test_an_archive_written_to_a_pipe_is_read() -> None:
    class Pipe(io.RawIOBase):
        """Cannot be sought in, so zipfile writes data descriptors after each file."""

        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive_of_python:
        for path, content in FILES.items():
            archive_of_python.writestr(path, content)

    assert read_package(bytes(pipe.data)).digest == read_folder(FILES.items()).digest


@given(order=st.permutations(sorted(FILES)), folder=st.sampled_from(["", "crm/", "a folder/"]))
@settings(max_examples=15, deadline=None)
def test_the_digest_does_not_depend_on_order_or_folder(order: list[str], folder: str) -> None:
    data = archive(*(Entry(f"{folder}{path}".encode(), FILES[path]) for path in order))

    package = read_package(data)

    assert package.digest == read_package(write_package(FILES)).digest
    assert dict(package.files) == FILES


@given(at=st.integers(0, len(GOOD) - 1), value=st.integers(0, 255))
@settings(max_examples=120, deadline=None)
def test_one_wrong_byte_never_crashes_the_reader_or_slips_through(at: int, value: int) -> None:
    data = GOOD[:at] + bytes([value]) + GOOD[at + 1 :]

    checked = check_package(data)

    assert checked.package is None or dict(checked.package.files) == FILES


def test_a_package_is_written_the_same_every_time() -> None:
    assert write_package(FILES) == write_package(dict(reversed(FILES.items())))
    with pytest.raises(PackageInvalid, match=r"package: the file is not a zip archive"):
        read_package(b"")
