"""Names of files in a package: which are safe, which collide, where each belongs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from app.modules.manifest.problems import Problem
from app.modules.package.limits import MAX_DEPTH, MAX_PATH_CHARACTERS

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_DRIVE = re.compile(r"^[A-Za-z]:")
_WINDOWS = re.compile(r"(^|/)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.[^/]*)?(/|$)", re.IGNORECASE)

IMAGES = ("png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico")
FONTS = ("woff", "woff2")
ROOT_FILES = (
    "module.yaml", "listing.yaml", "README.md", "CHANGELOG.md", "LICENSE", "LICENSE.md", "LICENSE.txt",
    "icon.svg", "icon.png",
)  # fmt: skip
FOLDERS: dict[str, tuple[str, ...]] = {
    "templates": ("html", "txt"),
    "functions": ("js",),
    "assets": ("css", "js", "json", "txt", *IMAGES, *FONTS),
    "screenshots": ("png", "jpg", "jpeg", "webp"),
    "sample": ("yaml", "csv"),
    "tests": ("yaml",),
    "locales": ("json",),
}
_NESTED = ("assets",)
_JUNK = re.compile(r"(^|/)(__MACOSX(/|$)|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._[^/]*$)")


def is_junk(path: str) -> bool:
    """What operating systems leave in zips; skipped with a warning."""
    return _JUNK.search(path) is not None


def path_fault(path: str) -> tuple[str, str] | None:
    """(code, why) when a name is not safe, else None. The name is never repeated raw: it may hold anything."""
    checks = (
        (not path, "path", "has an empty name"),
        (_CONTROL.search(path), "path_control", "has a control or invisible character in its name"),
        ("\\" in path, "path_backslash", "has a backslash in its name; use /"),
        (path.startswith("/"), "path_absolute", "has an absolute path; paths start at the package"),
        (_DRIVE.search(path), "path_drive", "has a drive letter in its name"),
        (".." in path.split("/"), "path_parent", "leaves the package by .."),
        ("." in path.split("/") or "//" in path, "path", "has an empty or . part in its path"),
        (len(path) > MAX_PATH_CHARACTERS, "path_length", f"has a path of over {MAX_PATH_CHARACTERS} characters"),
        (path.count("/") >= MAX_DEPTH, "path_depth", f"lies more than {MAX_DEPTH} levels deep"),
        (unicodedata.normalize("NFC", path) != path, "path_unicode", "has a name that is not in Unicode form NFC"),
        (_WINDOWS.search(path), "path_device", "has a name that is a device on Windows"),
        (any(part.endswith((" ", ".")) for part in path.split("/")), "path", "has a name ending in a space or dot"),
    )
    return next(((code, why) for wrong, code, why in checks if wrong), None)


def shown(path: str) -> str:
    """A name safe to print: escapes for what is not printable, at most 80 characters."""
    text = path.encode("unicode_escape").decode() if not path.isprintable() else path
    return text if len(text) <= 80 else text[:77] + "..."


def collisions(paths: Iterable[str]) -> list[Problem]:
    """A problem for each name that is there twice, or is the same to a file system that folds case and Unicode."""
    seen: dict[str, str] = {}
    problems = []
    for path in paths:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", path).casefold())
        if folded in seen:
            other = "itself" if seen[folded] == path else shown(seen[folded])
            message = (
                "is in the archive twice" if other == "itself" else f"has the same name as {other} on many systems"
            )
            problems.append(Problem("", message, code="path_duplicate", file=shown(path)))
        seen.setdefault(folded, path)
    return problems


def without_top_folder(paths: Iterable[str]) -> str:
    """The one folder that holds everything, with its slash, when module.yaml is in it and not at the top; else ""."""
    names = list(paths)
    tops = {name.partition("/")[0] for name in names}
    top = next(iter(tops)) + "/" if len(tops) == 1 else ""
    return top if top and f"{top}module.yaml" in names else ""


def place_fault(path: str) -> str | None:
    """Why a file has no place in a package, or None when it has one."""
    folder, _, rest = path.partition("/")
    if not rest:
        return None if path in ROOT_FILES else f"has no place at the top; allowed there are {', '.join(ROOT_FILES)}"
    if folder not in FOLDERS:
        return f"is in a folder a package does not have; there are {', '.join(FOLDERS)}"
    if "/" in rest and folder not in _NESTED:
        return f"must lie directly in {folder}/"
    ending = rest.rpartition(".")[2] if "." in rest else ""
    if ending not in FOLDERS[folder]:
        return f"is of a kind {folder}/ does not take; it takes {', '.join('.' + kind for kind in FOLDERS[folder])}"
    return None
