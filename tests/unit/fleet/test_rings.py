"""Releases that roll out by themselves: rings in their order, each after the watch of the one before; stops and decisions."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Invalid
from app.fleet.models import Rollout, RolloutSite
from app.fleet.policies import set_agency_mode, set_site_policy
from app.fleet.queries import Wanted, fleet_page
from app.fleet.rings import drive, rings_of
from app.fleet.rollout_actions import NotStopped, cancel_rollout, resume_rollout, skip_site
from app.fleet.rollout_queries import release_rings
from app.installs.jobs import provision
from app.installs.models import Install, Move
from app.installs.upgrades import rollback_install, stop_watching
from app.lib.clock import utcnow
from app.modules.models import Version
from app.tenancy.models import Agency, Site
from tests.support.fleet import Fleet, new_fleet
from tests.support.world import World


class Rings:
    """A fleet whose clock is turned by hand."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet, self.clock = fleet, utcnow()

    def mode(self, mode: str) -> None:
        with tenant_scope(self.fleet.agency.id), transaction(db.session()) as session:
            agency = session.get_one(Agency, self.fleet.agency.id)
            set_agency_mode(session, agency=agency, mode=mode, by=self.fleet.ada.actor)

    def site(self, install: Install, *, mode: str | None = None, internal: bool = False) -> None:
        with tenant_scope(self.fleet.agency.id), transaction(db.session()) as session:
            site = session.get_one(Site, install.site_id)
            set_site_policy(session, site=site, mode=mode, internal=internal, by=self.fleet.ada.actor)

    def tick(self) -> Rollout:
        """One tick, then the jobs it ordered."""
        self.clock += timedelta(minutes=1)
        drive(self.clock)
        with platform_scope("test"), transaction(db.session()) as session:
            query = select(Install.id).where(
                Install.agency_id == self.fleet.agency.id, Install.status == "provisioning"
            )
            ordered = list(session.scalars(query))
        for install_id in ordered:
            with tenant_scope(self.fleet.agency.id):
                provision(str(install_id))
        db.session.remove()
        return self.rollout()

    def watched(self) -> None:
        """The half hour is over for all that is watched, and all was well."""
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(
                update(Move)
                .where(Move.agency_id == self.fleet.agency.id, Move.state == "watching")
                .values(state="settled", ended_at=self.clock)
            )

    def take_back(self, install: Install) -> None:
        """What the watch does with an upgrade that does worse."""
        with tenant_scope(self.fleet.agency.id), transaction(db.session()) as session:
            found = session.get_one(Install, install.id)
            rollback_install(
                session, install=found, records="put_back", reason="5 of 20 calls failed", by_itself=True,
                by=self.fleet.ada.actor, now=self.clock,
            )  # fmt: skip
        with tenant_scope(self.fleet.agency.id):
            provision(str(install.id))
        db.session.remove()

    def rollout(self) -> Rollout:
        with tenant_scope(self.fleet.agency.id), transaction(db.session()) as session:
            return session.scalars(select(Rollout).order_by(Rollout.id.desc())).first()  # type: ignore[return-value]

    def sites(self) -> dict[UUID, tuple[str, str]]:
        with tenant_scope(self.fleet.agency.id), transaction(db.session()) as session:
            rows = session.scalars(select(RolloutSite).where(RolloutSite.rollout_id == self.rollout().id))
            return {row.install_id: (row.ring, row.state) for row in rows}

    def states(self) -> Counter[str]:
        return Counter(state for _, state in self.sites().values())

    def decide(self, action: Any, **more: Any) -> None:
        with tenant_scope(self.fleet.agency.id), transaction(db.session()) as session:
            rollout = session.get_one(Rollout, self.rollout().id)
            action(session, rollout=rollout, by=self.fleet.ada.actor, now=self.clock, **more)


@pytest.fixture
def rings(world: World, config: Config, wired: Config, monkeypatch: pytest.MonkeyPatch) -> Rings:
    """The module is another agency's, so that no ring is skipped."""
    fleet = new_fleet(world, config)
    publisher = new_fleet(world, config)
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text("UPDATE module_source SET tier = 'public' WHERE id = :id"),
            {"id": publisher.versions["1.0.0"].module_id},
        )
    fleet.slug, fleet.versions, fleet.publisher = publisher.slug, publisher.versions, publisher  # type: ignore[attr-defined]
    fleet.release = publisher.release  # type: ignore[method-assign]
    return Rings(fleet)


def published(rings: Rings, number: str, **more: str) -> Version:
    made = rings.fleet.release(number, **more)
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("UPDATE module_source SET tier = 'public' WHERE id = :id"), {"id": made.module_id})
    return made


def test_five_percent_are_at_least_one_and_another_release_begins_elsewhere() -> None:
    installs = [(UUID(int=number), number < 2) for number in range(42)]
    found = Counter(rings_of(UUID(int=1), installs).values())
    assert found == {"internal": 2, "part": 2, "all": 38}
    assert Counter(rings_of(UUID(int=1), installs[:3]).values()) == {"internal": 2, "part": 1}
    parts = [{one for one, ring in rings_of(UUID(int=n), installs).items() if ring == "part"} for n in range(1, 6)]
    assert len(set(map(frozenset, parts))) > 1


def test_nothing_moves_unless_somebody_chose_it(rings: Rings) -> None:
    install = rings.fleet.put_on("Alder")
    published(rings, "1.1.0")
    assert rings.tick() is None
    rings.mode("patch")
    assert (rings.tick(), rings.fleet.version_of(install)) == (None, "1.0.0")


def test_rings_follow_each_other_after_the_watch(rings: Rings) -> None:
    first, *others = [rings.fleet.put_on(name) for name in ("Alder", "Birch", "Cedar")]
    rings.mode("minor")
    rings.site(first, internal=True)
    published(rings, "1.1.0")
    rollout = rings.tick()
    assert (rollout.status, rollout.ring, rings.fleet.version_of(first)) == ("running", "internal", "1.1.0")
    rollout = rings.tick()  # still watched: nobody else moves
    assert (rollout.ring, rings.states()) == ("internal", {"watching": 1, "waiting": 2})
    rings.watched()
    rollout = rings.tick()
    assert (rollout.ring, rings.states()) == ("part", {"healthy": 1, "moving": 1, "waiting": 1})
    rings.tick()
    rings.watched()
    assert (rings.tick().ring, rings.states()["healthy"]) == ("all", 2)
    rings.tick()
    rings.watched()
    assert (rings.tick().status, rings.states()) == ("done", {"healthy": 3})
    assert {rings.fleet.version_of(one) for one in others} == {"1.1.0"}


def test_it_stops_at_the_first_site_that_is_not_well_and_says_so(rings: Rings) -> None:
    first, second = rings.fleet.put_on("Alder"), rings.fleet.put_on("Birch")
    rings.mode("minor")
    rings.site(first, internal=True)
    published(rings, "1.1.0")
    rings.tick()
    rings.take_back(first)
    rollout = rings.tick()
    assert (rollout.status, rollout.reason) == ("stopped", "Alder: The upgrade was taken back: 5 of 20 calls failed")
    with platform_scope("test"), transaction(db.session()) as session:
        letters = session.execute(
            text("SELECT recipient, subject FROM mails WHERE agency_id = :id AND kind = 'fleet.stopped'"),
            {"id": rings.fleet.agency.id},
        ).all()
    assert [tuple(one) for one in letters] == [
        (rings.fleet.ada.email, "Notes 1.1.0 stopped rolling out at the first site that was not well")
    ]
    rings.tick()
    assert (rings.fleet.version_of(first), rings.fleet.version_of(second)) == ("1.0.0", "1.0.0")
    rings.decide(skip_site, install_id=first.id)
    rings.tick()
    assert (rings.fleet.version_of(first), rings.fleet.version_of(second)) == ("1.0.0", "1.1.0")


def test_resuming_tries_the_site_again(rings: Rings) -> None:
    install = rings.fleet.put_on("Alder")
    rings.mode("minor")
    published(rings, "1.1.0")
    rings.tick()
    rings.take_back(install)
    assert rings.tick().status == "stopped"
    rings.decide(resume_rollout)
    rings.tick()
    assert (rings.rollout().status, rings.fleet.version_of(install)) == ("running", "1.1.0")
    rings.watched()
    assert rings.tick().status == "done"
    with pytest.raises(NotStopped):
        rings.decide(resume_rollout)


def test_a_site_that_does_worse_and_could_not_go_back_stops_the_ring_until_it_is_seen_to(rings: Rings) -> None:
    first, second = rings.fleet.put_on("Alder"), rings.fleet.put_on("Birch")
    rings.mode("minor")
    rings.site(first, internal=True)
    published(rings, "1.1.0")
    rings.tick()
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            update(Move).where(Move.install_id == first.id).values(state="unhealthy", reason="5 of 20 calls failed.")
        )
    rollout = rings.tick()
    assert rollout.status == "stopped"
    assert rollout.reason.startswith("Alder: 5 of 20 calls failed. Go back, go to another version")
    rings.decide(resume_rollout)
    assert rings.tick().status == "running"  # it has the version: what became of that is looked at
    assert (rings.tick().status, rings.fleet.version_of(second)) == ("stopped", "1.0.0")
    with tenant_scope(rings.fleet.agency.id), transaction(db.session()) as session:
        stop_watching(session, install=session.get_one(Install, first.id), by=rings.fleet.ada.actor, now=rings.clock)
    rings.decide(resume_rollout)
    rings.tick()
    rings.tick()
    assert (rings.rollout().status, rings.fleet.version_of(second)) == ("running", "1.1.0")


def test_a_release_that_was_called_off_does_not_begin_again(rings: Rings) -> None:
    first, second = rings.fleet.put_on("Alder"), rings.fleet.put_on("Birch")
    rings.mode("minor")
    rings.site(first, internal=True)
    published(rings, "1.1.0")
    rings.tick()
    rings.decide(cancel_rollout)
    rings.watched()
    rollout = rings.tick()
    assert (rollout.status, rollout.reason) == ("cancelled", f"Called off by {rings.fleet.ada.name}.")
    assert rings.fleet.version_of(second) == "1.0.0"


def test_a_newer_release_takes_the_place_of_an_older_one(rings: Rings) -> None:
    first = rings.fleet.put_on("Alder")
    rings.fleet.put_on("Birch")
    rings.mode("minor")
    rings.site(first, internal=True)
    published(rings, "1.1.0")
    older = rings.tick()
    published(rings, "1.2.0")
    newer = rings.tick()
    with tenant_scope(rings.fleet.agency.id), transaction(db.session()) as session:
        assert session.get_one(Rollout, older.id).status == "cancelled"
    assert newer.version_id == rings.fleet.versions["1.2.0"].id


@pytest.mark.parametrize(
    ("mode", "number", "moves"), [("patch", "1.0.1", True), ("patch", "1.1.0", False), ("minor", "2.0.0", False)]
)
def test_what_a_site_takes_by_itself(rings: Rings, mode: str, number: str, moves: bool) -> None:
    install = rings.fleet.put_on("Alder")
    rings.site(install, mode=mode)
    published(rings, number)
    rings.tick()
    assert (rings.fleet.version_of(install) == number) is moves


def test_a_site_may_say_no_where_the_agency_says_yes(rings: Rings) -> None:
    install = rings.fleet.put_on("Alder")
    rings.mode("minor")
    rings.site(install, mode="off")
    published(rings, "1.1.0")
    assert (rings.tick(), rings.fleet.version_of(install)) == (None, "1.0.0")


def test_a_site_that_joins_later_is_taken_along(rings: Rings) -> None:
    rings.fleet.put_on("Alder")
    rings.mode("minor")
    published(rings, "1.1.0")
    rings.tick()
    rings.watched()
    assert rings.tick().status == "done"
    late = rings.fleet.put_on("Birch", "1.0.0")
    rings.tick()
    assert (rings.rollout().status, rings.fleet.version_of(late)) == ("running", "1.1.0")


def test_others_wait_until_it_has_proved_itself_with_its_publisher(rings: Rings) -> None:
    install = rings.fleet.put_on("Alder")
    rings.mode("minor")
    own = Rings(rings.fleet.publisher)  # type: ignore[attr-defined]
    own.fleet.put_on("Workshop")
    own.mode("minor")
    published(rings, "1.1.0")
    own.tick()
    assert (own.sites().popitem()[1], rings.rollout(), rings.fleet.version_of(install)) == (
        ("internal", "moving"), None, "1.0.0",
    )  # fmt: skip
    own.tick()
    own.watched()
    assert own.tick().status == "done"
    rings.tick()
    assert rings.fleet.version_of(install) == "1.1.0"
    with tenant_scope(own.fleet.agency.id), transaction(db.session()) as session:
        found, agencies = release_rings(session, version_id=own.fleet.versions["1.1.0"].id)
    assert ([ring.states for ring in found], agencies) == ([{"healthy": 1}, {"moving": 1}, {}], 1)
    with tenant_scope(rings.fleet.agency.id), transaction(db.session()) as session:
        assert release_rings(session, version_id=own.fleet.versions["1.1.0"].id)[1] == 0


def test_a_choice_that_is_none_is_refused(rings: Rings) -> None:
    with pytest.raises(Invalid):
        rings.mode("major")


def test_an_agencys_rollouts_are_its_own(rings: Rings, world: World) -> None:
    rings.fleet.put_on("Alder")
    rings.mode("minor")
    published(rings, "1.1.0")
    rings.tick()
    with tenant_scope(world.agency("Elsewhere").id), transaction(db.session()) as session:
        assert session.scalars(select(Rollout)).all() == []
        assert (
            fleet_page(session, agency_id=rings.fleet.agency.id, wanted=Wanted(), now=datetime.now().astimezone()).total
            == 0
        )
