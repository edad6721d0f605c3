"""Replay of what may change something: a write of records, or a call of module code, made once more and rolled back.

It is made as its key, of this version of the module or of another, with everything that belongs to the transaction: rules,
before_* functions, series, history, events. What functions could do outside (calls, letters, files) is closed to them, so one
that needs it answers otherwise than it did; nothing of the rest is kept.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.pools import runtime_pool
from app.db.roles import RUNTIME
from app.db.scope import current_scope
from app.errors import AppError
from app.gateway.modulecode import read_body
from app.gateway.requestlog import body_context
from app.lib.crypto import CannotOpen, unseal
from app.lib.ids import encode, uuid7
from app.lib.redact import redact, redact_text
from app.modules.models import Version
from app.runtime.context import load_install
from app.runtime.data import Data, Surface, Transaction
from app.runtime.data.faults import refusal
from app.runtime.data.scoped import Connection, Rows, Scope
from app.runtime.functions.account import Run
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.routes import run_route
from app.support.replay import MOST_SHOWN, NotReplayable, Replay, access_of, as_version, pairs_of, read_of
from app.support.timeline import Line
from app.web.errors import status_of

SCOPES = {"POST": "write", "PATCH": "write", "DELETE": "delete"}
MOST_CHANGES = 50
_CODE = re.compile(r"/api/modules/[^/]+/fn(/.+)")
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
    """The answer now, and what it would have changed. sent: the recorded body without secrets; runs: what functions did."""

    answer: Replay
    sent: str
    touched: list[Touched]
    changes: list[Change]
    runs: list[Run]


@dataclass(frozen=True, slots=True)
class Sent:
    """What was recorded of a call."""

    body: str = ""
    if_match: str = ""
    content_type: str = ""

    def shown(self) -> str:
        """The body, without secrets."""
        try:
            return json.dumps(redact(json.loads(self.body)), indent=2, ensure_ascii=False) if self.body else ""
        except (ValueError, RecursionError):
            return redact_text(self.body)


def can_be_made_again(line: Line) -> bool:
    """Whether this is a write of records, or a call of module code, of which everything that was sent is kept."""
    if line.kind != "request" or line.install_id is None:
        return False
    method, path = line.detail.get("method"), str(line.detail.get("path", ""))
    recorded, of_code = line.detail.get("body_recorded") is True, _CODE.fullmatch(path) is not None
    if method not in SCOPES:
        return of_code and (recorded or method == "GET")
    target = read_of(path)
    return recorded and (of_code or (target is not None and not target[2]))


def rewrite(db: Session, *, line: Line, version: Version, keys: tuple[str, ...], by: Any, now: datetime) -> Rewrite:
    """Make the call once more and undo it. Needs the agency's scope. Raises NotReplayable, and what loading the install does."""
    if not can_be_made_again(line) or line.install_id is None:
        raise NotReplayable(
            "Only writes of records and calls of module code whose body was recorded can be made once more."
        )
    method, path = str(line.detail["method"]), str(line.detail["path"])
    code = _CODE.fullmatch(path)
    again = replace(by, request_id=encode("req", uuid7()))
    access = access_of(db, line, scope="functions" if code else SCOPES[method], by=again, now=now)
    sent = Sent() if method == "GET" else _recorded(db, line, keys)
    context, runs = as_version(load_install(line.install_id), version), list[Run]()
    data = Data(context, access, now=now, hooks=FunctionHooks(runs, dry=True))
    if code:
        make = partial(_called, method=method, path=code[1], query=dict(pairs_of(db, line, keys)), sent=sent, runs=runs)
    else:
        make = partial(_made, method=method, path=path, sent=sent)
    started = time.monotonic()
    status, error, answer, touched, changes = _undone(data, make)
    took_ms = (time.monotonic() - started) * 1000
    shown = answer.decode(errors="replace")[:MOST_SHOWN]
    now_answer = Replay(version.version, status, error, shown, took_ms, len(answer))
    said = [replace(run, error=redact_text(run.error), logs=redact(list(run.logs))) for run in runs]
    return Rewrite(now_answer, sent.shown()[:MOST_SHOWN], touched, changes, said)


def _recorded(db: Session, line: Line, keys: tuple[str, ...]) -> Sent:
    query = text(
        "SELECT body_sealed, if_match, content_type FROM recorded_bodies "
        "WHERE agency_id = :agency AND request_id = :request"
    )
    row = db.execute(query, {"agency": current_scope().agency_id, "request": line.request_id}).first()
    if row is None:
        raise NotReplayable("What was recorded of this call is no longer kept: bodies go after a day.")
    try:
        return Sent(unseal(keys, row.body_sealed, body_context(line.request_id)), row.if_match, row.content_type)
    except CannotOpen as error:
        raise NotReplayable("What was recorded of this call cannot be opened any more.") from error


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
        except NotReplayable:
            raise
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


def _called(
    tx: Transaction, *, method: str, path: str, query: dict[str, str], sent: Sent, runs: list[Run]
) -> tuple[int, bytes]:
    """What the module's code would answer. Raises what it would refuse with."""
    answer = run_route(
        tx.context, method, path,
        query=query,
        body=read_body(sent.body.encode(), sent.content_type),
        headers={"content-type": sent.content_type} if sent.content_type else {},
        auth_kind="public" if tx.access.surface is Surface.PUBLIC else "api",
        actor=tx.access.actor,
        tx=tx,
        dry=runs,
    )  # fmt: skip
    return answer.status, answer.body


def _made(tx: Transaction, *, method: str, path: str, sent: Sent) -> tuple[int, bytes]:
    """What the API would answer. Raises what it would refuse with."""
    target, if_match = read_of(path), sent.if_match.strip(' "')
    assert target is not None  # can_be_made_again() looked
    table, record, _ = target
    version = int(if_match) if if_match.isdigit() else None
    try:
        body = json.loads(sent.body) if sent.body else None
    except (ValueError, RecursionError) as error:
        raise NotReplayable("The body of this call is not JSON, so it changed nothing then either.") from error
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
