"""What people do with a rollout: go on after it stopped, leave a site out, call it off."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict
from app.events.catalog import ROLLOUT_CHANGED
from app.events.outbox import publish
from app.fleet.models import Rollout, RolloutSite
from app.fleet.rings import leave_out_waiting
from app.modules.models import Module, Version


class NotStopped(Conflict):
    """The rollout is not in a state that allows this. Look at it again."""

    code = "rollout_state"


def resume_rollout(db: Session, *, rollout: Rollout, by: Actor, now: datetime) -> None:
    """Try the sites that were not well once more, then go on. Raises NotStopped."""
    _must_be(db, rollout, "stopped")
    for one in _unwell(db, rollout):
        one.state, one.detail, one.changed_at = "waiting", "", now
    _go_on(db, rollout, by=by, now=now)


def skip_site(db: Session, *, rollout: Rollout, install_id: UUID, by: Actor, now: datetime) -> None:
    """Leave one site out; once none is left that is not well it goes on. Raises NotStopped."""
    _must_be(db, rollout, "stopped")
    unwell = {one.install_id: one for one in _unwell(db, rollout)}
    if install_id not in unwell:
        raise NotStopped("This site is not what the rollout stopped at.")
    one = unwell.pop(install_id)
    one.state, one.changed_at = "skipped", now
    if not unwell:
        _go_on(db, rollout, by=by, now=now)


def cancel_rollout(db: Session, *, rollout: Rollout, by: Actor, now: datetime) -> None:
    """Nothing more moves by itself for this release; what has moved stays. Raises NotStopped."""
    _must_be(db, rollout, "stopped", "running")
    reason = f"Called off by {by.name}."
    rollout.status, rollout.reason, rollout.ended_at, rollout.changed_at = "cancelled", reason, now, now
    leave_out_waiting(db, rollout, reason, now)
    _tell(db, rollout, by=by)


def _go_on(db: Session, rollout: Rollout, *, by: Actor, now: datetime) -> None:
    rollout.status, rollout.reason, rollout.changed_at = "running", "", now
    _tell(db, rollout, by=by)


def _must_be(db: Session, rollout: Rollout, *allowed: str) -> None:
    db.refresh(rollout, with_for_update=True)  # a tick may be at it
    if rollout.status not in allowed:
        raise NotStopped(f"The rollout is {rollout.status}.")


def _unwell(db: Session, rollout: Rollout) -> list[RolloutSite]:
    query = select(RolloutSite).where(RolloutSite.agency_id == rollout.agency_id, RolloutSite.rollout_id == rollout.id)
    return list(db.scalars(query.where(RolloutSite.state == "unhealthy")))


def _tell(db: Session, rollout: Rollout, *, by: Actor) -> None:
    module, version = db.get_one(Module, rollout.module_id), db.get_one(Version, rollout.version_id)
    publish(
        db, ROLLOUT_CHANGED, by=by, agency_id=rollout.agency_id, target=rollout.public_id,
        target_name=f"{module.name} {version.version}",
        data={
            "rollout": rollout.public_id, "module": module.slug, "version": version.version, "status": rollout.status,
        },
    )  # fmt: skip
