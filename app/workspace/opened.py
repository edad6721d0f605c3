"""Whose records a screen shows: an install's, or those of a trial, which is addressed the same way."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from app.installs.models import Install
from app.lib.clock import utcnow
from app.runtime.trials.models import Trial
from app.runtime.trials.queries import live_trial


class Opened:
    """What routes of the workspace declare (web.guard): `install=Opened` takes installs and trials that are not over."""

    public_prefix = Install.public_prefix

    @staticmethod
    def find(db: Session, wanted: UUID) -> Install | Trial | None:
        return db.get(Install, wanted) or live_trial(db, trial_id=wanted, now=utcnow())
