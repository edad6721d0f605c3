"""Modules put into the marketplace and onto sites, for tests that start from there."""

from __future__ import annotations

from typing import Any

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.installs.actions import install_module
from app.installs.jobs import provision
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.actions import publish_version, set_tier, upload_package
from app.modules.models import Module, Version
from app.tenancy.models import Site
from tests.support.packages import package
from tests.support.world import Person


def new_slug(word: str = "notes") -> str:
    """A slug that no other test uses."""
    return f"{word}-{uuid7().hex[-12:]}"


def released(person: Person, files: dict[str, bytes], *, tier: str = "internal") -> Version:
    """A published version of the person's agency."""
    with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
        read = package(files)
        version = upload_package(session, package=read, agency_id=person.agency_id, by=person.actor, now=utcnow())
        publish_version(session, version=version, package=read, by=person.actor, now=utcnow())
        set_tier(session, module=session.get_one(Module, version.module_id), tier=tier, by=person.actor, now=utcnow())
    return version


def installed(
    config: Config, person: Person, site: Site, version: Version, settings: dict[str, Any] | None = None
) -> Install:
    """The version on the site, set up: the job has run."""
    with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
        install = install_module(
            session,
            site=session.get_one(Site, site.id),
            version=session.get_one(Version, version.id),
            settings=settings or {},
            keys=config.secret_keys,
            by=person.actor,
            now=utcnow(),
        )
    with tenant_scope(person.agency_id):
        provision(str(install.id))
        db.session.remove()
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return session.get_one(Install, install.id)
