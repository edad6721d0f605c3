"""Checks the chains of the audit trail: every row's hash covers all it says and the hash of the row before it, and where a
chain ends is kept apart from it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.models import AuditHead
from app.lib.clock import utcnow
from app.lib.sql import load_sql

log = logging.getLogger(__name__)

KEEP_DAYS = 365  # the database refuses to let go of younger lines

FAULTS = {
    "changed": "line {number} was changed after it was written",
    "missing_before": "lines before line {number} were taken out",
    "out_of_chain": "line {number} does not follow the line before it",
    "cut_off": "lines after line {number} were taken out",
    "end_exchanged": "line {number}, the last one, is not the one that was written last",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """The first fault of an agency's chain. what: one of FAULTS; number: of the line at which it shows."""

    agency_id: UUID
    number: int
    what: str

    @property
    def words(self) -> str:
        return FAULTS[self.what].format(number=self.number)


def faults() -> list[Fault]:
    """Of each agency whose trail was tampered with, where it shows first."""
    with platform_scope("verify audit chain"), transaction(flask_db.session()) as db:
        return [Fault(*row) for row in db.execute(text(load_sql("events/audit_faults")))]


def verify() -> None:
    """The nightly job: what is wrong goes to the log as an error and stands on the agency's own page."""
    began = utcnow()
    with platform_scope("chains of the audit trail"), transaction(flask_db.session()) as db:
        known = set(db.scalars(select(AuditHead.agency_id)))
    found = {fault.agency_id: fault for fault in faults()}
    for fault in found.values():
        log.error("audit trail of agency %s: %s", fault.agency_id, fault.words)
    _note({agency_id: found[agency_id].words if agency_id in found else "" for agency_id in known}, at=began)


def forget_old() -> None:
    """The nightly job after it: lines older than a year go, of every chain that is whole."""
    before = utcnow() - timedelta(days=KEEP_DAYS)
    with platform_scope("chains of the audit trail"), transaction(flask_db.session()) as db:
        known = list(db.scalars(select(AuditHead.agency_id)))
    for agency_id in known:
        with platform_scope("lines of the audit trail past their year"), transaction(flask_db.session()) as db:
            if gone := db.scalar(select(func.audit_let_go(agency_id, before))):
                log.info("%d lines of the audit trail of agency %s were let go", gone, agency_id)


def _note(words: dict[UUID, str], *, at: datetime) -> None:
    with platform_scope("chains of the audit trail"), transaction(flask_db.session()) as db:
        for agency_id, fault in words.items():
            db.execute(update(AuditHead).where(AuditHead.agency_id == agency_id).values(checked_at=at, fault=fault))
