"""A module on a site, with its tables, without the wizard: for tests of what comes after installing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from app.access.actors import SYSTEM
from app.db.base import db
from app.db.pools import owner_connection
from app.db.scope import platform_scope
from app.db.session import transaction
from app.installs.models import Install, MemberRole
from app.lib.ids import uuid7
from app.modules.manifest import Manifest, load_manifest
from app.modules.models import Module, Version
from app.modules.storage.apply import provision
from app.runtime.context import forget_install, load_install
from app.runtime.data import Access, Data, Surface
from app.tenancy.models import Agency, Site
from tests.support.world import Person


@dataclass(frozen=True)
class Installed:
    """An install that serves. data: every right, as the platform itself."""

    install: Install
    manifest: Manifest
    data: Data

    @property
    def public_id(self) -> str:
        return self.install.public_id

    def add(self, table: str, **values: Any) -> dict[str, Any]:
        """A new record as its values."""
        return self.data.insert(table, values).values

    def give_role(self, person: Person, role: str) -> None:
        """The person's role inside this module."""
        row = MemberRole(agency_id=self.install.agency_id, install_id=self.install.id, user_id=person.id, role=role)
        with platform_scope("test role"), transaction(db.session()) as session:
            session.add(row)


def put_on_site(agency: Agency, site: Site, manifest_yaml: str, *, publisher: Agency | None = None) -> Installed:
    """Publish a manifest as a module of its own and install it on the site. The slug gets a suffix, so it is free.

    publisher: another agency whose module it is.
    """
    maker = publisher or agency
    manifest = load_manifest(manifest_yaml)
    module_id = uuid4()
    module = Module(
        id=module_id, agency_id=maker.id, slug=f"{manifest.slug[:20]}-{module_id.hex[:8]}", short_id=module_id.hex[:8],
        name=manifest.name, type=manifest.type,
    )  # fmt: skip
    version = Version(
        id=uuid7(), module_id=module_id, agency_id=maker.id, version=manifest.version, major=1, minor=0, patch=0,
        status="published", manifest=manifest.to_dict(), digest=module_id.hex * 2, size_bytes=1,
    )  # fmt: skip
    install = Install(
        id=uuid7(), agency_id=agency.id, site_id=site.id, module_id=module_id, version_id=version.id, status="active"
    )
    with platform_scope("test install"), transaction(db.session()) as session:
        for row in (module, version, install):
            session.add(row)
            session.flush()
        session.refresh(install)
        session.expunge_all()
    with owner_connection() as owner:
        provision(owner, module_id=module_id, short_id=module_id.hex[:8], needed=lambda: [manifest])
    forget_install(install.id)
    return Installed(install, manifest, Data(load_install(install.id), Access(Surface.SYSTEM, SYSTEM)))
