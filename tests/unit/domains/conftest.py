"""Names and home pages of other people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.domains.proof import Look
from app.lib.ids import uuid7
from tests.support.outside import Outside, outside


@pytest.fixture(scope="session")
def world_outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    with outside(tmp_path_factory.mktemp("outside")) as servers:
        yield servers


@pytest.fixture
def look(world_outside: Outside) -> Look:
    return Look(
        names=world_outside.names, outside=world_outside.egress, development=False, port=world_outside.site.port
    )


@pytest.fixture
def host(world_outside: Outside) -> str:
    """A name of its own for each test, which leads to the web server."""
    name = f"shop-{uuid7().hex[-12:]}.com"
    world_outside.zone.records[(name, "A")] = ["127.0.0.1"]
    return name
