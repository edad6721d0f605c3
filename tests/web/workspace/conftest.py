"""Ada owns an agency with a site that has a module; Vic only looks; Mel works with records; Olga is at another agency."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser
from tests.support.installed import Installed, put_on_site
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.workspace.modules import JOBS


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def site(world: World, agency: Agency) -> Site:
    return world.site(agency, name="Harbour Dental", time_zone="Europe/Lisbon", currency="EUR", locale="pt-PT")


@pytest.fixture
def jobs(agency: Agency, site: Site) -> Installed:
    """A module with a field of every type."""
    return put_on_site(agency, site, JOBS)


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def mel_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.MEMBER, name="Mel Worker")


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


@pytest.fixture
def mel(browse: Browse, mel_person: Person) -> Browser:
    return browse(mel_person)


@pytest.fixture
def vic(browse: Browse, world: World, agency: Agency) -> Browser:
    return browse(world.person(agency, Role.VIEWER, name="Vic Watcher"))


@pytest.fixture
def olga(browse: Browse, world: World) -> Browser:
    return browse(world.person(world.agency("Other Place"), Role.OWNER, name="Olga Other"))
