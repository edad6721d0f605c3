"""Which of the agency's sites have a module already."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.installs.models import Install
from app.lib.ids import encode
from app.modules.models import Version
from app.tenancy.models import Site


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """A site one could install on. install_id: of the module there already, None when it is free."""

    id: UUID
    name: str
    url: str
    install_id: UUID | None
    version: str | None

    @property
    def public_id(self) -> str:
        return encode("ste", self.id)

    @property
    def install_public_id(self) -> str:
        return encode("ins", self.install_id) if self.install_id else ""


def sites_with_module(db: Session, *, module_id: UUID, limit: int = 500) -> list[SiteChoice]:
    """The agency's live sites by name, each with its install of the module if it has one."""
    query = (
        select(Site.id, Site.name, Site.url, Install.id.label("install_id"), Version.version)
        .outerjoin(
            Install, and_(Install.site_id == Site.id, Install.module_id == module_id, Install.status != "removed")
        )
        .outerjoin(Version, Version.id == Install.version_id)
        .where(Site.archived_at.is_(None))
        .order_by(func.lower(Site.name), Site.id)
        .limit(limit)
    )
    return [SiteChoice(*row) for row in db.execute(query)]
