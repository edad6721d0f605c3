"""A site with pages, its editor, and visitors of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.pagedesk import Desk, open_desk
from tests.support.world import World
from tests.web.conftest import new_address

READER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class Reader:
    """Somebody reading the site, without cookies."""

    app: Flask
    desk: Desk
    address: str

    def get(self, path: str, base_url: str = "http://127.0.0.1:8001", **headers: str) -> TestResponse:
        """path: of the site."""
        return self.ask(f"/s/{self.desk.site.slug}{path}", base_url, **headers)

    def ask(self, path: str, base_url: str = "http://127.0.0.1:8001", **headers: str) -> TestResponse:
        sent = {"User-Agent": READER, **{name.replace("_", "-"): value for name, value in headers.items()}}
        client = self.app.test_client(use_cookies=False)
        return client.get(path, base_url=base_url, environ_base={"REMOTE_ADDR": self.address}, headers=sent)


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


@pytest.fixture
def reader(runtime_app: Flask, desk: Desk) -> Reader:
    return Reader(runtime_app, desk, new_address())


Counted = Callable[[], Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """`with asked() as sent:` fills sent with every statement that any connection of this process was given."""
    into: list[list[str]] = []
    through = psycopg.Cursor.execute

    def noting(self: Any, query: Any, *rest: Any, **how: Any) -> Any:
        for found in into:
            found.append(str(query))
        return through(self, query, *rest, **how)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)

    @contextmanager
    def counting() -> Iterator[list[str]]:
        found: list[str] = []
        into.append(found)
        yield found
        into.remove(found)

    return counting
