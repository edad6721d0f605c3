"""Reads for automations: lists, runs, and what steps can name."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.automations.models import Automation, Run, State
from app.events.models import Event
from app.modules.manifest import Manifest
from app.tenancy.models import Site
from app.webhooks.models import Webhook

MOST = 100  # automations of an agency
RUNS = 50
PAST = 20  # events offered for a trial
_MANIFEST = text(
    "SELECT v.manifest FROM modules_v2 i JOIN module_versions v ON v.id = i.version_id WHERE i.id = :install"
)
_INSTALLS = text(
    """
    SELECT i.id, m.name AS module, s.name AS site, i.site_id, v.manifest, s.currency, s.time_zone, s.locale FROM modules_v2 i
    JOIN module_source m ON m.id = i.module_id JOIN module_versions v ON v.id = i.version_id JOIN sites s ON s.id = i.site_id
    WHERE i.agency_id = :agency AND i.status NOT IN ('removed', 'removing') ORDER BY m.name, s.name, i.id
    """
)


@dataclass(frozen=True, slots=True)
class Row:
    """An automation as the list shows it. last: its newest run's moment, status; None when there is none."""

    automation: Automation
    site_name: str | None
    runs: int
    failed: int

    @property
    def public_id(self) -> str:
        return self.automation.public_id


@dataclass(frozen=True, slots=True)
class Place:
    """An install that steps can act on, with what amounts and times of its site mean."""

    id: UUID
    module: str
    site: str
    site_id: UUID
    manifest: Manifest
    currency: str
    time_zone: str
    locale: str


@dataclass(frozen=True, slots=True)
class Named:
    """What people read for what steps name by id. words: {id: what it is called}; addresses: {id of a webhook: its URL}."""

    words: dict[str, str]
    addresses: dict[str, str]


def automations(db: Session, *, agency_id: UUID) -> list[Row]:
    """The agency's automations by name, at most 100, with the runs that are kept."""
    counted = (
        select(
            Run.automation_id,
            func.count().label("runs"),
            func.count().filter(Run.status == "failed").label("failed"),
        )
        .where(Run.agency_id == agency_id)
        .group_by(Run.automation_id)
        .subquery()
    )
    query = (
        select(Automation, Site.name, func.coalesce(counted.c.runs, 0), func.coalesce(counted.c.failed, 0))
        .outerjoin(Site, Site.id == Automation.site_id)
        .outerjoin(counted, counted.c.automation_id == Automation.id)
        .where(Automation.agency_id == agency_id)
        .order_by(func.lower(Automation.name), Automation.id)
    )
    return [Row(*row) for row in db.execute(query)]


def runs(db: Session, *, automation_id: UUID) -> list[Run]:
    """The newest 50 runs."""
    query = select(Run).where(Run.automation_id == automation_id).order_by(Run.id.desc()).limit(RUNS)
    return list(db.scalars(query))


def last_state(db: Session, *, automation_id: UUID) -> State | None:
    """What it was before its last change, if that is kept."""
    query = select(State).where(State.automation_id == automation_id).order_by(State.revision.desc()).limit(1)
    return db.scalars(query).first()


def past_events(db: Session, automation: Automation) -> list[Event]:
    """The newest events of its type and site, to try it on."""
    query = select(Event).where(Event.agency_id == automation.agency_id, Event.type == automation.event_type)
    if automation.site_id is not None:
        query = query.where(Event.site_id == automation.site_id)
    return list(db.scalars(query.order_by(Event.sequence.desc()).limit(PAST)))


def manifest_of(db: Session, install_id: UUID | None) -> Manifest | None:
    """The manifest of an install's version; None for no install."""
    found = db.execute(_MANIFEST, {"install": install_id}).scalar() if install_id else None
    return Manifest.from_dict(found) if found else None


def places(db: Session, *, agency_id: UUID, site_id: UUID | None) -> list[Place]:
    """The installs of the agency, or of one site."""
    rows = db.execute(_INSTALLS, {"agency": agency_id})
    return [
        Place(
            row.id,
            row.module,
            row.site,
            row.site_id,
            Manifest.from_dict(row.manifest),
            row.currency,
            row.time_zone,
            row.locale,
        )
        for row in rows
        if site_id in (None, row.site_id)
    ]


def webhooks(db: Session, *, agency_id: UUID, site_id: UUID | None) -> list[Webhook]:
    """The endpoints that events of the site, or of the agency, may go to."""
    query = select(Webhook).where(Webhook.agency_id == agency_id)
    if site_id is not None:
        query = query.where(func.coalesce(Webhook.site_id, site_id) == site_id)
    return list(db.scalars(query.order_by(Webhook.url, Webhook.id)))


def named_in_steps(db: Session, *, agency_id: UUID) -> Named:
    """Of every webhook and install of the agency; what is not in it was taken away since."""
    endpoints = webhooks(db, agency_id=agency_id, site_id=None)
    words = {str(one.id): one.description or one.url for one in endpoints}
    words |= {str(one.id): f"{one.module} on {one.site}" for one in places(db, agency_id=agency_id, site_id=None)}
    return Named(words, {str(one.id): one.url for one in endpoints})
