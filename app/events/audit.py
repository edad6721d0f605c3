"""Checks the chain of the audit trail: every row's hash covers its content and the hash of the row before it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction

log = logging.getLogger(__name__)

BROKEN = text(
    """
    SELECT agency_id, number FROM (
      SELECT a.agency_id, a.number, a.hash, audit_row_hash(a) AS computed, a.previous_hash,
             lag(a.hash) OVER chain AS before, lag(a.number) OVER chain AS number_before
      FROM audit_log a WINDOW chain AS (PARTITION BY a.agency_id ORDER BY a.number)
    ) rows
    WHERE hash <> computed OR (number_before IS NOT NULL AND (previous_hash <> before OR number <> number_before + 1))
    ORDER BY agency_id, number LIMIT 100
    """
)


@dataclass(frozen=True, slots=True)
class BrokenLink:
    agency_id: UUID
    number: int


def broken_links() -> list[BrokenLink]:
    """Rows that were changed, or whose predecessor was taken out; at most 100."""
    with platform_scope("verify audit chain"), transaction(flask_db.session()) as db:
        return [BrokenLink(*row) for row in db.execute(BROKEN)]


def verify() -> None:
    """The nightly job: a broken chain is logged as an error with its agency and row number."""
    for link in broken_links():
        log.error("audit chain broken: agency %s, row %d", link.agency_id, link.number)
