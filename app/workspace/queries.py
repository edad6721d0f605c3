"""What the screens need besides records: people of the agency with their role in the module, installs with records."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.installs.models import Install, MemberRole
from app.lib.ids import encode
from app.modules.models import Module, Version
from app.tenancy.models import Membership, Site

MOST_PEOPLE = 2000


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of the agency. module_role: the role in the install that was asked about."""

    id: UUID
    name: str
    email: str
    module_role: str | None


@dataclass(frozen=True, slots=True)
class DataPlace:
    """An install with records, for the sidebar."""

    id: UUID
    module_name: str
    icon: str
    site_name: str

    @property
    def public_id(self) -> str:
        return encode("ins", self.id)


def colleagues(db: Session, *, agency_id: UUID, install_id: UUID) -> list[Colleague]:
    """The agency's people by name, with their role inside one install. At most 2,000."""
    mine = and_(MemberRole.user_id == Membership.user_id, MemberRole.install_id == install_id)
    statement = (
        select(User.id, User.name, User.email, MemberRole.role)
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(MemberRole, mine)
        .where(Membership.agency_id == agency_id)
        .order_by(func.lower(User.name), User.id)
        .limit(MOST_PEOPLE)
    )
    return [Colleague(row[0], row[1], row[2], row[3]) for row in db.execute(statement)]


def data_places(db: Session, *, agency_id: UUID, limit: int = 9) -> list[DataPlace]:
    """Installs that serve and have tables, by module and site."""
    statement = (
        select(Install.id, Module.name, Module.icon, Site.name)
        .join(Module, Module.id == Install.module_id)
        .join(Version, Version.id == Install.version_id)
        .join(Site, Site.id == Install.site_id)
        .where(
            Install.agency_id == agency_id,
            Install.status == "active",
            Site.archived_at.is_(None),
            func.coalesce(Version.manifest["tables"].astext, "{}") != "{}",
        )
        .order_by(func.lower(Module.name), func.lower(Site.name), Install.id)
        .limit(limit)
    )
    return [DataPlace(row[0], row[1], row[2], row[3]) for row in db.execute(statement)]
