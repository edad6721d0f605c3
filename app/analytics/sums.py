"""module_analytics_aggregates: always worked out whole for one site and one of its days, so that doing it again changes nothing.

A mark says where events came in that no sum knows of. It is taken in the transaction of the sum, so a job that is killed leaves it,
and events that come late leave another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.lib.sql import load_sql

EVENT_DAYS, LOG_DAYS = 90, 30  # for how long raw events are kept, and the logs of calls and runs
MOST_NAMES = 100  # of one kind of event (clicks, events of scripts, errors) on a site and day
OTHER = "(other)"  # what names beyond them are counted as; no name can be it
BEHIND = timedelta(minutes=15)  # a line of the log may be written so much later than its moment
_MARKED = text(
    """
    SELECT DISTINCT m.agency_id, m.site_id, s.time_zone, (m.at AT TIME ZONE s.time_zone)::date AS day
    FROM module_analytics_marks m JOIN sites s ON s.agency_id = m.agency_id AND s.id = m.site_id ORDER BY day DESC LIMIT :most
    """
)
_TAKE = text(
    "DELETE FROM module_analytics_marks WHERE agency_id = :agency AND site_id = :site AND at >= :since AND at < :until"
)
_FORGET_MARKS = text("DELETE FROM module_analytics_marks WHERE at < :before")
_LOGGED = text(
    """
    SELECT DISTINCT l.agency_id, l.site_id, s.time_zone, (l.at AT TIME ZONE s.time_zone)::date AS day
    FROM (
      SELECT agency_id, site_id, at FROM external_api_requests WHERE at >= :since AND install_id IS NOT NULL
      UNION ALL
      SELECT agency_id, site_id, started_at FROM module_function_runs WHERE started_at >= :since
    ) l JOIN sites s ON s.agency_id = l.agency_id AND s.id = l.site_id
    """
)
_PAGE_VIEWS = text(
    """
    SELECT page_id, count(*) FROM module_analytics_events
    WHERE agency_id = :agency AND site_id = :site AND at >= :since AND at < :until AND event = 'view' AND page_id IS NOT NULL
    GROUP BY page_id
    """
)
_UNTIL = text("SELECT until FROM module_analytics_progress WHERE source = 'logs'")
_NOTE_UNTIL = text(
    "INSERT INTO module_analytics_progress (source, until) VALUES ('logs', :until) "
    "ON CONFLICT (source) DO UPDATE SET until = EXCLUDED.until"
)
_EVERY_DAY = text(
    """
    SELECT e.agency_id, e.site_id, s.time_zone, (e.at AT TIME ZONE s.time_zone)::date AS day
    FROM module_analytics_events e JOIN sites s ON s.agency_id = e.agency_id AND s.id = e.site_id
    WHERE CAST(:site AS uuid) IS NULL OR e.site_id = :site GROUP BY 1, 2, 3, 4
    UNION
    SELECT a.agency_id, a.site_id, s.time_zone, a.day
    FROM module_analytics_aggregates a JOIN sites s ON s.agency_id = a.agency_id AND s.id = a.site_id
    WHERE a.day > :since AND (CAST(:site AS uuid) IS NULL OR a.site_id = :site) GROUP BY 1, 2, 3, 4
    """
)


@dataclass(frozen=True, slots=True)
class SiteDay:
    """One day of a site in its time zone."""

    agency_id: UUID
    site_id: UUID
    time_zone: str
    day: date

    @property
    def since(self) -> datetime:
        return _midnight(self.day, self.time_zone)

    @property
    def until(self) -> datetime:
        return _midnight(self.day + timedelta(days=1), self.time_zone)

    def values(self) -> dict[str, object]:
        return {
            "agency": self.agency_id, "site": self.site_id, "zone": self.time_zone, "day": self.day, "since": self.since,
            "until": self.until,
        }  # fmt: skip


def marked_days(db: Session, *, most: int) -> list[SiteDay]:
    """Where sums of events are behind, the newest days first. Needs platform_scope()."""
    return [SiteDay(*row) for row in db.execute(_MARKED, {"most": most})]


def logged_days(db: Session, *, now: datetime) -> list[SiteDay]:
    """Where calls or runs were logged since the last sum of all of them, a while before included. Needs platform_scope()."""
    until = db.scalar(_UNTIL) or now - timedelta(days=LOG_DAYS)
    return [SiteDay(*row) for row in db.execute(_LOGGED, {"since": until - BEHIND})]


def every_day(db: Session, *, now: datetime, site_id: UUID | None = None) -> list[SiteDay]:
    """Every day that raw events or sums of them are kept of, of one site or of all. Needs platform_scope()."""
    return [SiteDay(*row) for row in db.execute(_EVERY_DAY, {"since": kept_since(now), "site": site_id})]


def sum_events(db: Session, one: SiteDay, *, now: datetime) -> bool:
    """Work out a day anew from its events, in one transaction. False: some of them are no longer kept, so its sums stay."""
    values = one.values()
    db.execute(_TAKE, {key: values[key] for key in ("agency", "site", "since", "until")})
    if one.day <= kept_since(now):
        return False
    db.execute(text(load_sql("analytics/sum_events")), values | {"most": MOST_NAMES, "other": OTHER})
    return True


def page_views(db: Session, one: SiteDay) -> dict[UUID, int]:
    """Views of the site's own pages on a day."""
    values = one.values()
    return {
        row[0]: row[1]
        for row in db.execute(_PAGE_VIEWS, {key: values[key] for key in ("agency", "site", "since", "until")})
    }


def sum_logs(db: Session, one: SiteDay, *, now: datetime) -> bool:
    """Work out a day anew from its calls and runs. False: some of them are no longer kept, so its sums stay."""
    if one.day <= (now - timedelta(days=LOG_DAYS)).date() + timedelta(days=1):
        return False
    db.execute(text(load_sql("analytics/sum_calls")), one.values())
    return True


def note_logs_summed(db: Session, *, until: datetime) -> None:
    db.execute(_NOTE_UNTIL, {"until": until})


def forget_marks(db: Session, *, now: datetime) -> None:
    """Marks of days whose events are gone, and of sites that are."""
    db.execute(_FORGET_MARKS, {"before": now - timedelta(days=EVENT_DAYS)})


def kept_since(now: datetime) -> date:
    """The last day (in any time zone) of which some raw events may be gone."""
    return now.astimezone(UTC).date() - timedelta(days=EVENT_DAYS - 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
