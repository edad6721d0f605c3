"""Rows of the file as people read them: what each is called, what was written, what the older version has no place for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.modules.conditions import Test
from app.modules.kinds import Kind
from app.rollouts.putback.file import Line, Spot, Survey, lines_of
from app.rollouts.putback.rows import Asked, Mark, Place, as_it_is, judge, read_row
from app.rollouts.putback.working import files_in
from app.runtime.query import Query
from app.workspace.cells import cell_of, text_of, title
from app.workspace.desk import Desk
from app.workspace.facets import record_options
from app.workspace.labels import field_label, one

PAGE_ROWS = 50
LONGEST = 140
_FILES = """
SELECT f.id FROM module_files f WHERE f.install_id = $1 AND f.id = ANY($2::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Value:
    """A field: what it was before and what was written, in words; None where there is none."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of the page. can: it can be chosen; since: only by saying so. why: what stood in the way the last time."""

    position: int
    title: str
    kind: str
    change: str
    state: str
    said: str
    values: tuple[Value, ...]
    held: tuple[tuple[str, str, str], ...]
    secrets: tuple[str, ...]
    files_gone: tuple[str, ...]
    why: tuple[str, ...]
    table: str
    record: str | None  # its id where it can be opened

    @property
    def can(self) -> bool:
        return self.state == "open"


def show_rows(
    desk: Desk, places: Mapping[str, Place], found: Survey, spots: Sequence[Spot], marks: Mapping[int, Mark]
) -> list[Shown]:
    """These rows. Statements: one for the records of each table on the page, one for each table they refer to, one for files."""
    asked = [read_row(desk, places[line.table], line) for line in lines_of(found.name, spots)]
    now = _records(desk, asked)
    names, there = _names(desk, asked), _files(desk, asked)
    return [
        _shown(desk, one, now.get(one.line.record_id), marks.get(one.line.position), found.gone_back_at, names, there)
        for one in asked
    ]


def reasons(desk: Desk, table: str, mark: Mark | None) -> tuple[str, ...]:
    """What is noted of a row, with the field's label."""
    fields = desk.manifest.tables[table].fields if table else {}
    return tuple(
        f"{field_label(desk.table(table), item['field'])}: {item['why']}" if item["field"] in fields else item["why"]
        for item in (mark.why if mark else ())
    )


def _shown(
    desk: Desk, asked: Asked, now: dict[str, Any] | None, mark: Mark | None, back_at: datetime,
    names: Mapping[str, str], there: frozenset[str],
) -> Shown:  # fmt: skip
    line = asked.line
    verdict = judge(desk, asked, now, mark, back_at)
    held = tuple((item["field"], item["why"], _raw((line.values or {}).get(item["field"]))) for item in line.not_held)
    if not asked.table:
        plain = tuple(
            Value(name, None, _raw(value)) for name, value in (line.values or line.before or {}).items() if value
        )
        name = f"{line.table} {str(line.record_id)[-6:]}"
        return Shown(
            line.position, name, line.table, line.change, verdict.state, verdict.said, plain, held, (), (), (), "", None
        )
    spec = desk.table(asked.table)
    gone = tuple(
        item["name"] for name in desk.data.model.tables[asked.table].file_fields
        for item in files_in(asked.values.get(name)) if line.change != "deleted" and item["id"] not in there
    )  # fmt: skip
    return Shown(
        line.position,
        _title(desk, asked),
        one(desk.manifest, asked.table),
        line.change,
        verdict.state,
        verdict.said,
        tuple(_values(desk, asked, verdict.wanted, now, names)),
        held,
        tuple(field_label(spec, name) for name in asked.secrets),
        gone,
        reasons(desk, asked.table, mark) if mark and mark.state == "refused" else (),
        asked.table,
        str(line.record_id) if now is not None else None,
    )


def _title(desk: Desk, asked: Asked) -> str:
    told = {**asked.before, **asked.values, **asked.numbers, "id": asked.line.record_id}
    return title(desk, asked.table, told)


def _values(
    desk: Desk, asked: Asked, wanted: Mapping[str, Any], now: Mapping[str, Any] | None, names: Mapping[str, str]
) -> Iterable[Value]:
    spec = desk.table(asked.table)

    def text(name: str, record: Mapping[str, Any]) -> str | None:
        value = record.get(name)
        if value in (None, "", [], {}):
            return None
        if spec.fields[name].type in ("ref", "refs"):
            ids = value if isinstance(value, list) else [value]
            return _short(", ".join(names.get(str(item), f"{str(item)[-6:]}") for item in ids))
        return _short(text_of(cell_of(desk, asked.table, name, value, record)))

    if asked.line.change == "changed":
        then = {**(now or {}), **asked.before}
        differs = [
            name for name in asked.values
            if name in wanted or text(name, then) != text(name, asked.values)
        ]  # fmt: skip
        yield from (Value(field_label(spec, name), text(name, then), text(name, asked.values)) for name in differs)
        return
    told = asked.before if asked.line.change == "deleted" else {**asked.numbers, **asked.values}
    for name in told:
        said = text(name, told)
        if said is not None and name != spec.title_field:
            deleted = asked.line.change == "deleted"
            yield Value(field_label(spec, name), said if deleted else None, None if deleted else said)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _raw(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or ", ".join(f"{name} {item}" for name, item in value.items() if item)
    if isinstance(value, list):
        value = ", ".join(map(_raw, value))
    return _short(" ".join(str(value).split())) if value is not None else ""


def _records(desk: Desk, asked: Iterable[Asked]) -> dict[UUID, dict[str, Any]]:
    """The records of these rows as they are now."""
    wanted: dict[str, list[UUID]] = {}
    for one_ in asked:
        if one_.table:
            wanted.setdefault(one_.table, []).append(one_.line.record_id)
    found: dict[UUID, dict[str, Any]] = {}
    for table, ids in wanted.items():
        query = Query(where=Test("id", "in", tuple(ids), Kind.UUID), limit=len(ids))
        for text in desk.data.list(table, query).texts:
            row = as_it_is(desk, table, text)
            found[UUID(row["id"])] = row
    return found


def _names(desk: Desk, asked: Sequence[Asked]) -> dict[str, str]:
    """{id: title} of the records that rows refer to: those of the page itself, and those that are there."""
    own = {str(row.line.record_id): _title(desk, row) for row in asked if row.table}
    wanted: dict[str, set[str]] = {}
    for row in asked:
        for name, value in [*row.values.items(), *row.before.items()]:
            field: Any = desk.table(row.table).fields[name]
            if field.type in ("ref", "refs") and value:
                named = value if isinstance(value, list) else [value]
                wanted.setdefault(field.to, set()).update(map(str, named))
    found: dict[str, str] = {}
    for table, ids in wanted.items():
        found |= dict(record_options(desk, table, ids=sorted(ids)[:200])[0])
    return {**own, **found}


def _files(desk: Desk, asked: Iterable[Asked]) -> frozenset[str]:
    """The files that rows name and that are still kept."""
    ids = {
        UUID(item["id"])
        for row in asked if row.table
        for name in desk.data.model.tables[row.table].file_fields
        for item in files_in(row.values.get(name))
    }  # fmt: skip
    if not ids:
        return frozenset()
    [rows] = desk.data.beside_tables((_FILES, [desk.context.install_id, list(ids)]))
    return frozenset(str(row[0]) for row in rows)


def line_titles(desk: Desk, places: Mapping[str, Place], lines: Iterable[Line]) -> dict[int, tuple[str, str]]:
    """{row: (title, table now)}, for a result."""
    found = {}
    for line in lines:
        if line.table in places:
            row = read_row(desk, places[line.table], line)
            found[line.position] = (_title(desk, row), row.table) if row.table else (line.table, "")
    return found
