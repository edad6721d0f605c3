"""Objects (files) by name, kept apart from the database: exports and uploads. Names are given by the caller.

A name is made of parts such as `exports/ste_01k…/ins_01k….zip`: lower-case letters, digits and `. _ -`. What is written
appears whole or not at all.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from app.errors import NotFound

_PART = re.compile(r"[a-z0-9_][a-z0-9._-]{0,99}")


class ObjectMissing(NotFound):
    """The stored file is gone."""

    code = "object_missing"


class FileStorage:
    """Objects as files below one folder, which only this account can read."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """A file to write and seek in; on a clean end it becomes the object, replacing an old one, else it vanishes."""
        path = self._path(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".part-", delete=False) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(file.name)
                raise
        _sync_folder(path.parent)

    def write(self, name: str, content: bytes) -> None:
        """Keep the bytes under the name."""
        with self.writing(name) as file:
            file.write(content)

    def open(self, name: str) -> IO[bytes]:
        """The object at its start; who asks closes it. Raises ObjectMissing."""
        try:
            return open(self._path(name), "rb")
        except FileNotFoundError as error:
            raise ObjectMissing() from error

    @contextmanager
    def reading(self, name: str) -> Iterator[IO[bytes]]:
        """The object, opened at its start. Raises ObjectMissing."""
        with self.open(name) as file:
            yield file

    def read(self, name: str) -> bytes:
        """The whole object. Raises ObjectMissing."""
        with self.reading(name) as file:
            return file.read()

    def exists(self, name: str) -> bool:
        return self._path(name).is_file()

    def delete(self, name: str) -> None:
        """Remove the object and folders that are empty without it; one that is not there is no failure."""
        path = self._path(name)
        path.unlink(missing_ok=True)
        for folder in path.parents:
            if folder == self.root or not folder.is_relative_to(self.root):
                break
            try:
                folder.rmdir()
            except OSError:  # not empty, or another process removed it
                break

    def older_than(self, prefix: str, moment: datetime) -> Iterator[str]:
        """The names of all objects below a folder that were written before the moment."""
        root = self._path(prefix)
        for folder, _, files in os.walk(root):
            for file in files:
                path = Path(folder, file)
                with suppress(FileNotFoundError):  # another process removed it meanwhile
                    if not file.startswith(".") and path.stat().st_mtime < moment.timestamp():
                        yield path.relative_to(self.root).as_posix()

    def delete_all(self, prefix: str) -> None:
        """Remove every object below a folder."""
        shutil.rmtree(self._path(prefix), ignore_errors=True)

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if not parts or not all(_PART.fullmatch(part) for part in parts):
            raise ValueError(f"not a storage name: {name!r}")
        return self.root.joinpath(*parts)


def open_storage(url: str, data_dir: Path) -> FileStorage:
    """The storage of STORAGE_URL: `file://` alone is DATA_DIR/storage, `file:///path` that folder."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        raise ValueError(f"no storage for {parts.scheme}:// addresses")
    return FileStorage(Path(unquote(parts.path)) if parts.path.strip("/") else data_dir / "storage")


_current: dict[str, FileStorage] = {}


def configure_storage(url: str, data_dir: Path) -> None:
    """Tell this process where objects are kept."""
    _current["storage"] = open_storage(url, data_dir)


def storage() -> FileStorage:
    """The process's storage."""
    return _current["storage"]


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
