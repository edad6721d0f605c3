"""Attackers' tools: the database as each role that signs in, and two agencies that must not meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from app.access.permissions import Role
from app.config import Config
from app.db.roles import role_url
from app.tenancy.models import Agency, Site
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World

NOTES = """
manifest: 1
slug: notes
name: Notes
summary: Keeps notes.
version: 1.0.0
type: app
tables:
  notes:
    fields:
      title: {type: text, required: true}
      body: {type: text}
    access: {api: [read, create, update, delete], staff: [read, create, update, delete]}
"""

Enter = Callable[..., AbstractContextManager[psycopg.Connection]]


@pytest.fixture
def enter(wired: Config) -> Enter:
    """A transaction as a role, bound as the product binds it, always rolled back: enter("dramac_app", agency_id=…)."""

    @contextmanager
    def opened(login: str, *, role: str = "", **settings: Any) -> Iterator[psycopg.Connection]:
        with psycopg.connect(role_url(wired.database_url, wired.secret_keys[0], login)) as connection:
            for name, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, true)", [f"app.{name}", str(value)])
            if role:
                connection.execute("SELECT set_config('role', %s, true)", [role])
            yield connection
            connection.rollback()

    return opened


@dataclass(frozen=True)
class House:
    """An agency with its owner, a site and a module on it."""

    agency: Agency
    owner: Person
    site: Site
    notes: Installed

    @property
    def scope(self) -> dict[str, Any]:
        return {"agency_id": self.agency.id, "user_id": self.owner.id}

    @property
    def site_scope(self) -> dict[str, Any]:
        return {"agency_id": self.agency.id, "site_id": self.site.id}


def house(world: World) -> House:
    agency = world.agency()
    site = world.site(agency)
    return House(agency, world.person(agency, Role.OWNER), site, put_on_site(agency, site, NOTES))


@pytest.fixture
def ours(world: World) -> House:
    return house(world)


@pytest.fixture
def theirs(world: World) -> House:
    return house(world)
