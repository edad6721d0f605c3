"""An integration on Mia's site, and the service it connects to: our own provider, on a socket, where Ada has a shop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from werkzeug.serving import make_server

from app.access.actors import SYSTEM
from app.config import Config
from app.connections.models import Connection
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.http_out import Answer, Egress
from app.lib.ids import encode, uuid7
from app.lib.judged import OutgoingFailed
from app.modules.package import read_folder
from app.runtime.functions import process
from app.runtime.functions.run import run_function
from tests.support.browser import Browser, Page
from tests.support.modules import Installed, Released, put_on, release
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.gateway.conftest import OpenShop, Shop, open_shop, shop, shop_module  # noqa: F401  # fixtures
from tests.web.oauth.conftest import registered

CALLBACK = "http://localhost:8000/connections/callback"
SERVICE, API = "https://books.example.com", "https://api.example.com"
MANIFEST = """
manifest: 1
slug: {slug}
name: Books link
summary: Brings products from the books.
version: 1.0.0
type: integration
permissions:
  network:
    - {{host: api.example.com, methods: [GET], reason: "To read products."}}
    - {{host: other.example.com, methods: [GET], reason: "To read holidays."}}
connections:
  books:
    label: Ledger Books
    help: It reads your products there.
    authorize_url: https://books.example.com/oauth/authorize
    token_url: https://books.example.com/oauth/token
    revoke_url: https://books.example.com/oauth/revoke
    scopes: [read]
    hosts: [api.example.com]
functions:
  look: {{file: look.js}}
"""
LOOK = """
export default function (ctx, input) {
  if (!input.url) return ctx.connections;
  try {
    const answer = ctx.http.get(input.url, { connection: input.connection ?? "books", headers: input.headers });
    return { status: answer.status, body: answer.body };
  } catch (error) { return { code: error.code }; }
}
"""


class Wires(Egress):
    """The way to the service: its names lead to a server of the test. silent: nobody answers. sent: what left, by address."""

    def __init__(self, origin: str, module: str) -> None:
        super().__init__(allowed=["127.0.0.0/8"], schemes=["http"], ports=range(1, 65536))
        self.origin, self.module, self.silent = origin, module, False
        self.sent: list[tuple[str, dict[str, str]]] = []

    def request(self, method: str, url: str, **how: Any) -> Answer:  # type: ignore[override]  # keywords as given
        self.sent.append((url, dict(how.get("headers") or {})))
        if self.silent:
            raise OutgoingFailed("timeout", "No answer within 8 s.")
        if url == f"{API}/echo":
            return Answer(200, {}, self.sent[-1][1]["authorization"].encode(), 1.0)
        there = url.replace(f"{API}/", f"{self.origin}/api/modules/{self.module}/").replace(SERVICE, self.origin)
        return super().request(method, there, **how)


@dataclass
class Link:
    """Mia's install of the integration, and Ada, who has an account at the service."""

    install: Installed
    mia: Browser
    person: Person
    ada: Browser
    shop: Shop
    wires: Wires
    client_id: str
    secret: str
    path: str = field(init=False)

    def __post_init__(self) -> None:
        self.path = f"/installs/{self.install.public_id}/connections"

    def register(self, **changes: str) -> Page:
        form = {"books-client_id": self.client_id, "books-secret": self.secret, **changes}
        return self.mia.post(f"{self.path}/books/client", form)

    def begin(self, browser: Browser | None = None) -> str:
        """The service's address that the browser is sent to."""
        page = (browser or self.mia).post(f"{self.path}/books/connect")
        assert page.status == 303
        return str(page.where)

    def agree(self, address: str, *, decision: str = "allow") -> str:
        """The path at which the browser ends that the service sends back."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{SERVICE}/oauth/authorize"
        form = {"decision": decision, "target": encode("ste", self.shop.site.id), "scopes": ["read"]}
        back = str(self.ada.post(f"/oauth/authorize?{parts.query}", form).where)
        assert back.startswith(CALLBACK)
        return str(self.mia.get(back.removeprefix("http://localhost:8000")).where)

    def connect(self) -> Page:
        self.register()
        return self.mia.get(self.agree(self.begin()))

    def look(self, url: str = "", **given: Any) -> Any:
        return run_function(self.install.context, "look", {"url": url, **given}, trigger="test", actor=SYSTEM)

    def row(self) -> Connection:
        with platform_scope("test"), transaction(db.session()) as session:
            found = session.query(Connection).filter_by(install_id=self.install.id).one()
            session.expunge(found)
            return found

    def change(self, **values: Any) -> None:
        with platform_scope("test"), transaction(db.session()) as session:
            session.query(Connection).filter_by(install_id=self.install.id).update(values)


def asked(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


@pytest.fixture(scope="session")
def books_link(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        files = {"module.yaml": MANIFEST.format(slug=f"books-{uuid7().hex[-10:]}"), "functions/look.js": LOOK}
        package = read_folder((path, text.encode()) for path, text in files.items())
        return release(package, World(config).agency("Publisher"))


@pytest.fixture(scope="session")
def service(api_app: Flask) -> Iterator[str]:
    """Where the service listens."""
    server = make_server("127.0.0.1", 0, api_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def link(
    world: World, config: Config, browse: Browse, shop: Shop, books_link: Released, service: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Link]:  # fmt: skip
    wires = Wires(service, shop.module.slug)
    monkeypatch.setattr(process._process, "egress", wires)
    agency = world.agency("Bright Bits")
    mia = world.person(agency, name="Mia")
    application, secret = registered(
        world.person(world.agency("Ledger Works"), name="Petra"), redirect_uris=[CALLBACK], scopes=["read"]
    )
    yield Link(
        put_on(books_link, world.site(agency), config=config), browse(mia), mia, browse(shop.ada), shop, wires,
        application.public_id, secret,
    )  # fmt: skip
    wires.close()
