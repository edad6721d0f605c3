"""What every test may use: real servers, one database per worker, and a world to act in.

Nothing is rolled back between tests: each makes its own agency, and tenancy keeps tests apart as it keeps customers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from app.analytics.setup import setup
from app.config import Config
from app.db.base import db
from app.db.migrate import migrate
from app.db.pools import close_pools
from app.factory import create_api_app, create_platform_app, create_runtime_app, wire
from app.installs import jobs as install_jobs
from tests.support.statements import Statements
from tests.support.world import World

if TYPE_CHECKING:  # a plugin: imported by pytest itself, which rewrites its asserts
    from tests.support.servers import TestServers

pytest_plugins = ("tests.support.servers", "tests.support.schedule")

SECRET = "a secret key for tests that is long enough to be taken"


@pytest.fixture(scope="session")
def database_url(test_servers: TestServers, worker_id: str) -> str:
    """The owner's address of this worker's own database."""
    test_servers.make_template(lambda url: migrate(url, SECRET))
    return test_servers.clone(worker_id)


@pytest.fixture(scope="session")
def config(
    test_servers: TestServers, database_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Config:
    """The environment of the tests: as in development, with real servers."""
    data_dir: Path = tmp_path_factory.mktemp("data")
    return Config.from_env(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": test_servers.redis_url(worker_id),
            "SECRET_KEY": SECRET,
            "DATA_DIR": str(data_dir),
            "PLATFORM_URL": "http://localhost:8000",
            "RUNTIME_URL": "http://127.0.0.1:8001",
        }
    )


@pytest.fixture(scope="session")
def wired(config: Config) -> Iterator[Config]:
    """The process with its pools, jobs and subscribers."""
    install_jobs.SETTLE_S = 0  # no other process of a test has an install in its memory
    wire(config)
    yield config
    setup().counting.queue.stop()
    close_pools()


@pytest.fixture(scope="session")
def platform_app(wired: Config) -> Flask:
    return create_platform_app(wired)


@pytest.fixture(scope="session")
def api_app(wired: Config) -> Iterator[Flask]:
    app = create_api_app(wired)
    yield app
    app.extensions["gateway"].log.stop()


@pytest.fixture(scope="session")
def runtime_app(wired: Config) -> Flask:
    return create_runtime_app(wired)


@pytest.fixture
def app_context(platform_app: Flask) -> Iterator[None]:
    with platform_app.app_context():
        yield
        db.session.remove()


@pytest.fixture
def world(app_context: None, config: Config) -> World:
    """Makes people, agencies, clients and sites through the tables' owner: whatever a test starts from."""
    return World(config)


@pytest.fixture
def statements(platform_app: Flask, app_context: None) -> Iterator[Statements]:
    """Counts the SQL statements of the platform's engines: `with statements.exactly(5): …`."""
    with Statements.watching(platform_app) as counter:
        yield counter
