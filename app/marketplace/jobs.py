"""marketplace.measure and marketplace.survey: what listings say that no single change says.

measure, every few minutes: how often each is installed, and the search's bits. survey, every hour: error rates, durations,
upgrades, leaving, what sites have together, and who used what today.
"""

from __future__ import annotations

import logging

from sqlalchemy import delete, func, select, text

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.sql import load_sql
from app.marketplace.models import Related

log = logging.getLogger(__name__)

ENOUGH_CHANGES = 200  # a search counts this many changed listings one by one in about 5 ms

INSTALLS = text(
    """
    UPDATE marketplace_listings l SET installs = counted.number
    FROM (SELECT s.module_id, count(i.id) AS number FROM marketplace_listings s
          LEFT JOIN modules_v2 i ON i.module_id = s.module_id AND i.status IN ('active', 'paused')
          GROUP BY s.module_id) counted
    WHERE counted.module_id = l.module_id AND counted.number <> l.installs
    """
)
ACTIVE_DAYS = text(
    """
    INSERT INTO module_active_days AS d (agency_id, module_id, major, days, last_day)
    SELECT DISTINCT i.agency_id, i.module_id, v.major, 1, CAST(:today AS date)
    FROM modules_v2 i JOIN module_versions v ON v.id = i.version_id WHERE i.status = 'active'
    ON CONFLICT (agency_id, module_id, major) DO UPDATE SET days = d.days + 1, last_day = EXCLUDED.last_day
    WHERE d.last_day < EXCLUDED.last_day
    """
)


def measure() -> None:
    """Count active installs, then build the bits anew if enough listings have changed."""
    with platform_scope("marketplace: counting installs"), transaction(flask_db.session()) as session:
        session.execute(INSTALLS)
        indexed = session.scalar(select(func.marketplace_index(ENOUGH_CHANGES)))
    if indexed:
        log.info("marketplace: bits built anew after %s changes", indexed)


def survey() -> None:
    """Measure every listed module from calls, function runs, events and installs, and find what sites have together."""
    with platform_scope("marketplace: measuring modules"), transaction(flask_db.session()) as session:
        session.execute(text(load_sql("marketplace/measure")), {"now": utcnow()})
        session.execute(delete(Related))
        session.execute(text(load_sql("marketplace/relate")))
        session.execute(ACTIVE_DAYS, {"today": utcnow().date()})
