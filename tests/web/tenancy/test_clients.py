"""Clients: list, page, make, edit, archive, restore."""

from __future__ import annotations

import pytest

from app.tenancy.models import Agency, Client, Site
from tests.support.browser import Browser
from tests.support.world import World
from tests.web.tenancy.test_sites import events_of, trail_of

VALUES = {
    "name": "Vinyl Ltd",
    "contact_name": "Mark Lowe",
    "contact_email": "Mark@Vinyl.example",
    "notes": "One\r\ntwo",
}


def test_a_new_client_is_there_with_event_and_audit(ada: Browser, agency: Agency) -> None:
    answer = ada.post("/clients/new", VALUES)
    assert answer.status == 303
    client_id = (answer.where or "").rpartition("/")[2]
    page = ada.get(answer.where or "")
    assert (page.heading, page.texts("#contact dd")[:2]) == ("Vinyl Ltd", ["Mark Lowe", "mark@vinyl.example"])
    assert page.one("#notes p").get_text() == "One\ntwo"
    assert [(kind, subject) for kind, subject, _ in events_of(agency)] == [("client.created", client_id)]


@pytest.mark.parametrize("path", ["/clients/new", "/clients/{client}/edit"])
@pytest.mark.parametrize("htmx", [None, "client-box"])
def test_two_clients_cannot_have_one_name(
    ada: Browser, world: World, agency: Agency, path: str, htmx: str | None
) -> None:
    world.client(agency, "Vinyl Ltd")
    other = world.client(agency, "Other")
    page = ada.post(path.format(client=other.public_id), VALUES, htmx=htmx)
    assert (page.status, page.errors) == (
        409, ["Another client of this agency has this name, perhaps among the archived ones."]
    )  # fmt: skip
    assert page.one("#contact_name")["value"] == "Mark Lowe"
    assert ada.get(f"/clients/{other.public_id}").heading == "Other"


def test_two_agencies_can_have_clients_of_one_name(ada: Browser, olga: Browser) -> None:
    assert ada.post("/clients/new", VALUES).status == 303
    assert olga.post("/clients/new", VALUES).status == 303


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"name": ""}, ["Enter a name."]),
        ({"contact_email": "nobody"}, ["This is not an e-mail address: an email address must have an @-sign."]),
        ({"notes": "x" * 4001}, ["Field cannot be longer than 4000 characters."]),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    ada: Browser, agency: Agency, change: dict[str, str], errors: list[str]
) -> None:
    page = ada.post("/clients/new", {**VALUES, **change})
    assert (page.status, page.errors, events_of(agency)) == (422, errors, [])


def test_an_edit_says_what_changed(ada: Browser, agency: Agency, client: Client) -> None:
    sent = {"name": "Harbour Group", "contact_name": "Ines", "contact_email": "", "notes": ""}
    assert ada.post(f"/clients/{client.public_id}/edit", sent).where == f"/clients/{client.public_id}"
    assert trail_of(agency) == [("client.changed", "Harbour Group", {"contact_name": ["", "Ines"]})]


def test_a_client_with_a_site_in_use_stays(ada: Browser, client: Client, site: Site) -> None:
    ada.post(f"/clients/{client.public_id}/archive")
    page = ada.get(f"/clients/{client.public_id}")
    assert page.texts("#toasts .toast-note") == ["This client still has sites in use. Archive them first."]
    assert page.texts(".page-meta .status") == ["In use"]


def test_archiving_can_be_undone(ada: Browser, agency: Agency, client: Client) -> None:
    ada.post(f"/clients/{client.public_id}/archive")
    assert ada.get("/clients").ids("#clients tbody tr") == []
    assert ada.get("/clients?status=archived").ids("#clients tbody tr") == [client.public_id]
    ada.post(f"/clients/{client.public_id}/restore")
    assert ada.get("/clients").ids("#clients tbody tr") == [client.public_id]
    assert [row[0] for row in trail_of(agency)] == ["client.archived", "client.restored"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Alpha", "Beta", "Gamma"]),
        ("?sort=-name", ["Gamma", "Beta", "Alpha"]),
        ("?sort=-sites", ["Beta", "Gamma", "Alpha"]),
        ("?q=BET", ["Beta"]),
        ("?q=zzz", []),
    ],
)
def test_the_list_is_what_its_address_says(
    ada: Browser, world: World, agency: Agency, query: str, found: list[str]
) -> None:
    _, beta, gamma = (world.client(agency, name) for name in ("Alpha", "Beta", "Gamma"))
    for owner in (beta, beta, gamma):
        world.site(agency, client=owner)
    assert ada.get(f"/clients{query}").texts("#clients .row-link") == found
    assert ada.get(f"/clients{query}", htmx="results").texts("#clients .row-link") == found
