"""When the jobs of a module run: cron expressions read in the zone of the site, or in one the module names."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.installs.models import Install, Schedule
from app.modules.cron import next_run
from app.modules.manifest import Manifest


def set_schedules(db: Session, *, install: Install, manifest: Manifest, site_zone: str, now: datetime) -> None:
    """Replace an install's schedules by the jobs of its version; one that stays as it was keeps its next run."""
    wanted = {
        name: (job.call, job.cron, site_zone if job.tz == "site" else job.tz) for name, job in manifest.jobs.items()
    }
    for name, (function, cron, zone) in wanted.items():
        kept = db.get(Schedule, (install.id, name))
        if kept is None:
            kept = Schedule(agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, name=name)
            db.add(kept)
        elif (kept.function, kept.cron, kept.time_zone) == (function, cron, zone):
            continue
        kept.function, kept.cron, kept.time_zone = function, cron, zone
        kept.next_at = next_run(cron, time_zone=zone, after=now)
    db.flush()
    db.execute(delete(Schedule).where(Schedule.install_id == install.id, Schedule.name.not_in(wanted)))


def drop_schedules(db: Session, *, install: Install) -> None:
    """Take all of an install's schedules away."""
    db.execute(delete(Schedule).where(Schedule.install_id == install.id))
