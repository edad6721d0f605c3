"""Visitors of the enquiries module, and what was counted of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.analytics.setup import setup
from app.config import Config
from tests.support.modules import Installed, Released, put_on, release
from tests.support.packages import first_party, package
from tests.support.world import World
from tests.web.conftest import new_address

BASE = "http://127.0.0.1:8001"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IN_A_FRAME = {"Sec-Fetch-Dest": "iframe", "Referer": "https://www.shop.example/"}


@dataclass
class Visitor:
    """A browser on the runtime origin. agent: its User-Agent."""

    app: Flask
    address: str
    agent: str = FIREFOX
    headers: dict[str, str] = field(default_factory=dict)

    def _ask(self, method: str, path: str, headers: dict[str, str], base_url: str = BASE, **given: Any) -> TestResponse:
        return self.app.test_client(use_cookies=False).open(
            path, method=method, base_url=base_url, environ_base={"REMOTE_ADDR": self.address},
            headers={"User-Agent": self.agent, **self.headers, **headers}, **given,
        )  # fmt: skip

    def get(self, path: str, headers: dict[str, str] | None = None) -> TestResponse:
        return self._ask("GET", path, headers or {})

    def key(self, install: Installed, page: str = "contact", headers: dict[str, str] | None = None) -> str:
        """Open a page of a module in a frame; the key that came with it, "" for none."""
        text = self.get(f"/embed/{install.public_id}/{page}", {**IN_A_FRAME, **(headers or {})}).text
        found = re.search(r'data-analytics="([^"]+)"', text)
        return found[1] if found else ""

    def tell(
        self, key: str, *events: dict[str, Any], headers: dict[str, str] | None = None, **how: Any
    ) -> TestResponse:
        """Send events as the script of a sandboxed frame does."""
        return self.send(json.dumps({"key": key, "events": list(events)}), headers, **how)

    def send(self, body: str | bytes, headers: dict[str, str] | None = None, **how: Any) -> TestResponse:
        sent = {"Origin": "null", "Content-Type": "text/plain;charset=UTF-8", **(headers or {})}
        return self._ask("POST", "/embed/analytics", sent, data=body, **how)


@pytest.fixture
def visitor(runtime_app: Flask, world: World) -> Visitor:
    return Visitor(runtime_app, new_address())


@pytest.fixture(scope="session")
def enquiries_release(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        return release(package(first_party("enquiries")), World(config).agency("Publisher"))


@pytest.fixture
def enquiries(world: World, config: Config, enquiries_release: Released) -> Installed:
    install = put_on(enquiries_release, world.site(world.agency()), config=config)
    install.data().insert("forms", {"name": "Contact", "key": "contact", "heading": "Write to us"})
    return install


def counted(install: Installed) -> list[tuple[Any, ...]]:
    """(event, name, page, value) of what was kept of an install, in order."""
    setup().counting.queue.flush()
    rows = install.rows(
        "SELECT event, name, page, value FROM module_analytics_events WHERE install_id = :install ORDER BY at, event, name"
    )
    return [tuple(row.values()) for row in rows]
