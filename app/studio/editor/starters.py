"""What a project can begin from: whole packages beside this file, each with tests that pass."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "starters"
PICTURES = Path(__file__).parent / "pictures"


@dataclass(frozen=True, slots=True)
class Starter:
    """A package to begin from. icon: of the interface's own; shows: what one can learn from it, in a few words each."""

    key: str
    label: str
    text: str
    icon: str
    shows: tuple[str, ...] = ()

    @property
    def picture(self) -> bool:
        """Whether there is a picture of it."""
        return picture_of(self.key) is not None


GROUPS: tuple[tuple[str, tuple[Starter, ...]], ...] = (
    (
        "Foundations",
        (
            Starter("blank", "Blank", "A manifest with nothing in it, and where things go.", "code"),
            Starter(
                "list", "Data list", "One table, its screens, and a page that shows it to visitors.", "table",
                ("Table", "Staff list", "Page"),
            ),
            Starter(
                "form", "Form", "A page visitors send, a letter to the team, spam protection.", "mail",
                ("Form", "Letter", "Event"),
            ),
            Starter(
                "crud", "Small application", "Two tables that refer to each other, states, roles and an API.", "layout-grid",
                ("References", "States", "Role", "Hook"),
            ),
            Starter(
                "dashboard", "Dashboard", "Goals and what counts towards them: a dashboard for the team, a board for visitors.",
                "chart-column", ("Dashboard", "Rollups", "Formula", "Route"),
            ),
            Starter(
                "directory", "Directory", "Entries in groups that visitors filter, and suggest.", "book-open",
                ("Parameters", "Hook", "Form", "Opening hours"),
            ),
            Starter(
                "widget", "Landing widget", "A piece of a page that agencies set up without code.", "globe",
                ("Settings", "Style sheet", "Embed"),
            ),
            Starter(
                "integration", "Integration", "Sends what happens to another service, and tries again when it fails.", "plug",
                ("Network", "Secret", "Retries", "Route"),
            ),
        ),
    ),
    (
        "Business",
        (
            Starter(
                "booking", "Booking", "Times that cannot be taken twice, with a page to book one.", "calendar",
                ("No overlap", "Form", "Letter"),
            ),
            Starter(
                "crm", "Sales pipeline", "Companies, contacts and deals, from the first message on.", "users",
                ("States", "Hook", "Job", "Roles", "Events"),
            ),
            Starter(
                "shop", "Small shop", "Products, orders that keep their prices, stock that never goes below nothing.", "store",
                ("Lock", "Hook", "Pictures", "Form"),
            ),
            Starter(
                "inventory", "Stock room", "Stock as the sum of movements, transfers, a letter when something runs low.", "boxes",
                ("Rollup", "Lock", "Route", "Job"),
            ),
            Starter(
                "invoicing", "Invoices", "From draft to paid, with numbers, tax, letters and reminders.", "receipt",
                ("Series", "Formulas", "Letters", "Job"),
            ),
            Starter(
                "helpdesk", "Help desk", "Questions by form, answers by letter, nothing forgotten.", "life-buoy",
                ("Form", "Events", "Job", "Role"),
            ),
        ),
    ),
    (
        "Trades",
        (
            Starter(
                "restaurant", "Restaurant", "A menu with allergens, and tables that are never given twice.", "utensils",
                ("Page", "Lock", "Form", "Letter"),
            ),
            Starter(
                "realestate", "Homes", "Homes for sale and rent, and viewings that never collide.", "house",
                ("Parameters", "Pictures", "No overlap", "Hook"),
            ),
            Starter(
                "practice", "Medical practice", "Requests, appointments and reminders that say nothing medical.", "heart-pulse",
                ("Private fields", "Audit", "No overlap", "Job"),
            ),
            Starter(
                "education", "Courses", "Courses with places, enrolments and marks.", "graduation-cap",
                ("Capacity", "Average", "Job", "Role"),
            ),
            Starter(
                "fitness", "Class plan", "A timetable with a waiting list that moves up by itself.", "activity",
                ("Lock", "Events", "Letters", "Page"),
            ),
            Starter(
                "legal", "Law office", "Matters with a check for conflicts, time that becomes money, deadlines.", "scale",
                ("Hook", "Lock", "Audit", "Job"),
            ),
        ),
    ),
)  # fmt: skip
STARTERS = tuple(starter for _, found in GROUPS for starter in found)


@cache
def picture_of(key: str) -> Path | None:
    """The picture of a starter; None for one without, or one that is not there."""
    path = PICTURES / f"{key}.webp"
    return path if key in {starter.key for starter in STARTERS} and path.is_file() else None


@cache
def starter_files(key: str) -> dict[str, bytes]:
    """{path: content} of a starter. Raises KeyError for one that is not there."""
    if key not in {starter.key for starter in STARTERS}:
        raise KeyError(key)
    root = FOLDER / key
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
