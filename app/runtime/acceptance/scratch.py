"""A site, an install and its tables inside one transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from app.access.actors import Actor
from app.access.permissions import Role
from app.db.pools import owner_connection
from app.db.roles import STAFF
from app.lib.ids import uuid7
from app.modules.consent import grant_of
from app.modules.manifest import Manifest
from app.modules.naming import clash_short_id, role_name, schema_name
from app.modules.package import Package
from app.modules.storage.apply import provision, registered
from app.modules.storage.layout import Layout
from app.runtime.context import InstallContext, SiteFacts, keep_files
from app.runtime.data import Access, Transaction
from app.runtime.data.scoped import Connection, Rows, Scope
from app.runtime.data.writes import Hooks, Settings
from app.runtime.functions import process

SITE = SiteFacts(
    slug="scratch",
    name="Scratch",
    url="https://scratch.example",
    time_zone="Europe/Lisbon",
    locale="en",
    currency="EUR",
)


@dataclass(frozen=True)
class Scratch:
    """An install to try things on. person: a member of its agency."""

    context: InstallContext
    connection: Connection
    person: Actor
    plain: psycopg.Connection

    def transaction(
        self,
        access: Access,
        *,
        now: datetime,
        hooks: Hooks | None = None,
        depth: int = 0,
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> Transaction:
        """The scratch transaction as one caller. settings: of the install, over its defaults."""
        context = replace(self.context, settings=MappingProxyType({**self.context.settings, **settings}))
        return Transaction(context, access, self.connection, Settings(now, uuid7(), process.keys(), hooks, depth))

    def ask(self, text: str, values: list[Any]) -> Rows:
        """Rows of the platform's own tables."""
        scope = Scope(STAFF, self.context.site_id, self.context.agency_id, "", "", "")
        return self.connection.run(scope, (text, values))[0]

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection]:
        """The same transaction as the owner of the tables, as jobs have them."""
        _become(self.plain, self.plain.info.user)
        try:
            yield self.plain
            # moving rows puts history and deferred rules out of the way until the transaction ends; here it goes on
            self.plain.execute("SELECT set_config('app.maintenance', '', true)")
            self.plain.execute("SET CONSTRAINTS ALL IMMEDIATE")
        finally:
            self.connection.forget_scope()

    def at(self, package: Package, *, needed: Sequence[Manifest]) -> Scratch:
        """The same install on another version of the module, its tables brought to what `needed` ask for together."""
        context = self.context
        with self.owner() as plain:
            provision(plain, module_id=context.module_id, short_id=context.short_id, needed=lambda: needed)
            plain.execute("SET LOCAL statement_timeout = '5s'")
            layout = registered(plain, context.module_id)
        assert layout is not None
        ids = {
            "install": context.install_id, "agency": context.agency_id, "site": context.site_id,
            "version": context.version_id,
        }  # fmt: skip
        return replace(self, context=_context(package, ids, context.module_id, layout, short=context.short_id))

    def neighbour(self) -> Scratch:
        """The same version on a site of another agency, in the same transaction."""
        context, ids = self.context, {name: uuid7() for name in ("agency", "client", "site", "person", "install")}
        with self.owner() as plain:
            _become(plain, STAFF)
            for text, values in [*_place(ids, f"scratch-{ids['site'].hex[-24:]}"), _put(ids, context)]:
                plain.execute(text, values)
        other = replace(
            context, install_id=ids["install"], agency_id=ids["agency"], site_id=ids["site"],
        )  # fmt: skip
        return replace(self, context=other, person=Actor("person", ids["person"], "Olga", ids["agency"], Role.OWNER))


@contextmanager
def scratch_install(
    package: Package, *, now: datetime, before: Callable[[psycopg.Connection], None] | None = None
) -> Iterator[Scratch]:
    """The package on a site of its own, with its tables. Nothing of it outlives the block, or the process.

    before: is shown the database as the owner before the module's tables are made. The transaction then sees nothing of
    what others commit meanwhile, so that what is different afterwards was done by it.
    """
    with owner_connection() as plain:
        # once psycopg has prepared something, an ALTER makes it forget all that is prepared, the data layer's as well
        plain.prepare_threshold = None
        if before is not None:
            plain.execute("SET default_transaction_isolation = 'repeatable read'")
        ids = {name: uuid7() for name in ("agency", "client", "site", "person", "install", "version")}
        module_id = uuid4()
        connection = Connection(plain)
        try:
            connection.begin(Scope(plain.info.user, ids["site"], ids["agency"], "", "", ""))
            plain.execute("SET LOCAL idle_in_transaction_session_timeout = '60s'")
            _rows(plain, package, ids, module_id)
            if before is not None:
                before(plain)
            layout = _tables(plain, package, module_id)
            plain.execute("SET LOCAL statement_timeout = '5s'")
            context = _context(package, ids, module_id, layout)
            person = Actor("person", ids["person"], "Ada", ids["agency"], Role.OWNER)
            yield Scratch(context, connection, person, plain)
        finally:
            connection.rollback()


def _become(plain: psycopg.Connection, role: str) -> None:
    plain.execute("SELECT set_config('role', %s, true)", [role])


def _short_id(module_id: UUID) -> str:
    return clash_short_id("scratch", module_id.hex)


def _place(ids: Mapping[str, UUID], slug: str) -> list[tuple[LiteralString, list[Any]]]:
    """An agency with one member, and a site of it."""
    agency = ids["agency"]
    return [
        ("INSERT INTO agencies (id, slug, name) VALUES (%s, %s, 'Scratch')", [agency, slug]),
        ("INSERT INTO users (id, email, name) VALUES (%s, %s, 'Ada')", [ids["person"], f"{slug}@example.test"]),
        (
            "INSERT INTO memberships (id, agency_id, user_id, role) VALUES (%s, %s, %s, 'owner')",
            [uuid7(), agency, ids["person"]],
        ),
        ("INSERT INTO clients (id, agency_id, name) VALUES (%s, %s, 'Scratch')", [ids["client"], agency]),
        (
            "INSERT INTO sites (id, agency_id, client_id, slug, name) VALUES (%s, %s, %s, %s, 'Scratch')",
            [ids["site"], agency, ids["client"], slug],
        ),
    ]


_PUT: LiteralString = (
    "INSERT INTO modules_v2 (id, agency_id, site_id, module_id, version_id, status) "
    "VALUES (%s, %s, %s, %s, %s, 'active')"
)


def _put(ids: Mapping[str, UUID], context: InstallContext) -> tuple[LiteralString, list[Any]]:
    return _PUT, [ids["install"], ids["agency"], ids["site"], context.module_id, context.version_id]


def _rows(plain: psycopg.Connection, package: Package, ids: Mapping[str, UUID], module_id: UUID) -> None:
    """The platform's own rows: an agency, a site, the module and its install."""
    agency, short = ids["agency"], _short_id(module_id)
    slug = f"scratch-{module_id.hex[:24]}"
    rows: list[tuple[LiteralString, list[Any]]] = [
        *_place(ids, slug),
        (
            "INSERT INTO module_source (id, agency_id, slug, short_id, name, type) VALUES (%s, %s, %s, %s, %s, %s)",
            [module_id, agency, slug, short, package.manifest.name, package.manifest.type],
        ),
        (
            "INSERT INTO module_versions (id, module_id, agency_id, version, major, minor, patch, manifest, digest, size_bytes) "
            "VALUES (%s, %s, %s, %s, 0, 0, 0, '{}', %s, 0)",
            [ids["version"], module_id, agency, package.manifest.version, package.digest],
        ),
        (_PUT, [ids["install"], agency, ids["site"], module_id, ids["version"]]),
    ]
    _become(plain, STAFF)  # row-level security holds for the owner as well
    for text, values in rows:
        plain.execute(text, values)
    _become(plain, plain.info.user)


def _tables(plain: psycopg.Connection, package: Package, module_id: UUID) -> Layout:
    short = _short_id(module_id)
    provision(plain, module_id=module_id, short_id=short, needed=lambda: [package.manifest])
    role = sql.Identifier(role_name(short))  # an owner that is no superuser may not enter it otherwise
    plain.execute(sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE").format(role))
    layout = registered(plain, module_id)
    assert layout is not None
    return layout


def _context(
    package: Package, ids: Mapping[str, UUID], module_id: UUID, physical: Layout, *, short: str = ""
) -> InstallContext:
    manifest, short = package.manifest, short or _short_id(module_id)
    defaults = {
        name: spec.default
        for name, spec in manifest.setting_fields.items()
        if spec.default is not None and spec.type != "secret"
    }
    keep_files(package.digest, package.files)
    return InstallContext(
        install_id=ids["install"],
        agency_id=ids["agency"],
        site_id=ids["site"],
        module_id=module_id,
        module_slug=manifest.slug,
        module_name=manifest.name,
        short_id=short,
        schema=schema_name(short),
        role=role_name(short),
        version_id=ids["version"],
        version=manifest.version,
        digest=package.digest,
        manifest=manifest,
        layout=physical.for_manifest(manifest),
        physical=physical,
        layout_key=f"{package.digest}:{physical.digest}",
        settings=MappingProxyType(defaults),
        sealed=MappingProxyType({}),
        granted=MappingProxyType(grant_of(manifest)),
        status="active",
        site=SITE,
    )
