"""Timed work of the gateway: days of the request log, answers kept for repeated writes."""

from __future__ import annotations

import logging

from sqlalchemy import text

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.gateway.idempotency import KEPT
from app.lib.clock import utcnow

log = logging.getLogger(__name__)

DAYS_AHEAD, DAYS_KEPT = 7, 30


def partitions() -> None:
    """Make the request log's coming days, drop those past their 30 days."""
    with platform_scope("days of the request log"), transaction(flask_db.session()) as db:
        dropped = db.scalar(
            text("SELECT request_log_partitions(:ahead, :keep)"), {"ahead": DAYS_AHEAD, "keep": DAYS_KEPT}
        )
    if dropped:
        log.info("%d days of the request log were dropped", dropped)


def forget_answers() -> None:
    """Delete what was kept for repeated writes, and bodies that were recorded, longer than 24 h ago."""
    with platform_scope("old answers of repeated writes"), transaction(flask_db.session()) as db:
        db.execute(text("DELETE FROM recorded_bodies WHERE at < :before"), {"before": utcnow() - KEPT})
        db.execute(text("DELETE FROM idempotency_keys WHERE created_at < :before"), {"before": utcnow() - KEPT})
