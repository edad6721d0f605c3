"""The screens of developers and of the agency; nothing for outsiders, nothing to change for viewers."""

from __future__ import annotations

import re

import pytest

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.oauth.conftest import BACK, Flow, registered

SECRET = re.compile(r"dmc_cs_[\w-]{43}")
FORM = {"name": "Ledger", "kind": "confidential", "redirect_uris": BACK, "scopes": ["read"], "refresh": "y"}


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


def test_an_application_shows_its_secret_once(ada: Person, browse: Browse) -> None:
    page = browse(ada).post("/applications", FORM)
    secret = SECRET.search(page.text)
    assert (page.status, secret is not None) == (201, True)
    listed = browse(ada).get("/applications")
    assert listed.texts("tbody th a") == ["Ledger"]
    again = browse(ada).get("/applications/" + listed.ids("tbody tr")[0])
    assert (again.status, SECRET.search(again.text)) == (200, None)


def test_an_answer_with_a_secret_that_is_loaded_again_makes_no_other(ada: Person, browse: Browse) -> None:
    person = browse(ada)
    sent = {**FORM, "once": str(person.get("/applications/new").one("[name=once]")["value"])}
    assert [person.post("/applications", sent).status for _ in range(2)] == [201, 303]
    [there] = person.get("/applications").ids("tbody tr")
    number = str(person.get(f"/applications/{there}").one("#new-secret [name=once]")["value"])
    assert [person.post(f"/applications/{there}/secret", {"once": number}).status for _ in range(2)] == [201, 303]


def test_a_public_application_has_no_secret(ada: Person, browse: Browse) -> None:
    page = browse(ada).post("/applications", {**FORM, "kind": "public"})
    assert page.status == 303
    shown = browse(ada).get(str(page.where))
    assert "Make a new secret" not in shown.text
    assert browse(ada).post(f"{page.where}/secret").status == 409


@pytest.mark.parametrize(
    "uri",
    [
        "http://ledger.example/back", "javascript:alert(1)", "data:text/html,x", "myapp://back", "https://ledger.example/back#x",
        "https://*.ledger.example/back", "https://intranet/back", "https://u@ledger.example/", "https://ledger.example/a/../b",
        "https://ledger.example:port/", "http://127.0.0.1.evil.example/",
    ],
)  # fmt: skip
def test_O1_an_address_that_could_leak_codes_is_not_registered(ada: Person, browse: Browse, uri: str) -> None:
    page = browse(ada).post("/applications", {**FORM, "redirect_uris": uri})
    assert (page.status, len(page.errors)) == (422, 1)
    assert browse(ada).get("/applications").ids("tbody tr") == []


def test_changing_rotating_and_deleting(ada: Person, browse: Browse) -> None:
    application, _ = registered(ada)
    path, browser = f"/applications/{application.public_id}", browse(ada)
    assert browser.post(path, {**FORM, "name": "Books"}).status == 303
    assert browser.get(path).heading == "Books"
    assert SECRET.search(browser.post(f"{path}/secret").text)
    assert "End the earlier secret" in browser.get(path).text
    assert browser.post(f"{path}/secret/retire").status == 303
    assert "End the earlier secret" not in browser.get(path).text
    assert browser.post(f"{path}/delete").status == 303
    assert [browser.get(path).status, browser.get("/applications").ids("tbody tr")] == [404, []]


def test_viewers_see_no_applications_and_outsiders_find_none(ada: Person, world: World, browse: Browse) -> None:
    application, _ = registered(ada)
    path = f"/applications/{application.public_id}"
    vic = world.person(Agency(id=ada.agency_id), Role.VIEWER, name="Vic")
    olga = world.person(world.agency("Other Place"), name="Olga")
    assert [browse(vic).get("/applications").status, browse(vic).get(path).status] == [403, 403]
    assert [browse(vic).post(path, FORM).status, browse(vic).post(f"{path}/delete").status] == [403, 403]
    assert [browse(olga).get(path).status, browse(olga).post(f"{path}/secret").status] == [404, 404]
    assert browse(olga).get("/applications").ids("tbody tr") == []


def test_the_publisher_of_an_application_sees_no_grants_of_other_agencies(server_flow: Flow, browse: Browse) -> None:
    server_flow.tokens()
    grant = server_flow.grants()[0].public_id
    publisher = browse(server_flow.publisher)
    assert publisher.get("/connected-apps").ids("tbody tr") == []
    assert publisher.post(f"/connected-apps/{grant}/revoke").status == 404


@pytest.mark.parametrize(
    ("words", "found"),
    [("ledger", 1), ("HARBOUR", 1), ("ada", 1), ("works", 1), ("100%", 0), ("nobody", 0), ("\x00", 1)],
)
def test_connected_apps_are_found_by_application_publisher_site_and_person(
    server_flow: Flow, words: str, found: int
) -> None:
    server_flow.tokens()
    page = server_flow.ada.get("/connected-apps", query_string={"q": words})
    assert len(page.ids("tbody tr")) == found
    part = server_flow.ada.get("/connected-apps", query_string={"q": words}, htmx="results")
    assert (len(part.ids("tbody tr")), part.html.select("h1")) == (found, [])


def test_a_viewer_sees_and_ends_their_own_grants_only(server_flow: Flow, world: World, browse: Browse) -> None:
    server_flow.tokens()
    owners = server_flow.grants()[0].public_id
    vic = world.person(Agency(id=server_flow.shop.site.agency_id), Role.VIEWER, name="Vic")
    ada, server_flow.ada = server_flow.ada, browse(vic)
    token = server_flow.tokens()["access_token"]
    own = server_flow.grants()[1].public_id
    assert browse(vic).get("/connected-apps").ids("tbody tr") == [own]
    assert browse(vic).post(f"/connected-apps/{owners}/revoke").status == 403
    assert ada.get("/connected-apps").ids("tbody tr") == [own, owners]
    assert ada.get("/connected-apps?whose=mine").ids("tbody tr") == [owners]
    assert browse(vic).post(f"/connected-apps/{own}/revoke").status == 303
    assert server_flow.reads(token) == 401
