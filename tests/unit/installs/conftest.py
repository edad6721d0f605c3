"""An agency with a site and published modules; jobs are run where they stand, as a worker would run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.installs import jobs
from app.installs.actions import install_module
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.actions import publish_version, set_tier, upload_package
from app.modules.models import Module, Version
from app.tenancy.models import Agency, Site
from tests.support.packages import package
from tests.support.world import World

MANIFEST = """
manifest: 1
slug: {slug}
name: Guest book
summary: Entries of guests.
version: {version}
type: app
{head}
tables:
  guests:
    fields:
      name: {{type: text, required: true, search: true}}
      status: {{type: enum, options: [new, seen], default: new}}
      {fields}
  visits:
    fields:
      guest: {{type: ref, to: guests, on_delete: cascade}}
      friends: {{type: refs, to: guests}}
      cost: {{type: decimal, scale: 3}}
    audit: true
"""
CLOCK = "jobs: {tidy: {call: tidy, cron: '0 6 * * *'}}\nfunctions: {tidy: {file: tidy.js}}"
TIDY = {"functions/tidy.js": b"export default function (ctx, input) { return null }\n"}


@dataclass
class Desk:
    """Everything a test of installs needs at hand."""

    world: World
    config: Config
    agency: Agency
    actor: Actor
    site: Site

    @contextmanager
    def scope(self, agency: Agency | None = None) -> Iterator[Session]:
        """A transaction in the agency's scope."""
        with tenant_scope((agency or self.agency).id), transaction(db.session()) as session:
            yield session

    def publish(
        self,
        slug: str | None = None,
        *,
        version: str = "1.0.0",
        fields: str = "",
        head: str = "",
        tier: str = "internal",
    ) -> Version:
        """A published version of the guest book; with `slug`, of a module that is there already."""
        name = slug or f"guests-{uuid7().hex[-12:]}"
        text = MANIFEST.format(slug=name, version=version, fields=fields, head=head)
        files = {"module.yaml": text.encode(), **(TIDY if "tidy" in head else {})}
        with self.scope() as session:
            read = package(files)
            draft = upload_package(session, package=read, agency_id=self.agency.id, by=self.actor, now=utcnow())
            publish_version(session, version=draft, package=read, by=self.actor, now=utcnow())
            set_tier(session, module=session.get_one(Module, draft.module_id), tier=tier, by=self.actor, now=utcnow())
        return draft

    def slug(self, version: Version) -> str:
        with self.scope() as session:
            return session.get_one(Module, version.module_id).slug

    def schema(self, version: Version) -> str:
        with self.scope() as session:
            return f"mod_{session.get_one(Module, version.module_id).short_id}"

    def order(self, version: Version, *, site: Site | None = None, **settings: Any) -> Install:
        """Ask for the module; its job has not run yet."""
        with self.scope() as session:
            return install_module(
                session,
                site=site or self.site,
                version=version,
                settings=settings,
                keys=self.config.secret_keys,
                by=self.actor,
                now=utcnow(),
            )

    def install(self, version: Version, *, site: Site | None = None, **settings: Any) -> Install:
        """Ask for the module and run its job."""
        return self.run(jobs.provision, self.order(version, site=site, **settings))

    def do(self, action: Callable[..., Any], install: Install, **values: Any) -> Install:
        """Run an action on the install as it is now; returns it as it is after."""
        with self.scope() as session:
            action(session, install=session.get_one(Install, install.id), by=self.actor, **values)
        return self.reload(install)

    def run(self, job: Callable[[str], None], install: Install) -> Install:
        """Run a job as a worker does: in the agency's scope, by id."""
        with tenant_scope(install.agency_id):
            job(str(install.id))
        return self.reload(install)

    def reload(self, install: Install) -> Install:
        with platform_scope("test"), transaction(db.session()) as session:
            found = session.get_one(Install, install.id)
            session.refresh(found)
            session.expunge(found)
        return found

    def rows(self, version: Version, statement: str, *parameters: Any, site_id: UUID | None = None) -> list[Any]:
        """Rows of one site in the module's schema, read and written as the owner inside the site's wall."""
        with psycopg.connect(self.config.database_url) as connection:
            schema = sql.Identifier(self.schema(version))
            connection.execute(sql.SQL("SET LOCAL search_path = {}, public").format(schema))
            connection.execute("SELECT set_config('app.site_id', %s, true)", [str(site_id or self.site.id)])
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def catalogue(self, version: Version) -> list[tuple[str, str]]:
        """All of the database that belongs to modules, and of the cluster, which others share, this module's role."""
        role = self.schema(version)
        with psycopg.connect(self.config.database_url) as connection:
            return connection.execute(
                """
                SELECT 'schema', nspname::text FROM pg_namespace WHERE nspname LIKE 'mod\\_%%'
                UNION ALL SELECT 'role', rolname::text FROM pg_roles WHERE rolname = %(role)s
                UNION ALL SELECT 'relation', oid::regclass::text FROM pg_class
                  WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'mod\\_%%')
                UNION ALL SELECT 'routine', oid::regproc::text FROM pg_proc
                  WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'mod\\_%%')
                UNION ALL SELECT 'member', roleid::regrole || ' ' || member::regrole FROM pg_auth_members
                  WHERE %(role)s IN (roleid::regrole::text, member::regrole::text)
                UNION ALL SELECT 'schedule', name FROM module_schedules
                ORDER BY 1, 2
                """,
                {"role": role},
            ).fetchall()


@pytest.fixture
def desk(world: World, config: Config, wired: Config) -> Desk:
    agency = world.agency()
    person = world.person(agency)
    site = world.site(agency, time_zone="Europe/Lisbon")
    return Desk(world, config, agency, person.actor, site)
