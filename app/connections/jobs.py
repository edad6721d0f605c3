"""Tokens are renewed before they end: connections.due finds them, connections.renew asks one service."""

from __future__ import annotations

from uuid import UUID

from flask import current_app
from sqlalchemy import select, text

from app.connections.actions import renew as renew_tokens
from app.connections.models import Connection
from app.connections.setup import Setup
from app.db.base import db as flask_db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.queue.enqueue import enqueue

# Claimed for two minutes: a job that is lost is ordered again, one that works is not ordered twice.
_CLAIM = text(
    """
    UPDATE module_connections c SET refresh_at = :now + interval '2 minutes'
    WHERE c.id IN (
      SELECT d.id FROM module_connections d
      JOIN modules_v2 i ON i.id = d.install_id JOIN sites s ON s.id = d.site_id JOIN agencies a ON a.id = d.agency_id
      WHERE d.refresh_at <= :now AND d.state = 'connected' AND i.status NOT IN ('removing', 'removed')
        AND s.archived_at IS NULL AND a.suspended_at IS NULL
      ORDER BY d.refresh_at LIMIT 200 FOR UPDATE OF d SKIP LOCKED)
    RETURNING c.id, c.agency_id
    """
)


def due() -> None:
    """Order a renewal for every connection whose token ends soon."""
    with platform_scope("connections to renew"), transaction(flask_db.session()) as db:
        found = db.execute(_CLAIM, {"now": utcnow()}).all()
    for row in found:
        with tenant_scope(row.agency_id), transaction(flask_db.session()) as db:
            enqueue(db, "connections.renew", connection_id=row.id)


def renew(connection_id: str) -> None:
    """Renew one; nothing is done while another worker does, for a refresh token can be used once."""
    setup = Setup.of(current_app.config["DRAMAC"])
    with transaction(flask_db.session()) as db:
        connection = db.scalars(
            select(Connection).where(Connection.id == UUID(connection_id)).with_for_update(skip_locked=True)
        ).one_or_none()
        if connection is not None and connection.state == "connected":
            renew_tokens(db, connection=connection, setup=setup, now=utcnow())
