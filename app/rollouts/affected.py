"""Who notices when an install changes its version: records, people with roles in it, keys, callers, places it is shown in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.installs.models import Install
from app.lib.sql import load_sql
from app.rollouts.tables import Counts

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Affected:
    """records: of the site, None where not counted. keys: that may read or write it. calls: of the last 7 days."""

    records: int | None
    people: int
    keys: int
    callers: int
    calls: int
    embeds: int


def affected_by(db: Session, *, install: Install, counts: Counts, now: datetime) -> Affected:
    """In one statement besides the records that are counted already."""
    given = {
        "agency": install.agency_id,
        "site": install.site_id,
        "install": install.id,
        "since": now - WEEK,
        "now": now,
    }
    row = db.execute(text(load_sql("rollouts/affected")), given).one()
    return Affected(counts.records, row.people, row.keys, row.callers, row.calls, row.embeds)
