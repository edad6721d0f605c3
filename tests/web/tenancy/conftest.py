"""Ada owns an agency with one site, Vic only looks, Olga owns another agency."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.tenancy.models import Agency, Client, Site
from tests.support.browser import Browser
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def client(world: World, agency: Agency) -> Client:
    return world.client(agency, "Harbour Group")


@pytest.fixture
def site(world: World, agency: Agency, client: Client) -> Site:
    return world.site(agency, client=client, name="Harbour Dental", url="https://harbour-dental.example/")


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


@pytest.fixture
def vic(browse: Browse, world: World, agency: Agency) -> Browser:
    return browse(world.person(agency, Role.VIEWER, name="Vic Watcher"))


@pytest.fixture
def olga(browse: Browse, world: World) -> Browser:
    return browse(world.person(world.agency("Other Place"), Role.OWNER, name="Olga Other"))
