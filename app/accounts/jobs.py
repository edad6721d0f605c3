"""accounts.forget_old: drops sessions, resets and sign-in attempts that no longer mean anything."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from app.accounts.models import PasswordReset, SignInAttempt, UserSession
from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow

KEEP_ATTEMPTS = timedelta(days=90)  # as long as a known network counts (throttle.py)


def forget_old() -> None:
    """The nightly job."""
    now = utcnow()
    with platform_scope("accounts past retention"), transaction(flask_db.session()) as db:
        db.execute(delete(UserSession).where(UserSession.expires_at < now))
        db.execute(delete(PasswordReset).where(PasswordReset.expires_at < now - timedelta(days=1)))
        db.execute(delete(SignInAttempt).where(SignInAttempt.at < now - KEEP_ATTEMPTS))
