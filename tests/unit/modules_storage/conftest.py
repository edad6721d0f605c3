"""Modules with tables of their own in the test database, and connections as the owner and as the module."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from app.config import Config
from app.db.base import db
from app.db.pools import owner_connection
from app.db.roles import RUNTIME, role_url
from app.db.scope import platform_scope
from app.db.session import transaction
from app.modules.manifest import Manifest, load_manifest
from app.modules.models import Module
from app.modules.storage.apply import drop_schema, lock_module, provision, registered
from app.modules.storage.layout import Layout
from app.modules.storage.plan import Plan
from app.modules.storage.verify import verify
from tests.support.world import World

SITE_A = UUID("0199aaaa-0000-7000-8000-00000000000a")
SITE_B = UUID("0199bbbb-0000-7000-8000-00000000000b")


def manifest(tables: str, *, version: str = "1.0.0", views: str = "") -> Manifest:
    """A manifest with these tables, as YAML indented by two spaces."""
    head = f"manifest: 1\nslug: stored-module\nname: Stored\nsummary: A test.\nversion: {version}\ntype: app\n"
    return load_manifest(f"{head}tables:\n{tables}{views}")


@dataclass
class Stored:
    """A module whose tables are being tested."""

    id: UUID
    short_id: str
    owner: psycopg.Connection
    runtime_url: str
    manifests: list[Manifest] = field(default_factory=list)

    @property
    def schema(self) -> str:
        return f"mod_{self.short_id}"

    @property
    def layout(self) -> Layout:
        layout = registered(self.owner, self.id)
        assert layout is not None
        return layout

    def provision(self, *manifests: Manifest) -> Plan:
        """Provision for these versions and no others."""
        self.manifests = list(manifests)
        return provision(self.owner, module_id=self.id, short_id=self.short_id, needed=lambda: self.manifests)

    def drift(self) -> list[str]:
        return verify(self.owner, self.layout, schema=self.schema, role=self.schema)

    def drop(self) -> None:
        with self.owner.transaction():
            lock_module(self.owner, self.id)
            drop_schema(self.owner, module_id=self.id, short_id=self.short_id)

    @contextmanager
    def site(self, site_id: UUID | None, *, role: str | None = None) -> Iterator[psycopg.Connection]:
        """A transaction of the runtime on one site, in the module's role; rolled back if the test's block fails."""
        with psycopg.connect(self.runtime_url, autocommit=True) as connection, connection.transaction():
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role or self.schema)))
            if site_id is not None:
                connection.execute("SELECT set_config('app.site_id', %s, true)", [str(site_id)])
            connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(sql.Identifier(self.schema)))
            yield connection

    def insert(self, connection: psycopg.Connection, table: str, site_id: UUID = SITE_A, **values: Any) -> UUID:
        names = ["site_id", *values]
        statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) RETURNING id").format(
            sql.Identifier(self.schema, table),
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.SQL(", ").join([sql.Placeholder()] * len(names)),
        )
        row = connection.execute(statement, [site_id, *values.values()]).fetchone()
        assert row is not None
        new_id: UUID = row[0]
        return new_id


@pytest.fixture
def stored(world: World, config: Config, wired: Config) -> Iterator[Stored]:
    """A module of its own; its schema and role are gone after the test."""
    with owner_connection() as owner:
        one = make_stored(world, config, owner)
        yield one
        one.drop()


@pytest.fixture
def another(world: World, config: Config, wired: Config) -> Iterator[Stored]:
    """A second module."""
    with owner_connection() as owner:
        one = make_stored(world, config, owner)
        yield one
        one.drop()


def make_stored(world: World, config: Config, owner: psycopg.Connection) -> Stored:
    agency = world.agency()
    module_id = uuid4()
    row = Module(
        id=module_id,
        agency_id=agency.id,
        slug=f"m{module_id.hex[:20]}",
        short_id=module_id.hex[:8],
        name="Stored",
        type="app",
    )
    with platform_scope("test module"), transaction(db.session()) as session:
        session.add(row)
    return Stored(module_id, module_id.hex[:8], owner, role_url(config.database_url, config.secret_keys[0], RUNTIME))
