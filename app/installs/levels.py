"""Reads of the levels above installs: what an agency and its clients give to a module's installs, and whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, desc, func, or_, select
from sqlalchemy.orm import Session

from app.installs.inheritance import Level, site_level
from app.installs.models import Install, ModuleSettings
from app.lib.ids import encode
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.modules.queries import latest_published
from app.tenancy.models import Client, Site


@dataclass(frozen=True, slots=True)
class Concerned:
    """An install that a level is above of, with what it gives by itself."""

    id: UUID
    site_id: UUID
    site_name: str
    client_id: UUID
    version_id: UUID
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]

    @property
    def public_id(self) -> str:
        return encode("ins", self.id)

    @property
    def level(self) -> Level:
        """What it says as a level."""
        return Level("site", self.id, self.settings, self.secrets)


@dataclass(frozen=True, slots=True)
class ClientLevel:
    """A client with installs of a module. given, locked: how many settings it gives and locks; installs: how many."""

    id: UUID
    name: str
    installs: int
    given: int
    locked: int

    @property
    def public_id(self) -> str:
        return encode("cli", self.id)


def level_of(row: ModuleSettings) -> Level:
    """A kept level as the rule reads it."""
    return Level("agency" if row.client_id is None else "client", row.id, row.settings, row.secrets, row.locks)


def levels_above(db: Session, *, agency_id: UUID, client_id: UUID | None, module_id: UUID) -> list[Level]:
    """The agency's level and the client's, as far as they are there, the agency's first. Without a client its alone."""
    query = select(ModuleSettings).where(ModuleSettings.agency_id == agency_id, ModuleSettings.module_id == module_id)
    of_client: ColumnElement[bool] = ModuleSettings.client_id.is_(None)
    if client_id is not None:
        of_client = or_(of_client, ModuleSettings.client_id == client_id)
    rows = db.scalars(query.where(of_client).order_by(ModuleSettings.client_id.asc().nulls_first()))
    return [level_of(row) for row in rows]


def levels_of_site(db: Session, *, site: Site, module_id: UUID) -> list[Level]:
    """The levels above the installs of a site."""
    return levels_above(db, agency_id=site.agency_id, client_id=site.client_id, module_id=module_id)


def own_levels(db: Session, *, install: Install) -> list[Level]:
    """Every level of one install, its own last."""
    above = levels_of_site(db, site=db.get_one(Site, install.site_id), module_id=install.module_id)
    return [*above, site_level(install.id, install.settings, install.secrets)]


def kept_level(
    db: Session, *, agency_id: UUID, client_id: UUID | None, module_id: UUID, lock: bool = False
) -> ModuleSettings | None:
    """The row of one level; None while it gives nothing. lock: nobody else changes it until the transaction ends."""
    query = select(ModuleSettings).where(
        ModuleSettings.agency_id == agency_id,
        ModuleSettings.module_id == module_id,
        ModuleSettings.client_id.is_(None) if client_id is None else ModuleSettings.client_id == client_id,
    )
    return db.scalar(query.with_for_update() if lock else query)


def client_levels(db: Session, *, agency_id: UUID, module_id: UUID) -> dict[UUID, Level]:
    """The level of each client that has one."""
    rows = db.scalars(
        select(ModuleSettings).where(
            ModuleSettings.agency_id == agency_id,
            ModuleSettings.module_id == module_id,
            ModuleSettings.client_id.is_not(None),
        )
    )
    return {row.client_id: level_of(row) for row in rows if row.client_id is not None}


def concerned(db: Session, *, agency_id: UUID, module_id: UUID, client_id: UUID | None = None) -> list[Concerned]:
    """The installs of a module, of one client or of all, by site; those that are gone or going are not among them."""
    query = (
        select(
            Install.id,
            Install.site_id,
            Site.name,
            Site.client_id,
            Install.version_id,
            Install.settings,
            Install.secrets,
        )
        .join(Site, Site.id == Install.site_id)
        .where(
            Install.agency_id == agency_id,
            Install.module_id == module_id,
            Install.status.not_in(("removed", "removing")),
        )
        .order_by(func.lower(Site.name), Install.id)
    )
    if client_id is not None:
        query = query.where(Site.client_id == client_id)
    return [Concerned(*row) for row in db.execute(query)]


def clients_with(db: Session, *, agency_id: UUID, module_id: UUID) -> list[ClientLevel]:
    """The clients with installs of a module, by name, with how much each gives by itself. Two statements."""
    query = (
        select(Client.id, Client.name, func.count(Install.id).label("installs"))
        .join(Site, Site.client_id == Client.id)
        .join(Install, Install.site_id == Site.id)
        .where(
            Client.agency_id == agency_id,
            Install.module_id == module_id,
            Install.status.not_in(("removed", "removing")),
        )
        .group_by(Client.id)
        .order_by(func.lower(Client.name), Client.id)
    )
    levels = client_levels(db, agency_id=agency_id, module_id=module_id)
    found = []
    for row in db.execute(query):
        level = levels.get(row.id)
        given, locked = (len(level.settings) + len(level.sealed), len(level.locks)) if level else (0, 0)
        found.append(ClientLevel(row.id, row.name, row.installs, given, locked))
    return found


def manifests(db: Session, *, version_ids: set[UUID]) -> dict[UUID, Manifest]:
    """What each of these versions is."""
    rows = db.execute(select(Version.id, Version.manifest).where(Version.id.in_(version_ids)))
    return {row.id: Manifest.from_dict(row.manifest) for row in rows}


def version_for_levels(db: Session, *, module_id: UUID) -> Version | None:
    """The version whose settings the levels are filled in by: the latest published, else the highest that is installed."""
    highest = (
        select(Version)
        .join(Install, Install.version_id == Version.id)
        .where(Version.module_id == module_id, Install.status != "removed")
        .order_by(desc(Version.major), desc(Version.minor), desc(Version.patch))
        .limit(1)
    )
    return latest_published(db, module_id=module_id) or db.scalar(highest)
