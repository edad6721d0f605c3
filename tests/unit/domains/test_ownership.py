"""Whose a name is, and what it may do: unproven nothing, one owner at a time, three misses and it ends (security.md S8)."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.roles import APP, role_url
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.domains.actions import DomainThere, remove_domain
from app.domains.known import served_at, site_of_host, verified_origins
from app.domains.models import Domain
from app.errors import Invalid
from app.events.models import AuditRow, Event
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.tenancy.models import Agency, Site
from tests.support.domains import BY_DNS, MISSING, SILENT, added_domain, check, verified_domain
from tests.support.world import World


def new_host() -> str:
    return f"shop-{uuid7().hex[-12:]}.com"


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency()


@pytest.fixture
def site(world: World, agency: Agency) -> Site:
    return world.site(agency)


def _told(site: Site) -> list[tuple[str, str]]:
    """(event, host) of a site's domains, in order."""
    with tenant_scope(site.agency_id), transaction(db.session()) as session:
        query = select(Event.type, Event.data).where(Event.site_id == site.id).order_by(Event.id)
        return [(kind, data["host"]) for kind, data in session.execute(query)]


def test_E2_only_proven_domains_that_are_for_embedding_are_origins(site: Site) -> None:
    proven, pages, pending = sorted([new_host(), new_host()]), new_host(), new_host()
    for host in proven:
        verified_domain(site, host, purposes=["embed"])
    verified_domain(site, pages, purposes=["pages"])
    added_domain(site, pending)
    verified_domain(site, local := f"localhost:{5000 + int(uuid7().hex[-3:], 16)}")
    assert verified_origins(site.id) == sorted([f"https://{host}" for host in proven] + [f"http://{local}"], key=_host)
    assert verified_origins(uuid7()) == []


def _host(origin: str) -> str:
    return origin.partition("://")[2]


def test_S8_a_miss_is_forgiven_twice_and_the_third_ends_it_until_it_is_proven_again(site: Site) -> None:
    domain = verified_domain(site, host := new_host(), purposes=["embed", "pages"])
    seen = []
    for evidence in (MISSING, MISSING, MISSING, MISSING, BY_DNS):
        domain = check(domain, evidence)
        seen.append((domain.state, domain.failures, verified_origins(site.id), site_of_host(host)))
    origins = [f"https://{host}"]
    assert seen == [
        ("failing", 1, origins, site.id),
        ("failing", 2, origins, site.id),
        ("lost", 3, [], None),
        ("lost", 3, [], None),
        ("verified", 0, origins, site.id),
    ]
    kinds = ["domain.added", "domain.verified", "domain.failing", "domain.lost", "domain.verified"]
    assert _told(site) == [(kind, host) for kind in kinds]


def test_S8_silence_takes_nothing_for_two_weeks_and_then_counts_as_a_miss(site: Site) -> None:
    domain = verified_domain(site, host := new_host(), purposes=["embed"])
    for _ in range(14):
        domain = check(domain, SILENT)
        assert domain.next_check_at is not None
        assert domain.next_check_at - utcnow() <= timedelta(days=1)
    assert (domain.state, domain.failures, verified_origins(site.id)) == ("verified", 0, [f"https://{host}"])
    assert [check(domain, SILENT).state for _ in range(3)] == ["failing", "failing", "lost"]
    domain = check(domain, BY_DNS)
    assert (domain.state, domain.found, check(domain, SILENT).state) == ("verified", {}, "verified")
    assert check(domain, MISSING).failures == 1


def test_S8_a_good_check_clears_earlier_misses(site: Site) -> None:
    domain = verified_domain(site, new_host())
    for evidence in (MISSING, MISSING, BY_DNS, MISSING, MISSING):
        domain = check(domain, evidence)
    assert (domain.state, domain.failures) == ("failing", 2)


def test_S8_a_name_has_one_owner_and_another_gets_it_only_once_it_is_free(world: World, site: Site) -> None:
    theirs = world.site(world.agency("Elsewhere"))
    ours, claim = verified_domain(site, host := new_host(), purposes=["pages"]), added_domain(theirs, host)
    claim = check(claim, BY_DNS)
    assert (claim.state, claim.found, site_of_host(host)) == ("pending", {"held": True}, site.id)
    with tenant_scope(site.agency_id), transaction(db.session()) as session:
        remove_domain(session, domain=session.get_one(Domain, ours.id), by=world.person(_agency(site)).actor)
    assert (check(claim, BY_DNS).state, site_of_host(host)) == ("verified", None)  # theirs is for embedding


def _agency(site: Site) -> Agency:
    with tenant_scope(site.agency_id), transaction(db.session()) as session:
        return session.get_one(Agency, site.agency_id)


def test_a_removed_domain_serves_nothing_from_that_moment(world: World, agency: Agency, site: Site) -> None:
    domain = verified_domain(site, host := new_host(), purposes=["embed", "pages"])
    assert (site_of_host(host), verified_origins(site.id)) == (site.id, [f"https://{host}"])
    ada = world.person(agency, Role.OWNER)
    with tenant_scope(agency.id), transaction(db.session()) as session:
        remove_domain(session, domain=session.get_one(Domain, domain.id), by=ada.actor)
    assert (site_of_host(host), verified_origins(site.id)) == (None, [])
    with tenant_scope(agency.id), transaction(db.session()) as session:
        rows = session.execute(select(AuditRow.action, AuditRow.target_name).where(AuditRow.actor == ada.actor.ref))
        assert rows.all() == [("domain.removed", host)]


@pytest.mark.parametrize("www", ["none", "to_host", "to_www"])
def test_a_domain_answers_for_its_www_only_when_it_was_asked_to(site: Site, www: str) -> None:
    verified_domain(site, host := new_host(), purposes=["pages"], www=www)
    found = served_at(f"www.{host}")
    assert found is None if www == "none" else found is not None
    assert found is None or found.main_host == {"to_host": host, "to_www": f"www.{host}"}[www]


@pytest.mark.parametrize("rests", ["sites SET archived_at = now()", "agencies SET suspended_at = now()"])
def test_a_host_of_what_rests_serves_nothing(config: Config, site: Site, rests: str) -> None:
    verified_domain(site, host := new_host(), purposes=["pages"])
    with psycopg.connect(config.database_url, autocommit=True) as owner:
        owner.execute("SET app.agency_id = ''")
        owner.execute("SET ROLE dramac_staff")
        wanted = site.id if rests.startswith("sites") else site.agency_id
        assert owner.execute(f"UPDATE {rests} WHERE id = %s", [wanted]).rowcount == 1
    assert site_of_host(host) is None


def test_a_site_has_a_host_once(site: Site) -> None:
    added_domain(site, host := new_host())
    with pytest.raises(DomainThere):
        added_domain(site, f"https://{host.upper()}/")


@pytest.mark.parametrize(("host", "purposes", "field"), [("co.uk", ["embed"], "host"), ("a.com", ["fly"], "purposes")])
def test_what_cannot_be_is_refused_with_the_field(site: Site, host: str, purposes: list[str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        added_domain(site, host, purposes=purposes)
    assert [error.pointer for error in caught.value.errors] == [f"/{field}"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE external_domains SET state = 'verified', verified_at = now(), method = 'dns' WHERE id = %(id)s",
        "UPDATE external_domains SET host = 'other.com' WHERE id = %(id)s",
        "INSERT INTO external_domains (agency_id, site_id, host, purposes, token, token_expires_at, state, verified_at) "
        "VALUES (%(agency)s, %(site)s, 'a.com', ARRAY['embed'], repeat('a', 32), now(), 'verified', now())",
    ],
)
def test_S8_a_request_cannot_call_a_name_proven(config: Config, site: Site, statement: str) -> None:
    domain = added_domain(site, new_host())
    values = {"id": domain.id, "agency": site.agency_id, "site": site.id}
    with psycopg.connect(role_url(config.database_url, config.secret_keys[0], APP)) as connection:
        connection.execute("SELECT set_config('app.agency_id', %s, true)", [str(site.agency_id)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement, values)


def test_the_first_token_is_looked_for_hourly_until_it_expires(site: Site) -> None:
    domain = check(added_domain(site, new_host()), MISSING)
    assert domain.next_check_at is not None
    assert domain.checked_at is not None
    assert (domain.state, domain.next_check_at - domain.checked_at) == ("pending", timedelta(hours=1))
