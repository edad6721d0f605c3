"""Reads of tenancy that every page needs."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

COUNTS = text(
    "SELECT (SELECT count(*) FROM sites WHERE archived_at IS NULL) AS sites, "
    "(SELECT count(*) FROM clients WHERE archived_at IS NULL) AS clients, "
    "(SELECT count(*) FROM modules_v2 WHERE status <> 'removed') AS installs"
)


def counts(db: Session) -> dict[str, int]:
    """How many sites, clients and installs the open agency has, by the sidebar's keys; one statement."""
    return dict(db.execute(COUNTS).one()._mapping)
