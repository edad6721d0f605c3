"""Tables of a dashboard as CSV: the same rows as on the screen. Text that a spreadsheet would run is made harmless."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from app.analytics.board import Board
from app.analytics.figures import versions
from app.analytics.names import words_of
from app.analytics.releases import AFTER

TABLES = {
    "series": "Every step", "pages": "Pages", "parts": "Modules", "sites": "Sites", "versions": "Versions", "clicks": "Clicks",
    "custom": "Events of modules", "errors": "Script errors", "surface": "Where it runs", "place": "Pages around frames",
    "referrer": "Referrers", "language": "Languages", "country": "Countries", "device": "Devices", "browser": "Browsers",
    "system": "Systems", "retention": "Installs that stay", "marks": "Changes", "hours": "Busy hours",
}  # fmt: skip
EVENTS = {
    "view": "Views", "mount": "Page starts", "start": "Forms begun", "submit": "Forms sent", "click": "Clicks",
    "custom": "Events", "error": "Script errors", "call": "API calls", "call_failed": "Failed calls",
    "run": "Function runs", "run_failed": "Failed runs",
}  # fmt: skip
_NAMED = {"clicks": "click", "custom": "custom", "errors": "error"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # what begins so is a formula to a spreadsheet (OWASP, "CSV injection")


def csv_of(board: Board, name: str) -> bytes:
    """One of TABLES. UTF-8 with a mark at its start, for Excel."""
    written = io.StringIO()
    writer = csv.writer(written)
    for row in _rows(board, name):
        writer.writerow([_harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return b"\xef\xbb\xbf" + written.getvalue().encode()


def _rows(board: Board, name: str) -> Iterable[Sequence[Any]]:
    found, series, window = board.found, board.series, board.window
    if name == "series":
        yield ["Time (UTC)" if window.grain == "hour" else "Day", *EVENTS.values(), "Visitors"]
        columns = [series.of(event) for event in EVENTS] + [series.of("view", "visitors")]
        for number, step in enumerate(window.steps):
            yield [step, *(column[number] for column in columns)]
    elif name == "pages":
        yield ["Page", "Module", "Views", "Visitors", "Forms sent", "Seconds looked at"]
        for row in found["pages"]:
            yield [
                row["value"],
                row["module"] or "",
                row["count"],
                row["visitors"],
                row["sent"],
                round(row["time_ms"] / 1000),
            ]
    elif name == "parts":
        yield ["Module", "Views", "Views before", "Visitors", "Forms sent", "Sites"]
        for row in found["parts"]:
            yield [row["name"] or "Own pages", row["count"], row["before"], row["visitors"], row["sent"], row["sites"]]
    elif name == "sites":
        yield ["Site", "Address", "Views", "Views before", "Visitors", "Forms sent", "Failures"]
        for row in found["sites"]:
            yield [row["name"], row["url"], row["count"], row["before"], row["visitors"], row["sent"], row["failed"]]
    elif name == "versions":
        yield ["Version", "Views", "Page starts", "Script errors", "Forms sent"]
        for row in versions(found["tops"]):
            yield [row["version"], row["view"], row["mount"], row["error"], row["submit"]]
    elif name == "retention":
        yield [
            "Month",
            "Installs",
            *(cell for days in AFTER for cell in (f"Older than {days} days", f"Still there after {days}")),
        ]
        for cohort in board.retention or []:
            stayed = [cohort.stayed[days] for days in AFTER]
            yield [f"{cohort.month:%Y-%m}", cohort.installed, *(cell for one in stayed for cell in (one.due, one.kept))]
    elif name == "marks":
        yield ["Time (UTC)" if window.grain == "hour" else "Day", "What", "Module", "Version", "Sites"]
        for row in found["marks"]:
            yield [row["at"], row["event"], row["module"] or "", row["version"], row["count"]]
    elif name == "hours":
        yield ["Weekday", *(f"{hour:02}:00" for hour in range(24))]
        for day, row in zip(_DAYS, board.busy or [], strict=False):
            yield [day, *row]
    else:
        dimension, event = ("name", _NAMED[name]) if name in _NAMED else (name, "view")
        yield [TABLES[name], "Times" if name in _NAMED else "Views", "Visitors"]
        for row in found["tops"]:
            if (row["dimension"], row["event"]) == (dimension, event):
                yield [words_of(dimension, row["value"]), row["count"], row["visitors"]]


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_DANGEROUS) else text
