"""The deals module once per run, and a place with it for each test."""

from __future__ import annotations

import pytest
from flask import Flask

from app.config import Config
from tests.support.automated import Automated, deals_module
from tests.support.modules import Released
from tests.support.world import World


@pytest.fixture(scope="session")
def deals(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        return deals_module(World(config).agency("Publisher"))


@pytest.fixture
def shop(config: Config, world: World, deals: Released) -> Automated:
    return Automated.make(config, world, deals)
