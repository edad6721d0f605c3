"""How a job's progress and end are kept in its install; each call is one short transaction of its own where it says so."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.actors import Actor, job
from app.db.session import transaction
from app.events.catalog import INSTALL_ACTIVATED, INSTALL_FAILED, EventType
from app.events.outbox import publish
from app.installs.actions import KEPT, announce
from app.installs.models import Install
from app.installs.moving import fail_move
from app.installs.steps import begun, failed, finished
from app.lib.ids import encode
from app.modules.consent import grant_of
from app.modules.manifest import Manifest
from app.modules.models import Module, Version

UNDONE = {
    "install": "Nothing was left behind on the site or in the database.",
    "restore": "Its records are still kept; bring it back again later.",
    "upgrade": "The version before is in use again and no record was changed.",
    "rollback": "The version before is in use again and no record was changed.",
    "remove": "Its records are still there. It is tried again by itself.",
}


def begin(db: Session, install_id: UUID, key: str, *, now: datetime) -> None:
    """Note, in a transaction of its own, that a step has begun; a screen sees it at once."""
    with transaction(db):
        install = db.get_one(Install, install_id)
        install.steps, install.changed_at = begun(install.steps, key, now=now), now


def activate(db: Session, install: Install, *, now: datetime) -> None:
    """The install serves from the end of this transaction on."""
    install.status, install.changed_at, install.failure = "active", now, ""
    install.steps = finished(install.steps, now=now)
    _tell(db, INSTALL_ACTIVATED, install)
    announce(db, install)


def fail(db: Session, install_id: UUID, reason: str, *, now: datetime) -> None:
    """Note a failure and what was undone, in a transaction of its own. An upgrade goes back to the version before."""
    with transaction(db):
        install = db.get_one(Install, install_id)
        said = f"{reason.rstrip('.')}. {UNDONE[install.task]}"
        known, install.failure = install.failure == said, said
        install.steps = failed(install.steps, reason, now=now)
        install.changed_at = now
        if install.task in ("upgrade", "rollback") and install.previous_version_id is not None:
            install.version_id, install.previous_version_id = install.previous_version_id, None
            install.status = "active"
            stays = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
            install.granted = {**install.granted, **grant_of(stays)}
            fail_move(db, install, reason, now=now)
        elif install.task == "restore":
            install.status, install.removed_at, install.purge_after = "removed", now, now + KEPT
        elif install.task == "install":
            install.status = "failed"
        if not known:  # a removal is tried again every minute; once is news
            _tell(db, INSTALL_FAILED, install, reason=reason)
        announce(db, install)


def mark_removed(db: Session, install_id: UUID, *, now: datetime) -> None:
    """The records are out, the copy is kept: in a transaction of its own."""
    with transaction(db):
        install = db.get_one(Install, install_id)
        install.status, install.changed_at, install.failure = "removed", now, ""
        install.removed_at = install.removed_at or now
        install.purge_after = install.removed_at + KEPT
        install.steps = finished(install.steps, now=now)
        announce(db, install)


def give_up_copy(install: Install) -> None:
    """The copy of a removed install's records is deleted; what stays is that it was there."""
    install.purge_after = None
    install.settings, install.secrets = {}, {}


def _actor(install: Install) -> Actor:
    name = "installs.deprovision" if install.task == "remove" else "installs.provision"
    return job(name, agency_id=install.agency_id)


def _tell(db: Session, event: EventType, install: Install, **data: str) -> None:
    module = db.get_one(Module, install.module_id)
    publish(
        db,
        event,
        by=_actor(install),
        agency_id=install.agency_id,
        target=install.public_id,
        target_name=module.name,
        site_id=install.site_id,
        install_id=install.id,
        data={"module": module.slug, "site": encode("ste", install.site_id), "task": install.task, **data},
    )
