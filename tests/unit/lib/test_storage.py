"""Objects by name: whole or not at all, never outside their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.lib.storage import FileStorage, ObjectMissing, open_storage


def files_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_what_is_written_is_read_back_and_replaced(tmp_path: Path) -> None:
    store = FileStorage(tmp_path)
    store.write("exports/a/one.zip", b"first")
    store.write("exports/a/one.zip", b"second")
    assert (store.read("exports/a/one.zip"), files_in(tmp_path)) == (
        b"second",
        ["exports", "exports/a", "exports/a/one.zip"],
    )
    assert (tmp_path / "exports/a/one.zip").stat().st_mode & 0o077 == 0


def test_a_write_that_fails_leaves_the_old_object_and_nothing_else(tmp_path: Path) -> None:
    store = FileStorage(tmp_path)
    store.write("a/one", b"old")

    def broken() -> None:
        with store.writing("a/one") as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert (store.read("a/one"), files_in(tmp_path)) == (b"old", ["a", "a/one"])


def test_deleting_takes_folders_that_are_empty_then(tmp_path: Path) -> None:
    store = FileStorage(tmp_path)
    store.write("a/b/one", b"1")
    store.write("a/two", b"2")
    store.delete("a/b/one")
    store.delete("a/b/one")
    assert files_in(tmp_path) == ["a", "a/two"]
    assert (store.exists("a/b/one"), store.exists("a/two")) == (False, True)
    with pytest.raises(ObjectMissing):
        store.read("a/b/one")


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../up", "a/../../up", "a//b", "A", "a b", "a\x00", ".hidden", "a\\b"]
)
def test_names_that_are_no_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a storage name"):
        FileStorage(tmp_path).write(name, b"")


def test_the_address_says_where(tmp_path: Path) -> None:
    assert open_storage("file://", tmp_path).root == tmp_path / "storage"
    assert open_storage("file:///srv/dramac%20files", tmp_path).root == Path("/srv/dramac files")
    with pytest.raises(ValueError, match="no storage for ftp"):
        open_storage("ftp://x", tmp_path)
