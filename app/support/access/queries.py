"""Reads of support access."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.support.access.models import SupportAccess, SupportSwitch
from app.tenancy.models import Agency

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """An agency as staff finds it: its name and what it lets support do; nothing of what it keeps. open: accesses under way."""

    agency: Agency
    mode: str
    open: int


@dataclass(frozen=True, slots=True)
class Agencies:
    rows: list[AgencyRow]
    more: bool


def mode_of(db: Session, *, agency_id: UUID) -> str:
    """allow, ask or refuse."""
    switch = db.get(SupportSwitch, agency_id)
    return switch.mode if switch else "ask"


def accesses_of(db: Session, *, agency_id: UUID, limit: int = PAGE_ROWS) -> list[SupportAccess]:
    """Those of an agency, newest first."""
    found = select(SupportAccess).where(SupportAccess.agency_id == agency_id)
    return list(db.scalars(found.order_by(SupportAccess.id.desc()).limit(limit)))


def accesses_by(db: Session, *, staff_id: UUID, now: datetime) -> list[tuple[SupportAccess, Agency]]:
    """(access, agency) of what one of the staff waits for or may look at now. Needs platform_scope()."""
    found = (
        select(SupportAccess, Agency)
        .join(Agency, Agency.id == SupportAccess.agency_id)
        .where(
            SupportAccess.staff_id == staff_id,
            or_(SupportAccess.status == "asked", (SupportAccess.status == "active") & (SupportAccess.expires_at > now)),
        )
        .order_by(SupportAccess.id.desc())
        .limit(PAGE_ROWS)
    )
    return [(access, agency) for access, agency in db.execute(found)]


def leaves_of(db: Session, *, staff_id: UUID, now: datetime) -> dict[UUID, SupportAccess]:
    """{agency: the leave} of the agencies that one of the staff may look at now. Needs platform_scope()."""
    found = select(SupportAccess).where(
        SupportAccess.staff_id == staff_id, SupportAccess.status == "active", SupportAccess.expires_at > now,
        func.coalesce(select(SupportSwitch.mode).where(SupportSwitch.agency_id == SupportAccess.agency_id).scalar_subquery(), "ask")
        != "refuse",
    )  # fmt: skip
    return {access.agency_id: access for access in db.scalars(found)}


def agencies(db: Session, *, words: str, page: int, now: datetime) -> Agencies:
    """50 agencies by name. words: part of the name, the short name or the whole public id. Needs platform_scope()."""
    under_way = (
        select(func.count())
        .where(SupportAccess.agency_id == Agency.id, SupportAccess.status == "active", SupportAccess.expires_at > now)
        .scalar_subquery()
    )
    found = select(Agency, func.coalesce(SupportSwitch.mode, "ask"), under_way).outerjoin(
        SupportSwitch, SupportSwitch.agency_id == Agency.id
    )
    if words:
        found = found.where(
            or_(Agency.name.icontains(words, autoescape=True), Agency.slug.icontains(words, autoescape=True))
        )
    found = found.order_by(func.lower(Agency.name), Agency.id).offset((page - 1) * PAGE_ROWS).limit(PAGE_ROWS + 1)
    rows = [AgencyRow(agency, mode, number) for agency, mode, number in db.execute(found)]
    return Agencies(rows[:PAGE_ROWS], len(rows) > PAGE_ROWS)
