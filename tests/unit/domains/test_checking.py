"""The check as the worker runs it: the world is asked, the database is told, letters go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import select

from app.access.actors import Actor
from app.access.permissions import Role
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.domains import jobs, setup
from app.domains.actions import TokenExpired, order_check, renew_token
from app.domains.checking import order_due_checks
from app.domains.known import site_of_host
from app.domains.models import Domain
from app.domains.proof import Look, meta_tag, record_name, record_value
from app.domains.standing import Front
from app.lib.clock import utcnow
from app.mail.models import Mail
from app.queue.enqueue import redis
from app.tenancy.models import Site
from tests.support.domains import BY_DNS, added_domain, check, verified_domain
from tests.support.outside import Outside
from tests.support.world import World


@pytest.fixture(autouse=True)
def _with_the_world(monkeypatch: pytest.MonkeyPatch, world: World, look: Look) -> None:
    monkeypatch.setitem(
        setup._setup,
        "process",
        replace(setup.current_setup(), look=look, front=Front("front.example.com", ("127.0.0.1",))),
    )


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    agency = world.agency()
    world.person(agency, Role.OWNER)
    world.person(agency, Role.ADMIN, name="Not told")
    return world.site(agency)


def run(domain: Domain) -> Domain:
    """Check it now and see what became of it."""
    with tenant_scope(domain.agency_id):
        jobs.check(str(domain.id))
    return seen(domain)


def seen(domain: Domain) -> Domain:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.get_one(Domain, domain.id)


def put(world_outside: Outside, domain: Domain) -> None:
    world_outside.zone.records[(record_name(domain.host), "TXT")] = [record_value(domain.token)]


def letters(site: Site) -> list[str]:
    with platform_scope("test"), transaction(db.session()) as session:
        query = select(Mail.kind).where(Mail.agency_id == site.agency_id, Mail.kind.startswith("domains."))
        return list(session.scalars(query.order_by(Mail.id)))


def test_a_check_says_what_it_found_and_by_which_way_it_is_proven(
    world_outside: Outside, site: Site, host: str
) -> None:
    domain = added_domain(site, host, purposes=["pages"])
    world_outside.zone.records[(record_name(host), "TXT")] = ["dramac-site-verification=old"]
    before = run(domain)
    assert (before.state, before.found) == (
        "pending",
        {
            "dns": {"state": "other", "values": ["dramac-site-verification=old"]},
            "meta": {"state": "status", "values": [], "detail": "404"},
        },
    )
    world_outside.site.pages[(host, "/")] = (200, {}, meta_tag(domain.token).encode())
    after = run(domain)
    assert (after.state, after.method, after.checking_at, site_of_host(host)) == ("verified", "meta", None, site.id)


def test_the_third_miss_tells_the_owners_and_nobody_else(world_outside: Outside, site: Site, host: str) -> None:
    domain = verified_domain(site, host)
    states = [run(domain).state for _ in range(4)]
    assert (states, letters(site)) == (["failing", "failing", "lost", "lost"], ["domains.lost"])


def test_a_name_moves_only_when_its_owners_proof_is_gone_for_sure(
    world_outside: Outside, world: World, site: Site, host: str
) -> None:
    buyer = world.site(world.agency("The buyer"))
    ours = verified_domain(site, host, purposes=["pages"])
    theirs = added_domain(buyer, host, purposes=["pages"])
    name = (record_name(host), "TXT")
    world_outside.zone.records[name] = [record_value(ours.token), record_value(theirs.token)]
    both = (run(theirs).state, seen(theirs).found["held"], site_of_host(host))
    world_outside.zone.records[name] = []
    world_outside.zone.broken.add(record_name(host))
    world_outside.site.pages[(host, "/")] = (200, {}, meta_tag(theirs.token).encode())
    silent = (run(theirs).state, seen(ours).state, site_of_host(host))
    world_outside.zone.broken.clear()
    world_outside.zone.records[name] = [record_value(theirs.token)]
    gone = (run(theirs).state, seen(ours).state, site_of_host(host))
    assert both == ("pending", True, site.id)
    assert silent == ("pending", "verified", site.id)
    assert gone == ("verified", "lost", buyer.id)
    assert letters(site) == ["domains.moved"]


def test_a_token_is_good_for_seven_days_until_it_has_proven_something(
    world_outside: Outside, site: Site, host: str
) -> None:
    domain = added_domain(site, host)
    put(world_outside, domain)
    later = utcnow() + timedelta(days=8)
    with tenant_scope(site.agency_id), transaction(db.session()) as session:
        found = session.get_one(Domain, domain.id)
        with pytest.raises(TokenExpired):
            order_check(session, domain=found, now=later)
        renew_token(session, domain=found, by=_somebody(site), now=later)
        order_check(session, domain=found, now=later)
    assert run(domain).state == "pending"  # the record still holds the old one
    put(world_outside, seen(domain))
    proven = run(domain)
    with tenant_scope(site.agency_id), transaction(db.session()) as session:
        order_check(session, domain=session.get_one(Domain, domain.id), now=later + timedelta(days=400))
    assert proven.state == "verified"


def _somebody(site: Site) -> Actor:
    return Actor(kind="system", agency_id=site.agency_id, role=Role.OWNER)


def test_the_clock_orders_verified_domains_weekly_and_lost_orders_again(site: Site, host: str) -> None:
    weekly, stuck = verified_domain(site, host), added_domain(site, f"stuck-{host}")
    check(weekly, BY_DNS)
    with tenant_scope(site.agency_id), transaction(db.session()) as session:
        order_check(session, domain=session.get_one(Domain, stuck.id), now=utcnow())
    first = _orders()

    def ordered(after: timedelta) -> list[str]:
        """Those of ours that were ordered by then, in the order of their making."""
        order_due_checks(db.session(), now=utcnow() + after)
        new = [order for order in _orders() if order not in first]
        return [
            {weekly.id: "weekly", stuck.id: "stuck"}[UUID(order.args[2]["domain_id"])]
            for order in new
            if order.args[2]["domain_id"] in (str(weekly.id), str(stuck.id))
        ]

    assert ordered(timedelta(minutes=2)) == []
    assert ordered(timedelta(minutes=4)) == ["stuck"]
    assert ordered(timedelta(days=6, hours=23)) == ["stuck", "stuck"]  # nobody has worked on it yet
    assert sorted(ordered(timedelta(days=8))) == ["stuck", "stuck", "stuck", "weekly"]


def test_a_proven_domain_for_pages_is_looked_at_as_visitors_come(world_outside: Outside, site: Site, host: str) -> None:
    domain = added_domain(site, host, purposes=["pages"])
    put(world_outside, domain)
    domain = check(domain, BY_DNS, www="to_host")
    world_outside.zone.records[(f"www.{host}", "A")] = ["127.0.0.1", "203.0.113.9"]
    found = run(domain)
    [first, second] = found.found["standing"]
    assert (found.state, found.checking_at, first["host"], second["host"]) == ("verified", None, host, f"www.{host}")
    assert (first["address"], second["address"]) == (
        {"state": "here", "values": []}, {"state": "partly", "values": ["203.0.113.9"]},
    )  # fmt: skip
    assert (first["certificate"]["state"], first["certificate"]["issuer"]) == ("valid", "Test authority")
    for name, address in (((host, "A"), "203.0.113.9"), ((f"www.{host}", "A"), "")):
        world_outside.zone.records[name] = [address] if address else []
    elsewhere = [(one["address"]["state"], one["certificate"]) for one in run(domain).found["standing"]]
    assert elsewhere == [("elsewhere", None), ("absent", None)]


def test_nothing_is_looked_at_for_a_domain_that_is_not_proven(site: Site, host: str) -> None:
    found = run(added_domain(site, host, purposes=["pages"]))
    assert ("standing" in found.found, found.checking_at) == (False, None)


def _orders() -> list[Job]:
    """The checks that wait in the queue, in order."""
    waiting = Queue("default", connection=redis(), serializer=JSONSerializer).get_jobs()
    return [order for order in waiting if order.args[0] == "domains.check"]
