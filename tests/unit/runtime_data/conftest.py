"""One module with every field type, installed on sites of different agencies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import text

from app.access.actors import Actor, member
from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.pools import owner_connection, runtime_pool
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.ids import uuid7
from app.modules.manifest import Manifest, load_manifest
from app.modules.storage.apply import provision
from app.runtime.context import InstallContext, load_install
from app.runtime.data import Access, Data, Surface, scoped
from tests.support.world import World

TEXT = (Path(__file__).parent / "manifest.yaml").read_text()
OTHER = """
manifest: 1
slug: SLUG
name: Other
summary: Another module.
version: 1.0.0
type: app
tables:
  notes:
    label: {one: Note, many: Notes}
    fields:
      title: {type: text, required: true}
      hidden: {type: text}
    access: {public: [], staff: [read, create, update, delete], api: [read]}
"""


@dataclass(frozen=True)
class Module:
    id: UUID
    version_id: UUID
    slug: str
    short_id: str
    manifest: Manifest


def make_module(agency_id: UUID, source: str, slug: str) -> Module:
    """A published module with its schema, as uploading and installing leave it."""
    module_id, version_id = uuid7(), uuid7()
    manifest = load_manifest(source.replace("SLUG", slug))
    short_id = module_id.hex[-8:]
    with platform_scope("test module"), transaction(db.session()) as session:
        session.execute(
            text(
                "INSERT INTO module_source (id, agency_id, slug, short_id, name, type) "
                "VALUES (:id, :agency, :slug, :short, :name, 'app')"
            ),
            {"id": module_id, "agency": agency_id, "slug": slug, "short": short_id, "name": manifest.name},
        )
        session.connection().connection.driver_connection.execute(
            "INSERT INTO module_versions "
            "(id, module_id, agency_id, version, major, minor, patch, status, manifest, digest, size_bytes) "
            "VALUES (%s, %s, %s, '1.0.0', 1, 0, 0, 'published', %s, %s, 1)",
            [version_id, module_id, agency_id, Jsonb(manifest.to_dict()), (module_id.hex * 2)],
        )
    with owner_connection() as owner:
        provision(owner, module_id=module_id, short_id=short_id, needed=lambda: [manifest])
    return Module(module_id, version_id, slug, short_id, manifest)


def install(module: Module, site: Any, *, status: str = "active", granted: dict[str, Any] | None = None) -> UUID:
    install_id = uuid7()
    with platform_scope("test install"), transaction(db.session()) as session:
        session.connection().connection.driver_connection.execute(
            "INSERT INTO modules_v2 (id, agency_id, site_id, module_id, version_id, status, granted) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [install_id, site.agency_id, site.id, module.id, module.version_id, status, Jsonb(granted or {})],
        )
    return install_id


@dataclass
class Place:
    """One site with the module on it, and callers of every sort."""

    context: InstallContext
    ada: Actor

    def data(self, surface: Surface = Surface.STAFF, **how: Any) -> Data:
        return Data(self.context, Access(surface, self.ada, **how))

    @property
    def staff(self) -> Data:
        return self.data()

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What the outbox holds of this site, in order."""
        with platform_scope("test events"), transaction(db.session()) as session:
            rows = session.execute(
                text("SELECT type, data FROM events WHERE site_id = :site ORDER BY sequence"),
                {"site": self.context.site_id},
            )
            return [(row.type, row.data) for row in rows]


@pytest.fixture(scope="session")
def modules(platform_app: Any, config: Config) -> tuple[Module, Module]:
    """(the module with everything, another one), provisioned once per worker."""
    with platform_app.app_context():
        publisher = World(config).agency("Publisher")
        slug = f"everything-{uuid7().hex[-8:]}"
        made = make_module(publisher.id, TEXT, slug), make_module(publisher.id, OTHER, f"other-{slug}")
        db.session.remove()
    return made


@pytest.fixture
def place(world: World, modules: tuple[Module, Module]) -> Callable[..., Place]:
    """Makes an agency with a site that has the module."""

    def make(**site_values: Any) -> Place:
        agency = world.agency()
        site = world.site(agency, **site_values)
        person = world.person(agency, Role.OWNER)
        install_id = install(modules[0], site)
        actor = member(user_id=person.id, name="Ada", agency_id=agency.id, role=Role.OWNER, request_id="req_test")
        return Place(load_install(install_id), actor)

    return make


@pytest.fixture
def here(place: Callable[..., Place]) -> Place:
    return place()


@pytest.fixture
def there(place: Callable[..., Place]) -> Place:
    """Another agency's site with the same module."""
    return place()


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Counts pipelines and the statements in them."""

    @contextmanager
    def counting() -> Iterator[list[int]]:
        seen: list[int] = []
        real = scoped.exchange

        def counted(connection: psycopg.Connection, statements: Any) -> Any:
            seen.append(len(statements))
            return real(connection, statements)

        monkeypatch.setattr(scoped, "exchange", counted)
        yield seen
        monkeypatch.setattr(scoped, "exchange", real)

    return counting


@pytest.fixture
def pool(wired: Any) -> Any:
    return runtime_pool()


@pytest.fixture
def hooked_context(here: Place) -> InstallContext:
    """The same install with a version whose functions look at every change of `plain`."""
    hooks = {
        f"on_{event}": {"file": "x.js", "on": {"table": "plain", "event": event}}
        for event in ("before_create", "before_update", "before_delete")
    }
    manifest = here.context.manifest
    with_hooks = Manifest.from_dict({**manifest.to_dict(), "functions": hooks})
    return replace(here.context, manifest=with_hooks, layout_key=here.context.layout_key + ":hooked")
