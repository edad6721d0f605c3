"""People of an agency: invited by letter, joined, given another role, removed.

Whoever touches the role of an owner holds the agency's row while deciding: two owners who unmake each other at the same
moment come one after the other, and the second is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor, member
from app.access.permissions import Permission, Role
from app.accounts.models import User
from app.errors import Conflict, Forbidden, NotFound
from app.events.catalog import (
    INVITATION_REVOKED,
    MEMBER_INVITED,
    MEMBER_JOINED,
    MEMBER_REMOVED,
    MEMBER_ROLE_CHANGED,
    EventType,
)
from app.events.outbox import publish
from app.lib.crypto import random_token, token_hash
from app.lib.ids import uuid7
from app.mail.actions import post
from app.mail.letters import compose
from app.tenancy.models import Agency, Invitation, Membership

INVITATION_STAYS = timedelta(days=7)

Link = Callable[[str], str]  # the full address for an invitation's token


class AlreadyMember(Conflict):
    """This person already belongs to the agency."""


class AlreadyInvited(Conflict):
    """There is an open invitation for this address. Send it again instead."""


class InvitationGone(NotFound):
    """This invitation was used, withdrawn or is too old. Ask for a new one."""


class OwnersOnly(Forbidden):
    """Only an owner can make or unmake owners."""


class LastOwner(Conflict):
    """An agency keeps at least one owner. Make somebody else an owner first."""


def invite_member(
    db: Session,
    *,
    agency_id: UUID,
    email: str,
    role: Role,
    by: Actor,
    link: Link,
    keys: tuple[str, ...],
    now: datetime,
) -> Invitation:
    """Send somebody a link, valid 7 days, to join with a role. Raises AlreadyMember, AlreadyInvited, OwnersOnly."""
    _must_handle(role, by)
    email = email.strip().lower()
    if db.scalar(select(Membership.id).join(User).where(User.email == email, Membership.agency_id == agency_id)):
        raise AlreadyMember()
    _withdraw_expired(db, agency_id=agency_id, email=email, now=now)
    token = random_token()
    invitation = Invitation(
        id=uuid7(),
        agency_id=agency_id,
        email=email,
        role=role.value,
        token_hash=token_hash(token),
        invited_by=by.id,
        created_at=now,
        expires_at=now + INVITATION_STAYS,
    )
    try:
        with db.begin_nested():  # two clicks can race: the unique index on open invitations decides
            db.add(invitation)
            db.flush()
    except IntegrityError as error:
        raise AlreadyInvited() from error
    _send(db, invitation, by=by, url=link(token), keys=keys)
    _tell(db, MEMBER_INVITED, invitation, by=by)
    return invitation


def resend_invitation(
    db: Session, *, invitation: Invitation, by: Actor, link: Link, keys: tuple[str, ...], now: datetime
) -> Invitation:
    """A new letter with a new link for 7 days; the link of the old letter ends. Raises InvitationGone."""
    _must_be_open(invitation)
    _must_handle(Role(invitation.role), by)
    token = random_token()
    invitation.token_hash, invitation.expires_at = token_hash(token), now + INVITATION_STAYS
    _send(db, invitation, by=by, url=link(token), keys=keys)
    _tell(db, MEMBER_INVITED, invitation, by=by)
    return invitation


def revoke_invitation(db: Session, *, invitation: Invitation, by: Actor, now: datetime) -> None:
    """Withdraw an invitation nobody has used. Raises InvitationGone."""
    _must_be_open(invitation)
    invitation.revoked_at = now
    _tell(db, INVITATION_REVOKED, invitation, by=by)


def accept_invitation(db: Session, *, token: str, user: User, by: Actor, now: datetime) -> Membership:
    """Make the person a member, once. Needs joining_scope(). by: where the request comes from (ip, request id).

    Raises InvitationGone, AlreadyMember, and Forbidden when the invitation is for another address.
    """
    invitation = db.scalar(select(Invitation).where(Invitation.token_hash == token_hash(token)).with_for_update())
    if invitation is None or invitation.expires_at <= now:
        raise InvitationGone()
    _must_be_open(invitation)
    if invitation.email != user.email:
        raise Forbidden(f"This invitation is for {invitation.email}. Sign in with that address.")
    actor = member(
        user_id=user.id,
        name=user.name,
        agency_id=invitation.agency_id,
        role=Role(invitation.role),
        ip=by.ip,
        user_agent=by.user_agent,
        request_id=by.request_id,
    )
    role = Role(invitation.role)
    membership = _join(db, agency_id=invitation.agency_id, user=user, role=role, by=actor, now=now)
    invitation.accepted_at = now
    return membership


def add_member(db: Session, *, agency_id: UUID, user: User, role: Role, by: Actor, now: datetime) -> Membership:
    """Make a person a member without a letter, for the platform's own operators. Raises AlreadyMember, OwnersOnly."""
    _must_handle(role, by)
    return _join(db, agency_id=agency_id, user=user, role=role, by=by, now=now)


def _join(db: Session, *, agency_id: UUID, user: User, role: Role, by: Actor, now: datetime) -> Membership:
    membership = Membership(id=uuid7(), agency_id=agency_id, user_id=user.id, role=role.value, created_at=now)
    try:
        with db.begin_nested():  # the unique key decides
            db.add(membership)
            db.flush()
    except IntegrityError as error:
        raise AlreadyMember() from error
    publish(
        db,
        MEMBER_JOINED,
        by=by,
        agency_id=agency_id,
        target=membership.public_id,
        target_name=user.name,
        data={"user": user.public_id, "role": role.value},
    )
    return membership


def change_role(db: Session, *, membership: Membership, role: Role, name: str, by: Actor) -> Membership:
    """Give a member another role. name: the member's, for the audit trail. Raises OwnersOnly, LastOwner."""
    _hold(db, membership)
    before = Role(membership.role)
    if before == role:
        return membership
    _must_handle(before, by)
    _must_handle(role, by)
    if before == Role.OWNER:
        _must_not_be_last_owner(db, membership)
    membership.role = role.value
    db.flush()
    publish(
        db,
        MEMBER_ROLE_CHANGED,
        by=by,
        agency_id=membership.agency_id,
        target=membership.public_id,
        target_name=name,
        data={"role": role.value, "before": before.value},
        changes={"role": [before.value, role.value]},
    )
    return membership


def remove_member(db: Session, *, membership: Membership, name: str, by: Actor) -> None:
    """End a membership; from the next request on the person sees nothing of the agency. Raises OwnersOnly, LastOwner."""
    _hold(db, membership)
    _must_handle(Role(membership.role), by)
    if membership.role == Role.OWNER:
        _must_not_be_last_owner(db, membership)
    db.delete(membership)
    db.flush()
    publish(
        db,
        MEMBER_REMOVED,
        by=by,
        agency_id=membership.agency_id,
        target=membership.public_id,
        target_name=name,
        data={"role": membership.role},
    )


def _must_handle(role: Role, by: Actor) -> None:
    if role == Role.OWNER and not by.can(Permission.OWNERS_MANAGE):
        raise OwnersOnly()


def _must_be_open(invitation: Invitation) -> None:
    if invitation.accepted_at or invitation.revoked_at:
        raise InvitationGone()


def _hold(db: Session, membership: Membership) -> None:
    """Wait for others who change members of this agency, then look at the membership again."""
    db.execute(select(Agency.id).where(Agency.id == membership.agency_id).with_for_update(key_share=True))
    found = db.scalar(
        select(Membership).where(Membership.id == membership.id).execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound()


def _must_not_be_last_owner(db: Session, membership: Membership) -> None:
    others = db.scalar(
        select(func.count())
        .select_from(Membership)
        .where(
            Membership.agency_id == membership.agency_id,
            Membership.role == Role.OWNER.value,
            Membership.id != membership.id,
        )
    )
    if not others:
        raise LastOwner()


def _withdraw_expired(db: Session, *, agency_id: UUID, email: str, now: datetime) -> None:
    stale = db.scalars(
        select(Invitation).where(
            Invitation.agency_id == agency_id,
            Invitation.email == email,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at <= now,
        )
    )
    for invitation in stale:
        invitation.revoked_at = now
    db.flush()


def _send(db: Session, invitation: Invitation, *, by: Actor, url: str, keys: tuple[str, ...]) -> None:
    agency = db.get_one(Agency, invitation.agency_id)
    words = compose(
        "tenancy/invitation",
        agency=agency.name,
        inviter=by.name,
        role=Role(invitation.role).label,
        summary=Role(invitation.role).summary,
        link=url,
        days=INVITATION_STAYS.days,
    )
    post(
        db,
        keys=keys,
        kind="tenancy.invitation",
        recipient=invitation.email,
        agency_id=invitation.agency_id,
        **words.parts(),
    )


def _tell(db: Session, event: EventType, invitation: Invitation, *, by: Actor) -> None:
    publish(
        db,
        event,
        by=by,
        agency_id=invitation.agency_id,
        target=invitation.public_id,
        target_name=invitation.email,
        data={"email": invitation.email, "role": invitation.role},
    )
