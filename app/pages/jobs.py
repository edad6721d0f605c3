"""RQ entries of pages: what is planned goes live, what was deleted long ago is forgotten."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import delete

from app.access.actors import job
from app.db.base import db as flask_db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError
from app.lib.clock import utcnow
from app.pages import actions
from app.pages.models import PageStep, SitePage
from app.pages.queries import due_pages

log = logging.getLogger(__name__)

BATCH = 200
DELETED_DAYS, STEP_DAYS = 30, 14


def publish_due() -> None:
    """Publish pages whose time has come: pages.publish_due, every 30 s."""
    now = utcnow()
    with platform_scope("pages whose time has come"), transaction(flask_db.session()) as db:
        due = due_pages(db, now=now, most=BATCH)
    for page_id, agency_id in due:
        try:
            with tenant_scope(agency_id), transaction(flask_db.session()) as db:
                page = db.get_one(SitePage, page_id)
                by = job("pages.publish_due", agency_id=agency_id)
                actions.publish_planned(db, page=page, by=by, now=now)
        except AppError as error:  # deleted at this very moment; one page does not hold up the others
            log.warning("page %s was not published: %s", page_id, error)


def forget_old() -> None:
    """Drop pages deleted 30 days ago, with their versions and views, and old steps: pages.forget_old."""
    now = utcnow()
    with platform_scope("deleted pages past retention"), transaction(flask_db.session()) as db:
        db.execute(delete(SitePage).where(SitePage.deleted_at < now - timedelta(days=DELETED_DAYS)))
        db.execute(delete(PageStep).where(PageStep.at < now - timedelta(days=STEP_DAYS)))
