"""Releases from before there was a log: entered by the first migration run that finds the log, or by hand."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.models import Module, Version
from app.modules.signing.log import enter
from app.modules.signing.models import ReleaseEntry, ReleaseHead


def enter_older(db: Session, *, now: datetime, before: datetime | None = None) -> list[Version]:
    """Sign and enter what was released and stands in no log, the oldest first; with `before` only what is older than that."""
    logged = select(ReleaseEntry.version_id).where(ReleaseEntry.kind == "release")
    query = select(Version).where(Version.status != "draft", Version.id.not_in(logged))
    if before is not None:
        query = query.where(Version.published_at < before)
    found = list(db.scalars(query.order_by(Version.published_at, Version.id)))
    for version in found:
        enter(db, version=version, module=db.get_one(Module, version.module_id), kind="release", now=now)
    return found


def enter_older_once(db: Session, *, log_since: datetime, now: datetime) -> list[Version]:
    """As enter_older(), of what was there before the log was made, and once for all: later finds are for people to judge.

    Nothing happens where it was done. A run that is killed has done nothing; two at once wait for each other.
    """
    head = db.scalars(select(ReleaseHead).with_for_update()).one()
    if head.older_entered_at is not None:
        return []
    found = enter_older(db, now=now, before=log_since)
    head.older_entered_at = now
    return found
