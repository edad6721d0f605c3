"""Every write of support access: the switch, asking, allowing, refusing, ending, going in and out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.accounts.models import UserSession
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events.catalog import (
    SUPPORT_ASKED,
    SUPPORT_ENDED,
    SUPPORT_REFUSED,
    SUPPORT_STARTED,
    SUPPORT_SWITCHED,
    SUPPORT_VIEWED,
    EventType,
)
from app.events.outbox import publish
from app.lib.ids import uuid7
from app.support.access.letters import tell_owners
from app.support.access.models import HOURS, MODES, SupportAccess, SupportSwitch
from app.support.access.queries import mode_of

LONGEST_REASON = 500
SHORTEST_REASON = 10


class SupportRefused(Forbidden):
    """This agency does not let support in. Work with what its people send you."""

    code = "support_refused"


class NotWaiting(Conflict):
    """This request was answered already, or is over."""


class AlreadyAsked(Conflict):
    """You have asked this agency already, or may look at it now. End that first."""

    code = "already_asked"


def set_switch(db: Session, *, agency_id: UUID, mode: str, by: Actor, now: datetime) -> None:
    """Say what platform staff may do; "refuse" ends what is under way. Raises Invalid."""
    if mode not in MODES:
        raise Invalid.field("mode", "Choose one of the three.")
    before = mode_of(db, agency_id=agency_id)
    db.execute(
        insert(SupportSwitch)
        .values(agency_id=agency_id, mode=mode, changed_at=now)
        .on_conflict_do_update(index_elements=["agency_id"], set_={"mode": mode, "changed_at": now})
    )
    if before != mode:
        publish(db, SUPPORT_SWITCHED, by=by, agency_id=agency_id, data={"mode": mode}, changes={"mode": [before, mode]})
    if mode == "refuse":
        waiting = select(SupportAccess).where(
            SupportAccess.agency_id == agency_id, SupportAccess.status.in_(("asked", "active"))
        )
        for access in db.scalars(waiting):
            (refuse if access.status == "asked" else end)(db, access=access, by=by, now=now)


def ask(
    db: Session, *, agency_id: UUID, reason: str, hours: int, by: Actor, keys: tuple[str, ...],
    link: Callable[[], str], now: datetime,
) -> SupportAccess:  # fmt: skip
    """Staff asks for access, or begins at once where the agency allows that. Needs platform_scope(); the owners get a letter.

    hours: 1, 4 or 24, from when it is allowed. Raises SupportRefused, AlreadyAsked, Invalid with the field that is wrong.
    """
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid.field("reason", f"Say why in {SHORTEST_REASON} to {LONGEST_REASON} characters.")
    if hours not in HOURS:
        raise Invalid.field("hours", "Choose how long.")
    mode = mode_of(db, agency_id=agency_id)
    if mode == "refuse":
        raise SupportRefused()
    assert by.id is not None  # staff are people
    access = SupportAccess(
        id=uuid7(), agency_id=agency_id, staff_id=by.id, staff_name=by.name, reason=reason, hours=hours, asked_at=now,
        status="asked",
    )  # fmt: skip
    if mode == "allow":
        access.status, access.decided_at, access.expires_at = "active", now, now + timedelta(hours=hours)
    _mark_over(db, agency_id=agency_id, staff_id=by.id, now=now)
    try:
        with db.begin_nested():  # two clicks can race: the unique index decides
            db.add(access)
            db.flush()
    except IntegrityError as error:
        raise AlreadyAsked() from error
    _tell(db, SUPPORT_ASKED if mode == "ask" else SUPPORT_STARTED, access, by)
    tell_owners(db, access, keys=keys, link=link())
    return access


def allow(db: Session, *, access: SupportAccess, by: Actor, now: datetime) -> None:
    """A member of the agency says yes; the time runs from now. Raises NotWaiting."""
    _must_wait(access)
    access.status, access.decided_at, access.decided_by = "active", now, by.name
    access.expires_at = now + timedelta(hours=access.hours)
    _tell(db, SUPPORT_STARTED, access, by)


def refuse(db: Session, *, access: SupportAccess, by: Actor, now: datetime) -> None:
    """A member of the agency says no. Raises NotWaiting."""
    _must_wait(access)
    access.status, access.decided_at, access.decided_by = "refused", now, by.name
    _tell(db, SUPPORT_REFUSED, access, by)


def end(db: Session, *, access: SupportAccess, by: Actor, now: datetime) -> None:
    """End it now, from either side. One that is over already stays as it is."""
    if access.state(now) in ("asked", "active"):
        access.status, access.ended_at, access.ended_by = "ended", now, by.name
        _tell(db, SUPPORT_ENDED, access, by)


def tell_looked(db: Session, *, access: SupportAccess, path: str, by: Actor) -> None:
    """Note on the agency's trail that staff see something of theirs on a page of the platform. Needs platform_scope()."""
    publish(
        db, SUPPORT_VIEWED, by=by, agency_id=access.agency_id, target=access.public_id, target_name=path[:200],
        data={"person": by.name, "path": path[:200]},
    )  # fmt: skip


def go_in(db: Session, *, access: SupportAccess, session_id: UUID, by: Actor, now: datetime) -> None:
    """Let a browser of staff look at the agency. Needs platform_scope(). Raises NotFound for another's, NotWaiting."""
    if access.staff_id != by.id:
        raise NotFound()
    if access.state(now) != "active":
        raise NotWaiting()
    _look_at(db, session_id, access.id)


def go_out(db: Session, *, session_id: UUID) -> None:
    """The browser is back on the platform's own pages; the access goes on until it ends."""
    _look_at(db, session_id, None)


def _mark_over(db: Session, *, agency_id: UUID, staff_id: UUID, now: datetime) -> None:
    """A leave whose time ran out makes room for the next: ended when its time was, by nobody."""
    over = (SupportAccess.agency_id == agency_id, SupportAccess.staff_id == staff_id, SupportAccess.status == "active")
    db.execute(
        update(SupportAccess)
        .where(*over, SupportAccess.expires_at <= now)
        .values(status="ended", ended_at=SupportAccess.expires_at)
    )


def _look_at(db: Session, session_id: UUID, access_id: UUID | None) -> None:
    db.execute(update(UserSession).where(UserSession.id == session_id).values(support_access_id=access_id))


def _must_wait(access: SupportAccess) -> None:
    if access.status != "asked":
        raise NotWaiting()


def _tell(db: Session, event: EventType, access: SupportAccess, by: Actor) -> None:
    publish(
        db, event, by=by, agency_id=access.agency_id, target=access.public_id, target_name=access.reason,
        data={"person": access.staff_name, "reason": access.reason, "hours": access.hours},
    )  # fmt: skip
