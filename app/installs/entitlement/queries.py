"""Reads: what an agency has of a version, and what staff gave to whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.installs.entitlement.models import Leave
from app.installs.entitlement.rules import Entitlement, read_entitlement
from app.installs.models import Install
from app.modules.models import Module
from app.tenancy.models import Agency

MOST = 200


def entitlement_of(db: Session, *, agency_id: UUID, version_id: UUID) -> Entitlement:
    """What an agency has of a version; rules.entitled() judges it."""
    return read_entitlement(db.scalar(select(func.entitlement_of(agency_id, version_id))))


@dataclass(frozen=True, slots=True)
class LeaveRow:
    """A trial or grant in the list of staff."""

    leave: Leave
    agency: str
    module: str
    slug: str


def leaves(db: Session, *, text: str = "", now: datetime) -> list[LeaveRow]:
    """What is in force or ended within 30 days, what ends first at the top; at most 200. For staff."""
    query = (
        select(Leave, Agency.name, Module.name, Module.slug)
        .join(Agency, Agency.id == Leave.agency_id)
        .join(Module, Module.id == Leave.module_id)
        .where(
            Leave.revoked_at.is_(None),
            or_(Leave.ends_at.is_(None), Leave.ends_at > now - func.make_interval(0, 0, 0, 30)),
        )
        .order_by(Leave.ends_at, Leave.id)
    )
    for word in text.lower().split()[:4]:
        query = query.where(func.lower(Agency.name + " " + Module.name).contains(word, autoescape=True))
    return [LeaveRow(*row) for row in db.execute(query.limit(MOST))]


def installs_of(db: Session, *, agency_id: UUID, module_id: UUID) -> list[UUID]:
    """The agency's installs of a module that serve or could."""
    query = select(Install.id).where(Install.agency_id == agency_id, Install.module_id == module_id)
    return list(db.scalars(query.where(Install.status != "removed")))
