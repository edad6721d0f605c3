"""marketplace.measure: what listings say that no single change says: how often they are installed; and the search's bits."""

from __future__ import annotations

import logging

from sqlalchemy import func, select, text

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction

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


def measure() -> None:
    """Count active installs, then build the bits anew if enough listings have changed."""
    with platform_scope("marketplace: counting installs"), transaction(flask_db.session()) as session:
        session.execute(INSTALLS)
        indexed = session.scalar(select(func.marketplace_index(ENOUGH_CHANGES)))
    if indexed:
        log.info("marketplace: bits built anew after %s changes", indexed)
