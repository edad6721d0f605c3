"""Recording the bodies of an install's writes for an hour, so that they can be replayed (app/support/rewrites.py)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict
from app.events.catalog import BODIES_NOT_RECORDED, BODIES_RECORDED
from app.installs.actions import tell
from app.installs.models import Install
from app.lib.clock import rfc3339
from app.modules.models import Module

LASTS = timedelta(hours=1)
_START = text(
    "INSERT INTO body_recordings AS kept (install_id, agency_id, until, started_by, started_at) "
    "VALUES (:install, :agency, :until, :by, :now) ON CONFLICT (install_id) DO UPDATE "
    "SET until = excluded.until, started_by = excluded.started_by, started_at = excluded.started_at "
    "WHERE kept.until <= :now RETURNING true"
)
_END = text("UPDATE body_recordings SET until = :now WHERE install_id = :install AND until > :now RETURNING true")


class AlreadyRecording(Conflict):
    """The bodies of this install's writes are being recorded already."""


def start_recording(db: Session, *, install: Install, by: Actor, now: datetime) -> datetime:
    """Keep the bodies of writes from now on; returns until when. Raises AlreadyRecording."""
    until = now + LASTS
    person = by.id if by.kind == "person" else None
    given = {"install": install.id, "agency": install.agency_id, "until": until, "by": person, "now": now}
    if db.execute(_START, given).first() is None:
        raise AlreadyRecording()
    module = db.get_one(Module, install.module_id)
    tell(db, BODIES_RECORDED, install, module, by=by, data={"until": rfc3339(until)})
    return until


def end_recording(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Keep no further bodies; those that were recorded stay until their day is over."""
    if db.execute(_END, {"install": install.id, "now": now}).first() is not None:
        tell(db, BODIES_NOT_RECORDED, install, db.get_one(Module, install.module_id), by=by)


def recording_of(db: Session, *, install: Install, now: datetime) -> datetime | None:
    """Until when bodies are recorded now."""
    query = text("SELECT until FROM body_recordings WHERE install_id = :install AND until > :now")
    found: datetime | None = db.scalar(query, {"install": install.id, "now": now})
    return found
