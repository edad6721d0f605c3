"""Who has a version that is withdrawn, and telling them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.installs.models import Install
from app.lib.ids import encode
from app.modules.models import Module, Version
from app.studio.letters import tell_withdrawn
from app.tenancy.models import Site

MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Use:
    """own: (site, public id of the install) of the agency itself; agencies and sites: how many others have it."""

    own: list[tuple[str, str]]
    agencies: int
    sites: int


def use_of(db: Session, *, version: Version) -> Use:
    """Who has a version, as its publisher may know it: own sites by name, others as numbers."""
    query = select(Site.name, Install.id).join(Install, Install.site_id == Site.id)
    rows = db.execute(
        query.where(
            Install.version_id == version.id, Install.status != "removed", Install.agency_id == version.agency_id
        )
        .order_by(Site.name)
        .limit(MOST_NAMED)
    )
    others = db.execute(select(func.version_use(version.id).table_valued("agencies", "sites"))).one()
    return Use([(name, encode("ins", install_id)) for name, install_id in rows], others[0], others[1])


def tell(version_id: str) -> None:
    """studio.tell_withdrawn: a letter to the owners of each agency that has the version on a site."""
    with platform_scope("who has a version that was withdrawn"), transaction(flask_db.session()) as db:
        version = db.get(Version, UUID(version_id))
        if version is None or version.status != "yanked":
            return
        module = db.get_one(Module, version.module_id)
        offered = db.get(Version, version.offered_version_id) if version.offered_version_id else None
        places: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
        query = select(Install.agency_id, Site.name, Install.id).join(Site, Site.id == Install.site_id)
        for agency_id, site, install_id in db.execute(
            query.where(Install.version_id == version.id, Install.status != "removed").order_by(Site.name)
        ):
            places[agency_id].append((site, encode("ins", install_id)))
        for agency_id, found in places.items():
            tell_withdrawn(db, agency_id=agency_id, version=version, module=module, offered=offered, places=found)
