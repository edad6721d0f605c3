"""RQ entries: sums of what came in, days of raw events made and dropped, salts destroyed. Safe to repeat and to be killed."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from app.analytics.setup import setup
from app.analytics.sums import (
    EVENT_DAYS,
    SiteDay,
    every_day,
    forget_marks,
    logged_days,
    marked_days,
    note_logs_summed,
    page_views,
    sum_events,
    sum_logs,
)
from app.analytics.visitors import forget_salts
from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.queue.enqueue import wake

log = logging.getLogger(__name__)

DAYS_AHEAD, DAYS_BACK, MOST = 7, 1, 500
LONGEST_S, TURN_S = 240.0, 1.0
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:what, 0))")


def sum_up_in_turns() -> None:
    """analytics.sum_up, every minute: a turn, and the order for the next while days are behind: other jobs come between."""
    if _sum_up(TURN_S)[1]:
        wake("analytics.sum_up")


def sum_up() -> int:
    """Bring sums of events up to date. Returns how many days of sites were worked out."""
    return _sum_up(LONGEST_S)[0]


def _sum_up(longest_s: float) -> tuple[int, bool]:
    """(days of sites worked out, whether some are still behind because the time was over)."""
    done, began = 0, time.monotonic()
    with platform_scope("sums of analytics"):
        while True:
            with transaction(flask_db.session()) as db:
                behind = marked_days(db, most=MOST)
            # a mark of a day long over is a late event, or the site's days begin elsewhere now: then its calls move, too
            before = utcnow().date() - timedelta(days=1)
            worked = 0
            for one in behind:
                worked += _one(one, with_logs=one.day < before)
                if time.monotonic() - began > longest_s:  # the newest days are done; the next run goes on
                    return done + worked, one is not behind[-1] or len(behind) == MOST
            done += worked
            if len(behind) < MOST or not worked:
                return done, False


def sum_calls() -> int:
    """Bring sums of API calls and function runs up to date: analytics.sum_calls, every five minutes."""
    now = utcnow()
    with platform_scope("sums of calls and runs"):
        with transaction(flask_db.session()) as db:
            days = logged_days(db, now=now)
        for one in days:
            with transaction(flask_db.session()) as db:
                sum_logs(db, one, now=now)
        with transaction(flask_db.session()) as db:
            note_logs_summed(db, until=now)
    return len(days)


def recompute(site_id: str = "") -> int:
    """Work out every sum anew from what is kept, of one site or of all: analytics.recompute. Changes what was wrong."""
    now, done = utcnow(), 0
    with platform_scope("every sum of analytics anew"):
        with transaction(flask_db.session()) as db:
            days = every_day(db, now=now, site_id=UUID(site_id) if site_id else None)
        for one in days:
            done += _one(one, with_logs=True)
    return done


def partitions() -> None:
    """Make the coming days, drop those past their time, destroy salts of days that are over: analytics.partitions, hourly."""
    now = utcnow()
    forget_salts(now=now)
    with platform_scope("days of analytics"), transaction(flask_db.session()) as db:
        forget_marks(db, now=now)
        dropped = db.scalar(
            text("SELECT analytics_partitions(:back, :ahead, :keep)"),
            {"back": DAYS_BACK, "ahead": DAYS_AHEAD, "keep": EVENT_DAYS},
        )
    if dropped:
        log.info("%d days of analytics were dropped", dropped)


def _one(one: SiteDay, *, with_logs: bool) -> bool:
    """One day in a transaction of its own. False: another job is at it, or its events are no longer kept."""
    now = utcnow()
    with transaction(flask_db.session()) as db:
        if not db.scalar(_ALONE, {"what": f"analytics:{one.site_id}:{one.day}"}):
            return False
        summed = sum_events(db, one, now=now)
        if summed:
            setup().day_summed(db, one.agency_id, one.site_id, one.day, page_views(db, one))
        if with_logs:
            sum_logs(db, one, now=now)
    return summed
