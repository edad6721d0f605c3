"""What only a publisher's dashboard has: when versions were released, and how many installs stay."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.analytics.windows import Window
from app.modules.models import Module, Version

AFTER = (7, 30, 90)  # days
MONTHS = 12
_RETENTION = text("SELECT month, installed, days, due, kept FROM publisher_retention(:module, :since, :now)")


@dataclass(frozen=True, slots=True)
class Stayed:
    """due: installs old enough to say; kept: those of them that were still there."""

    due: int
    kept: int

    @property
    def share(self) -> float | None:
        return self.kept / self.due if self.due else None


@dataclass(frozen=True, slots=True)
class Cohort:
    """The installs that began in a month. stayed: by days of AFTER."""

    month: date
    installed: int
    stayed: dict[int, Stayed]


def retention(db: Session, *, module_id: UUID, now: datetime) -> list[Cohort]:
    """Of the last twelve months in which anybody installed it, the newest first. [] for who does not publish the module."""
    today = now.astimezone(UTC).date()
    months = today.year * 12 + today.month - 1 - (MONTHS - 1)
    values = {"module": module_id, "since": date(months // 12, months % 12 + 1, 1), "now": now}
    installed: dict[date, int] = {}
    stayed: dict[date, dict[int, Stayed]] = defaultdict(dict)
    for row in db.execute(_RETENTION, values):
        installed[row.month] = row.installed
        stayed[row.month][row.days] = Stayed(row.due, row.kept)
    return [Cohort(month, installed[month], stayed[month]) for month in sorted(installed, reverse=True)]


def release_marks(db: Session, *, module_id: UUID, window: Window) -> list[dict[str, Any]]:
    """Releases within the stretch of time, as the marks of queries.dashboard(). One statement."""
    query = (
        select(Version.version, Version.published_at, Module.name)
        .join(Module, Module.id == Version.module_id)
        .where(Version.module_id == module_id, Version.published_at >= window.since)
        .order_by(Version.published_at)
    )
    found = [(row.version, row.name, _step(row.published_at, window)) for row in db.execute(query)]
    return [
        {"at": at, "event": "released", "version": version, "module": name, "count": 0}
        for version, name, at in found
        if at
    ]


def _step(moment: datetime, window: Window) -> str | None:
    if window.grain == "day":
        day = moment.astimezone(ZoneInfo(window.zone)).date()
        return day.isoformat() if day <= window.last else None
    number = (moment - window.since) // timedelta(hours=1)
    return window.steps[number] if number < window.length else None
