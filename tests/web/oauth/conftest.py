"""An application that asks, a person who decides, and a shop whose records it wants."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.oauth.actions import create_application
from app.oauth.models import Application, Grant
from tests.support.browser import Browser, Page
from tests.support.world import Person, World
from tests.web.conftest import Browse, new_address
from tests.web.gateway.conftest import OpenShop, Shop, open_shop, shop, shop_module  # noqa: F401  # fixtures

BACK = "https://ledger.example/back"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SCOPES = ["read", "write"]


@dataclass
class Flow:
    """One application of another agency, met by the shop's owner. secret "" for a public one."""

    api: Flask
    shop: Shop
    ada: Browser
    publisher: Person
    application: Application
    secret: str
    address: str = field(default_factory=new_address)

    @property
    def client_id(self) -> str:
        return self.application.public_id

    def query(self, **changes: str | None) -> str:
        """The address a browser is sent to. A change to None leaves the parameter out."""
        asked: dict[str, str | None] = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": BACK, "scope": " ".join(SCOPES),
            "state": "a~b c+d/é", "code_challenge": CHALLENGE, "code_challenge_method": "S256", **changes,
        }  # fmt: skip
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value is not None})

    def arrive(self, address: str) -> Page:
        """Ada comes from the application, as the browser says."""
        return self.ada.get(address, headers={"Sec-Fetch-Site": "cross-site"})

    def consent(
        self, *, decision: str = "allow", target: str | None = None, scopes: Any = None, **asked: str | None
    ) -> Page:
        body = {
            "decision": decision, "target": target or encode("ste", self.shop.site.id),
            "scopes": SCOPES if scopes is None else scopes,
        }  # fmt: skip
        return self.ada.post(self.query(**asked), body)

    def code(self, **given: Any) -> str:
        return answer_of(self.consent(**given))["code"]

    def post(self, path: str, body: Any, *, basic: bool = False, **given: Any) -> TestResponse:
        sent = dict(body) if isinstance(body, dict) else body
        headers = dict(given.pop("headers", {}))
        if isinstance(sent, dict):
            if basic:
                pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
                headers["Authorization"] = f"Basic {pair}"
            else:
                sent = {"client_id": self.client_id, **({"client_secret": self.secret} if self.secret else {}), **sent}
        return self.api.test_client().post(
            path, data=sent, headers=headers, environ_overrides={"REMOTE_ADDR": self.address}, **given
        )

    def redeem(self, code: str, **changes: str) -> TestResponse:
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("/oauth/token", body)

    def tokens(self, **given: Any) -> dict[str, Any]:
        answer = self.redeem(self.code(**given))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def refresh(self, token: str, **more: str) -> TestResponse:
        return self.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, **more})

    def reads(self, access_token: str) -> int:
        """The status of reading the shop's products with it."""
        return self.shop.get("/products", token=access_token).status_code

    def grants(self) -> list[Grant]:
        with platform_scope("test"), transaction(db.session()) as session:
            return list(session.query(Grant).filter_by(client_id=self.application.id).order_by(Grant.created_at))


def answer_of(page: Page) -> dict[str, str]:
    """The parameters that the application gets back."""
    assert page.status == 303, page.text[:2000]
    assert page.where is not None
    return dict(parse_qsl(urlsplit(page.where).query, keep_blank_values=True))


def said(answer: TestResponse) -> tuple[int, str]:
    """Status and error of an answer."""
    return answer.status_code, answer.get_json().get("error", "")


def sql(statement: str, **given: object) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text(statement), {name: value for name, value in given.items() if f":{name}" in statement})


def s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def registered(person: Person, **values: Any) -> tuple[Application, str]:
    given = {
        "name": "Ledger",
        "kind": "confidential",
        "redirect_uris": [BACK],
        "scopes": SCOPES,
        "refresh": True,
        **values,
    }
    with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
        made = create_application(session, by=person.actor, now=utcnow(), **given)
    return made.application, made.secret or ""


@pytest.fixture(params=["confidential", "public"])
def flow(request: pytest.FixtureRequest, world: World, api_app: Flask, shop: Shop, browse: Browse) -> Flow:  # noqa: F811
    return _flow(request.param, world, api_app, shop, browse)


@pytest.fixture
def server_flow(world: World, api_app: Flask, shop: Shop, browse: Browse) -> Flow:  # noqa: F811
    """A confidential application, where the kind makes no difference."""
    return _flow("confidential", world, api_app, shop, browse)


def _flow(kind: str, world: World, api_app: Flask, shop: Shop, browse: Browse) -> Flow:  # noqa: F811
    publisher = world.person(world.agency("Ledger Works"), name="Petra Publisher")
    application, secret = registered(publisher, kind=kind)
    return Flow(api_app, shop, browse(shop.ada), publisher, application, secret)
