"""Reads for the domain screens. Each function is one statement, two with a total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, func, literal_column, select
from sqlalchemy.orm import Session

from app.domains.models import Domain
from app.installs.models import Install
from app.lib.ids import encode
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.tenancy.models import Site
from app.tenancy.queries import PAGE_ROWS, Listing

STATES = ("all", "verified", "pending", "failing", "lost")


@dataclass(frozen=True, slots=True)
class DomainRow:
    """A domain as lists show it. site_name None: the platform's own screens."""

    domain: Domain
    site_name: str | None

    @property
    def public_id(self) -> str:
        return self.domain.public_id

    @property
    def site_public_id(self) -> str | None:
        return encode("ste", self.domain.site_id) if self.domain.site_id else None


@dataclass(frozen=True, slots=True)
class Standable:
    """A module's page that may stand at a domain of its site."""

    install_id: UUID
    page: str
    module: str
    title: str

    @property
    def value(self) -> str:
        return f"{encode('ins', self.install_id)}/{self.page}"


def domains(
    db: Session, *, agency_id: UUID, site_id: UUID | None = None, search: str = "", state: str = "all", page: int = 1
) -> Listing:
    """A page of an agency's domains by name, or of one site's. search: anywhere in the name; state: one of STATES."""
    query: Any = select(Domain, Site.name).outerjoin(Site, Site.id == Domain.site_id)
    query = query.where(Domain.agency_id == agency_id)
    if site_id is not None:
        query = query.where(Domain.site_id == site_id)
    if state != "all":
        query = query.where(Domain.state == state)
    if search:
        query = query.where(func.strpos(Domain.host, search.lower()) > 0)
    total = literal_column("count(*) OVER ()", Integer)
    rows = db.execute(
        query.add_columns(total).order_by(Domain.host, Domain.id).limit(PAGE_ROWS).offset((page - 1) * PAGE_ROWS)
    ).all()
    return Listing([DomainRow(row[0], row[1]) for row in rows], rows[0][2] if rows else 0, page)


def domain_row(db: Session, *, domain: Domain) -> DomainRow:
    """One domain with the name of its site."""
    name = db.scalar(select(Site.name).where(Site.id == domain.site_id)) if domain.site_id else None
    return DomainRow(domain, name)


def standable(db: Session, *, site_id: UUID) -> list[Standable]:
    """The pages and forms of the modules on a site, by module."""
    query = (
        select(Install.id, Module.name, Version.manifest)
        .join(Module, Module.id == Install.module_id)
        .join(Version, Version.id == Install.version_id)
        .where(Install.site_id == site_id, Install.status.in_(("active", "paused", "provisioning")))
        .order_by(Module.name, Install.id)
    )
    return [
        Standable(install_id, name, module, page.title or name)
        for install_id, module, manifest in db.execute(query)
        for name, page in Manifest.from_dict(manifest).pages.items()
        if page.kind in ("page", "form")
    ]
