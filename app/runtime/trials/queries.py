"""Reads of trials: one, and the one somebody has of a module already."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from redis import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.queue.enqueue import redis
from app.runtime.trials.models import Trial

log = logging.getLogger(__name__)

LIVE = ("making", "ready")


def live_trial(db: Session, *, trial_id: UUID, now: datetime) -> Trial | None:
    """A trial of the agency that is not over."""
    found = db.get(Trial, trial_id)
    return found if found is not None and found.status != "ending" and found.ends_at > now else None


def own_trial(db: Session, *, version_id: UUID, user_id: UUID, now: datetime) -> Trial | None:
    """The trial somebody has of a version at this moment."""
    live = select(Trial).where(Trial.version_id == version_id, Trial.user_id == user_id, Trial.status.in_(LIVE))
    return db.scalar(live.where(Trial.ends_at > now).order_by(Trial.ends_at.desc()).limit(1))


def live_count(db: Session, *, agency_id: UUID, now: datetime) -> int:
    """How many trials an agency has at this moment."""
    query = select(func.count()).where(Trial.agency_id == agency_id, Trial.status.in_(LIVE), Trial.ends_at > now)
    return db.scalar(query) or 0


def made(trial_id: UUID) -> str:
    """The list in Valkey that has something in it once a trial is no longer being made."""
    return f"dramac:trial-made:{trial_id}"


def wait_until_made(trial_id: UUID, *, at_most_s: float) -> None:
    """Come back when its job is over, or after `at_most_s`: one request that waits costs less than several that ask."""
    try:
        redis().blmove(made(trial_id), made(trial_id), at_most_s)  # type: ignore[arg-type]  # Valkey takes parts of a second
    except RedisError as error:
        log.warning("cannot hear whether trial %s is made: %s", trial_id, error)
