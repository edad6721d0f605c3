"""entitlements.remind: letters and events three days before a trial or grant ends, and when it has ended."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.access.actors import job
from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.catalog import ENTITLEMENT_ENDED, ENTITLEMENT_ENDING
from app.events.outbox import publish
from app.installs.entitlement.models import Leave
from app.installs.entitlement.queries import installs_of
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.mail.actions import post
from app.mail.letters import compose
from app.modules.models import Module
from app.tenancy.recipients import MANAGERS, recipients

BEFORE = timedelta(days=3)
_setup: dict[str, object] = {"keys": (), "platform_url": ""}


def configure_entitlements(*, keys: tuple[str, ...], platform_url: str) -> None:
    """Once per process: what letters are sealed under, and where their links lead."""
    _setup.update(keys=keys, platform_url=platform_url)


def remind() -> None:
    """Write each letter once; one transaction for each leave, so that a killed job has written some and not half of one."""
    db, now = flask_db.session(), utcnow()
    with platform_scope("trials and grants near their end"), transaction(db):
        near = Leave.ends_at <= now + BEFORE
        due = or_(Leave.warned_at.is_(None) & (Leave.ends_at > now), Leave.told_at.is_(None) & (Leave.ends_at <= now))
        ids = list(
            db.scalars(
                select(Leave.id).where(Leave.revoked_at.is_(None), near, due).order_by(Leave.ends_at).limit(1000)
            )
        )
    for leave_id in ids:
        with platform_scope("a trial or grant near its end"), transaction(db):
            _remind(db, leave_id)


def _remind(db: Session, leave_id: UUID) -> None:
    now = utcnow()
    leave = db.get_one(Leave, leave_id, with_for_update=True)
    assert leave.ends_at is not None
    over = leave.ends_at <= now
    if (leave.told_at if over else leave.warned_at) is not None:
        return
    if over:
        leave.told_at = now
    else:
        leave.warned_at = now
    longer = select(Leave.id).where(
        Leave.agency_id == leave.agency_id, Leave.module_id == leave.module_id, Leave.revoked_at.is_(None),
        Leave.id != leave.id, or_(Leave.ends_at.is_(None), Leave.ends_at > leave.ends_at),
    )  # fmt: skip
    if db.scalar(longer.limit(1)) or not installs_of(db, agency_id=leave.agency_id, module_id=leave.module_id):
        return  # it goes on, or nobody uses it
    module = db.get_one(Module, leave.module_id)
    event = ENTITLEMENT_ENDED if over else ENTITLEMENT_ENDING
    publish(
        db, event, by=job("entitlements.remind", agency_id=leave.agency_id), agency_id=leave.agency_id,
        target=encode("mod", module.id), target_name=module.name,
        data={"module": module.slug, "until": leave.ends_at.isoformat()},
    )  # fmt: skip
    _write(db, leave, module, over=over)


def _write(db: Session, leave: Leave, module: Module, *, over: bool) -> None:
    assert leave.ends_at is not None
    people = recipients(db, agency_id=leave.agency_id, roles=MANAGERS)
    what = "trial" if leave.kind == "trial" else "leave to use it"
    for person in people:
        words = compose(
            "installs/entitlement", name=person.name, module=module.name, what=what, over=over, day=f"{leave.ends_at:%d %B %Y}",
            link=f"{_setup['platform_url']}/marketplace/{module.slug}",
        )  # fmt: skip
        post(
            db, keys=_setup["keys"], kind="installs.entitlement", recipient=person.email, agency_id=leave.agency_id,  # type: ignore[arg-type]
            **words.parts(),
        )  # fmt: skip
