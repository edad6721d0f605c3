"""What a migration must have: a number, a policy for each tenant table, a reason for each loss, and its released text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

Finding = tuple[int, str]  # line, what is wrong and the fix

LOSS_MARKER = "-- loses data:"
RELEASED = "released.sha256"
_NAME = re.compile(r"(\d{4})_[a-z0-9]+(?:_[a-z0-9]+)*\.sql")
_TABLE = re.compile(
    r'\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:public\.)?"?([a-z_][a-z0-9_]*)"?\s*\(', re.IGNORECASE
)
_ADDED = re.compile(
    r'\bALTER\s+TABLE\s+(?:ONLY\s+)?(?:public\.)?"?([a-z_][a-z0-9_]*)"?\s+ADD\s+(?:COLUMN\s+)?(?:agency_id|site_id)\s',
    re.IGNORECASE,
)
_TENANT_COLUMN = re.compile(r"^\s*\"?(agency_id|site_id)\"?\s", re.IGNORECASE)
_LOSS = re.compile(r"\b(DROP\s+(?:TABLE|SCHEMA|COLUMN|DATABASE)|TRUNCATE)\b", re.IGNORECASE)
# Comments, strings and dollar-quoted bodies hold words that are no statements.
_QUIET = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$([A-Za-z_]*)\$.*?\$\1\$", re.DOTALL)


def lint_migration(text: str) -> list[Finding]:
    """All findings in one file, by line."""
    plain = _QUIET.sub(_blank, text)
    found = [finding for name, at in _tenant_tables(plain) for finding in _unguarded(plain, name, at)]
    return sorted(found + list(_unmarked_losses(text, plain)))


def lint_migrations(folder: Path) -> Iterator[str]:
    """Each finding in the folder as "path:line: what"."""
    paths = sorted(folder.glob("*.sql"))
    for number, path in enumerate(paths, start=1):
        match = _NAME.fullmatch(path.name)
        if match is None or int(match[1]) != number:
            yield f"{path}:1: name it {number:04}_<subject in small letters>.sql: numbers have no gaps and no doubles"
        for line, wrong in lint_migration(path.read_text()):
            yield f"{path}:{line}: {wrong}"
    yield from _changed_after_release(folder)


def release(folder: Path) -> list[str]:
    """Add the files not yet listed to the checksums of released migrations; their names."""
    kept = _released(folder)
    new = [path.name for path in sorted(folder.glob("*.sql")) if path.name not in kept]
    sums = kept | {name: _checksum(folder / name) for name in new}
    (folder / RELEASED).write_text("".join(f"{checksum}  {name}\n" for name, checksum in sorted(sums.items())))
    return new


def _tenant_tables(plain: str) -> Iterator[tuple[str, int]]:
    for match in _TABLE.finditer(plain):
        if any(_TENANT_COLUMN.match(part) for part in _columns(plain, match.end())):
            yield match[1], match.start()
    for match in _ADDED.finditer(plain):
        yield match[1], match.start()


def _columns(plain: str, start: int) -> Iterator[str]:
    """The comma-separated parts of a bracket whose inside begins at `start`."""
    depth, begun = 1, start
    for position in range(start, len(plain)):
        letter = plain[position]
        depth += (letter == "(") - (letter == ")")
        if depth == 0 or (depth == 1 and letter == ","):
            yield plain[begun:position]
            begun = position + 1
        if depth == 0:
            return


def _unguarded(plain: str, name: str, at: int) -> Iterator[Finding]:
    line = plain.count("\n", 0, at) + 1
    table = rf'(?:public\.)?"?{re.escape(name)}"?'
    for verb in ("ENABLE", "FORCE"):
        # One statement may carry both, as in ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY.
        if not re.search(
            rf"\bALTER\s+TABLE\s+(?:ONLY\s+)?{table}\s[^;]*\b{verb}\s+ROW\s+LEVEL\s+SECURITY\b", plain, re.I
        ):
            yield line, f"{name} holds tenant rows: ALTER TABLE {name} {verb} ROW LEVEL SECURITY in this file"
    if not re.search(rf"\bCREATE\s+POLICY\s+\S+\s+ON\s+{table}\s", plain, re.I):
        yield line, f"{name} holds tenant rows: CREATE POLICY … ON {name} in this file"


def _unmarked_losses(text: str, plain: str) -> Iterator[Finding]:
    lines = text.splitlines()
    for match in _LOSS.finditer(plain):
        line = plain.count("\n", 0, match.start()) + 1
        if not any(LOSS_MARKER in near for near in lines[max(line - 2, 0) : line]):
            what = " ".join(match[1].upper().split())
            yield line, f"{what} loses data: say why in a comment on the line above, {LOSS_MARKER} <reason>"


def _changed_after_release(folder: Path) -> Iterator[str]:
    for name, checksum in _released(folder).items():
        path = folder / name
        if not path.exists():
            yield f"{path}:1: was released and may not be removed"
        elif _checksum(path) != checksum:
            yield f"{path}:1: was released and may not change: put the change into a new migration"


def _released(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / RELEASED).read_text().splitlines()
    except FileNotFoundError:
        return {}
    return {name: checksum for checksum, name in (line.split(maxsplit=1) for line in lines)}


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
