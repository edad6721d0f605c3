"""Reads of installs: lists of an agency and of a site, one install with what its page shows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from semantic_version import Version as Semver
from sqlalchemy import ColumnElement, and_, desc, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from app.accounts.models import User
from app.installs.models import Install, MemberRole, Move
from app.lib.ids import encode
from app.modules.models import Module, Version
from app.tenancy.models import Membership, Site

PER_PAGE = 25
SORTS = {
    "module": (func.lower(Module.name), Install.id),
    "-module": (desc(func.lower(Module.name)), Install.id),
    "site": (func.lower(Site.name), Install.id),
    "-site": (desc(func.lower(Site.name)), Install.id),
    "installed_at": (Install.installed_at, Install.id),
    "-installed_at": (desc(Install.installed_at), Install.id),
}
STATUSES = ("active", "provisioning", "failed", "paused", "removing")


@dataclass(frozen=True, slots=True)
class InstallRow:
    """An install as lists show it. latest: the version one could upgrade to, None when this is it."""

    id: UUID
    status: str
    installed_at: datetime
    module_name: str
    module_slug: str
    module_icon: str
    site_id: UUID
    site_name: str
    version: str
    latest: str | None

    @property
    def public_id(self) -> str:
        return encode("ins", self.id)

    @property
    def site_public_id(self) -> str:
        return encode("ste", self.site_id)


@dataclass(frozen=True, slots=True)
class InstallPage:
    """One page of installs. number and pages count from 1."""

    items: list[InstallRow]
    total: int
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def installs(
    db: Session,
    *,
    text: str = "",
    statuses: list[str] | None = None,
    site_id: UUID | None = None,
    removed: bool = False,
    sort: str = "site",
    page: int = 1,
) -> InstallPage:
    """The agency's installs. text: words of module or site. removed: those whose data can still be brought back."""
    conditions = _conditions(text, statuses, site_id, removed)
    total = db.scalar(_joined(select(func.count())).where(*conditions)) or 0
    newest = aliased(Version)
    latest = select(newest.version).where(newest.id == Module.latest_version_id).scalar_subquery()
    columns = select(
        Install.id,
        Install.status,
        Install.installed_at,
        Module.name,
        Module.slug,
        Module.icon,
        Site.id,
        Site.name,
        Version.version,
        latest,
    )
    query = _joined(columns).where(*conditions).order_by(*SORTS[sort]).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    rows = [_row(tuple(row)) for row in db.execute(query)]
    return InstallPage(rows, total, page)


def install_with_parts(db: Session, *, install_id: UUID) -> Install | None:
    """One install with its module, version and site loaded."""
    return db.scalar(
        select(Install)
        .where(Install.id == install_id)
        .options(joinedload(Install.module), joinedload(Install.version), joinedload(Install.site))
    )


def installed_modules(db: Session, *, site_id: UUID) -> list[tuple[str, str]]:
    """(slug, name) of the modules a site has, by name."""
    query = select(Module.slug, Module.name).join(Install, Install.module_id == Module.id)
    rows = db.execute(query.where(Install.site_id == site_id, Install.status != "removed").order_by(Module.name))
    return [(row[0], row[1]) for row in rows]


def people_of(db: Session, *, agency_id: UUID) -> list[tuple[str, str]]:
    """(user id, name) of the agency's members, by name."""
    query = select(User.id, User.name).join(Membership, Membership.user_id == User.id)
    rows = db.execute(query.where(Membership.agency_id == agency_id).order_by(func.lower(User.name)))
    return [(str(row[0]), row[1]) for row in rows]


def _joined(query: Any) -> Any:
    return (
        query.select_from(Install)
        .join(Module, Module.id == Install.module_id)
        .join(Version, Version.id == Install.version_id)
        .join(Site, Site.id == Install.site_id)
    )


def _conditions(
    text: str, statuses: list[str] | None, site_id: UUID | None, removed: bool
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if removed:
        found += [Install.status == "removed", Install.purge_after > func.now()]
    else:
        found.append(Install.status != "removed")
    if statuses:
        found.append(Install.status.in_(statuses))
    if site_id is not None:
        found.append(Install.site_id == site_id)
    for word in text.lower().split()[:6]:
        found.append(
            or_(
                func.lower(Module.name).contains(word, autoescape=True),
                func.lower(Site.name).contains(word, autoescape=True),
            )
        )
    return found


def _row(row: tuple[Any, ...]) -> InstallRow:
    found = InstallRow(*row)
    above = found.latest is not None and Semver(found.latest) > Semver(found.version)
    return found if above else replace(found, latest=None)


def roles_of(db: Session, *, install: Install) -> list[tuple[str, str, str, str]]:
    """(public user id, name, agency role, role in the module or "") of every member, by name."""
    query = (
        select(User.id, User.name, Membership.role, MemberRole.role)
        .join(Membership, Membership.user_id == User.id)
        .outerjoin(MemberRole, and_(MemberRole.user_id == User.id, MemberRole.install_id == install.id))
        .where(Membership.agency_id == install.agency_id)
        .order_by(func.lower(User.name))
    )
    return [(encode("usr", row[0]), row[1], row[2], row[3] or "") for row in db.execute(query)]


def live_sites(db: Session, *, limit: int = 500) -> list[Site]:
    """The agency's sites that are not archived, by name."""
    return list(db.scalars(select(Site).where(Site.archived_at.is_(None)).order_by(func.lower(Site.name)).limit(limit)))


def moves_of(db: Session, *, install: Install, limit: int = 50) -> list[Move]:
    """The moves of an install between versions, the latest first, with both versions."""
    found = select(Move).where(Move.agency_id == install.agency_id, Move.install_id == install.id)
    found = found.options(joinedload(Move.before), joinedload(Move.after))
    return list(db.scalars(found.order_by(Move.id.desc()).limit(limit)))


def ordered_move(db: Session, *, install: Install) -> Move | None:
    """The move whose job is not over."""
    found = select(Move).where(Move.agency_id == install.agency_id, Move.install_id == install.id)
    return db.scalar(found.where(Move.state == "ordered").order_by(Move.id.desc()).limit(1))


def move_to_undo(db: Session, *, install: Install) -> Move | None:
    """The upgrade that led to the version the install has now; None when it came to it otherwise."""
    found = select(Move).where(Move.agency_id == install.agency_id, Move.install_id == install.id)
    found = found.where(
        Move.kind == "upgrade",
        Move.state.in_(("watching", "settled", "unhealthy")),
        Move.to_version_id == install.version_id,
    ).options(joinedload(Move.before))
    return db.scalar(found.order_by(Move.id.desc()).limit(1))
