"""Reads of the fleet: sites by modules with version, health and drift; what there is to filter by. One statement each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.installs.models import Install
from app.lib.ids import encode
from app.lib.sql import load_sql
from app.modules.models import Module
from app.tenancy.models import Client, Site

PAGE_SITES = 25
MOST = 2000  # installs that one selection may hold
HEALTH = ("ok", "stuck", "failing", "paused", "watching", "not_set_up")
DRIFT = ("behind", "major_behind", "settings", "yanked")
LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """An install as the fleet shows it. latest: of the module, None where nothing is published. drift: words of DRIFT."""

    id: UUID
    site_id: UUID
    site_name: str
    client_id: UUID
    client_name: str
    module_id: UUID
    module_slug: str
    module_name: str
    module_icon: str
    version: str
    latest: str | None
    status: str
    task: str
    failure: str
    changed_at: datetime
    health: str
    drift: tuple[str, ...]

    @property
    def public_id(self) -> str:
        return encode("ins", self.id)


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One site with its cells, by module."""

    id: UUID
    name: str
    client_name: str
    cells: dict[UUID, Cell]

    @property
    def public_id(self) -> str:
        return encode("ste", self.id)


@dataclass(frozen=True, slots=True)
class Column:
    """A module of the fleet. installs: how many of the agency's sites have it."""

    id: UUID
    slug: str
    name: str
    icon: str
    installs: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show; empty means all."""

    words: str = ""
    clients: tuple[UUID, ...] = ()
    modules: tuple[UUID, ...] = ()
    installs: tuple[UUID, ...] = ()
    health: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetPage:
    """rows: of the page, by site. total, sites: installs and sites of all pages. after: (key, id) of the last row when
    there are more.
    """

    rows: list[SiteRow]
    total: int
    sites: int
    after: tuple[str, UUID] | None = None
    cells: list[Cell] = field(default_factory=list)


def fleet_page(
    db: Session,
    *,
    agency_id: UUID,
    wanted: Wanted,
    now: datetime,
    after: tuple[str, UUID] | None = None,
    limit: int = PAGE_SITES,
) -> FleetPage:
    """A page of sites that have something of what is wanted, with just that. One statement."""
    rows = db.execute(
        text(load_sql("fleet/cells")),
        {
            "agency": agency_id,
            "since": now - LATELY,
            "words": wanted.words,
            "clients": list(wanted.clients) or None,
            "modules": list(wanted.modules) or None,
            "installs": list(wanted.installs) or None,
            "health": list(wanted.health) or None,
            "drift": list(wanted.drift) or None,
            "after_key": after[0] if after else None,
            "after_id": after[1] if after else None,
            "limit": limit + 1,
        },
    ).all()
    found: dict[UUID, SiteRow] = {}
    keys: dict[UUID, str] = {}
    for row in rows:
        cell = _cell(row)
        keys[cell.site_id] = row.site_key
        site = found.setdefault(cell.site_id, SiteRow(cell.site_id, cell.site_name, cell.client_name, {}))
        site.cells[cell.module_id] = cell
    shown = list(found.values())[:limit]
    more = len(found) > limit
    last = (keys[shown[-1].id], shown[-1].id) if more else None
    cells = [cell for site in shown for cell in site.cells.values()]
    return FleetPage(shown, rows[0].total if rows else 0, rows[0].sites if rows else 0, last, cells)


def all_cells(db: Session, *, agency_id: UUID, wanted: Wanted, now: datetime) -> list[Cell]:
    """Every install that is wanted, by site, at most MOST sites."""
    return fleet_page(db, agency_id=agency_id, wanted=wanted, now=now, limit=MOST).cells


def chosen_cells(db: Session, *, agency_id: UUID, installs: tuple[UUID, ...], now: datetime) -> list[Cell]:
    """The installs of a selection, by site; [] for an empty one."""
    return all_cells(db, agency_id=agency_id, wanted=Wanted(installs=installs), now=now) if installs else []


def columns(db: Session, *, agency_id: UUID) -> list[Column]:
    """The modules of the fleet, by name."""
    query = (
        select(Module.id, Module.slug, Module.name, Module.icon, func.count(Install.id))
        .join(Install, Install.module_id == Module.id)
        .join(Site, Site.id == Install.site_id)
        .where(Install.agency_id == agency_id, Install.status != "removed", Site.archived_at.is_(None))
        .group_by(Module.id)
        .order_by(func.lower(Module.name), Module.id)
    )
    return [Column(*row) for row in db.execute(query)]


def clients_with_installs(db: Session, *, agency_id: UUID) -> list[tuple[str, str, int]]:
    """(public id, name, how many installs) of each client that has any, by name."""
    query = (
        select(Client.id, Client.name, func.count(Install.id))
        .join(Site, Site.client_id == Client.id)
        .join(Install, Install.site_id == Site.id)
        .where(Client.agency_id == agency_id, Install.status != "removed", Site.archived_at.is_(None))
        .group_by(Client.id)
        .order_by(func.lower(Client.name), Client.id)
    )
    return [(encode("cli", row[0]), row[1], row[2]) for row in db.execute(query)]


def _cell(row: Any) -> Cell:
    values = {name: getattr(row, name) for name in Cell.__dataclass_fields__}
    return Cell(**{**values, "drift": tuple(row.drift)})


def narrowed(wanted: Wanted, *, module_id: UUID) -> Wanted:
    """The same of one module alone."""
    return replace(wanted, modules=(module_id,))
