"""The domain screens: add one, see what to put where, have it checked, remove it; nothing for viewers and outsiders."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import select

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.domains import jobs, setup
from app.domains.known import verified_origins
from app.domains.models import Domain
from app.domains.proof import Look, record_name, record_value
from app.domains.standing import Front
from app.lib.ids import uuid7
from app.queue.enqueue import redis
from app.tenancy.models import Agency, Site
from tests.support.domains import MISSING, added_domain, check, verified_domain
from tests.support.installed import put_on_site
from tests.support.outside import Outside, outside
from tests.support.pages import page_faults
from tests.support.world import Person, World
from tests.web.conftest import Browse

NOTES = """
manifest: 1
slug: standing
name: Notes
summary: One page.
version: 1.0.0
type: app
tables:
  notes:
    label: {one: Note, many: Notes}
    fields:
      title: {type: text, required: true, max: 80}
    access: {public: [], staff: [read], api: [read]}
pages:
  write: {template: write.html, kind: form, title: Write a note, table: notes, fields: [title]}
"""


@dataclass
class House:
    agency: Agency
    ada: Person
    site: Site

    @property
    def path(self) -> str:
        return f"/sites/{self.site.public_id}/domains/new"


@pytest.fixture
def house(world: World) -> House:
    agency = world.agency()
    return House(agency, world.person(agency), world.site(agency))


def new_host() -> str:
    return f"shop-{uuid7().hex[-12:]}.com"


def domains_of(site: Site) -> list[Domain]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(session.scalars(select(Domain).where(Domain.site_id == site.id)))


def ordered(domain: Domain) -> int:
    """How many checks of it wait in the queue."""
    waiting = Queue("default", connection=redis(), serializer=JSONSerializer).get_jobs()
    return sum(order.args[::2] == ["domains.check", {"domain_id": str(domain.id)}] for order in waiting)


def test_from_a_new_domain_to_one_that_may_embed(
    house: House, browse: Browse, platform_app: Flask, tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ada, host = browse(house.ada), new_host()
    page = ada.post(house.path, {"host": f" https://{host.upper()}/contact ", "purposes": ["embed"]})
    [domain] = domains_of(house.site)
    assert (page.status, page.where, domain.host) == (303, f"/domains/{domain.public_id}", host)
    shown = ada.get(page.where)
    assert (shown.status, page_faults(shown.text, platform_app), shown.heading) == (200, [], host)
    assert {record_name(host), record_value(domain.token)} <= {
        tag["data-copy"] for tag in shown.html.select("[data-copy]")
    }

    assert ada.post(f"/domains/{domain.public_id}/check").where == f"/domains/{domain.public_id}"
    assert ada.post(f"/domains/{domain.public_id}/check").status == 303
    assert ordered(domain) == 1  # asked twice, checked once
    waiting = ada.get(f"/domains/{domain.public_id}")
    assert (waiting.one("#check")["data-state"], waiting.texts("#check .job-title")) == (
        "running",
        ["Checking"],
    )
    with outside(tmp_path_factory.mktemp("outside")) as world_outside:
        _look_there(monkeypatch, world_outside)
        _run(domain)
        assert ada.get(f"/domains/{domain.public_id}", htmx="check").where == f"/domains/{domain.public_id}"
        failed = ada.get(f"/domains/{domain.public_id}")
        assert failed.texts("#check .job-title") == ["Not proven yet"]
        assert failed.texts("#check li small") == [
            "There is no such record yet. A new one can take an hour to be seen everywhere.",
            "The name has no address.",
        ]
        world_outside.zone.records[(record_name(host), "TXT")] = [record_value(domain.token)]
        ada.post(f"/domains/{domain.public_id}/check")
        _run(domain)
    proven = ada.get(f"/domains/{domain.public_id}")
    assert proven.texts("#check .callout-title") == ["Verified by its TXT record"]
    assert verified_origins(house.site.id) == [f"https://{host}"]

    gone = ada.post(f"/domains/{domain.public_id}/remove")
    assert gone.where == f"/domains?site={house.site.public_id}"
    assert (domains_of(house.site), verified_origins(house.site.id)) == ([], [])


def _look_there(monkeypatch: pytest.MonkeyPatch, world_outside: Outside) -> None:
    look = Look(world_outside.names, world_outside.egress, development=False, port=world_outside.site.port)
    monkeypatch.setitem(setup._setup, "process", replace(setup.current_setup(), look=look))


def _run(domain: Domain) -> None:
    with tenant_scope(domain.agency_id):
        jobs.check(str(domain.id))


@pytest.mark.parametrize(
    ("host", "status", "error"),
    [
        ("", 422, "Enter the domain."),
        ("co.uk", 422, "Under co.uk names are given to everybody. Enter the one that is yours."),
        ("10.0.0.1", 422, "Enter a host name such as www.example.com, without a port and not an IP address."),
        ("127.0.0.1:8001", 422, "This is the platform's own address."),
        ("nothing.com", 422, "Choose at least one."),
        ("there.com", 409, "The site has this domain already."),
    ],
)
def test_what_cannot_be_added_says_why(house: House, browse: Browse, host: str, status: int, error: str) -> None:
    host = host.replace("there", f"there-{house.site.slug}")
    if status == 409:
        added_domain(house.site, host)
    page = browse(house.ada).post(house.path, {"host": host, "purposes": [] if host == "nothing.com" else ["embed"]})
    assert (page.status, page.errors) == (status, [error])


def test_the_list_is_searched_filtered_and_told_apart_by_site(house: House, browse: Browse, world: World) -> None:
    ada, other = browse(house.ada), world.site(house.agency)
    one, two = verified_domain(house.site, new_host()), added_domain(other, f"b-{new_host()}")
    for path, found in [
        ("/domains", {one, two}),
        (f"/domains?site={house.site.public_id}", {one}),
        ("/domains?status=pending", {two}),
        (f"/domains?q={one.host[5:12].upper()}", {one}),
        ("/domains?q=nothing-of-that", set()),
        ("/domains?page=2", set()),
    ]:
        assert set(ada.get(path).ids("main tbody tr")) == {domain.public_id for domain in found}, path


def test_an_expired_token_is_replaced_and_a_proven_one_kept(house: House, browse: Browse) -> None:
    ada, domain, proven = (
        browse(house.ada),
        added_domain(house.site, new_host()),
        verified_domain(house.site, new_host()),
    )
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(Domain, domain.id).token_expires_at = domain.created_at
    page = ada.get(f"/domains/{domain.public_id}")
    assert page.texts("#check .callout-title") == ["The token has expired"]
    ada.post(f"/domains/{domain.public_id}/check")
    assert ordered(domain) == 0
    ada.post(f"/domains/{domain.public_id}/token")
    ada.post(f"/domains/{proven.public_id}/token")
    tokens = {one.id: one.token for one in domains_of(house.site)}
    assert (tokens[domain.id] != domain.token, tokens[proven.id] == proven.token) == (True, True)


def test_what_a_domain_is_for_can_be_changed(
    house: House, browse: Browse, world: World, platform_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, domain = browse(house.ada), added_domain(house.site, host := new_host())
    notes = put_on_site(house.agency, house.site, NOTES)
    other = put_on_site(house.agency, world.site(house.agency), NOTES)
    form = ada.get(f"/domains/{domain.public_id}/edit")
    assert (form.status, page_faults(form.text, platform_app)) == (200, [])
    path = f"/domains/{domain.public_id}/edit"
    wanted = {"purposes": ["embed", "pages"], "target": f"{notes.public_id}/write", "www": "to_www"}
    for wrong in (
        {"purposes": []},
        {"target": f"{other.public_id}/write"},
        {"target": f"{notes.public_id}/none"},
        {"www": "x"},
    ):
        assert ada.post(path, {**wanted, **wrong}).status == 422, wrong
    assert ada.post(path, wanted).where == f"/domains/{domain.public_id}"
    [kept] = domains_of(house.site)
    assert (kept.purposes, kept.target_install_id, kept.target_page, kept.www) == (
        ["embed", "pages"], notes.install.id, "write", "to_www",
    )  # fmt: skip
    front = Front("front.example.net", ("203.0.113.7",))
    monkeypatch.setitem(setup._setup, "process", replace(setup.current_setup(), front=front))
    shown = ada.get(f"/domains/{domain.public_id}")
    assert shown.texts("#records tbody tr") == [f"{host} A 203.0.113.7", f"www.{host} CNAME front.example.net"]
    assert "Notes: Write a note" in shown.one("#facts").get_text()
    ada.post(path, {**wanted, "purposes": ["embed"]})
    [kept] = domains_of(house.site)
    assert (kept.purposes, kept.target_install_id, kept.www) == (["embed"], None, "none")


def test_a_domain_for_the_platform_itself(house: House, browse: Browse, world: World) -> None:
    ada, host = browse(house.ada), new_host()
    where = ada.post("/domains/new", {"host": host}).where
    assert where is not None
    page = ada.get(where)
    assert (page.status, page.heading, "This platform" in page.one("#facts").get_text()) == (200, host, True)
    assert ada.get(f"{where}/edit").status == 404  # what stands there is the platform
    assert host in ada.get("/domains").texts("main tbody th")[0]
    assert browse(world.person(house.agency, Role.DEVELOPER)).post("/domains/new", {"host": new_host()}).status == 403


def test_a_verified_domain_says_where_it_leads_and_who_signed_its_certificate(
    house: House, browse: Browse, platform_app: Flask
) -> None:
    domain = verified_domain(house.site, host := new_host(), purposes=["pages"])
    ada, where = browse(house.ada), f"/domains/{domain.public_id}"
    fresh = ada.get(where)
    assert fresh.texts("#standing .job-title") == ["Visitors are not served everywhere yet"]
    one = {"host": host, "address": {"state": "here", "values": []}}
    certificate = {"state": "valid", "issuer": "Let's Encrypt", "until": "2027-02-01T00:00:00+00:00"}
    for found, title in (
        ({**one, "certificate": {"state": "invalid", "detail": "expired"}}, "Visitors are not served everywhere yet"),
        ({**one, "certificate": certificate}, "Visitors are served"),
    ):
        with platform_scope("test"), transaction(db.session()) as session:
            session.get_one(Domain, domain.id).found = {"standing": [found]}
        page = ada.get(where)
        assert (page.texts("#standing .job-title"), page_faults(page.text, platform_app)) == ([title], [])
    assert page.texts("#standing li small") == ["It leads here.", "By Let's Encrypt, until 1 Feb 2027."]


def test_a_lost_domain_says_what_has_stopped(house: House, browse: Browse) -> None:
    domain = verified_domain(house.site, new_host())
    for _ in range(3):
        check(domain, MISSING)
    page = browse(house.ada).get(f"/domains/{domain.public_id}")
    assert page.texts("main > .callout .callout-title") == ["This domain has stopped working"]


def test_a_viewer_looks_and_changes_nothing(house: House, browse: Browse, world: World) -> None:
    domain = added_domain(house.site, new_host())
    vic = browse(world.person(house.agency, Role.VIEWER))
    assert vic.get(f"/domains/{domain.public_id}").html.select("main form[method=post]") == []
    for path in (house.path, *(f"/domains/{domain.public_id}/{act}" for act in ("check", "token", "remove"))):
        assert vic.post(path, {"host": new_host()}).status == 403, path
    assert [one.id for one in domains_of(house.site)] == [domain.id]


def test_a_site_of_others_does_not_exist(house: House, browse: Browse, world: World) -> None:
    olga = browse(world.person(world.agency("Elsewhere")))
    assert olga.get(f"/domains?site={house.site.public_id}").status == 404
    assert olga.get(f"/domains/{added_domain(house.site, new_host()).public_id}").status == 404
