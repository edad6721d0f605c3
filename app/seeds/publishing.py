"""Who acts in the demo world, and how its modules are published and put on sites."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actors import Actor, member
from app.access.permissions import Role
from app.accounts.models import User
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Invalid
from app.installs.actions import install_module
from app.installs.jobs import provision
from app.installs.models import Install
from app.modules.actions import publish_version, set_tier, upload_package
from app.modules.models import Module, Version
from app.modules.package import read_folder
from app.modules.queries import latest_published, module_by_slug
from app.seeds.inbox import Values
from app.seeds.world import AGENCY_OF
from app.tenancy.models import Agency, Membership, Site

NO_SETTINGS: Values = {}


def owner_of(slug: str) -> tuple[UUID, Actor]:
    """An agency's id, and its owner acting."""
    with platform_scope("who owns a demo agency"), transaction(db.session()) as session:
        agency_id, user_id, name = session.execute(
            select(Agency.id, User.id, User.name)
            .join(Membership, Membership.agency_id == Agency.id)
            .join(User, User.id == Membership.user_id)
            .where(Agency.slug == slug, Membership.role == Role.OWNER.value)
        ).one()
    return agency_id, member(user_id=user_id, name=name, agency_id=agency_id, role=Role.OWNER)


def publish(files: list[tuple[str, bytes]], *, slug: str, now: datetime) -> None:
    """One version of a module of an agency for everybody, unless it is there."""
    agency_id, by = owner_of(slug)
    with tenant_scope(agency_id), transaction(db.session()) as session:
        package = read_folder(files)
        module = module_by_slug(session, package.manifest.slug)
        if module is not None and version_of(session, module, package.manifest.version) is not None:
            return
        version = upload_package(session, package=package, agency_id=agency_id, by=by, now=now)
        # Signed and logged like any release, but past the checks: for eight versions they took 3.5 s on two cores, 12 to 21 s
        # with a browser, of a first start of 16 s. The tests of this code base run them: on every one, or on the starter it is.
        publish_version(session, version=version, package=package, by=by, now=now)
        set_tier(session, module=session.get_one(Module, version.module_id), tier="public", by=by, now=now)


def version_of(session: Session, module: Module, number: str) -> Version | None:
    """A version by its number, the latest without one."""
    if not number:
        return latest_published(session, module_id=module.id)
    return session.scalar(select(Version).where(Version.module_id == module.id, Version.version == number))


def installed(
    module: str, site_slug: str, config: Config, *, number: str = "", settings: Values = NO_SETTINGS, now: datetime
) -> Install:
    """A module on a site of the demo world, where it is not there yet; active, or paused since. number: of its version, ""
    for the latest. Raises Invalid where that is not published.
    """
    agency_id, by = owner_of(AGENCY_OF[site_slug])
    with tenant_scope(agency_id):
        with transaction(db.session()) as session:
            site = session.scalars(select(Site).where(Site.slug == site_slug)).one()
            found = module_by_slug(session, module)
            if found is None or (version := version_of(session, found, number)) is None:
                raise Invalid(f"{module} is not published, so the demo world cannot be made.")
            there = session.scalar(select(Install).where(Install.site_id == site.id, Install.module_id == found.id))
            install = there or install_module(
                session, site=site, version=version, settings=dict(settings), keys=config.secret_keys, by=by, now=now
            )
        if install.status == "provisioning":
            provision(str(install.id))
    return install
