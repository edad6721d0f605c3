"""Reads of rollouts: the agency's list, one with its rings and sites, and a release's figures for its publisher."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select, text
from sqlalchemy.orm import Session

from app.fleet.models import Rollout, RolloutSite
from app.fleet.rings import RINGS
from app.installs.models import Install
from app.lib.ids import encode
from app.modules.models import Module, Version
from app.tenancy.models import Site

PER_PAGE = 25
PER_ROLLOUT = 100


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """A rollout as lists show it. sites, healthy: how many it goes to, and how many have passed their watch."""

    rollout: Rollout
    module_name: str
    module_slug: str
    module_icon: str
    version: str
    sites: int
    healthy: int


@dataclass(frozen=True, slots=True)
class SiteState:
    """One site of a rollout."""

    install_id: UUID
    site_name: str
    ring: str
    state: str
    detail: str
    changed_at: datetime

    @property
    def public_id(self) -> str:
        return encode("ins", self.install_id)


@dataclass(frozen=True, slots=True)
class Ring:
    """A ring in figures. states: {state: sites}."""

    name: str
    states: dict[str, int]

    @property
    def sites(self) -> int:
        return sum(self.states.values())


def rollouts_page(db: Session, *, agency_id: UUID, before: UUID | None = None) -> tuple[list[RolloutRow], UUID | None]:
    """The agency's rollouts, newest first, and where the next page begins. One statement."""
    query = _rows(agency_id)
    if before is not None:
        query = query.where(Rollout.id < before)
    rows = [RolloutRow(*row) for row in db.execute(query.order_by(Rollout.id.desc()).limit(PER_PAGE + 1))]
    return rows[:PER_PAGE], rows[PER_PAGE - 1].rollout.id if len(rows) > PER_PAGE else None


def rollout_row(db: Session, *, rollout: Rollout) -> RolloutRow:
    """One rollout with its names and figures."""
    return RolloutRow(*db.execute(_rows(rollout.agency_id).where(Rollout.id == rollout.id)).one())


def _rows(agency_id: UUID):  # type: ignore[no-untyped-def]  # a select of seven columns
    counted = (
        select(func.count().label("sites"), func.count().filter(RolloutSite.state == "healthy").label("healthy"))
        .where(RolloutSite.agency_id == Rollout.agency_id, RolloutSite.rollout_id == Rollout.id)
        .lateral()
    )
    return (
        select(Rollout, Module.name, Module.slug, Module.icon, Version.version, counted.c.sites, counted.c.healthy)
        .join(Module, Module.id == Rollout.module_id)
        .join(Version, Version.id == Rollout.version_id)
        .where(Rollout.agency_id == agency_id)
    )


def rings(db: Session, *, rollout: Rollout) -> list[Ring]:
    """The three rings in their order, empty ones too."""
    rows = db.execute(
        select(RolloutSite.ring, RolloutSite.state, func.count())
        .where(RolloutSite.agency_id == rollout.agency_id, RolloutSite.rollout_id == rollout.id)
        .group_by(RolloutSite.ring, RolloutSite.state)
    ).all()
    return [Ring(name, {state: number for ring, state, number in rows if ring == name}) for name in RINGS]


def sites_of(db: Session, *, rollout: Rollout, after: UUID | None = None) -> tuple[list[SiteState], UUID | None]:
    """The sites of a rollout, those that are not well on every first page before the others, and where the next begins."""
    query = (
        select(
            RolloutSite.install_id, Site.name, RolloutSite.ring, RolloutSite.state, RolloutSite.detail,
            RolloutSite.changed_at,
        )
        .join(Install, and_(Install.agency_id == RolloutSite.agency_id, Install.id == RolloutSite.install_id))
        .join(Site, Site.id == Install.site_id)
        .where(RolloutSite.agency_id == rollout.agency_id, RolloutSite.rollout_id == rollout.id)
    )  # fmt: skip
    unwell = [] if after else [SiteState(*row) for row in db.execute(query.where(RolloutSite.state == "unhealthy"))]
    query = query.where(RolloutSite.state != "unhealthy")
    if after is not None:
        query = query.where(RolloutSite.install_id > after)
    rows = [SiteState(*row) for row in db.execute(query.order_by(RolloutSite.install_id).limit(PER_ROLLOUT + 1))]
    more = rows[PER_ROLLOUT - 1].install_id if len(rows) > PER_ROLLOUT else None
    return [*unwell, *rows[:PER_ROLLOUT]], more


def release_rings(db: Session, *, version_id: UUID) -> tuple[list[Ring], int]:
    """A release over all agencies, for its publisher alone: figures by ring, and in how many agencies at most per figure."""
    rows = db.execute(
        text("SELECT ring, state, sites, agencies FROM release_figures(:version)"), {"version": version_id}
    )
    found = rows.all()
    agencies = max((row.agencies for row in found), default=0)
    return [Ring(name, {row.state: row.sites for row in found if row.ring == name}) for name in RINGS], agencies
