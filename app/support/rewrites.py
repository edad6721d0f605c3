"""Replay of a write: a recorded POST, PATCH or DELETE of records made once more, in a transaction that is rolled back.

It is made as its key, of this version of the module or of another, with everything that belongs to the transaction: rules,
before_* functions, series, history, events. What functions could do outside (calls, letters, files) is closed to them, so one
that needs it answers otherwise than it did; nothing of the rest is kept.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.pools import runtime_pool
from app.db.roles import RUNTIME
from app.db.scope import current_scope
from app.errors import AppError
from app.gateway.requestlog import body_context
from app.lib.crypto import CannotOpen, unseal
from app.lib.ids import encode, uuid7
from app.lib.redact import redact
from app.modules.models import Version
from app.runtime.context import load_install
from app.runtime.data import Data, Transaction
from app.runtime.data.faults import refusal
from app.runtime.data.scoped import Connection, Rows, Scope
from app.runtime.functions.hooks import FunctionHooks
from app.support.replay import MOST_SHOWN, NotReplayable, Replay, access_of, as_version, read_of
from app.support.timeline import Line
from app.web.errors import status_of

SCOPES = {"POST": "write", "PATCH": "write", "DELETE": "delete"}
MOST_CHANGES = 50
_CHANGES = "SELECT type, data::text FROM events WHERE install_id = $1 AND request_id = $2 ORDER BY id LIMIT $3"
# what a connection did before and has not handed on is counted too, so it is asked before and after; tables of ours begin with _
_TABLES = (
    "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables "
    "WHERE schemaname = $1 AND relname !~ '^_' ORDER BY relname"
)


@dataclass(frozen=True, slots=True)
class Touched:
    """A table of the module, and how many rows would have been made, changed and deleted in it."""

    table: str
    made: int
    changed: int
    deleted: int


@dataclass(frozen=True, slots=True)
class Change:
    """What would have been told: the event's type, and its data as JSON without secrets."""

    type: str
    data: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The answer now, and what it would have changed. sent: the recorded body without secrets."""

    answer: Replay
    sent: str
    touched: list[Touched]
    changes: list[Change]


def is_recorded_write(line: Line) -> bool:
    """Whether this is a write of records whose body was recorded."""
    if line.kind != "request" or line.install_id is None or line.detail.get("body_recorded") is not True:
        return False
    return line.detail.get("method") in SCOPES and read_of(str(line.detail.get("path", ""))) is not None


def rewrite(db: Session, *, line: Line, version: Version, keys: tuple[str, ...], by: Any, now: datetime) -> Rewrite:
    """Make the write once more and undo it. Needs the agency's scope. Raises NotReplayable, and what loading the install does."""
    target = read_of(str(line.detail.get("path", ""))) if is_recorded_write(line) else None
    if target is None or target[2] or line.install_id is None:
        raise NotReplayable("Only writes of records whose body was recorded can be made once more.")
    method, (table, record, _) = str(line.detail["method"]), target
    access = access_of(db, line, scope=SCOPES[method], by=replace(by, request_id=encode("req", uuid7())), now=now)
    body, if_match = _recorded(db, line, keys)
    context = as_version(load_install(line.install_id), version)
    data = Data(context, access, now=now, hooks=FunctionHooks([], dry=True))
    started = time.monotonic()
    status, code, answer, touched, changes = _undone(data, lambda tx: _made(tx, method, table, record, body, if_match))
    took_ms = (time.monotonic() - started) * 1000
    shown = answer.decode(errors="replace")[:MOST_SHOWN]
    sent = json.dumps(redact(body), indent=2, ensure_ascii=False)[:MOST_SHOWN] if body is not None else ""
    return Rewrite(Replay(version.version, status, code, shown, took_ms, len(answer)), sent, touched, changes)


def _recorded(db: Session, line: Line, keys: tuple[str, ...]) -> tuple[Any, str]:
    """(the value of the body, None where none was sent; its If-Match)."""
    query = text(
        "SELECT body_sealed, if_match FROM recorded_bodies WHERE agency_id = :agency AND request_id = :request"
    )
    row = db.execute(query, {"agency": current_scope().agency_id, "request": line.request_id}).first()
    if row is None:
        raise NotReplayable("What was recorded of this call is no longer kept: bodies go after a day.")
    try:
        plain = unseal(keys, row.body_sealed, body_context(line.request_id))
        return (json.loads(plain) if plain else None), row.if_match
    except CannotOpen as error:
        raise NotReplayable("What was recorded of this call cannot be opened any more.") from error
    except (ValueError, RecursionError) as error:
        raise NotReplayable("The body of this call is not JSON, so it changed nothing then either.") from error


def _undone(
    data: Data, make: Callable[[Transaction], tuple[int, bytes]]
) -> tuple[int, str, bytes, list[Touched], list[Change]]:
    """(status, error code, body, tables, events) of what is made, all of it rolled back."""
    context = data.context
    settings = replace(data.settings, batch=uuid7())
    with runtime_pool().connection() as plain:
        connection = Connection(plain)
        tx = Transaction(context, data.access, connection, settings)
        scope = Scope.of(context, data.access.actor, settings.batch)
        try:
            outside = replace(scope, role=RUNTIME)
            [before] = connection.run(outside, (_TABLES, [context.schema]))
            connection.begin(scope)
            status, answer = make(tx)
            connection.run(scope, ("SET CONSTRAINTS ALL IMMEDIATE", []))  # what is otherwise checked at commit
            [after, told] = connection.run(
                outside, (_TABLES, [context.schema]),
                (_CHANGES, [context.install_id, data.access.actor.request_id, MOST_CHANGES]),
            )  # fmt: skip
        except AppError as error:
            return status_of(error), error.code, error.message.encode(), [], []
        except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as error:
            raise NotReplayable("The tables on this site are not yet as this version needs them.") from error
        except psycopg.Error as error:
            refused = refusal(error, context, data.model)
            if refused is None:
                raise
            return status_of(refused), refused.code, refused.message.encode(), [], []
        finally:
            connection.rollback()
    touched = _difference(before, after)
    changes = [Change(row[0], json.dumps(redact(json.loads(row[1])), indent=2, ensure_ascii=False)) for row in told]
    return status, "", answer, touched, changes


def _difference(before: Rows, after: Rows) -> list[Touched]:
    was = {row[0]: row[1:] for row in before}
    counted = {
        str(row[0]): [int(now) - int(then) for now, then in zip(row[1:], was.get(row[0], (0, 0, 0)), strict=True)]
        for row in after
    }
    return [Touched(table, *counts) for table, counts in counted.items() if any(counts)]


def _made(
    tx: Transaction, method: str, table: str, record: UUID | None, body: Any, if_match: str
) -> tuple[int, bytes]:  # fmt: skip
    """What the API would answer. Raises what it would refuse with."""
    version = int(if_match.strip(' "')) if if_match.strip(' "').isdigit() else None
    if method == "POST" and record is None and isinstance(body, list) and all(isinstance(row, dict) for row in body):
        made = tx.insert_many(table, body)
        return 201, f'{{"data":[{",".join(one.text for one in made)}]}}'.encode()
    if method == "POST" and record is None and isinstance(body, dict):
        return 201, b'{"data":%b}' % tx.insert(table, body).data
    if method == "PATCH" and record is not None and isinstance(body, dict):
        return 200, b'{"data":%b}' % tx.update(table, record, body, if_version=version).data
    if method == "DELETE" and record is not None:
        tx.delete(table, record, if_version=version)
        return 204, b""
    raise NotReplayable("This call is none that the API takes, so it changed nothing then either.")
