"""Whom letters about an agency go to."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from app.access.permissions import Role
from app.accounts.models import User
from app.tenancy.models import Membership

OWNERS = (Role.OWNER,)
MANAGERS = (Role.OWNER, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Recipient:
    id: UUID
    email: str
    name: str


def recipients(
    db: Session, *, agency_id: UUID, roles: tuple[Role, ...] = OWNERS, also: UUID | None = None
) -> list[Recipient]:
    """The members with one of these roles, by address; nobody whose account is disabled. also: a member whatever their role."""
    wanted: list[ColumnElement[bool]] = [Membership.role.in_([role.value for role in roles])]
    if also is not None:
        wanted.append(User.id == also)
    query = (
        select(User.id, User.email, User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.agency_id == agency_id, User.disabled_at.is_(None), or_(*wanted))
        .order_by(User.email)
    )
    return [Recipient(*row) for row in db.execute(query)]
