"""Reads of the audit trail, of saved searches and, in development, of letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.events.models import AuditRow
from app.lib.ids import encode
from app.mail.actions import open_body
from app.mail.models import Mail
from app.support.models import LogSearch
from app.tenancy.models import Agency

PAGE_ROWS = 50
EXPORT_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to show of an agency's trail; empty means all. since, until: aware, until exclusive."""

    actor: str = ""
    action: str = ""
    words: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """rows: newest first. next_cursor: number of the last row when there are more."""

    rows: list[AuditRow]
    next_cursor: int | None


def audit_page(db: Session, *, agency_id: UUID, wanted: AuditFilter, before: int | None = None) -> AuditPage:
    """50 rows older than row number `before`; the cost does not grow with how far back one reads."""
    statement = _matching(agency_id, wanted).order_by(AuditRow.number.desc()).limit(PAGE_ROWS + 1)
    if before is not None:
        statement = statement.where(AuditRow.number < before)
    rows = list(db.scalars(statement))
    return AuditPage(rows[:PAGE_ROWS], rows[PAGE_ROWS - 1].number if len(rows) > PAGE_ROWS else None)


def audit_export(db: Session, *, agency_id: UUID, wanted: AuditFilter) -> Iterator[AuditRow]:
    """Every matching row, newest first, at most 50,000, read in portions of 1,000."""
    statement = _matching(agency_id, wanted).order_by(AuditRow.number.desc()).limit(EXPORT_ROWS)
    yield from db.scalars(statement.execution_options(yield_per=1000))


def audit_actors(db: Session, *, agency_id: UUID) -> list[tuple[str, str]]:
    """(reference, name) of those who did something, by name; at most 200."""
    rows = db.execute(
        select(AuditRow.actor, AuditRow.actor_name)
        .where(AuditRow.agency_id == agency_id)
        .ext(distinct_on(AuditRow.actor))
        .order_by(AuditRow.actor, AuditRow.number.desc())
        .limit(200)
    )
    return sorted(((row.actor, row.actor_name or row.actor) for row in rows), key=lambda pair: pair[1].lower())


def _matching(agency_id: UUID, wanted: AuditFilter) -> Select[Any]:
    statement: Select[Any] = select(AuditRow).where(AuditRow.agency_id == agency_id)
    if wanted.actor:
        statement = statement.where(AuditRow.actor == wanted.actor)
    if wanted.action:
        statement = statement.where(AuditRow.action == wanted.action)
    if wanted.words:
        like = "%" + wanted.words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        statement = statement.where(or_(AuditRow.target_name.ilike(like), AuditRow.target == wanted.words))
    if wanted.since:
        statement = statement.where(AuditRow.at >= wanted.since)
    if wanted.until:
        statement = statement.where(AuditRow.at < wanted.until)
    return statement


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A saved search as the logs show it. own: the reader may delete it; by: whose it is."""

    id: UUID
    name: str
    query: str
    shared: bool
    own: bool
    by: str

    @property
    def public_id(self) -> str:
        return encode(LogSearch.public_prefix, self.id)


def searches(db: Session, *, agency_id: UUID, user_id: UUID) -> list[SearchRow]:
    """The searches of a person, then those that colleagues share, each by name."""
    rows = db.execute(
        select(LogSearch, User.name.label("by"))
        .join(User, User.id == LogSearch.user_id)
        .where(LogSearch.agency_id == agency_id, or_(LogSearch.user_id == user_id, LogSearch.shared))
        .order_by(LogSearch.user_id != user_id, func.lower(LogSearch.name), LogSearch.id)
        .limit(200)
    )
    return [SearchRow(row.id, row.name, row.query, row.shared, row.user_id == user_id, by) for row, by in rows]


@dataclass(frozen=True, slots=True)
class FailurePage:
    """Rows of failed_requests, newest first. next_cursor: id of the last one when there are more."""

    rows: list[Row[Any]]
    next_cursor: UUID | None


_FAILURES = text(
    """
    SELECT id, at, request_id, agency_id, actor, surface, method, path, status, error, trace FROM failed_requests
    WHERE status >= 500 AND status <> 503 AND (CAST(:before AS uuid) IS NULL OR id < CAST(:before AS uuid))
      AND (:request = '' OR request_id = :request)
    ORDER BY id DESC LIMIT :limit
    """
)


def failed_pages(db: Session, *, before: UUID | None = None, request_id: str = "") -> FailurePage:
    """Faults of ours with their traces; of one request when its id is given. Needs platform_scope()."""
    rows = list(db.execute(_FAILURES, {"before": before, "request": request_id, "limit": PAGE_ROWS + 1}))
    return FailurePage(rows[:PAGE_ROWS], rows[PAGE_ROWS - 1].id if len(rows) > PAGE_ROWS else None)


def agency_of_failure(db: Session, *, failure_id: UUID) -> UUID | None:
    """Whose a fault of ours was; None for nobody's and for none. Needs platform_scope()."""
    found = text("SELECT agency_id FROM failed_requests WHERE id = :id AND status >= 500")
    return cast("UUID | None", db.scalar(found, {"id": failure_id}))


def agency_names(db: Session, ids: set[UUID]) -> dict[UUID, Agency]:
    """The agencies of these ids. Needs platform_scope()."""
    return {agency.id: agency for agency in db.scalars(select(Agency).where(Agency.id.in_(ids)))} if ids else {}


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter with its words; text is empty once it was really sent."""

    mail: Mail
    text: str
    html: str


def letters(db: Session, *, before: UUID | None = None, limit: int = 50) -> list[Mail]:
    """The newest letters of the whole installation. Needs platform_scope()."""
    statement = select(Mail).order_by(Mail.id.desc()).limit(limit)
    return list(db.scalars(statement if before is None else statement.where(Mail.id < before)))


def letter(db: Session, *, mail_id: UUID, keys: tuple[str, ...]) -> Letter | None:
    """One letter, opened. Needs platform_scope()."""
    mail = db.get(Mail, mail_id)
    if mail is None:
        return None
    body = open_body(mail, keys) if mail.body_sealed else {"text": "", "html": ""}
    return Letter(mail, body["text"], body["html"])
