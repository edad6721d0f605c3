"""Timed work: codes and tokens that nothing can be done with any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow

CODES_KEPT = timedelta(days=1)
TOKENS_KEPT = timedelta(days=7)


def forget_old() -> None:
    """Delete spent codes, and tokens a week after their end; used refresh tokens stay while their grant lives."""
    now = utcnow()
    with platform_scope("spent codes and tokens"), transaction(flask_db.session()) as db:
        db.execute(text("DELETE FROM external_oauth_codes WHERE expires_at < :before"), {"before": now - CODES_KEPT})
        db.execute(
            text(
                "DELETE FROM external_oauth_tokens t USING external_oauth_grants g WHERE g.id = t.grant_id AND "
                "(t.kind = 'access' AND t.expires_at < :before OR g.expires_at < :before OR g.revoked_at < :before)"
            ),
            {"before": now - TOKENS_KEPT},
        )
