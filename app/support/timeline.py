"""The timeline of logs: one statement over everything that happened, whatever table tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.lib.redact import redact, redact_text
from app.lib.sql import load_sql

# each has its statement in sql/queries/support/timeline
KINDS = ("request", "page", "run", "job", "mail", "delivery", "attempt", "inbound", "sign_in", "audit")
LEVELS = ("error", "warn", "ok", "info")
OUTCOMES = (
    "2xx", "3xx", "4xx", "5xx", "refused", "error", "timeout", "memory", "budget", "failed", "lost", "due", "given_up",
    "signed_in", "wrong", "throttled", "disabled",
)  # fmt: skip
PAGE_ROWS = 50
KEPT = timedelta(days=30)  # how long each of the sources is kept; the audit trail is kept longer and has its own screen

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(\d{1,17})\.([\x20-\x7e]{0,240})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the timeline. key: tells lines of the same moment apart; '' is before all of them."""

    at: datetime
    key: str = ""

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.key}"


def position(cursor: str) -> Position | None:
    """The place a cursor names; None for anything that is no cursor."""
    match = _CURSOR.fullmatch(cursor)
    return Position(_EPOCH + timedelta(microseconds=int(match[1])), match[2]) if match else None


EVERYTHING_AFTER = Position(_EPOCH)
NOTHING_YET = Position(datetime(9999, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What to show; empty means all. since, until: aware, until exclusive. sites, installs: their ids; targets: the public
    ids that lines of the audit trail must be about.
    """

    kinds: tuple[str, ...] = KINDS
    levels: tuple[str, ...] = ()
    sites: tuple[UUID, ...] = ()
    installs: tuple[UUID, ...] = ()
    targets: tuple[str, ...] = ()
    outcome: str = ""
    words: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, without secrets. level: ok, info, warn or error; detail: its facts by kind."""

    at: datetime
    key: str
    kind: str
    level: str
    outcome: str
    request_id: str
    title: str
    detail: dict[str, Any]
    site_id: UUID | None
    site_name: str | None
    install_id: UUID | None
    module_name: str | None

    @property
    def position(self) -> Position:
        return Position(self.at, self.key)


@dataclass(frozen=True, slots=True)
class LogPage:
    """lines: newest first. next_cursor: where older ones go on, when there are more."""

    lines: list[Line]
    next_cursor: str | None


def log_page(
    db: Session,
    *,
    agency_id: UUID,
    wanted: LogFilter,
    now: datetime,
    before: Position | None = None,
    after: Position | None = None,
    limit: int = PAGE_ROWS,
) -> LogPage:
    """The newest `limit` lines between two positions, both exclusive. One statement for any number of lines."""
    older, newer = before or NOTHING_YET, after or EVERYTHING_AFTER
    rows = db.execute(
        text(_statement(wanted.kinds)),
        {
            "agency": agency_id,
            "levels": list(wanted.levels),
            "sites": list(wanted.sites),
            "installs": list(wanted.installs),
            "targets": list(wanted.targets),
            "outcome": wanted.outcome,
            "words": _like(wanted.words) if wanted.words else "",
            "request": wanted.request_id,
            # the bounds of the page are bounds of time too: they let the database skip whole days
            "since": max(wanted.since or now - KEPT, now - KEPT, newer.at),
            "until": min(wanted.until or NOTHING_YET.at, older.at + _MICROSECOND),
            "before_at": older.at,
            "before_key": older.key,
            "after_at": newer.at,
            "after_key": newer.key,
            "limit": limit + 1,
        },
    )
    lines = [_line(row) for row in rows]
    return LogPage(lines[:limit], str(lines[limit - 1].position) if len(lines) > limit else None)


@cache
def _statement(kinds: tuple[str, ...]) -> str:
    """The statement over the sources of these kinds; kinds: some of KINDS, at least one."""
    portion, whole = load_sql("support/timeline/_portion"), load_sql("support/timeline/_whole")
    portions = [
        portion.replace("{source}", load_sql(f"support/timeline/{kind}").rstrip()).replace("{kind}", kind)
        for kind in kinds
    ]
    return whole.replace("{portions}", "\nUNION ALL\n".join(f"(\n{one})" for one in portions))


def log_line(db: Session, *, agency_id: UUID, kinds: tuple[str, ...], at: Position, now: datetime) -> Line | None:
    """The one line at a position; None when it is not there or no longer kept."""
    found = log_page(
        db, agency_id=agency_id, wanted=LogFilter(kinds=kinds), now=now, limit=1,
        before=Position(at.at, at.key + " "), after=Position(at.at - _MICROSECOND, "~"),
    ).lines  # fmt: skip
    return next((line for line in found if line.position == at), None)


def _line(row: Any) -> Line:
    values = row._asdict()
    return Line(**values | {"title": redact_text(row.title), "detail": redact(row.detail)})


def _like(words: str) -> str:
    return "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
