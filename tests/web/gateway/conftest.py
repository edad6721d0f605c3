"""A shop module on sites of different agencies, and programs that call its API."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from psycopg.types.json import Jsonb
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.access.actors import Actor, member
from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.pools import owner_connection, runtime_pool
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.gateway.actions import create_key, revoke_key
from app.gateway.models import ApiKey
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.manifest import load_manifest
from app.modules.storage.apply import provision
from app.tenancy.models import Site
from tests.support.world import Person, World
from tests.web.conftest import new_address

MANIFEST = """
manifest: 1
slug: SLUG
name: Shop
summary: Products and orders.
version: 1.2.0
type: app
tables:
  products:
    label: {one: Product, many: Products}
    help: What is sold.
    fields:
      name: {type: text, required: true, max: 80, search: true}
      price: {type: money, min: 0, default: 0}
      status: {type: enum, options: [draft, live], default: draft}
      sku: {type: text, max: 20, unique: true}
      cost: {type: money, private: true}
    access: {public: [read], api: [read, create, update, delete]}
  orders:
    label: {one: Order, many: Orders}
    fields:
      product: {type: ref, to: products, required: true}
      quantity: {type: integer, min: 1, required: true}
      email: {type: email}
    access: {public: [create], api: [read, create]}
  ledger:
    fields: {note: {type: text}}
    access: {api: []}
events: [order.paid]
"""


@dataclass(frozen=True)
class Module:
    id: UUID
    version_id: UUID
    slug: str
    short_id: str


@dataclass
class Shop:
    """One site with the shop on it. headers of calls carry `token` unless others are given."""

    app: Flask
    site: Site
    install_id: UUID
    module: Module
    ada: Person
    token: str = ""
    address: str = field(default_factory=new_address)

    @property
    def actor(self) -> Actor:
        return member(user_id=self.ada.id, name=self.ada.name, agency_id=self.ada.agency_id, role=Role.OWNER)

    def key(self, **values: Any) -> tuple[ApiKey, str]:
        """A key of this site and its token: a secret one with every scope unless told otherwise."""
        given = {
            "install_id": None,
            "name": "Till",
            "kind": "secret",
            "scopes": ["read", "write", "delete", "events"],
            **values,
        }
        with tenant_scope(self.site.agency_id), transaction(db.session()) as session:
            made = create_key(session, site=self.site, by=self.actor, now=utcnow(), **given)
            return made.key, made.token

    def revoke(self, key: ApiKey) -> None:
        with tenant_scope(self.site.agency_id), transaction(db.session()) as session:
            revoke_key(session, key=session.get_one(ApiKey, key.id), by=self.actor, now=utcnow())

    def expire(self, key: ApiKey, at: datetime) -> None:
        with platform_scope("test"), transaction(db.session()) as session:
            session.get_one(ApiKey, key.id).expires_at = at

    def url(self, rest: str = "") -> str:
        return f"/api/modules/{self.module.slug}{rest}"

    def call(
        self, method: str, rest: str, *, token: str | None = None, headers: dict[str, str] | None = None, **given: Any
    ) -> TestResponse:
        """rest: what comes after the module; an absolute path stands for itself. token "" sends none."""
        sent = dict(headers or {})
        if (shown := self.token if token is None else token) and "Authorization" not in sent:
            sent["Authorization"] = f"Bearer {shown}"
        path = rest if rest.startswith("/api/") else self.url(rest)
        return self.app.test_client().open(
            path, method=method, headers=sent, environ_overrides={"REMOTE_ADDR": self.address}, **given
        )

    def get(self, rest: str, **given: Any) -> TestResponse:
        return self.call("GET", rest, **given)

    def events(self, query: str = "") -> dict[str, Any]:
        """The event stream with all that is committed by now: others' transactions on this server hold it up until they end."""
        with runtime_pool().connection() as connection:
            now = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
            over, until = "SELECT pg_snapshot_xmin(pg_current_snapshot()) > %s::xid8", time.monotonic() + 30
            while connection.execute(over, now).fetchone() == (False,) and time.monotonic() < until:
                time.sleep(0.01)
        found: dict[str, Any] = self.get(f"/events{query}").get_json()
        return found

    def post(self, rest: str, json: Any, **given: Any) -> TestResponse:
        return self.call("POST", rest, json=json, **given)

    def made(self, rest: str, json: Any) -> dict[str, Any]:
        """A record that was created."""
        answer = self.post(rest, json)
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()["data"]

    def logged(self) -> list[dict[str, Any]]:
        """The request log of this site, oldest first, after what is queued was written."""
        self.app.extensions["gateway"].log.flush()
        with platform_scope("test"), transaction(db.session()) as session:
            rows = session.execute(
                text("SELECT * FROM external_api_requests WHERE site_id = :site ORDER BY at"), {"site": self.site.id}
            )
            return [dict(row._mapping) for row in rows]

    def set_install(self, status: str) -> None:
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(
                text("UPDATE modules_v2 SET status = :s WHERE id = :i"), {"s": status, "i": self.install_id}
            )


def make_module(agency_id: UUID, source: str = MANIFEST) -> Module:
    """A published module with its schema."""
    module_id, version_id = uuid7(), uuid7()
    slug = f"shop-{module_id.hex[-8:]}"
    manifest = load_manifest(source.replace("SLUG", slug))
    short_id = module_id.hex[-8:]
    with platform_scope("test module"), transaction(db.session()) as session:
        raw = session.connection().connection.driver_connection
        raw.execute(
            "INSERT INTO module_source (id, agency_id, slug, short_id, name, type, tier) "
            "VALUES (%s, %s, %s, %s, %s, 'app', 'public')",
            [module_id, agency_id, slug, short_id, manifest.name],
        )
        raw.execute(
            "INSERT INTO module_versions (id, module_id, agency_id, version, major, minor, patch, status, manifest, digest, "
            "size_bytes) VALUES (%s, %s, %s, %s, 1, 2, 0, 'published', %s, %s, 1)",
            [version_id, module_id, agency_id, manifest.version, Jsonb(manifest.to_dict()), module_id.hex * 2],
        )
    with owner_connection() as owner:
        provision(owner, module_id=module_id, short_id=short_id, needed=lambda: [manifest])
    return Module(module_id, version_id, slug, short_id)


def install(module: Module, site: Site, *, status: str = "active") -> UUID:
    install_id = uuid7()
    with platform_scope("test install"), transaction(db.session()) as session:
        session.connection().connection.driver_connection.execute(
            "INSERT INTO modules_v2 (id, agency_id, site_id, module_id, version_id, status) VALUES (%s, %s, %s, %s, %s, %s)",
            [install_id, site.agency_id, site.id, module.id, module.version_id, status],
        )
    return install_id


@pytest.fixture(scope="session")
def shop_module(platform_app: Flask, config: Config) -> Module:
    with platform_app.app_context():
        made = make_module(World(config).agency("Publisher").id)
        db.session.remove()
    return made


OpenShop = Callable[..., Shop]


@pytest.fixture
def open_shop(world: World, api_app: Flask, shop_module: Module) -> OpenShop:
    """`open_shop()`: an agency with a site that has the shop, and a secret key for it."""

    def make(agency: Any = None, **site_values: Any) -> Shop:
        agency = agency or world.agency()
        site = world.site(agency, **site_values)
        shop = Shop(api_app, site, install(shop_module, site), shop_module, world.person(agency))
        _, shop.token = shop.key()
        return shop

    return make


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    return open_shop()


@pytest.fixture
def elsewhere(open_shop: OpenShop) -> Shop:
    """Another agency's site with the same module."""
    return open_shop()
