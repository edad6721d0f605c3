"""Beginning a trial with an install; leave given and taken back by platform staff."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from redis import RedisError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.errors import Invalid
from app.events.catalog import ENTITLEMENT_GRANTED, ENTITLEMENT_REVOKED, TRIAL_STARTED, EventType
from app.events.outbox import publish
from app.installs.entitlement.models import Leave
from app.installs.entitlement.queries import entitlement_of, installs_of
from app.installs.entitlement.rules import Entitlement, NotEntitled, entitled, refusal
from app.lib.ids import encode, uuid7
from app.modules.models import Module, Version
from app.queue.enqueue import redis
from app.tenancy.models import Agency

log = logging.getLogger(__name__)
CHANGED = "dramac:install-changed"


def claim(db: Session, *, agency_id: UUID, version: Version, by: Actor, now: datetime) -> Entitlement:
    """What the agency uses the version by; begins its trial when it has none yet and there is one. Raises NotEntitled."""
    found = entitlement_of(db, agency_id=agency_id, version_id=version.id)
    if found.can_begin_trial and (until := db.scalar(select(func.entitlement_try(version.id, now)))):
        _tell(db, TRIAL_STARTED, agency_id, db.get_one(Module, version.module_id), by=by, until=until)
        return Entitlement("trial", until, found.trial_days)
    if not entitled(found, now=now):
        raise NotEntitled(refusal(found))
    return found


def grant(
    db: Session, *, agency_slug: str, module_slug: str, ends_at: datetime | None, note: str, by: Actor, now: datetime
) -> Leave:
    """Let an agency use a module, for good or until a moment. Raises Invalid. For platform staff; nobody is charged."""
    agency = db.scalar(select(Agency).where(Agency.slug == agency_slug))
    if agency is None:
        raise Invalid.field("agency", "There is no agency with this short name.", "unknown_agency")
    module = db.scalar(select(Module).where(Module.slug == module_slug))
    if module is None:
        raise Invalid.field("module", "There is no module with this short name.", "unknown_module")
    if ends_at is not None and ends_at <= now:
        raise Invalid.field("ends_at", "The end has to lie ahead.", "too_early")
    made = Leave(
        id=uuid7(), agency_id=agency.id, module_id=module.id, kind="grant", starts_at=now, ends_at=ends_at, note=note[:200],
        granted_by=by.id,
    )  # fmt: skip
    db.add(made)
    _tell(db, ENTITLEMENT_GRANTED, agency.id, module, by=by, until=ends_at)
    announce_installs(db, agency_id=agency.id, module_id=module.id)
    return made


def revoke(db: Session, *, leave: Leave, by: Actor, now: datetime) -> None:
    """Take leave back: pages, API and functions stop at once; records stay. A trial stays used up."""
    leave.revoked_at = now
    _tell(db, ENTITLEMENT_REVOKED, leave.agency_id, db.get_one(Module, leave.module_id), by=by, until=leave.ends_at)
    announce_installs(db, agency_id=leave.agency_id, module_id=leave.module_id)


def announce_installs(db: Session, *, agency_id: UUID, module_id: UUID) -> None:
    """Tell the processes that serve the agency's installs of a module to read them anew, once this is committed."""
    ids = ",".join(str(one) for one in installs_of(db, agency_id=agency_id, module_id=module_id))

    def send() -> None:
        try:
            redis().publish(CHANGED, ids)
        except RedisError as error:
            log.warning("could not announce on %s: %s; it is noticed within seconds", CHANGED, error)

    if ids:
        after_commit(db, send)


def _tell(db: Session, event: EventType, agency_id: UUID, module: Module, *, by: Actor, until: datetime | None) -> None:
    data = {"module": module.slug, "until": until.isoformat() if until else None}
    publish(
        db, event, by=by, agency_id=agency_id, target=encode("mod", module.id), target_name=module.name, data=data,
        changes={"until": [None, data["until"]]},
    )  # fmt: skip
