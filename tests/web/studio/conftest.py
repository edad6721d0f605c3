"""An agency, a person of it, and her browser."""

from __future__ import annotations

import pytest

from app.tenancy.models import Agency
from tests.support.browser import Browser
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency()


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, name="Ada Lane")


@pytest.fixture
def browser(ada: Person, browse: Browse) -> Browser:
    return browse(ada)
