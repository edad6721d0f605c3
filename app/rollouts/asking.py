"""The last questions an install was asked, asked of a copy of its records: before an upgrade, and after.

Reads of records by programs are asked as they were, with their queries; visitors' pages are rendered. Code of the module is
not called by its routes: it may reach outside, and what it did there could not be taken back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import AppError, NotFound
from app.gateway.models import ApiKey
from app.gateway.requestlog import opened_query
from app.installs.models import Install
from app.lib.difference import DiffLine
from app.lib.ids import decode
from app.lib.sql import load_sql
from app.rollouts.page_text import PageText, loses, page_differences, read_page, text_difference
from app.rollouts.scene import Scene
from app.runtime.context import InstallContext
from app.runtime.data import Access, Surface, Transaction
from app.runtime.pages.view import FormState, show_page
from app.support.replay import read_of
from app.web.errors import status_of

MOST_QUESTIONS = 100
SLOW_TIMES, SLOW_MS = 2.0, 50.0


@dataclass(frozen=True, slots=True)
class Question:
    """A read of records as it was recorded. pairs: its query; fields: the names in it, which may be shown."""

    path: str
    table: str
    record: UUID | None
    aggregate: bool
    pairs: tuple[tuple[str, str], ...]
    access: Access
    times: int

    @property
    def fields(self) -> str:
        return "&".join(dict.fromkeys(name for name, _ in self.pairs))


@dataclass(frozen=True, slots=True)
class Told:
    """One answer. shape: {path in the answer: kind of value}; records: how many a list had; page: of a visitor's page."""

    status: int
    code: str
    took_ms: float
    size_bytes: int
    shape: dict[str, str]
    records: int | None
    page: PageText | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A question with both answers. differences: in sentences, () when they are alike. loses: a page without what visitors
    could see or do; text: what differs of a page as it is read: [{kind, text}], as difference() gives it.
    """

    what: str
    fields: str
    times: int
    old_status: int
    new_status: int
    old_ms: float
    new_ms: float
    differences: tuple[str, ...]
    slow: bool
    loses: bool = False
    text: tuple[DiffLine, ...] = ()

    @property
    def worse(self) -> bool:
        return self.loses or self.new_status >= 400 > self.old_status

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "worse": self.worse}


def last_questions(db: Session, *, install: Install, since: datetime, keys: tuple[str, ...]) -> list[Question]:
    """The reads of the last days, each kind of question once, the latest first. Needs the agency's scope."""
    given = {
        "agency": install.agency_id, "site": install.site_id, "install": install.id, "since": since,
        "most": MOST_QUESTIONS * 4,
    }  # fmt: skip
    found: dict[tuple[object, ...], Question] = {}
    for row in db.execute(text(load_sql("rollouts/questions")), given):
        read = read_of(row.path)
        if read is None:
            continue
        pairs = opened_query(row.query_sealed, row.request_id, keys)
        key = (row.path, pairs, row.credential)
        if key not in found and len(found) < MOST_QUESTIONS:
            access = _access(db, row.credential, install)
            if access is not None:
                found[key] = Question(row.path, *read, pairs, access, row.times)
    return list(found.values())


def _access(db: Session, credential: str, install: Install) -> Access | None:
    """The way the caller had. A key that was revoked since is taken as it was: nobody is given the answer."""
    try:
        key = db.get(ApiKey, decode("key", credential))
    except NotFound:  # an application's access token; those of a site read as secret keys do
        return Access(
            Surface.API, Actor("key", name="application", agency_id=install.agency_id), rights=frozenset({"read"})
        )
    if key is None or key.site_id != install.site_id or "read" not in key.scopes:
        return None
    actor = Actor(kind="key", id=key.id, agency_id=key.agency_id)
    return Access.for_key(actor, scopes=set(key.scopes), publishable=key.kind == "publishable")


def ask_all(here: Scene, context: InstallContext, questions: list[Question], *, now: datetime) -> list[Told]:
    """Every question of the copy, in the version of the context."""
    return [_asked(here, partial(_answer, here.transaction(context, one.access, now=now), one)) for one in questions]


def show_all(here: Scene, context: InstallContext, names: list[str]) -> list[Told]:
    """Every page of a visitor, without parameters."""
    return [_asked(here, partial(_page, here, context, name), page=True) for name in names]


def _asked(here: Scene, ask: Callable[[], bytes], *, page: bool = False) -> Told:
    begin = time.perf_counter()
    try:
        with here.connection.savepoint():
            body, status, code = ask(), 200, ""
    except AppError as error:
        body, status, code = error.message.encode(), status_of(error), error.code
    except psycopg.Error as error:
        body, status, code = b"", 500, error.sqlstate or "database"
    took_ms = (time.perf_counter() - begin) * 1000
    shape, records = _shape(body) if status == 200 and not page else ({}, None)
    read = read_page(body.decode()) if status == 200 and page else None
    return Told(status, code, took_ms, len(body), shape, records, read)


def _answer(tx: Transaction, one: Question) -> bytes:
    pairs = list(one.pairs)
    if one.aggregate:
        return b'{"data":%b}' % tx.aggregate(one.table, tx.parse_aggregation(one.table, pairs))
    if one.record is None:
        return tx.list(one.table, tx.parse_list(one.table, [pair for pair in pairs if pair[0] != "cursor"])).body
    return b'{"data":%b}' % tx.get(one.table, one.record, tx.parse_get(one.table, pairs)).data


def _page(here: Scene, context: InstallContext, name: str) -> bytes:
    page = context.manifest.pages[name]
    shown = show_page(
        context, page, given={}, visitor=Actor("visitor"), form=FormState() if page.kind == "form" else None,
        send=lambda scope, statements: here.connection.run(scope, *statements),
    )  # fmt: skip
    return shown.html.encode()


def _shape(body: bytes) -> tuple[dict[str, str], int | None]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}, None
    data = found.get("data") if isinstance(found, dict) else None
    return dict(_kinds(found, "")), len(data) if isinstance(data, list) else None


def _kinds(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _kinds(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield path, "list"
        for item in value[:20]:
            yield from _kinds(item, f"{path}[]")
    elif value is not None:
        yield path, {bool: "boolean", int: "number", float: "number", str: "text"}[type(value)]


def compare(what: str, fields: str, times: int, old: Told, new: Told) -> Compared:
    """What differs between the two answers, and whether the new one takes too long."""
    slow = (
        new.status == old.status == 200
        and new.took_ms > SLOW_TIMES * old.took_ms
        and new.took_ms > old.took_ms + SLOW_MS
    )
    return Compared(
        what, fields, times, old.status, new.status, round(old.took_ms, 1), round(new.took_ms, 1),
        tuple(_differences(old, new)), slow,
        loses=old.page is not None and new.page is not None and loses(old.page, new.page),
        text=tuple(text_difference(old.page, new.page)) if old.page and new.page else (),
    )  # fmt: skip


def _differences(old: Told, new: Told) -> Iterator[str]:
    if old.status != new.status:
        yield f"answered {old.status}, answers {new.status}{f' ({new.code})' if new.code else ''}"
        return
    if old.code != new.code:
        yield f"the error was {old.code}, and is {new.code}"
    if old.records != new.records and old.records is not None and new.records is not None:
        yield f"had {old.records} records, has {new.records}"
    for path, kind in old.shape.items():
        if path not in new.shape:
            yield f"{path} is gone or empty"
        elif new.shape[path] != kind:
            yield f"{path} was {kind}, and is {new.shape[path]}"
    for path in new.shape.keys() - old.shape.keys():
        yield f"{path} is new"
    if old.page is not None and new.page is not None:
        yield from page_differences(old.page, new.page)
