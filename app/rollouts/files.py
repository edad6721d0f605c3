"""Which files of pages and code another version has otherwise, line by line: what no manifest tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.lib.difference import DiffLine, difference
from app.modules.models import Blob, Version, VersionFile

FOLDERS = (
    ("templates/", "Page"),
    ("assets/", "Style, script or picture"),
    ("functions/", "Function"),
    ("locales/", "Words"),
)
MOST_FILES = 100
MOST_BYTES = 100_000  # of one state of a file whose lines are shown
MOST_LINES = 4_000  # of all files together


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file. what: the kind of file. lines: as difference() gives them; None for what is no text, too much to show, or the
    makers' own. added, removed: how many, None for what is no text.
    """

    path: str
    what: str
    kind: Literal["added", "changed", "removed"]
    lines: list[DiffLine] | None
    added: int | None
    removed: int | None
    withheld: bool = False

    def to_dict(self) -> dict[str, Any]:
        return {"path": self.path, "change": self.kind, "lines_added": self.added, "lines_removed": self.removed}


def changed_files(db: Session, *, old: Version, new: Version, own: bool) -> tuple[FileChange, ...]:
    """The files of both versions that differ, pages first; at most MOST_FILES. Two statements.

    own: the module is the agency's. Of others' functions it is said how much changed, not what: code that runs on the server is
    their makers'.
    """
    before, after = (dict[str, tuple[str, int]](), dict[str, tuple[str, int]]())
    rows = db.execute(
        select(VersionFile.version_id, VersionFile.path, VersionFile.sha256, VersionFile.size_bytes).where(
            VersionFile.version_id.in_((old.id, new.id))
        )
    )
    for row in rows:
        (before if row.version_id == old.id else after)[row.path] = (row.sha256, row.size_bytes)
    paths = [path for path in {*before, *after} if _place(path) < len(FOLDERS) and before.get(path) != after.get(path)]
    paths = sorted(paths, key=lambda path: (_place(path), path))[:MOST_FILES]
    states = [(path, before.get(path), after.get(path)) for path in paths]
    wanted = {one[0] for _, *both in states for one in both if one is not None and one[1] <= MOST_BYTES}
    blobs = {
        row.sha256: row.content for row in db.execute(select(Blob.sha256, Blob.content).where(Blob.sha256.in_(wanted)))
    }
    found, room = [], MOST_LINES
    for path, was, now in states:
        lines = None
        if all(one is None or one[0] in blobs for one in (was, now)):
            lines = difference(blobs[was[0]] if was else None, blobs[now[0]] if now else None)
        added, removed = [
            sum(line.kind == kind for line in lines) if lines is not None else None for kind in ("added", "removed")
        ]
        room -= len(lines or ())
        kind: Literal["added", "changed", "removed"] = (
            "added" if was is None else "removed" if now is None else "changed"
        )
        withheld = not own and path.startswith("functions/")
        shown = lines if room >= 0 and not withheld else None
        found.append(FileChange(path, FOLDERS[_place(path)][1], kind, shown, added, removed, withheld))
    return tuple(found)


def _place(path: str) -> int:
    return next((place for place, (folder, _) in enumerate(FOLDERS) if path.startswith(folder)), len(FOLDERS))
