"""What a project can begin from: whole packages beside this file, each with tests that pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "starters"


@dataclass(frozen=True, slots=True)
class Starter:
    """A package to begin from. icon: of the interface's own."""

    key: str
    label: str
    text: str
    icon: str


STARTERS = (
    Starter("blank", "Blank", "A manifest with nothing in it, and where things go.", "code"),
    Starter("list", "Data list", "One table, its screens, and a page that shows it to visitors.", "table"),
    Starter("form", "Form", "A page visitors send, a letter to the team, spam protection.", "mail"),
    Starter(
        "crud", "Small application", "Two tables that refer to each other, states, roles and an API.", "layout-grid"
    ),
    Starter("booking", "Booking", "Times that cannot be taken twice, with a page to book one.", "calendar"),
    Starter("widget", "Landing widget", "A piece of a page that agencies set up without code.", "globe"),
    Starter(
        "integration", "Integration", "Sends what happens to another service, and tries again when it fails.", "plug"
    ),
)


@cache
def starter_files(key: str) -> dict[str, bytes]:
    """{path: content} of a starter. Raises KeyError for one that is not there."""
    if key not in {starter.key for starter in STARTERS}:
        raise KeyError(key)
    root = FOLDER / key
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
