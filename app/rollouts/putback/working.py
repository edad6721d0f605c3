"""Putting rows back, through the data layer as the person who asks: a part at a time, noted in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.errors import AppError, Conflict, FieldError, Forbidden, Invalid, NotFound, Unavailable
from app.rollouts.putback.file import Line
from app.rollouts.putback.ordering import in_order
from app.rollouts.putback.rows import Asked, Mark, Place, as_it_is, judge, read_row
from app.runtime.data import Transaction
from app.runtime.data.again import Again
from app.runtime.data.writes import FunctionsMissing
from app.workspace.desk import Desk

AT_ONCE = 50  # rows of a transaction
TRIES = 2  # what stood in the way of a row may be gone after the others
_HELD = """
SELECT id FROM module_files WHERE install_id = $1 AND id = ANY($2::uuid[])
  AND (state = 'pending' OR (table_name = $3 AND record_id = $4))
"""
_MARKS = "SELECT position, state, why::text, at FROM install_put_back_rows WHERE move_id = $1 AND position = ANY($2::integer[])"
_NOTE = """
INSERT INTO install_put_back_rows AS r (move_id, position, agency_id, site_id, record_id, run_id, state, why)
SELECT $1, g.position, $2, $3, g.record_id, $4, g.state, g.why
FROM jsonb_to_recordset($5::jsonb) AS g(position integer, record_id uuid, state text, why jsonb)
ON CONFLICT (move_id, position) DO UPDATE SET run_id = excluded.run_id, state = excluded.state, why = excluded.why, at = now(),
  tries = CASE WHEN r.run_id = excluded.run_id THEN r.tries + 1 ELSE 1 END
WHERE r.state <> 'put_back' OR excluded.state = 'put_back'
"""
_UNDONE = (
    "UPDATE install_put_back_rows SET state = 'undone', why = '[]', at = now() WHERE run_id = $1 AND state = 'put_back'"
)

Reasons = list[dict[str, str]]
Tried = Mapping[int, tuple[str, int]]  # {row: (state, how often)} of this run


@dataclass(frozen=True)
class Task:
    """What is to be put back, and as what it is noted."""

    desk: Desk
    move_id: UUID
    run_id: UUID
    batch: UUID
    places: Mapping[str, Place]
    over: frozenset[int]
    back_at: datetime


@dataclass(frozen=True, slots=True)
class _Outcome:
    line: Line
    state: str
    why: Reasons


def put_back_rows(task: Task, lines: list[Line], tried: Callable[[], Tried], worked: Callable[[], None]) -> None:
    """Put the rows back, what is referred to first; those that were refused once more at the end.

    tried: what is noted of this run so far; worked: called after each transaction. A run that was stopped is gone on with
    by calling this again. Raises Unavailable when the database or the functions do not answer.
    """
    rows = {one.position: read_row(task.desk, task.places[one.table], one) for one in lines if one.table in task.places}
    known = [one for one in lines if one.position in rows]
    parts = in_order(known, lambda one: _entry(rows[one.position]))
    for attempt in range(1, TRIES + 1):
        noted = tried()
        waiting = [part for part in parts if any(_is_due(noted.get(one.position), attempt) for one in part)]
        for chunk in _chunks(waiting):
            _put_back(task, [[rows[one.position] for one in part] for part in chunk])
            worked()


def undo_rows(task: Task) -> None:
    """Undo what a run did, and note that its rows can be put back again. Raises as Transaction.restore()."""
    with task.desk.data.transaction() as tx:
        tx.restore(task.batch)
        tx.beside_tables((_UNDONE, [task.run_id]))


def _entry(asked: Asked) -> tuple[str, Any] | None:
    return None if asked.entry is None else (asked.table, asked.entry)


def _is_due(noted: tuple[str, int] | None, attempt: int) -> bool:
    return noted is None if attempt == 1 else noted is not None and noted[0] == "refused" and noted[1] < attempt


def _chunks(parts: Iterable[list[Line]]) -> Iterable[list[list[Line]]]:
    chunk: list[list[Line]] = []
    for part in parts:
        chunk.append(part)
        if sum(map(len, chunk)) >= AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _put_back(task: Task, parts: list[list[Asked]]) -> None:
    try:
        with task.desk.data.transaction_of(Again, task.batch) as tx:
            positions = [one.line.position for part in parts for one in part]
            [rows] = tx.beside_tables((_MARKS, [task.move_id, positions]))
            marks = {row[0]: Mark(row[1], tuple(json.loads(row[2])), row[3]) for row in rows}
            _note(task, tx, [outcome for part in parts for outcome in _part(task, tx, part, marks)])
    except (
        Invalid,
        Conflict,
    ) as error:  # what the database only says at the end, such as an entry that is not balanced
        if len(parts) > 1:
            for part in parts:
                _put_back(task, [part])
            return
        with task.desk.data.transaction() as tx:
            _note(task, tx, [_Outcome(one.line, "refused", _reasons(error)) for one in parts[0]])


def _part(task: Task, tx: Again, part: list[Asked], marks: Mapping[int, Mark]) -> list[_Outcome]:
    """Rows that hang together: all of them, or none."""
    ahead = {str(one.line.record_id) for one in part}
    later: list[tuple[Asked, dict[str, Any]]] = []
    found = []
    try:
        with tx.savepoint():
            for one in part:
                ahead.discard(str(one.line.record_id))
                found.append(_one(task, tx, one, marks.get(one.line.position), ahead, later))
            for one, values in later:
                tx.update(one.table, one.line.record_id, values)
    except FunctionsMissing as error:
        return [_Outcome(one.line, "refused", _reasons(error)) for one in part]
    except Unavailable:
        raise
    except AppError as error:
        return [_Outcome(one.line, "refused", _reasons(error)) for one in part]
    return found


def _one(
    task: Task, tx: Again, asked: Asked, mark: Mark | None, ahead: set[str], later: list[tuple[Asked, dict[str, Any]]]
) -> _Outcome:
    line, now = asked.line, _locked(task.desk, tx, asked)
    verdict = judge(task.desk, asked, now, mark, task.back_at)
    if verdict.settled:
        return _Outcome(line, "left", [])
    if verdict.state == "since" and line.position not in task.over:
        return _Outcome(line, "left", [{"field": "", "why": verdict.said}])
    if line.change == "deleted":
        tx.delete(asked.table, line.record_id)
        return _Outcome(line, "put_back", [])
    values, missing = _with_files(task, tx, asked, asked.values if now is None else verdict.wanted)
    if now is not None:
        tx.update(asked.table, line.record_id, values)
        return _Outcome(line, "put_back", missing)
    fields = task.desk.table(asked.table).fields
    waits = {
        name: value for name, value in values.items()
        if fields[name].type in ("ref", "refs") and not fields[name].required
        and any(one in ahead for one in (value if isinstance(value, list) else [value]))
    }  # fmt: skip
    given = {
        name: value
        for name, value in values.items()
        if name not in waits and (value is not None or fields[name].default is not None)
    }
    tx.insert_again(asked.table, line.record_id, given, asked.numbers)
    if waits:
        later.append((asked, waits))
    return _Outcome(line, "put_back", missing)


def _locked(desk: Desk, tx: Transaction, asked: Asked) -> dict[str, Any] | None:
    if not asked.table:
        return None
    try:
        return as_it_is(desk, asked.table, tx.lock(asked.table, asked.line.record_id).text)
    except NotFound:
        return None


def _with_files(task: Task, tx: Transaction, asked: Asked, values: dict[str, Any]) -> tuple[dict[str, Any], Reasons]:
    """The values without files whose bytes are gone, and which fields had one."""
    model = task.desk.data.model.tables[asked.table]
    named = {name: files_in(values[name]) for name in model.file_fields if values.get(name)}
    if not named:
        return values, []
    ids = [UUID(one["id"]) for files in named.values() for one in files]
    wanted = [task.desk.context.install_id, ids, model.layout.name, asked.line.record_id]
    [rows] = tx.beside_tables((_HELD, wanted))
    there, kept, missing = {str(row[0]) for row in rows}, dict(values), []
    for name, files in named.items():
        left = [one for one in files if one["id"] in there]
        missing += [{"field": name, "why": f"{one['name']} is gone"} for one in files if one["id"] not in there]
        kept[name] = left if isinstance(values[name], list) else left[0] if left else None
    return kept, missing


def files_in(value: Any) -> list[dict[str, Any]]:
    """The files that a value of a file field names."""
    return value if isinstance(value, list) else [value] if value else []


def _reasons(error: AppError) -> Reasons:
    if isinstance(error, Forbidden | NotFound):
        return [{"field": "", "why": "you may not change these records"}]
    errors: list[FieldError] = getattr(error, "errors", [])
    return [{"field": one.pointer.rpartition("/")[2], "why": one.detail} for one in errors] or [
        {"field": "", "why": error.message}
    ]


def _note(task: Task, tx: Transaction, outcomes: list[_Outcome]) -> None:
    context = task.desk.context
    told = [
        {"position": one.line.position, "record_id": str(one.line.record_id), "state": one.state, "why": one.why}
        for one in outcomes
    ]
    tx.beside_tables((_NOTE, [task.move_id, context.agency_id, context.site_id, task.run_id, json.dumps(told)]))
