"""How much of an endpoint's work a worker takes, and what becomes of what it does not send (W10, W11)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.catalog import CLIENT_CREATED
from app.events.jobs import dispatch
from app.lib.clock import utcnow
from app.webhooks.claiming import LEASE_S, claim, extend, release
from app.webhooks.models import Delivery, Webhook
from app.webhooks.sending import Claimed
from tests.support.hooks import Hooks, receiving

URL = "https://hooks.example.com/in"


def told(hooks: Hooks, count: int) -> None:
    for number in range(count):
        hooks.of_module("deal.created", {"record": {"n": number}})
    dispatch()


def take(webhook: Webhook, *, held: int = 0, struggling: bool = False, room: int = 100_000) -> list[Claimed]:
    mine = {webhook.id: held} if held else None
    found = claim(db.session(), room=room, struggling=struggling, now=utcnow(), mine=mine)
    release(db.session(), [one for one in found if one.webhook_id != webhook.id], now=utcnow())
    return sorted((one for one in found if one.webhook_id == webhook.id), key=lambda one: one.id)


def test_W11_of_a_quick_endpoint_a_worker_takes_a_seconds_work_and_nobody_else_gets_any(hooks: Hooks) -> None:
    webhook = hooks.endpoint(URL, patterns=("deal.*",), concurrency=2)
    hooks.set(webhook, latency_ms=200)
    told(hooks, 20)
    first = take(webhook)
    assert (len(first), {one.allowed for one in first}) == (10, {2})  # 2 at once, 5 calls a second each
    assert [one.data["record"]["n"] for one in first] == list(range(10))
    assert take(webhook) == []  # another worker
    assert take(webhook, held=10) == []  # the same one, which has enough
    more = len(first) - 4  # it wrote down six and has four
    with platform_scope("test"), transaction(db.session()) as session:
        for one in first[:more]:
            session.get_one(Delivery, one.id).status = "delivered"
    assert len(take(webhook, held=4)) == 6


def test_W11_workers_share_what_an_endpoint_takes_at_once(hooks: Hooks) -> None:
    """One that has three calls left leaves one turn of four to another, which then keeps to one at a time."""
    webhook = hooks.endpoint(URL, patterns=("deal.*",), concurrency=4)
    hooks.set(webhook, latency_ms=1000)
    told(hooks, 12)
    first = take(webhook)
    assert (len(first), first[0].allowed) == (4, 4)
    with platform_scope("test"), transaction(db.session()) as session:
        session.get_one(Delivery, first[0].id).status = "delivered"
    second = take(webhook)
    assert [one.allowed for one in second] == [1]
    assert take(webhook) == []
    assert take(webhook, held=3) == []  # the first: three of its own and one of the other are all there may be


@pytest.mark.parametrize(
    ("values", "struggling", "count"),
    [
        ({"latency_ms": None}, False, 1),  # never called
        ({"latency_ms": 1, "failures": 1}, True, 8),  # one after the other
        ({"latency_ms": 1, "failures": 1, "rate_per_minute": 6000}, True, 1),
        ({"latency_ms": 6000}, True, 1),
        ({"latency_ms": 900}, False, 4),
        ({"latency_ms": 0}, False, 30),  # at most sixteen times four, and there are thirty
        ({"latency_ms": 0, "rate_per_minute": 6000}, False, 4),
    ],
)
def test_W11_how_much_is_taken_ahead(hooks: Hooks, values: dict[str, int | None], struggling: bool, count: int) -> None:
    webhook = hooks.endpoint(URL, patterns=("deal.*",))
    hooks.set(webhook, **values)
    told(hooks, 30)
    assert take(webhook, struggling=not struggling) == []
    assert len(take(webhook, struggling=struggling)) == count


def test_W11_the_room_is_shared_among_endpoints(hooks: Hooks) -> None:
    for _ in range(4):
        hooks.set(hooks.endpoint(URL, patterns=("deal.*",)), latency_ms=1)
    told(hooks, 20)
    endpoints = {one.id for one in hooks.endpoints()}
    hooks.alone()
    found = claim(db.session(), room=20, struggling=False, now=utcnow())
    assert Counter(one.webhook_id for one in found if one.webhook_id in endpoints) == dict.fromkeys(endpoints, 5)


def test_W10_workers_that_are_killed_use_up_no_tries(hooks: Hooks) -> None:
    with receiving(status=500) as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("deal.*",))
        told(hooks, 1)
        for _ in range(12):  # more than there are tries: each is killed before it has called
            assert len(take(webhook)) == 1
            hooks.make_due(webhook)
        hooks.pump()
        [failed] = hooks.deliveries(webhook)
        assert (failed.status, failed.tries, failed.attempts) == ("due", 1, 13)
        receiver.status = 200
        hooks.make_due(webhook)
        hooks.pump()
        [delivered] = hooks.deliveries(webhook)
        assert (delivered.status, delivered.tries) == ("delivered", 2)


def test_W10_what_is_given_back_is_due_at_once_and_no_attempt_was_made(hooks: Hooks) -> None:
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("deal.*",))
        hooks.set(webhook, latency_ms=1)
        told(hooks, 3)
        taken = take(webhook)
        release(db.session(), taken[1:], now=utcnow())
        assert [(one.status, one.attempts, one.tries) for one in hooks.deliveries(webhook)] == [
            ("sending", 1, 0), ("due", 0, 0), ("due", 0, 0),
        ]  # fmt: skip
        back = hooks.deliveries(webhook)[1:]
        assert [(one.due_at, one.given_back) for one in back] == [
            (one.created_at, 1) for one in back
        ]  # not behind later ones
        release(db.session(), taken[1:], now=utcnow())  # told twice
        hooks.make_due(webhook)  # the lease of the first one is over
        hooks.pump()
        release(db.session(), taken, now=utcnow())  # told far too late
        assert [(one.status, one.attempts) for one in hooks.deliveries(webhook)] == [
            ("delivered", 2), ("delivered", 1), ("delivered", 1),
        ]  # fmt: skip
        assert len(receiver.calls) == 3


def test_W10_a_lease_is_extended_for_who_still_has_it_and_for_nobody_else(hooks: Hooks) -> None:
    webhook = hooks.endpoint(URL, patterns=("deal.*",))
    hooks.set(webhook, latency_ms=1)
    told(hooks, 3)
    ours = take(webhook)
    later = utcnow() + timedelta(seconds=LEASE_S - 1)
    assert extend(db.session(), ours, now=later) == {one.id for one in ours}
    assert {one.due_at for one in hooks.deliveries(webhook)} == {later + timedelta(seconds=LEASE_S)}
    release(db.session(), ours[2:], now=utcnow())
    hooks.make_due(webhook)  # as if nothing had been heard of us for the whole of a lease
    theirs = take(webhook)
    assert sorted(one.id for one in theirs) == sorted(one.id for one in ours)
    assert extend(db.session(), ours[:2], now=later) == set()
    assert extend(db.session(), theirs, now=later) == {one.id for one in theirs}


def test_W10_what_is_given_back_to_an_endpoint_that_is_off_is_missed(hooks: Hooks) -> None:
    webhook = hooks.endpoint(URL, patterns=("deal.*",))
    hooks.set(webhook, latency_ms=1)
    told(hooks, 2)
    taken = take(webhook)
    hooks.set(webhook, disabled_at=utcnow(), disabled_reason="person")
    release(db.session(), taken, now=utcnow())
    assert [(one.status, one.finished_at is not None) for one in hooks.deliveries(webhook)] == [("missed", True)] * 2


def test_W7_a_quick_endpoint_that_begins_to_fail_is_called_no_more_than_those_under_way(hooks: Hooks) -> None:
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",), concurrency=2)
        hooks.set(webhook, latency_ms=1)
        for _ in range(20):
            hooks.publish(CLIENT_CREATED)
        dispatch()
        receiver.status = 503
        hooks.pump()
        assert 1 <= len(receiver.calls) <= 2
        came = hooks.deliveries(webhook)
        assert {one.status for one in came} == {"due"}
        assert sum(one.attempts for one in came) == len(receiver.calls)
        receiver.status = 200
        hooks.make_due(webhook)
        hooks.pump()
        assert {one.status for one in hooks.deliveries(webhook)} == {"delivered"}
        assert set(receiver.ids) == {event.public_id for event in hooks.told("client.created")}
