"""Records from CSV: the file read, its headings matched with fields, every row tried, and all of them written or none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.errors import FieldError, Invalid
from app.modules.conditions import Test
from app.modules.kinds import Kind
from app.modules.manifest import FieldSpec
from app.modules.manifest.fields import EnumField, MoneyField, RefField, RefsField
from app.runtime.data.writes import MAX_BATCH, facts_of
from app.runtime.query import MAX_LIMIT, Query
from app.runtime.validation.problems import Wrong
from app.runtime.validation.record import check_new, writable_fields
from app.workspace.cells import currency_code, title
from app.workspace.desk import Desk
from app.workspace.forms.raw import Place, tag_list
from app.workspace.forms.written import read_written
from app.workspace.labels import field_label, inside, many
from app.workspace.screens import COMPUTED, UPLOADS

MOST_ROWS, MOST_COLUMNS, MOST_BYTES, MOST_PROBLEMS = 5000, 200, 4 << 20, 200
_APOSTROPHE = ("'=", "'+", "'-", "'@", "'\t", "'\r")


class FileUnreadable(Invalid):
    """This is no CSV file that can be read."""

    code = "file_unreadable"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file as it was read. rows: (line number in the file, texts)."""

    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one line; label is that of the field, "" for the line as a whole."""

    line: int
    label: str
    detail: str


@dataclass
class Tried:
    """Every row as it would be written. lines[i] is where values[i] stands in the file."""

    values: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def read_sheet(content: bytes) -> Sheet:
    """The rows of a file: UTF-8, UTF-16 or Windows-1252; commas, semicolons or tabs. Raises FileUnreadable."""
    text = _decoded(content)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=False)
        lines = [(reader.line_num, tuple(cells)) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise FileUnreadable(f"The file cannot be read: {error}.") from error
    if not lines:
        raise FileUnreadable("The file is empty.")
    headings = tuple(heading.strip() for heading in lines[0][1])
    if len(headings) > MOST_COLUMNS:
        raise FileUnreadable(f"The file has more than {MOST_COLUMNS} columns.")
    if len(lines) - 1 > MOST_ROWS:
        raise FileUnreadable(f"The file has {len(lines) - 1:,} rows; at most {MOST_ROWS:,} can be imported at once.")
    if len(lines) == 1:
        raise FileUnreadable("The file has headings but no rows.")
    return Sheet(headings, tuple(lines[1:]))


def importable(desk: Desk, table: str) -> tuple[str, ...]:
    """The fields a file can fill."""
    fields = desk.table(table).fields
    return tuple(name for name, one in fields.items() if one.type not in COMPUTED | UPLOADS | {"secret"})


def guess_mapping(desk: Desk, table: str, headings: Sequence[str]) -> list[str]:
    """For each heading the field it means, by name or label; "" for none. A field is used once."""
    known: dict[str, str] = {}
    for name in importable(desk, table):
        known.setdefault(_plain(field_label(desk.table(table), name)), name)
        known[_plain(name)] = name
    found: list[str] = []
    for heading in headings:
        name = known.get(_plain(heading), "")
        found.append(name if name not in found else "")
    return found


def try_rows(desk: Desk, table: str, sheet: Sheet, mapping: Sequence[str]) -> Tried:
    """What each row would be as a record, and all that is wrong. Nothing is written."""
    tried = Tried()
    people = {word.lower(): str(one.id) for one in desk.colleagues.values() for word in (one.name, one.email)}
    records = _referred(desk, table, sheet, mapping)
    model, facts = desk.data.model.tables[table], facts_of(desk.data)
    writable = writable_fields(model.visible(desk.data.access))
    for line, cells in sheet.rows:
        reader = _Row(desk, table, people, records)
        values = reader.read(mapping, cells)
        wrong = list(reader.problems)
        if len(cells) > len(sheet.headings):
            wrong.append(("", f"has {len(cells)} cells, but there are {len(sheet.headings)} headings"))
        told = {name for name, _ in wrong}
        for error in check_new(model.rules, values, writable, facts).errors:
            name = error.pointer.lstrip("/").partition("/")[0]
            if name not in told:
                wrong.append((name, error.detail))
        tried.problems += [RowProblem(line, _label(desk, table, name), detail) for name, detail in wrong]
        tried.values.append(values)
        tried.lines.append(line)
    return tried


def write_rows(desk: Desk, table: str, tried: Tried) -> UUID:
    """Every row in one transaction; returns its batch. Raises RowsRefused, and then nothing is stored."""
    with desk.data.transaction() as tx:
        for start in range(0, len(tried.values), MAX_BATCH):
            try:
                tx.insert_many(table, tried.values[start : start + MAX_BATCH])
            except Invalid as error:
                raise RowsRefused(desk, table, error.errors, tried.lines[start:], error.message) from error
        return tx.batch


class RowsRefused(Invalid):
    """Nothing was imported: some rows are not acceptable."""

    code = "rows_refused"

    def __init__(self, desk: Desk, table: str, errors: list[FieldError], lines: Sequence[int], message: str) -> None:
        super().__init__(message, errors=errors)
        self.problems = [_located(desk, table, error, lines) for error in errors] or [RowProblem(0, "", message)]


def _located(desk: Desk, table: str, error: FieldError, lines: Sequence[int]) -> RowProblem:
    index, _, name = error.pointer.lstrip("/").partition("/")
    if index.isdecimal() and int(index) < len(lines):
        return RowProblem(lines[int(index)], _label(desk, table, name), error.detail)
    return RowProblem(0, _label(desk, table, index), error.detail)


def _label(desk: Desk, table: str, name: str) -> str:
    return field_label(desk.table(table), name) if name else ""


# -- reading the file


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        codings: tuple[str, ...] = ("utf-16",)
    else:
        codings = ("utf-8-sig", "cp1252")
    for coding in codings:
        try:
            text = content.decode(coding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise FileUnreadable("This is no text file. Save it as CSV and choose it again.")


def _delimiter(text: str) -> str:
    """The mark that the first line has most of."""
    head = text.partition("\n")[0]
    return max((",", ";", "\t"), key=head.count)


def _plain(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())


# -- reading a row


def _referred(desk: Desk, table: str, sheet: Sheet, mapping: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """{table: {title: ids}} of the records that the file names."""
    found: dict[str, dict[str, list[str]]] = {}
    for index, name in enumerate(mapping):
        spec = desk.table(table).fields.get(name)
        if isinstance(spec, (RefField, RefsField)) and desk.can(spec.to, "read"):
            texts = {
                text.strip() for _, cells in sheet.rows if index < len(cells) for text in _split(spec, cells[index])
            }
            found.setdefault(spec.to, {}).update(_ids_by_title(desk, spec.to, sorted(texts - {""})))
    return found


def _split(spec: Any, text: str) -> list[str]:
    return tag_list(text.replace(";", ",")) if isinstance(spec, RefsField) else [_unquoted(text)]


def _ids_by_title(desk: Desk, table: str, texts: list[str]) -> dict[str, list[str]]:
    name = desk.table(table).title_field
    if name is None or desk.data.model.tables[table].columns[name].kind is not Kind.TEXT:
        return {}
    found: dict[str, list[str]] = {}
    for start in range(0, len(texts), 100):
        wanted = tuple(texts[start : start + 100])
        query = Query(where=Test(name, "in", wanted, Kind.TEXT), limit=MAX_LIMIT, fields=(name,))
        for row in desk.data.list(table, query).records:
            found.setdefault(title(desk, table, row), []).append(row["id"])
    return found


class _Row:
    """Reads the cells of one row."""

    def __init__(
        self, desk: Desk, table: str, people: Mapping[str, str], records: Mapping[str, Mapping[str, list[str]]]
    ) -> None:
        self.desk, self.table, self.people, self.records = desk, table, people, records
        self.problems: list[tuple[str, str]] = []

    def read(self, mapping: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
        texts = {name: _unquoted(text) for name, text in zip(mapping, cells, strict=False) if name}
        found = {}
        for name, text in texts.items():
            if text:
                try:
                    found[name] = self._value(name, text, texts)
                except Wrong as wrong:
                    self.problems.append((name, str(wrong)))
        return found

    def _value(self, name: str, text: str, texts: Mapping[str, str]) -> Any:
        spec = self.desk.table(self.table).fields[name]
        if spec.type == "user":
            return self.people.get(text.lower()) or _id(text, f'nobody here is called "{text}"')
        if isinstance(spec, RefField):
            return self._record(spec.to, text)
        if isinstance(spec, RefsField):
            return [self._record(spec.to, one) for one in _split(spec, text)]
        return read_written(spec, text, self._place(spec, texts))

    def _place(self, spec: Any, texts: Mapping[str, str]) -> Place:
        site = self.desk.context.site
        named = texts.get(spec.currency or "") if isinstance(spec, MoneyField) else None
        return Place(currency_code(named) if named else site.currency, site.time_zone)

    def _record(self, table: str, text: str) -> str:
        ids = self.records.get(table, {}).get(text, [])
        if len(ids) == 1:
            return ids[0]
        if ids:
            raise Wrong(f'"{text}" names {len(ids)} records; use the id of one')
        return _id(text, f'no record is called "{text}"')


def _id(text: str, otherwise: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Wrong(otherwise) from None


def _unquoted(text: str) -> str:
    """Without the apostrophe that an export puts before what looks like a formula."""
    text = text.strip()
    return text[1:] if text.startswith(_APOSTROPHE) else text


_HINTS = {
    "boolean": "yes or no", "date": "2026-03-14", "datetime": "2026-03-14 09:30", "time": "09:30", "duration": "1:30",
    "money": "1299.50", "percent": "12.5", "integer": "whole number", "decimal": "number", "rating": "whole number",
    "user": "name or e-mail of a member", "tags": "several, with commas", "email": "e-mail address", "phone": "telephone number",
    "url": "https://…", "color": "#1a2b3c", "richtext": "HTML", "json": "JSON", "address": "JSON", "geo": "JSON",
    "hours": "JSON", "rrule": "recurrence rule",
}  # fmt: skip


def import_hint(desk: Desk, field: FieldSpec) -> str:
    """What a cell has to look like."""
    if isinstance(field, EnumField):
        return ", ".join(field.options[:6]) + ("…" if len(field.options) > 6 else "")
    if isinstance(field, RefField):
        return f"name, in {inside(many(desk.manifest, field.to))}"
    if isinstance(field, RefsField):
        return f"names, in {inside(many(desk.manifest, field.to))}, with commas"
    return _HINTS.get(field.type, "text")


def heading_label(heading: str, number: int) -> str:
    """What a column of the file is called on the screen. number counts from 1."""
    return heading or f"Column {number}"


def problems_by_line(problems: Sequence[RowProblem]) -> Iterator[tuple[int, list[RowProblem]]]:
    """Grouped by line, in the order of the file."""
    grouped: dict[int, list[RowProblem]] = {}
    for one in problems:
        grouped.setdefault(one.line, []).append(one)
    yield from sorted(grouped.items())
