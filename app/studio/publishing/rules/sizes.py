"""How much a page makes a visitor load."""

from __future__ import annotations

from app.modules.manifest import Problem
from app.modules.package import Package

KB = 1_000
# kind of file: (what it is called, bytes that warn, bytes that refuse, what to do)
_LIMITS: dict[tuple[str, ...], tuple[str, int, int, str]] = {
    ("js", "mjs"): ("script", 120 * KB, 300 * KB, "Leave out what the pages do not use, or load it on the page that needs it."),
    ("css",): ("style sheet", 60 * KB, 200 * KB, "Leave out rules that no template uses; widget.css has the common ones."),
    ("png", "jpg", "jpeg", "gif", "webp", "avif", "svg"): (
        "image", 400 * KB, 2_000 * KB, "Scale it to the size it is shown in, or save it as WebP or AVIF."
    ),
    ("woff", "woff2"): ("font", 120 * KB, 500 * KB, "Subset it to the characters it is needed for, as WOFF2."),
}  # fmt: skip
FUNCTION_WARNS, FUNCTION_REFUSES = 60 * KB, 250 * KB
ASSETS_REFUSE = 6_000 * KB


def size_problems(package: Package) -> list[Problem]:
    """Warnings and errors for assets and functions that are large."""
    found: list[Problem] = []
    for path, content in package.assets.items():
        kind = path.rpartition(".")[2].lower()
        for kinds, (what, warns, refuses, remedy) in _LIMITS.items():
            if kind in kinds:
                found += _large(f"assets/{path}", what, len(content), warns, refuses, remedy)
    for name, source in package.functions.items():
        remedy = "Divide it into several functions; each is compiled and started by itself."
        found += _large(f"functions/{name}", "function", len(source.encode()), FUNCTION_WARNS, FUNCTION_REFUSES, remedy)
    total = sum(map(len, package.assets.values()))
    if total > ASSETS_REFUSE:
        message = f"has {_kb(total)} in assets/; at most {_kb(ASSETS_REFUSE)}"
        remedy = "Keep what people can replace (photographs, films) in records with file fields."
        found.append(Problem("", message, code="size", file="assets", remedy=remedy))
    return found


def _large(path: str, what: str, size: int, warns: int, refuses: int, remedy: str) -> list[Problem]:
    if size <= warns:
        return []
    limit = f"; at most {_kb(refuses)}" if size > refuses else ""
    severity = "error" if size > refuses else "warning"
    return [Problem("", f"is a {what} of {_kb(size)}{limit}", code="size", severity=severity, file=path, remedy=remedy)]  # type: ignore[arg-type]  # one of the two


def _kb(size: int) -> str:
    return f"{round(size / KB):,} kB"
