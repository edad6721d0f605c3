"""Packages installed for real: uploaded and published through the actions, tables provisioned, put on a site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.access.actors import SYSTEM, Actor
from app.config import Config
from app.db.base import db
from app.db.pools import owner_connection
from app.db.scope import platform_scope
from app.db.session import transaction
from app.installs.entitlement.models import Leave
from app.installs.models import Install
from app.installs.settings import sealed_setting
from app.lib.clock import utcnow
from app.lib.crypto import seal
from app.lib.ids import encode, uuid7
from app.modules.actions import publish_version, upload_package
from app.modules.consent import grant_of
from app.modules.models import Module
from app.modules.package import Package
from app.modules.storage.apply import provision
from app.runtime.context import InstallContext, forget_install, load_install
from app.runtime.data import Access, Data, Surface
from app.runtime.functions.account import flush_runs


@dataclass(frozen=True)
class Released:
    """A published version with its tables."""

    module_id: UUID
    version_id: UUID
    package: Package


@dataclass(frozen=True)
class Installed:
    """One install of a test, and what can be known of it."""

    id: UUID
    site: Any
    released: Released

    @property
    def public_id(self) -> str:
        return encode("ins", self.id)

    @property
    def context(self) -> InstallContext:
        return load_install(self.id)

    def data(self, surface: Surface = Surface.SYSTEM, actor: Actor = SYSTEM, **how: Any) -> Data:
        return Data(self.context, Access(surface, actor), **how)

    def records(self, table: str) -> list[dict[str, Any]]:
        return self.data().list(table).records

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of the platform's tables about this install; :install is its id."""
        with platform_scope("test"), transaction(db.session()) as session:
            found = session.execute(text(statement), {"install": self.id, **values})
            return [dict(row) for row in found.mappings()] if found.returns_rows else []

    def events(self) -> list[str]:
        return [
            row["type"] for row in self.rows("SELECT type FROM events WHERE install_id = :install ORDER BY sequence")
        ]

    def runs(self) -> list[dict[str, Any]]:
        """The accounts of function runs, oldest first."""
        flush_runs()
        return self.rows("SELECT * FROM module_function_runs WHERE install_id = :install ORDER BY started_at, id")

    def mails(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM mails WHERE install_id = :install ORDER BY created_at, id")

    def change(self, **values: Any) -> None:
        """Change the install's row, as its actions would: status, settings, granted."""
        with platform_scope("test"), transaction(db.session()) as session:
            row = session.get_one(Install, self.id)
            for name, value in values.items():
                setattr(row, name, value)
        forget_install(self.id)


_released: dict[str, Released] = {}  # by digest: a slug is taken once in the database that the tests of a process share


def release(package: Package, agency: Any) -> Released:
    """Upload and publish a package as an agency, and make its tables; the same package is released once."""
    if package.digest not in _released:
        _released[package.digest] = _release(package, agency)
    return _released[package.digest]


def _release(package: Package, agency: Any) -> Released:
    with platform_scope("test"), transaction(db.session()) as session:
        version = upload_package(session, package=package, agency_id=agency.id, by=SYSTEM, now=utcnow())
        session.flush()
        publish_version(session, version=version, package=package, by=SYSTEM, now=utcnow())
        module = session.get_one(Module, version.module_id)
        module_id, version_id, short_id = module.id, version.id, module.short_id
    with owner_connection() as owner:
        provision(owner, module_id=module_id, short_id=short_id, needed=lambda: [package.manifest])
    return Released(module_id, version_id, package)


def put_on(
    released: Released,
    site: Any,
    *,
    config: Config,
    settings: dict[str, Any] | None = None,
    secrets: dict[str, str] | None = None,
    granted: dict[str, Any] | None = None,
    status: str = "active",
) -> Installed:
    """An install on a site. granted: what was consented to, all the manifest asks for when None."""
    install_id = uuid7()
    sealed = {
        name: seal(config.secret_keys, plain, sealed_setting(install_id, name))
        for name, plain in (secrets or {}).items()
    }
    with platform_scope("test"), transaction(db.session()) as session:
        if released.package.manifest.pricing:
            session.add(Leave(id=uuid7(), agency_id=site.agency_id, module_id=released.module_id, kind="grant"))
        session.add(
            Install(
                id=install_id,
                agency_id=site.agency_id,
                site_id=site.id,
                module_id=released.module_id,
                version_id=released.version_id,
                status=status,
                settings=settings or {},
                secrets=sealed,
                granted=grant_of(released.package.manifest) if granted is None else granted,
            )
        )
    return Installed(install_id, site, released)
