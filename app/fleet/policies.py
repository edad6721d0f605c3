"""Which versions a site takes by itself: the agency's choice, and a site's over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Invalid
from app.events.catalog import FLEET_POLICY_CHANGED
from app.events.outbox import publish
from app.fleet.models import Policy
from app.lib.ids import encode
from app.tenancy.models import Agency, Client, Site

Mode = Literal["off", "patch", "minor"]
MODES = ("off", "patch", "minor")
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """A site and what it takes by itself. mode: its own choice, None as the agency says."""

    site_id: UUID
    name: str
    client_name: str
    mode: str | None
    internal: bool

    @property
    def public_id(self) -> str:
        return encode("ste", self.site_id)


def agency_mode(db: Session, *, agency_id: UUID) -> str:
    """What sites without a choice of their own take; off unless somebody chose."""
    query = select(Policy.mode).where(Policy.agency_id == agency_id, Policy.site_id.is_(None))
    return db.scalar(query) or "off"


def site_policies(
    db: Session, *, agency_id: UUID, words: str = "", after: tuple[str, UUID] | None = None
) -> tuple[list[SitePolicy], tuple[str, UUID] | None]:
    """Sites by name with their choices, and where the next page begins. One statement."""
    key = func.lower(Site.name)
    query = (
        select(Site.id, Site.name, Client.name, Policy.mode, func.coalesce(Policy.internal, False), key)
        .join(Client, Client.id == Site.client_id)
        .outerjoin(Policy, and_(Policy.agency_id == Site.agency_id, Policy.site_id == Site.id))
        .where(Site.agency_id == agency_id, Site.archived_at.is_(None))
    )
    if words:
        query = query.where(key.contains(words.lower(), autoescape=True))
    if after is not None:
        query = query.where(func.row(key, Site.id) > func.row(after[0], after[1]))
    rows = db.execute(query.order_by(key, Site.id).limit(PER_PAGE + 1)).all()
    shown = [SitePolicy(*row[:5]) for row in rows[:PER_PAGE]]
    return shown, (rows[PER_PAGE - 1][5], rows[PER_PAGE - 1][0]) if len(rows) > PER_PAGE else None


def set_agency_mode(db: Session, *, agency: Agency, mode: str, by: Actor) -> None:
    """What sites without a choice of their own take by themselves. Raises Invalid."""
    if mode not in MODES:
        raise Invalid.field("mode", "Choose off, patch or minor.", "unknown_mode")
    kept = db.scalar(select(Policy).where(Policy.agency_id == agency.id, Policy.site_id.is_(None)))
    before = kept.mode if kept else "off"
    if kept is None:
        db.add(Policy(agency_id=agency.id, site_id=None, mode=mode))
    else:
        kept.mode = mode
    if before != mode:
        _tell(db, agency.id, agency.public_id, agency.name, {"mode": mode}, {"mode": [before, mode]}, by=by)


def set_site_policy(db: Session, *, site: Site, mode: str | None, internal: bool, by: Actor) -> None:
    """What one site takes by itself, None as the agency says, and whether it is among the first. Raises Invalid."""
    if mode is not None and mode not in MODES:
        raise Invalid.field("mode", "Choose off, patch, minor, or as the agency says.", "unknown_mode")
    kept = db.scalar(select(Policy).where(Policy.agency_id == site.agency_id, Policy.site_id == site.id))
    before = (kept.mode, kept.internal) if kept else (None, False)
    if kept is None:
        db.add(Policy(agency_id=site.agency_id, site_id=site.id, mode=mode, internal=internal))
    else:
        kept.mode, kept.internal = mode, internal
    if before != (mode, internal):
        changes = {"mode": [before[0], mode], "internal": [before[1], internal]}
        data = {"site": site.public_id, "mode": mode or "as the agency says", "internal": internal}
        _tell(db, site.agency_id, site.public_id, site.name, data, changes, by=by)


def _tell(
    db: Session,
    agency_id: UUID,
    target: str,
    name: str,
    data: dict[str, object],
    changes: dict[str, object],
    *,
    by: Actor,
) -> None:
    publish(
        db,
        FLEET_POLICY_CHANGED,
        by=by,
        agency_id=agency_id,
        target=target,
        target_name=name,
        data=data,
        changes=changes,
    )
