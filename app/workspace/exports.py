"""Records as CSV, page by page, so that any number takes the same memory. Text that a spreadsheet would run is made harmless."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.modules.conditions import All, Test
from app.modules.kinds import Kind
from app.runtime.data import Page
from app.runtime.query import MAX_LIMIT, Query
from app.workspace.cells import cell, currency_code, kind_of, text_of
from app.workspace.desk import Desk
from app.workspace.forms.raw import digits_of
from app.workspace.labels import field_label
from app.workspace.listing import ListState, expandable

# what begins so is a formula to a spreadsheet (OWASP, "CSV injection")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_PLAIN_NUMBERS = frozenset({"integer", "decimal", "money", "percent", "rating", "duration"})


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def export_columns(desk: Desk, table: str) -> tuple[str, ...]:
    """Every field that can be written down, the chosen order being the manifest's."""
    fields = desk.table(table).fields
    return ("id", *(name for name, field in fields.items() if field.type != "secret"), "created_at", "updated_at")


def first_page(desk: Desk, state: ListState, *, ids: Sequence[UUID] = ()) -> tuple[Query, Page]:
    """The query of an export and its first page, so that what can fail does so before anything is sent."""
    table = state.screen.table
    where = All((state.query.where, Test("id", "in", tuple(ids), Kind.UUID))) if ids else state.query.where
    names = export_columns(desk, table)
    query = replace(
        state.query, where=where, limit=MAX_LIMIT, cursor="", count=False, expand=expandable(desk, table, names)
    )
    return query, desk.data.list(table, query)


def csv_lines(desk: Desk, table: str, query: Query, page: Page) -> Iterator[bytes]:
    """The file, a page of records at a time. UTF-8 with a mark at its start, for Excel."""
    names = export_columns(desk, table)
    yield "﻿".encode() + csv_bytes([[field_label(desk.table(table), name) for name in names]])
    while True:
        yield csv_bytes([[export_text(desk, table, name, row) for name in names] for row in page.records])
        if not page.next_cursor:
            return
        page = desk.data.list(table, replace(query, cursor=page.next_cursor))


def export_text(desk: Desk, table: str, name: str, record: Mapping[str, Any]) -> str:
    """One value as an import reads it back."""
    value = record.get(name)
    if value is None or value == [] or value == {}:
        return ""
    kind = kind_of(desk, table, name)
    if kind in _PLAIN_NUMBERS:
        return _number(desk, table, name, kind, value, record)
    if kind == "datetime":
        zone = ZoneInfo(desk.context.site.time_zone)
        return datetime.fromisoformat(value).astimezone(zone).isoformat(sep=" ", timespec="seconds")
    if kind in ("date", "time", "boolean"):
        return {True: "yes", False: "no"}[value] if kind == "boolean" else str(value)
    if kind in ("json", "hours", "address", "geo"):
        return harmless(json.dumps(value, ensure_ascii=False))
    if kind in ("richtext", "text", "slug"):
        return harmless(str(value))
    return harmless(text_of(cell(desk, table, name, record)))


def _number(desk: Desk, table: str, name: str, kind: str, value: Any, record: Mapping[str, Any]) -> str:
    if kind == "duration":
        return text_of(cell(desk, table, name, record))
    if kind == "money":
        other = getattr(desk.table(table).fields.get(name), "currency", None)
        digits = digits_of(currency_code((record.get(other) if other else None) or desk.context.site.currency))
        return f"{Decimal(str(value)).scaleb(-digits):.{digits}f}"
    return str(value)


def csv_bytes(rows: Iterable[Sequence[str]]) -> bytes:
    """Lines of a file."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
