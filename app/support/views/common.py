"""What the screens of support share: the blueprint, and lines of CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io

from flask import Blueprint

bp = Blueprint("support", __name__)


def csv_line(values: tuple[object, ...]) -> str:
    sheet = io.StringIO()
    csv.writer(sheet).writerow([_harmless(value) for value in values])
    return sheet.getvalue()


def _harmless(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
