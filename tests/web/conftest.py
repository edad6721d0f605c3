"""Browsers for tests of screens."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from app.config import Config
from tests.support.browser import Browser
from tests.support.letters import Postbox, open_postbox
from tests.support.world import Person, World

Browse = Callable[..., Browser]


def new_address() -> str:
    """An address in a network that no other test connects from: limits of one test must not meet another."""
    return f"10.{secrets.randbelow(255)}.{secrets.randbelow(255)}.{secrets.randbelow(253) + 1}"


@pytest.fixture
def browse(platform_app: Flask, world: World) -> Browse:
    """`browse(ada)`: a browser in which Ada is signed in; `browse()`: one in which nobody is."""

    def start(person: Person | None = None, *, address: str | None = None) -> Browser:
        return Browser(platform_app, person, address=address or new_address())

    return start


@pytest.fixture
def postbox(world: World, config: Config) -> Iterator[Postbox]:
    """A mail server: `postbox.to("ada@example.test")` runs the mail job and gives her letters."""
    with open_postbox(config) as opened:
        yield opened
