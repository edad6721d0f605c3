"""Visitors of the enquiries module, which is real."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.config import Config
from app.lib.clock import utcnow
from app.runtime.pages import spam
from tests.support.modules import Installed, Released, put_on, release
from tests.support.packages import first_party, package
from tests.support.world import World
from tests.web.conftest import new_address

BASE = "http://127.0.0.1:8001"
TIMES = {"starts_at": "2027-03-01T09:00:00Z", "ends_at": "2027-03-01T12:00:00Z"}


@dataclass
class Visitor:
    """A browser without cookies or scripts on the runtime origin."""

    app: Flask
    address: str

    def _client(self) -> Any:
        return self.app.test_client(use_cookies=False)

    def get(self, path: str, **how: Any) -> TestResponse:
        return self._client().get(path, base_url=BASE, environ_base={"REMOTE_ADDR": self.address}, **how)

    def post(self, path: str, data: Any, **how: Any) -> TestResponse:
        return self._client().post(path, data=data, base_url=BASE, environ_base={"REMOTE_ADDR": self.address}, **how)


def inputs(page: TestResponse) -> dict[str, str]:
    """The hidden inputs of the page's form, as a browser would send them."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


@pytest.fixture
def visitor(runtime_app: Flask, world: World) -> Visitor:
    return Visitor(runtime_app, new_address())


@pytest.fixture(scope="session")
def enquiries_release(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        return release(package(first_party("enquiries")), World(config).agency("Publisher"))


@pytest.fixture
def enquiries(world: World, config: Config, enquiries_release: Released) -> Installed:
    """Enquiries on a site, with one form that asks for a topic."""
    install = put_on(
        enquiries_release, world.site(world.agency()), config=config, settings={"notify_to": "desk@example.test"}
    )
    form = install.data().insert("forms", {"name": "Contact", "key": "contact", "heading": "Write to us"})
    install.data().insert(
        "questions",
        {
            "form": str(form.id),
            "label": "Topic",
            "key": "topic",
            "kind": "choice",
            "options": ["A", "B"],
            "required": True,
        },
    )
    return install


@pytest.fixture(scope="session")
def workshop_release(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        return release(package(first_party("_example")), World(config).agency("Publisher"))


@pytest.fixture
def workshop(world: World, config: Config, workshop_release: Released) -> Installed:
    """The example with one open course and one draft."""
    install = put_on(workshop_release, world.site(world.agency(), name="Clay House"), config=config)
    data = install.data()
    room = data.insert("rooms", {"name": "Attic"})
    course = {"title": "Pots", "room": str(room.id), "price": 12000, "seats": 2, "tags": ["beginners"], "notes": None}
    data.insert("courses", {**course, **TIMES, "state": "open"})
    data.insert("courses", {"title": "Secret draft", "room": str(room.id)})
    return install


@pytest.fixture
def fill(config: Config) -> Callable[..., dict[str, str]]:
    """What a person who took a minute sends: hidden inputs, a stamp that is old enough, their words."""

    def filled(page: TestResponse, install: Installed, **words: str) -> dict[str, str]:
        sent = inputs(page)
        issued = int(utcnow().timestamp()) - 60
        sent[spam.STAMP] = spam.make_stamp(config.secret_keys, install.id, "contact", now=utcnow(), issued=issued)
        return {**sent, spam.TRAP: "", **{key.replace("__", "."): value for key, value in words.items()}}

    return filled
