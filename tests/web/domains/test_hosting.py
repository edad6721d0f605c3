"""Customers' own hosts: what stands there, its one address, and nothing at hosts that nobody has proven."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.domains.actions import add_domain, change_domain, remove_domain
from app.domains.hosting import Strangers, surface_of
from app.domains.known import forget_domains
from app.domains.models import Domain
from app.domains.setup import current_setup
from app.errors import Invalid
from app.installs.models import Install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.runtime.pages.spam import TRAP
from app.tenancy.actions.agencies import set_logo
from app.tenancy.models import Agency, Site
from app.web.dispatch import Dispatcher
from tests.support.domains import BY_DNS, MISSING, added_domain, check, platform_domain, verified_domain
from tests.support.everything import Everything, make_everything
from tests.support.files import picture
from tests.support.pagedesk import open_desk
from tests.support.world import World

NOTHING = (404, "There is nothing at this address.\n")


@pytest.fixture(scope="module")
def everything(platform_app: Flask, config: Config) -> Everything:
    with platform_app.app_context():
        return make_everything(World(config), config, platform_app)


@pytest.fixture
def site(everything: Everything, world: World) -> Site:
    return everything.site


@pytest.fixture
def visitor(platform_app: Flask, api_app: Flask, runtime_app: Flask, config: Config) -> Client:
    """Somebody who asks the whole product."""
    door = Dispatcher(platform=platform_app, api=api_app, runtime=runtime_app, config=config, surface_of=surface_of)
    return Client(door)


def new_host() -> str:
    return f"shop-{uuid7().hex[-12:]}.com"


def module_at(everything: Everything, domain: Domain, *, page: str = "write", www: str = "none") -> Domain:
    """Let the notes module stand at a domain."""
    with tenant_scope(domain.agency_id), transaction(db.session()) as session:
        found = session.get_one(Domain, domain.id)
        target = (session.get_one(Install, everything.install.id), page)
        change_domain(session, domain=found, purposes=["pages"], www=www, target=target, by=everything.ada.actor)
        return found


def test_a_module_stands_at_the_domain_with_all_its_pages(everything: Everything, site: Site, visitor: Client) -> None:
    host, install = new_host(), everything.install.public_id
    module_at(everything, verified_domain(site, host, purposes=["pages"]))
    for path in ("/", "/write", f"/embed/{install}/write"):
        answer = visitor.get(path, base_url=f"https://{host}")
        assert (answer.status_code, "<h1>Write</h1>" in answer.text) == (200, True), path
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"  # its sub-domains are not ours
        assert "Set-Cookie" not in answer.headers
        styles = re.findall(r'href="(/static/[^"]+\.css)"', answer.text)
        assert [visitor.get(one, base_url=f"https://{host}").status_code for one in styles] == [200]
    sent = visitor.post("/", base_url=f"https://{host}", data={"title": "Hello", TRAP: "a machine fills this"})
    assert (sent.status_code, sent.headers["Location"]) == (303, "/?sent=1")
    assert visitor.get("/not-there", base_url=f"https://{host}").status_code == 404


def test_a_sites_own_pages_stand_at_the_top_of_its_domain(world: World, visitor: Client) -> None:
    desk = open_desk(world)
    desk.page(lead="Welcome to the harbour", live=True)
    verified_domain(desk.site, host := new_host(), purposes=["pages"])
    home = visitor.get("/", base_url=f"https://{host}")
    assert (home.status_code, "Welcome to the harbour" in home.text) == (200, True)
    assert f'<link rel="canonical" href="https://{host}/">' in home.text
    assert f"/s/{desk.site.slug}" not in home.text  # nothing leads away from the domain
    styles = re.findall(r'href="(/static/[^"]+\.css)"', home.text)
    assert [visitor.get(path, base_url=f"https://{host}").status_code for path in styles] == [200] * len(styles)
    robots = visitor.get("/robots.txt", base_url=f"https://{host}")
    assert f"Sitemap: https://{host}/sitemap.xml" in robots.text
    assert f"<loc>https://{host}/</loc>" in visitor.get("/sitemap.xml", base_url=f"https://{host}").text
    for path in (f"/s/{desk.site.slug}", "/s/-", "/nothing"):
        assert visitor.get(path, base_url=f"https://{host}").status_code == 404, path
    assert visitor.get("/s/-/", base_url="http://127.0.0.1:8001").status_code == 404


def test_another_sites_module_is_not_there(everything: Everything, world: World, visitor: Client) -> None:
    verified_domain(world.site(world.agency("Elsewhere")), host := new_host(), purposes=["pages"])
    assert visitor.get(f"/embed/{everything.install.public_id}/write", base_url=f"https://{host}").status_code == 404


@pytest.mark.parametrize("kind", ["unknown", "pending", "lost", "embedding only", "removed"])
def test_S8_a_host_that_is_not_proven_for_pages_serves_nothing(
    everything: Everything, site: Site, visitor: Client, kind: str
) -> None:
    host, install = new_host(), everything.install.public_id
    if kind == "pending":
        module_at(everything, added_domain(site, host, purposes=["pages"]))
    elif kind == "embedding only":
        verified_domain(site, host, purposes=["embed"])
    elif kind != "unknown":
        domain = module_at(everything, verified_domain(site, host, purposes=["pages"]))
        assert visitor.get("/", base_url=f"https://{host}").status_code == 200
        if kind == "lost":
            for _ in range(3):
                check(domain, MISSING)
        else:
            with tenant_scope(site.agency_id), transaction(db.session()) as session:
                remove_domain(session, domain=session.get_one(Domain, domain.id), by=everything.ada.actor)
    for path in ("/", f"/embed/{install}/write"):
        answer = Client(visitor.application.runtime).get(path, base_url=f"https://{host}")  # type: ignore[attr-defined]
        assert (answer.status_code, answer.text) == NOTHING


@pytest.mark.parametrize(
    ("www", "asked", "answer"),
    [
        ("none", "http://{host}/a%20b?x=1&y=%2F", "https://{host}/a%20b?x=1&y=%2F"),
        ("to_host", "https://www.{host}/write", "https://{host}/write"),
        ("to_host", "http://www.{host}", "https://{host}/"),  # both in one step
        (
            "to_www",
            "https://{host}/a/%0d%0aSet-Cookie:a",
            "https://www.{host}/a/%0D%0ASet-Cookie:a",
        ),
        ("to_www", "https://www.{host}/", None),
        ("to_www", "https://WWW.{host}.:443/", None),
    ],
)
def test_every_page_has_one_address(
    everything: Everything, site: Site, visitor: Client, www: str, asked: str, answer: str | None
) -> None:
    host = new_host()
    module_at(everything, verified_domain(site, host, purposes=["pages"]), www=www)
    scheme, _, rest = asked.format(host=host).partition("://")
    name, _, path = rest.partition("/")
    found = visitor.get(f"/{path}", base_url=f"{scheme}://{name}")
    if answer is None:
        assert found.status_code == 200
    else:
        assert (found.status_code, found.headers["Location"]) == (308, answer.format(host=host))
        assert found.headers["Cache-Control"] == "public, max-age=3600"


def test_in_development_a_name_of_this_machine_shows_pages_by_plain_http(
    everything: Everything, site: Site, visitor: Client
) -> None:
    host = f"shop-{uuid7().hex[-8:]}.localhost:8001"
    module_at(everything, verified_domain(site, host, purposes=["pages"]))
    answer = visitor.get("/", base_url=f"http://{host}")
    assert (answer.status_code, "<h1>Write</h1>" in answer.text) == (200, True)


def test_the_platform_under_an_agencys_name(everything: Everything, world: World, visitor: Client) -> None:
    host = new_host()
    with tenant_scope(everything.site.agency_id), transaction(db.session()) as session:
        session.get_one(Agency, everything.site.agency_id).hue = 3
        domain = add_domain(
            session, site=None, host=host, purposes=[], by=everything.ada.actor, setup=current_setup(), now=utcnow()
        )
    before = surface_of(host)
    check(domain, BY_DNS)
    signing_in = visitor.get("/sign-in", base_url=f"https://{host}")
    assert (before, surface_of(host), signing_in.status_code) == (None, "platform", 200)
    assert signing_in.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "<title>Sign in · Studio Lumen</title>" in signing_in.text
    assert ('data-branded data-hue="3"' in signing_in.text, "Dramac" in signing_in.text) == (True, False)
    with tenant_scope(everything.site.agency_id), transaction(db.session()) as session:
        set_logo(
            session,
            agency=session.get_one(Agency, everything.site.agency_id),
            content=picture(),
            by=everything.ada.actor,
        )
    forget_domains()
    shown = visitor.get("/sign-in", base_url=f"https://{host}")
    assert re.search(r'<img class="brand-logo" src="(/brand/[0-9a-f]{64}\.webp)" alt="">Studio Lumen', shown.text)
    assert "<title>Sign in · Dramac</title>" in visitor.get("/sign-in", base_url="http://localhost:8000").text
    assert visitor.get("/api/health", base_url=f"https://{host}").json == {"status": "ok"}
    pages = Client(visitor.application.runtime).get("/", base_url=f"https://{host}")  # type: ignore[attr-defined]
    assert (pages.status_code, pages.text) == NOTHING


def test_the_platforms_previews_are_framed_at_the_agencys_own_host_too(
    everything: Everything, site: Site, world: World, visitor: Client
) -> None:
    host, others = new_host(), new_host()
    platform_domain(site.agency_id, host)
    platform_domain(world.agency().id, others)
    path = f"/embed/{everything.install.public_id}/write"

    def framers(query: str) -> str:
        policy = visitor.get(f"{path}{query}", base_url="http://127.0.0.1:8001").headers["Content-Security-Policy"]
        return policy.partition("frame-ancestors ")[2].partition(";")[0]

    assert framers("?_preview=1").split()[0] == "http://localhost:8000"
    assert f"https://{host}" in framers("?_preview=1").split()
    assert others not in framers("?_preview=1")
    assert host not in framers("")


def test_a_certificate_is_made_for_proven_hosts_that_serve_something_and_no_others(
    runtime_app: Flask, site: Site, everything: Everything, config: Config
) -> None:
    ask = Client(runtime_app.wsgi_app)
    pages, embed, pending = new_host(), new_host(), new_host()
    domain = verified_domain(site, pages, purposes=["pages"], www="to_host")
    verified_domain(site, embed, purposes=["embed"])
    added_domain(site, pending, purposes=["pages"])

    def answers(query: str, **given: Any) -> tuple[int, bytes]:
        found = ask.get(f"/internal/domains/ask?{query}", base_url="http://runtime:8001", **given)
        return found.status_code, found.data

    told = {
        name: answers(f"domain={name}") for name in
        (pages, pages.upper(), f"www.{pages}", embed, pending, f"x.{pages}", "localhost", "10.0.0.1", "", "127.0.0.1:8001")
    }  # fmt: skip
    assert told == {name: (200 if name.lower().removeprefix("www.") == pages else 404, b"") for name in told}
    assert answers(f"domain={pages}&domain={pages}") == (404, b"")
    assert answers(f"domain={pages}", headers={"X-Forwarded-For": "198.51.100.7"}) == (404, b"")  # somebody outside
    for _ in range(3):
        check(domain, MISSING)
    assert answers(f"domain={pages}") == (404, b"")


def test_made_up_names_are_looked_up_only_so_often() -> None:
    now = [100.2]
    strangers = Strangers(2, clock=lambda: now[0])
    seen = []
    for _ in range(3):
        seen.append(strangers.too_many())
        strangers.count()
    now[0] = 101.0
    assert [*seen, strangers.too_many()] == [False, False, True, False]


def test_machines_ask_after_the_health_by_address(visitor: Client) -> None:
    assert visitor.get("/api/health", base_url="http://10.1.2.3:8001").json == {"status": "ok"}


def test_a_site_of_the_agency_lets_only_its_own_modules_stand_at_its_domain(
    everything: Everything, world: World
) -> None:
    other = world.site(_agency(everything))
    with pytest.raises(Invalid):
        module_at(everything, verified_domain(other, new_host(), purposes=["pages"]))


def _agency(everything: Everything) -> Agency:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.get_one(Agency, everything.site.agency_id)
