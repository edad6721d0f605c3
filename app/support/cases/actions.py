"""Making, opening and revoking case bundles; forgetting those that are long over."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import Invalid, NotFound
from app.events.catalog import CASE_MADE, CASE_OPENED, CASE_REVOKED, EventType
from app.events.outbox import publish
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.models import Module
from app.support.cases.collect import collect
from app.support.cases.models import CaseBundle
from app.tenancy.models import Membership

DAYS = (1, 7, 30)
KEEP_AFTER = timedelta(days=30)


def make_case(
    db: Session, *, install: Install, note: str, for_user_id: UUID | None, days: int, by: Actor, now: datetime,
    for_publisher: bool = False,
) -> CaseBundle:  # fmt: skip
    """Keep what there is to see of an install now, for a member, the module's publisher, or else the platform's support.

    Raises Invalid, with the field that is wrong.
    """
    note = " ".join(note.split())
    if not 1 <= len(note) <= 500:
        raise Invalid.field("note", "Say in up to 500 characters what goes wrong.")
    if days not in DAYS:
        raise Invalid.field("days", "Choose how long the link holds.")
    if for_user_id is not None and not _is_member(db, install.agency_id, for_user_id):
        raise Invalid.field("for", "Choose somebody of the agency, the module’s publisher, or support.")
    for_agency_id = db.get_one(Module, install.module_id).agency_id if for_publisher else None
    assert by.id is not None  # people make them
    case = CaseBundle(
        id=uuid7(), agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, note=note,
        for_user_id=for_user_id, for_agency_id=for_agency_id, created_by=by.id, created_by_name=by.name, created_at=now,
        expires_at=now + timedelta(days=days), content=collect(db, install=install, now=now),
    )  # fmt: skip
    db.add(case)
    _tell(db, CASE_MADE, case, by)
    return case


def open_case(db: Session, *, case: CaseBundle, by: Actor, now: datetime) -> None:
    """Note that one of the platform's staff reads it, in the agency's trail. Needs platform_scope().

    Raises NotFound once its link is over.
    """
    if not case.holds(now):
        raise NotFound()
    case.opened_at = now
    _tell(db, CASE_OPENED, case, by)


def tell_opened_by_publisher(db: Session, *, case: CaseBundle, by: Actor) -> None:
    """Note in the trail of the agency whose case it is that its module's publisher opens it. Needs platform_scope()."""
    _tell(db, CASE_OPENED, case, by)


def revoke_case(db: Session, *, case: CaseBundle, by: Actor, now: datetime) -> None:
    """End the link at once; safe to repeat."""
    if case.revoked_at is None:
        case.revoked_at = now
        _tell(db, CASE_REVOKED, case, by)


def forget_old() -> None:
    """Drop bundles 30 days after their link ended: support.forget_cases."""
    with platform_scope("case bundles past retention"), transaction(flask_db.session()) as db:
        db.execute(delete(CaseBundle).where(CaseBundle.expires_at < utcnow() - KEEP_AFTER))


def _is_member(db: Session, agency_id: UUID, user_id: UUID) -> bool:
    found = select(Membership.id).where(Membership.agency_id == agency_id, Membership.user_id == user_id)
    return db.scalar(found) is not None


def _tell(db: Session, event: EventType, case: CaseBundle, by: Actor) -> None:
    publish(
        db, event, by=by, agency_id=case.agency_id, site_id=case.site_id, target=case.public_id, target_name=case.note,
        data={"case": case.public_id, "for": case.whom},
    )  # fmt: skip
