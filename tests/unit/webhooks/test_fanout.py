"""Who gets which event: patterns, sites, rights; and never, whatever is subscribed, another agency's."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.access.permissions import Role
from app.config import Config
from app.events import jobs
from app.events.catalog import CATALOG, CLIENT_CREATED, SITE_CREATED
from app.events.jobs import dispatch
from app.events.models import Event
from app.tenancy.models import Site
from app.webhooks.catalogue import EXAMPLES, catalogue
from app.webhooks.models import Webhook
from app.webhooks.patterns import matches, may_receive
from tests.support.hooks import Hooks
from tests.support.world import World

URL = "https://hooks.example.com/in"


@pytest.mark.parametrize(
    ("pattern", "hits"),
    [
        ("*", {"deal.won", "deal.line.added", "dealer.found", "deal.won_back"}),
        ("deal.*", {"deal.won", "deal.line.added", "deal.won_back"}),
        ("deal.won", {"deal.won"}),
        ("deal", set()),
        ("deal.line.*", {"deal.line.added"}),
    ],
)
def test_W5_patterns(pattern: str, hits: set[str]) -> None:
    types = ("deal.won", "deal.line.added", "dealer.found", "deal.won_back")
    assert {one for one in types if matches([pattern], one)} == hits


def got(hooks: Hooks, webhook: Webhook) -> set[object]:
    return {one.event_id for one in hooks.deliveries(webhook)}


def test_an_endpoint_of_a_site_gets_that_sites_events_only(hooks: Hooks) -> None:
    other = hooks.world.site(hooks.agency)
    of_site = hooks.endpoint(URL, site=hooks.site, patterns=("*",))
    of_agency = hooks.endpoint(URL, patterns=("site.*", "client.*", "deal.*"))
    here, there = hooks.publish(SITE_CREATED, site=hooks.site), hooks.publish(SITE_CREATED, site=other)
    nowhere = hooks.publish(CLIENT_CREATED)
    module_here, module_there = hooks.of_module("deal.won", {}), hooks.of_module("deal.won", {}, site=other)
    dispatch()
    assert got(hooks, of_site) - {here.id, module_here.id} == _own(hooks, of_site)
    assert got(hooks, of_agency) == {here.id, there.id, nowhere.id, module_here.id, module_there.id}


def test_a_flood_of_events_does_not_keep_the_first_ones_from_being_handed_over(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch()
    webhook = hooks.endpoint(URL, patterns=("deal.*",))
    events = [hooks.of_module("deal.won", {}) for _ in range(6)]
    monkeypatch.setattr("app.events.jobs.BATCH", 2)
    waiting: list[int] = []
    real = jobs._deliver

    def deliver(db: Session, event_id: UUID, subscriber: str, agency_id: UUID) -> str:
        waiting.append(len([one for one in hooks.told("deal.won") if one.dispatched_at is None]))
        return real(db, event_id, subscriber, agency_id)

    monkeypatch.setattr(jobs, "_deliver", deliver)
    dispatch()
    assert max(waiting) >= 2  # others had not been looked at yet
    assert got(hooks, webhook) == {event.id for event in events}


def test_a_job_takes_one_turn_of_a_flood_and_orders_the_next(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    dispatch()
    webhook = hooks.endpoint(URL, patterns=("deal.*",))
    for _ in range(6):
        hooks.of_module("deal.won", {})
    monkeypatch.setattr(jobs, "BATCH", 2)
    monkeypatch.setattr(jobs, "TURN_S", 0.0)
    woken: list[str] = []
    monkeypatch.setattr(jobs, "wake", woken.append)
    turns = 0
    while len(got(hooks, webhook)) < 6 and turns < 50:
        jobs.dispatch_in_turns()
        turns += 1
    assert turns > 1
    assert woken[: turns - 1] == ["events.dispatch"] * (turns - 1)
    dispatch()
    woken.clear()
    jobs.dispatch_in_turns()
    assert woken == []


def _own(hooks: Hooks, webhook: Webhook) -> set[object]:
    """The news of its own making."""
    return {one.event_id for one in hooks.deliveries(webhook) if one.event_type.startswith("webhook.")}


def test_what_a_form_tells_its_own_function_is_nobody_elses(hooks: Hooks) -> None:
    webhook = hooks.endpoint(URL, site=hooks.site, patterns=("page.*",))
    hooks.of_module("page.was_sent", {"record": {"email": "a@example.com"}})
    dispatch()
    assert got(hooks, webhook) == set()


def test_an_endpoint_gets_what_the_role_it_was_made_with_may_see() -> None:
    shown = {
        role: {name for name in CATALOG if may_receive(role, name, of_module=False)}
        for role in (Role.OWNER, Role.VIEWER)
    }
    assert shown[Role.OWNER] == set(CATALOG)
    assert {"key.created", "module.published", "webhook.created"}.isdisjoint(shown[Role.VIEWER])
    assert {"site.created", "client.created"} <= shown[Role.VIEWER]
    assert not may_receive(Role.OWNER, "deal.won", of_module=False)
    assert may_receive(Role.VIEWER, "deal.won", of_module=True)
    assert not may_receive(Role.VIEWER, "key.created", of_module=True)  # a module cannot lend a name


def test_rights_are_kept_with_the_endpoint(hooks: Hooks) -> None:
    webhook = hooks.endpoint(URL, patterns=("*",))
    hooks.set(webhook, role="viewer")
    event = hooks.publish(CATALOG["key.created"], site=hooks.site)
    allowed = hooks.publish(CLIENT_CREATED)
    dispatch()
    assert event.id not in got(hooks, webhook)
    assert allowed.id in got(hooks, webhook)


def test_every_event_of_the_platform_has_an_example() -> None:
    assert EXAMPLES.keys() == CATALOG.keys()
    events = [one for group in catalogue(role=Role.OWNER, modules=[]) for one in group.events]
    assert {one.type for one in events} == set(CATALOG)
    assert all(one.example and one.example["type"] == one.type for one in events)


KINDS = ("deal.won", "deal.lost", "site.created", "client.created", "key.created")
SUBSCRIPTION = st.tuples(
    st.integers(0, 1),  # the agency
    st.sampled_from([None, 0, 1]),  # which of its sites
    st.lists(st.sampled_from(["*", "deal.*", "site.*", "deal.won", "key.*", "client.created"]), min_size=1, max_size=3),
    st.sampled_from([Role.OWNER, Role.VIEWER]),
)
EVENT = st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from(KINDS))


Places = list[tuple[Hooks, list[Site]]]


@pytest.fixture
def places(platform_app: Flask, config: Config, world: World) -> Iterator[Places]:
    """Two agencies with two sites each."""
    made = []
    for _ in range(2):
        agency = world.agency()
        place = Hooks(platform_app, config, world, agency, world.person(agency), world.site(agency))
        made.append((place, [place.site, world.site(agency)]))
    yield made
    for place, _ in made:
        place.leave()


@given(
    subscriptions=st.lists(SUBSCRIPTION, min_size=2, max_size=6),
    told=st.lists(EVENT, min_size=1, max_size=8),
    replayed=st.booleans(),
)
@example(  # what one of the agency may see is sent again to who may not, and to who is of another site
    subscriptions=[(0, None, ["*"], Role.OWNER), (0, None, ["deal.won"], Role.VIEWER), (0, 1, ["deal.*"], Role.OWNER)],
    told=[(0, 0, "key.created"), (0, 0, "deal.won"), (0, 1, "deal.lost"), (0, 0, "client.created"), (1, 0, "deal.won")],
    replayed=True,
)
@settings(max_examples=24, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_event_ever_reaches_another_agency_or_site_or_who_may_not_see_it(
    places: Places, subscriptions: list[tuple[int, int | None, list[str], Role]], told: list[tuple[int, int, str]],
    replayed: bool,
) -> None:  # fmt: skip
    """Whatever is subscribed: each endpoint has exactly the events of its agency and site that its patterns and role allow,
    and after everything was sent from each to each, exactly those of others too that its site and role allow.
    """
    endpoints: dict[UUID, tuple[Hooks, Webhook, Role]] = {}
    expected: dict[UUID, set[UUID]] = {}
    wanted: dict[UUID, list[str]] = {}
    for number, site, patterns, role in subscriptions:
        place, sites = places[number]
        webhook = place.endpoint(URL, patterns=tuple(patterns), site=None if site is None else sites[site])
        place.set(webhook, role=role.value)
        endpoints[webhook.id], wanted[webhook.id] = (place, webhook, role), patterns
    events = {(event := _tell(*places[number], site, kind)).id: event for number, site, kind in told}
    dispatch()
    for key, (_, webhook, role) in endpoints.items():
        expected[key] = {
            one.id for one in events.values() if _may_have(webhook, role, one) and matches(wanted[key], one.type)
        }
    if replayed:
        for place, _ in places:
            for source, target in place.replay_all():
                _, webhook, role = endpoints[target]
                expected[target] |= {one for one in expected[source] if _may_have(webhook, role, events[one])}
    for key, (place, webhook, _) in endpoints.items():
        assert got(place, webhook) & events.keys() == expected[key]
        assert {one.agency_id for one in place.deliveries(webhook)} <= {place.agency.id}
    for place, _ in places:
        place.leave()


def _may_have(webhook: Webhook, role: Role, event: Event) -> bool:
    """Written out here once more: an endpoint's agency, its site, what its role sees."""
    sees = {"site.created": True, "client.created": True, "key.created": role is Role.OWNER}
    return (
        event.agency_id == webhook.agency_id
        and (webhook.site_id is None or event.site_id == webhook.site_id)
        and sees.get(event.type, event.install_id is not None)
    )


def _tell(place: Hooks, sites: list[Site], site: int, kind: str) -> Event:
    if kind.startswith("deal."):
        return place.of_module(kind, {}, site=sites[site])
    return place.publish(CATALOG[kind], site=None if kind == "client.created" else sites[site])
