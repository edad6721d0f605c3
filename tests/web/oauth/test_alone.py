"""Client credentials: an application that works by itself, where its agency lets it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.access.permissions import Role
from app.lib.ids import encode
from app.oauth.models import Application
from app.tenancy.models import Agency
from tests.support.browser import Page
from tests.support.world import World
from tests.web.conftest import Browse, new_address
from tests.web.gateway.conftest import Shop
from tests.web.oauth.conftest import SCOPES, registered, said, sql

ISSUER = "http://localhost:8000"


@dataclass
class Alone:
    """An application of the shop's own agency, registered to work by itself."""

    api: Flask
    shop: Shop
    browse: Browse
    application: Application
    secret: str

    def ask(self, **body: str) -> TestResponse:
        pair = base64.b64encode(f"{self.application.public_id}:{self.secret}".encode()).decode()
        return self.api.test_client().post(
            "/oauth/token", data={"grant_type": "client_credentials", **body}, headers={"Authorization": f"Basic {pair}"},
            environ_overrides={"REMOTE_ADDR": new_address()},
        )  # fmt: skip

    def let_in(self, *, target: str | None = None, scopes: Any = SCOPES) -> Page:
        body = {"target": target or encode("ste", self.shop.site.id), "scopes": scopes}
        return self.browse(self.shop.ada).post(f"/applications/{self.application.public_id}/sites", body)


@pytest.fixture
def alone(api_app: Flask, shop: Shop, browse: Browse) -> Alone:
    application, secret = registered(shop.ada, redirect_uris=[], refresh=False, alone=True)
    return Alone(api_app, shop, browse, application, secret)


def test_it_gets_a_token_for_the_site_it_was_let_into_without_a_person(alone: Alone) -> None:
    assert alone.let_in().status == 303
    answer = alone.ask()
    found = answer.get_json()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (found["scope"], found["expires_in"], "refresh_token" in found) == ("read write", 3600, False)
    assert alone.shop.get("/products", token=found["access_token"]).status_code == 200
    assert alone.shop.post("/products", {"name": "Lamp"}, token=found["access_token"]).status_code == 201
    assert alone.ask(scope="read").get_json()["scope"] == "read"


def test_O14_it_gets_none_where_nobody_let_it_in(alone: Alone) -> None:
    assert said(alone.ask()) == (400, "invalid_target")
    alone.let_in(scopes=["read"])
    assert said(alone.ask(scope="write")) == (400, "invalid_scope")
    assert said(alone.ask(resource=f"{ISSUER}/sites/ste_00000000000000000000000000")) == (400, "invalid_target")


def test_it_names_the_site_when_there_are_several(alone: Alone, world: World) -> None:
    other = world.site(Agency(id=alone.shop.site.agency_id))
    alone.let_in()
    assert alone.let_in(target=encode("ste", other.id), scopes=["read"]).status == 303
    assert said(alone.ask()) == (400, "invalid_target")
    here = alone.ask(resource=f"{ISSUER}/sites/{encode('ste', alone.shop.site.id)}").get_json()
    there = alone.ask(resource=f"{ISSUER}/sites/{encode('ste', other.id)}").get_json()
    assert (here["scope"], there["scope"]) == ("read write", "read")
    assert alone.shop.get("/products", token=here["access_token"]).status_code == 200
    assert alone.shop.get("/products", token=there["access_token"]).status_code == 404


def test_it_can_be_let_in_once_and_shut_out_at_once(alone: Alone) -> None:
    alone.let_in()
    assert alone.let_in().status == 409
    token = alone.ask().get_json()["access_token"]
    ada = alone.browse(alone.shop.ada)
    path = f"/applications/{alone.application.public_id}"
    (grant,) = ada.get(path).ids("#own-sites tbody tr")
    assert ada.get("/connected-apps").ids("tbody tr") == [grant]
    assert ada.post(f"/connected-apps/{grant}/revoke", {"from": "application"}).where == path
    assert alone.shop.get("/products", token=token).status_code == 401
    assert said(alone.ask()) == (400, "invalid_target")
    assert alone.let_in().status == 303


def test_it_outlives_who_let_it_in_but_neither_secret_nor_site(alone: Alone) -> None:
    alone.let_in()
    token = alone.ask().get_json()["access_token"]
    sql("DELETE FROM memberships WHERE user_id = :user", user=alone.shop.ada.id)
    assert alone.shop.get("/products", token=token).status_code == 200
    sql("UPDATE sites SET archived_at = now() WHERE id = :site", site=alone.shop.site.id)
    assert alone.shop.get("/products", token=token).status_code == 403
    alone.secret = "dmc_cs_guessed"
    assert said(alone.ask()) == (401, "invalid_client")


def test_another_agencys_site_cannot_be_chosen_and_viewers_let_nobody_in(alone: Alone, world: World) -> None:
    foreign = world.site(world.agency("Elsewhere"))
    assert alone.let_in(target=encode("ste", foreign.id)).status == 422
    assert alone.let_in(scopes=["delete"]).status == 422  # it did not register that
    vic = world.person(Agency(id=alone.shop.site.agency_id), Role.VIEWER, name="Vic")
    path = f"/applications/{alone.application.public_id}/sites"
    assert [alone.browse(vic).get(f"{path}/new").status, alone.browse(vic).post(path).status] == [403, 403]


def test_O14_an_application_that_acts_for_people_alone_gets_no_token_by_itself(alone: Alone) -> None:
    alone.application, alone.secret = registered(alone.shop.ada)
    assert said(alone.ask()) == (400, "unauthorized_client")
    assert alone.let_in().status == 409


def test_one_without_addresses_lets_nobody_sign_in(alone: Alone) -> None:
    query = f"response_type=code&client_id={alone.application.public_id}&redirect_uri=https://ledger.example/back"
    assert alone.browse(alone.shop.ada).get(f"/oauth/authorize?{query}").status == 400


@pytest.mark.parametrize("wrong", [{"kind": "public"}, {"alone": "", "redirect_uris": ""}])
def test_only_a_server_can_work_by_itself_and_others_need_an_address(alone: Alone, wrong: dict[str, str]) -> None:
    form = {
        "name": "Till",
        "kind": "confidential",
        "redirect_uris": "https://till.example/",
        "scopes": ["read"],
        "alone": "y",
    }
    page = alone.browse(alone.shop.ada).post("/applications", {**form, **wrong})
    assert (page.status, len(page.errors)) == (422, 1)
