"""A report as CSV: a line for each that is shown, subtotals among them, and the total last."""

from __future__ import annotations

from decimal import Decimal

from app.workspace.cells import Cell, text_of
from app.workspace.exports import csv_bytes, harmless
from app.workspace.forms.raw import digits_of
from app.workspace.reports import Report, rows_of


def report_csv(report: Report) -> bytes:
    """The file. UTF-8 with a mark at its start, for Excel; amounts of each currency in a column of their own."""
    rows = list(rows_of(report))
    columns = [
        (number, currency)
        for number in range(len(report.measures))
        for currency in dict.fromkeys(cell.unit for _, figures in rows for cell in figures[number] if not cell.empty)
        or ("",)
    ]
    heads = [*report.groups, *(_head(report, number, currency) for number, currency in columns)]
    lines = [
        [*(harmless(cell_text(label)) for label in labels), *[""] * (len(report.groups) - len(labels))]
        + [_in(figures[number], currency) for number, currency in columns]
        for labels, figures in rows
    ]
    return "\ufeff".encode() + csv_bytes([[harmless(head) for head in heads], *lines])


def _head(report: Report, number: int, currency: str) -> str:
    label = report.measures[number].label
    return f"{label} ({currency})" if currency else label


def _in(figures: tuple[Cell, ...], currency: str) -> str:
    """A figure in one of its currencies."""
    return next((cell_text(cell) for cell in figures if cell.unit == currency), "")


def cell_text(shown: Cell) -> str:
    """A label or figure as programs read it: amounts in whole units, percents and numbers plain, days in ISO's order."""
    if shown.look == "money":
        digits = digits_of(shown.unit)
        return f"{Decimal(shown.value).scaleb(-digits):.{digits}f}"
    if shown.look in ("number", "percent") and not isinstance(shown.value, str):
        text = f"{Decimal(str(shown.value)):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return text_of(shown)
