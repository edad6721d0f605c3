"""The practice with its bad release, for each test anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from tests.support.practice import Practice, make_practice
from tests.support.world import World


@pytest.fixture
def practice(world: World, config: Config, api_app: Flask) -> Iterator[Practice]:
    yield make_practice(world, config, api_app)
    with platform_scope("test"), transaction(db.session()) as session:  # nothing of it is watched in other tests
        session.execute(text("UPDATE install_moves SET state = 'settled' WHERE state = 'watching'"))
