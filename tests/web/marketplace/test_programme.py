"""The beta programme: a module, and a version of one, is seen and installable by exactly those it is meant for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.errors import NotFound
from app.installs.actions import install_module
from app.installs.models import Install
from app.installs.upgrades import upgrade_install
from app.lib.clock import utcnow
from app.marketplace.programme import enrol, enrolled, shut_out
from app.marketplace.search import Search, search
from app.modules.models import Module, Version
from app.tenancy.models import Agency, Site
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse


@dataclass
class Stage:
    """A publisher, and somebody of an agency enrolled as alpha, as beta, and not at all."""

    publisher: Person
    people: dict[str, Person]
    sites: dict[str, Site]
    slugs: dict[str, str]

    def enrol_in(self, module_id: object) -> None:
        with tenant_scope(self.publisher.agency_id, user_id=self.publisher.id), transaction(db.session()) as session:
            module = session.get_one(Module, module_id)
            for level in ("alpha", "beta"):
                enrol(session, module=module, slug=self.slugs[level], level=level, by=self.publisher.actor)


@pytest.fixture
def stage(world: World) -> Stage:
    agencies: dict[str, Agency] = {name: world.agency(name.title()) for name in ("alpha", "beta", "nobody")}
    return Stage(
        publisher=world.person(world.agency("Northbeam"), name="Callum"),
        people={name: world.person(agency) for name, agency in agencies.items()},
        sites={name: world.site(agency) for name, agency in agencies.items()},
        slugs={name: agency.slug for name, agency in agencies.items()},
    )


def finds(person: Person, slug: str) -> bool:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        found = search(session, Search(words=tuple(slug.split("-"))))
        return slug in [card.slug for card in found.items] and found.total == 1


def sees(person: Person, version: Version) -> bool:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return session.scalar(select(Version.id).where(Version.id == version.id)) is not None


def can_install(config: Config, person: Person, site: Site, version: Version) -> bool:
    """Asked with a version in hand, as from a guessed id."""
    try:
        with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
            install_module(
                session, site=session.get_one(Site, site.id), version=version, settings={}, keys=config.secret_keys,
                by=person.actor, now=utcnow(),
            )  # fmt: skip
            session.rollback()
    except (NotFound, NoResultFound):  # the second: the module itself is not there for them
        return False
    return True


@pytest.mark.parametrize(
    ("tier", "number", "meant_for"),
    [
        ("internal", "1.0.0", set()),
        ("alpha", "1.0.0", {"alpha"}),
        ("beta", "1.0.0", {"alpha", "beta"}),
        ("public", "1.0.0", {"alpha", "beta", "nobody"}),
        ("public", "1.0.0-rc.1", {"alpha", "beta"}),
        ("public", "1.0.0-alpha.2", {"alpha"}),
        ("beta", "1.0.0-alpha.2", {"alpha"}),
        ("internal", "1.0.0-rc.1", set()),
    ],
)
def test_exactly_those_see_find_and_install_it(
    stage: Stage, config: Config, tier: str, number: str, meant_for: set[str]
) -> None:
    slug = new_slug()
    version = released(stage.publisher, notes(slug, version=number), tier=tier)
    stage.enrol_in(version.module_id)

    def those(may: Callable[[str], bool]) -> set[str]:
        return {name for name in stage.people if may(name)}

    assert those(lambda name: finds(stage.people[name], slug)) == meant_for
    assert those(lambda name: sees(stage.people[name], version)) == meant_for
    assert those(lambda name: can_install(config, stage.people[name], stage.sites[name], version)) == meant_for
    assert finds(stage.publisher, slug)


def test_a_pre_release_of_a_public_module_is_offered_to_the_enrolled_alone(stage: Stage, browse: Browse) -> None:
    slug = new_slug()
    first = released(stage.publisher, notes(slug), tier="public")
    released(stage.publisher, notes(slug, version="1.1.0-rc.1"), tier="public")
    stage.enrol_in(first.module_id)
    offered = {
        name: browse(person).get(f"/marketplace/{slug}").texts("select[name=version] option")
        for name, person in stage.people.items()
    }
    both = ["1.1.0-rc.1 – early access", "1.0.0"]
    assert offered == {"alpha": both, "beta": both, "nobody": ["1.0.0"]}


def test_an_upgrade_to_what_is_not_meant_for_one_is_refused(stage: Stage, config: Config) -> None:
    slug = new_slug()
    first = released(stage.publisher, notes(slug), tier="public")
    ahead = released(stage.publisher, notes(slug, version="1.1.0-rc.1"), tier="public")
    stage.enrol_in(first.module_id)
    outcomes = {}
    for name in ("beta", "nobody"):
        person = stage.people[name]
        install = installed(config, person, stage.sites[name], first)
        with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
            kept = session.get_one(Install, install.id)
            try:
                upgrade_install(session, install=kept, version=ahead, by=person.actor, now=utcnow())
                outcomes[name] = kept.status
            except NotFound:
                outcomes[name] = "refused"
            session.rollback()
    assert outcomes == {"beta": "provisioning", "nobody": "refused"}


def test_whoever_is_shut_out_keeps_what_it_installed_and_finds_it_no_more(stage: Stage, config: Config) -> None:
    slug = new_slug()
    version = released(stage.publisher, notes(slug), tier="beta")
    stage.enrol_in(version.module_id)
    ada = stage.people["beta"]
    install = installed(config, ada, stage.sites["beta"], version)
    with tenant_scope(stage.publisher.agency_id), transaction(db.session()) as session:
        module = session.get_one(Module, version.module_id)
        shut_out(session, module=module, slug=stage.slugs["beta"], by=stage.publisher.actor)
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        assert session.get_one(Install, install.id).status == "active"
    assert (finds(ada, slug), sees(ada, version)) == (False, True)


def test_the_publisher_lets_agencies_in_on_the_programmes_page(world: World, stage: Stage, browse: Browse) -> None:
    slug = new_slug()
    version = released(stage.publisher, notes(slug), tier="beta")
    where, browser = f"/marketplace/{slug}/programme", browse(stage.publisher)
    browser.post(where, {"agency": stage.slugs["beta"], "level": "beta"})
    listed = browser.get(where).texts("tbody th small")
    refused = [
        browser.post(where, body).status
        for body in (
            {"agency": "no-such-agency", "level": "beta"},
            {"agency": stage.slugs["alpha"], "level": "owner"},
            {"agency": stage.slugs["nobody"], "do": "out"},
        )
    ]
    browser.post(where, {"agency": stage.slugs["beta"], "do": "out"})
    assert (listed, refused, browser.get(where).texts("tbody th small")) == ([stage.slugs["beta"]], [422] * 3, [])
    with tenant_scope(stage.people["beta"].agency_id), transaction(db.session()) as session:
        assert enrolled(session, module=Module(id=version.module_id)) == []  # who else is in it is no one's business


def test_only_the_publishers_publishing_people_manage_it(world: World, stage: Stage, browse: Browse) -> None:
    slug = new_slug()
    released(stage.publisher, notes(slug), tier="public")
    where = f"/marketplace/{slug}/programme"
    member = world.person(Agency(id=stage.publisher.agency_id), Role.MEMBER)
    assert [browse(one).get(where).status for one in (stage.people["nobody"], member)] == [404, 403]
    assert browse(stage.people["alpha"]).post(where, {"agency": stage.slugs["alpha"], "level": "alpha"}).status == 404
