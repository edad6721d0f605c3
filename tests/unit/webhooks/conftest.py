"""An agency with a site whose events go out, and receivers for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.config import Config
from tests.support.hooks import Hooks
from tests.support.world import World


@pytest.fixture
def hooks(platform_app: Flask, config: Config, world: World) -> Iterator[Hooks]:
    agency = world.agency()
    made = Hooks(platform_app, config, world, agency, world.person(agency), world.site(agency))
    yield made
    made.leave()
