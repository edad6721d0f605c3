"""What an endpoint may ask for: so many calls a minute (W11), some of the data's fields, a span of time again (W9)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Invalid
from app.events.catalog import CATALOG, CLIENT_CREATED, SITE_CREATED
from app.events.jobs import dispatch
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.webhooks.claiming import claim
from app.webhooks.message import selected
from app.webhooks.models import Delivery, Webhook
from app.webhooks.replaying import replay
from tests.support.hooks import Hooks, receiving

RECORD = {"id": "1", "name": "Bo", "address": {"city": "Porto", "line1": "Rua 1"}}


@pytest.mark.parametrize("rate", [1, 7, 10, 100, 601])
def test_W11_in_no_minute_are_there_more_calls_than_the_rate(hooks: Hooks, rate: int) -> None:
    """The database's own arithmetic, asked every second for three minutes: as often as may be, never too often."""
    called: list[float] = []
    left, at, begin = 6000.0, utcnow(), utcnow()
    with platform_scope("test"), transaction(db.session()) as session:
        for second in range(180):
            now = begin + timedelta(seconds=second)
            query = text("SELECT webhook_calls_left(:rate, :kept, :at, :now)")
            left = session.scalar(query, {"rate": rate, "kept": left, "at": at, "now": now}) or 0.0
            at = now
            called += [float(second)] * int(left)
            left -= int(left)
    most = max(sum(start <= moment < start + 60 for moment in called) for start in range(120))
    assert most <= rate
    assert len(called) >= 3 * rate * 0.8


def test_W11_an_endpoint_gets_no_more_calls_than_its_rate(hooks: Hooks) -> None:
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",), rate_per_minute=20)
        hooks.set(webhook, latency_ms=1)
        for _ in range(6):
            hooks.publish(CLIENT_CREATED)
        hooks.deliver()
        assert len(receiver.calls) == 2  # a tenth of a minute's, the others wait
        assert sorted(one.status for one in hooks.deliveries(webhook)) == ["delivered"] * 2 + ["due"] * 4
        assert _claimed(webhook, after_s=1) == 0
        assert _claimed(webhook, after_s=4) == 1  # 19 in 60 s


def _claimed(webhook: Webhook, *, after_s: float) -> int:
    now = utcnow() + timedelta(seconds=after_s)
    return sum(one.webhook_id == webhook.id for one in claim(db.session(), room=1000, struggling=False, now=now))


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ([], {"record": RECORD, "changed": ["name"]}),
        (["record.id", "record.address.city"], {"record": {"id": "1", "address": {"city": "Porto"}}}),
        (["record.name", "record"], {"record": RECORD}),
        (["record.gone", "changed.deeper", "nothing"], {"record": {}}),
    ],
)
def test_only_the_chosen_fields_are_sent(fields: list[str], left: dict[str, Any]) -> None:
    assert selected({"record": RECORD, "changed": ["name"]}, fields) == left


def test_an_endpoint_gets_the_fields_it_asks_for_and_its_delivery_shows_them(hooks: Hooks) -> None:
    with receiving() as receiver:
        hooks.endpoint(receiver.url, fields=("record.id",))
        hooks.of_module("deal.created", {"record": RECORD})
        hooks.deliver()
        assert json.loads(receiver.calls[0].body)["data"] == {"record": {"id": "1"}}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"rate_per_minute": 0}, "rate_per_minute"),
        ({"rate_per_minute": 6001}, "rate_per_minute"),
        ({"fields": ["record..id"]}, "fields"),
        ({"fields": ["$.record"]}, "fields"),
        ({"fields": [f"f{n}" for n in range(101)]}, "fields"),
    ],
)
def test_settings_that_make_no_sense_are_refused(hooks: Hooks, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        hooks.endpoint("https://hooks.example.com/in", **wrong)
    assert [one.pointer for one in refused.value.errors] == [f"/{field}"]


def again(hooks: Hooks, webhook: Webhook, *, target: Webhook | None = None, **how: Any) -> int:
    person = hooks.ada
    with tenant_scope(hooks.agency.id, user_id=person.id), transaction(db.session()) as session:
        row = session.get_one(Webhook, webhook.id)
        other = session.get_one(Webhook, target.id) if target else None
        return replay(session, webhook=row, target=other, by=person.actor, now=utcnow(), **how)


def came_at(hooks: Hooks, delivery: Delivery, moment: datetime) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(update(Delivery).where(Delivery.id == delivery.id).values(created_at=moment))


def test_W9_a_span_of_time_is_sent_again(hooks: Hooks) -> None:
    now = utcnow()
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
        events = [hooks.publish(CLIENT_CREATED).public_id for _ in range(3)]
        hooks.deliver()
        came = hooks.deliveries(webhook)
        for days, delivery in enumerate(came, start=1):
            came_at(hooks, delivery, now - timedelta(days=days))
        span = {"since": now - timedelta(days=2, hours=1), "until": now - timedelta(hours=30)}
        assert again(hooks, webhook, **span) == 0  # nothing of it failed
        assert again(hooks, webhook, everything=True, **span) == 1
        hooks.pump()
        assert sorted(receiver.ids[:3]) == sorted(events)
        assert receiver.ids[3:] == [encode("evt", came[1].event_id)]
        assert [one.attempts for one in hooks.deliveries(webhook)] == [1, 2, 1]
    with pytest.raises(Invalid):
        again(hooks, webhook, since=now, until=now - timedelta(days=1))


def test_W9_another_endpoint_gets_a_replay_within_its_site_and_its_role(hooks: Hooks) -> None:
    other_site = hooks.world.site(hooks.agency)
    source = hooks.endpoint("https://hooks.example.com/in", patterns=("*",))
    here, there = hooks.publish(SITE_CREATED, site=hooks.site), hooks.publish(SITE_CREATED, site=other_site)
    key = hooks.publish(CATALOG["key.created"], site=hooks.site)
    deal = hooks.of_module("deal.won", {"record": {"id": "1"}})
    dispatch()
    with receiving() as receiver:
        target = hooks.endpoint(receiver.url, patterns=("nothing.*",), site=hooks.site)
        hooks.set(target, role="viewer")
        since = utcnow() - timedelta(hours=1)
        assert again(hooks, source, target=target, since=since, everything=True) == 0  # none of them has ended
        hooks.set(source, disabled_at=utcnow(), disabled_reason="person")
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(update(Delivery).where(Delivery.webhook_id == source.id).values(status="missed"))
        assert again(hooks, source, target=target, since=since) == 2
        hooks.pump()
        assert sorted(receiver.ids) == sorted([here.public_id, deal.public_id])
        assert {there.public_id, key.public_id}.isdisjoint(receiver.ids)
        assert again(hooks, source, target=target, since=since) == 2  # once more: the same deliveries, due again
        assert [one.status for one in hooks.deliveries(target)] == ["due", "due"]
    told = hooks.told("webhook.replayed")
    assert [(one.data["to"], one.data["events"]) for one in told] == [(target.public_id, 2)] * 2
