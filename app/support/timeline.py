"""The timeline of logs: one statement over everything that happened, whatever table tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
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
_LOOK = re.compile(r"(\d{1,17})\.(\d{1,19}):(\d{1,19}):((?:\d{1,19}(?:,\d{1,19}){0,400})?)", re.ASCII)
_LAST_TRANSACTION = 2**63 - 1
# How long before it is written a line may have begun: a call or a run has its time limit, the others take what jobs take.
_QUICK = ("request", "page", "run", "attempt", "sign_in")
_QUICK_TAKE, _OTHERS_TAKE = timedelta(minutes=10), timedelta(minutes=65)


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


@dataclass(frozen=True, slots=True)
class Look:
    """What the database had to tell at a moment; a later look finds by it what is new. snapshot: PostgreSQL's own text of it."""

    at: datetime
    snapshot: str

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.snapshot}"


def look(text: str) -> Look | None:
    """The look a text names; None for anything that PostgreSQL would not take as one."""
    match = _LOOK.fullmatch(text)
    if match is None:
        return None
    first, end = int(match[2]), int(match[3])
    running = [int(one) for one in (match[4] or "").split(",") if one]
    whole = 0 < first <= end <= _LAST_TRANSACTION and all(a < b for a, b in pairwise([first - 1, *running, end]))
    return Look(_EPOCH + timedelta(microseconds=int(match[1])), text.partition(".")[2]) if whole else None


EVERYTHING_AFTER = Position(_EPOCH)
NOTHING_YET = Position(datetime(9999, 1, 1, tzinfo=UTC))
NO_LOOK = Look(_EPOCH, "1:1:")  # saw nothing


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
    """lines: newest first. next_cursor: where older ones go on, when there are more. look: what they were read from."""

    lines: list[Line]
    next_cursor: str | None
    look: Look


def log_page(
    db: Session,
    *,
    agency_id: UUID,
    wanted: LogFilter,
    now: datetime,
    before: Position | None = None,
    after: Position | None = None,
    unseen: Look | None = None,
    limit: int = PAGE_ROWS,
) -> LogPage:
    """The newest `limit` lines between two positions, both exclusive. One statement for any number of lines.

    unseen: only what that look could not see: each line once, however long after its beginning it was written.
    """
    older, newer = before or NOTHING_YET, after or EVERYTHING_AFTER
    since = max(wanted.since or now - KEPT, now - KEPT, newer.at)
    found = db.execute(
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
            "since": max(since, unseen.at - _OTHERS_TAKE) if unseen else since,
            "since_quick": max(since, unseen.at - _QUICK_TAKE) if unseen else since,
            "seen": unseen.snapshot if unseen else None,
            "until": min(wanted.until or NOTHING_YET.at, older.at + _MICROSECOND),
            "before_at": older.at,
            "before_key": older.key,
            "after_at": newer.at,
            "after_key": newer.key,
            "limit": limit + 1,
        },
    ).all()
    lines = [_line(row) for row in found if row.key is not None]
    next_cursor = str(lines[limit - 1].position) if len(lines) > limit else None
    return LogPage(lines[:limit], next_cursor, Look(now, found[0].snapshot))


@cache
def _statement(kinds: tuple[str, ...]) -> str:
    """The statement over the sources of these kinds; kinds: some of KINDS, at least one."""
    portion, whole = load_sql("support/timeline/_portion"), load_sql("support/timeline/_whole")
    portions = [
        portion.replace("{source}", load_sql(f"support/timeline/{kind}").rstrip())
        .replace("{kind}", kind)
        .replace("{since}", "since_quick" if kind in _QUICK else "since")
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
    del values["snapshot"]
    return Line(**values | {"title": redact_text(row.title), "detail": redact(row.detail)})


def _like(words: str) -> str:
    return "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
