"""Events leave signed, are retried as promised, and no receiver holds up another (security.md 1.2, W1 to W12)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Invalid
from app.events.catalog import CLIENT_CREATED, SITE_CREATED
from app.events.models import Event
from app.lib.clock import rfc3339, utcnow
from app.lib.http_out import Egress
from app.lib.ids import encode
from app.mail.models import Mail
from app.webhooks import actions, replaying, rotation
from app.webhooks.addresses import Outside
from app.webhooks.claiming import claim
from app.webhooks.delivering import SCHEDULE_S, finish, wait_after
from app.webhooks.models import Delivery, Webhook
from app.webhooks.pump import Pump
from app.webhooks.sending import Result, retry_after, send
from app.webhooks.setup import Setup
from tests.support.hooks import Hooks, Receiver, outside, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def letters(hooks: Hooks) -> list[str]:
    with platform_scope("test"), transaction(db.session()) as session:
        query = select(Mail.kind).where(Mail.agency_id == hooks.agency.id, Mail.recipient == hooks.ada.email)
        return list(session.scalars(query.order_by(Mail.id)))


def test_W1_W5_a_call_carries_the_event_and_a_signature_that_the_library_accepts(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = hooks.endpoint(receiver.url, headers={"X-Place": "till"})
    event = hooks.publish(SITE_CREATED, site=hooks.site, data={"name": "Hafen – Zahnärzte"})
    hooks.deliver()
    [call] = receiver.calls
    assert Verifier(hooks.secret(webhook)).verify(call.body, call.headers) == {
        "type": "site.created",
        "timestamp": rfc3339(event.occurred_at),
        "data": {"name": "Hafen – Zahnärzte"},
        "site": hooks.site.public_id,
        "install": None,
    }
    assert {name for name in call.headers if name.startswith("webhook-")} == {
        "webhook-id", "webhook-timestamp", "webhook-signature",
    }  # fmt: skip
    assert call.headers["webhook-id"] == event.public_id
    assert call.headers["webhook-timestamp"].isdigit()
    assert call.headers["x-place"] == "till"
    assert call.headers["user-agent"] == "Dramac-Webhooks/1.0.0"
    [delivery] = hooks.deliveries(webhook)
    assert (delivery.status, delivery.attempts, delivery.outcome, delivery.response_status) == (
        "delivered",
        1,
        "ok",
        200,
    )


def test_W1_a_changed_body_or_another_secret_is_not_accepted(hooks: Hooks, receiver: Receiver) -> None:
    webhook, other = hooks.endpoint(receiver.url), hooks.endpoint(receiver.url)
    hooks.publish(CLIENT_CREATED, data={"name": "Harbour"})
    hooks.deliver()
    calls = {call.headers["webhook-signature"]: call for call in receiver.calls}
    assert len(calls) == 2
    mine = next(call for call in calls.values() if _verifies(hooks.secret(webhook), call.body, call.headers))
    assert not _verifies(hooks.secret(other), mine.body, mine.headers)
    assert not _verifies(hooks.secret(webhook), mine.body + b" ", mine.headers)


def _verifies(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Verifier(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_W2_secrets_are_random_and_sealed(hooks: Hooks) -> None:
    first, second = (hooks.endpoint("https://hooks.example.com/") for _ in range(2))
    secrets = {hooks.secret(first), hooks.secret(second)}
    assert len(secrets) == 2
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in secrets)
    assert not any(secret in repr(vars(hooks.read(first))) for secret in secrets)


def test_W3_both_secrets_sign_for_a_day_after_one_was_replaced(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url)
    old = hooks.secret(webhook)
    with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
        new = rotation.rotate_secret(
            session, webhook=session.get_one(Webhook, webhook.id), by=hooks.ada.actor, setup=hooks.setup, now=utcnow()
        )
    assert new == hooks.secret(webhook) != old
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    until = hooks.read(webhook).previous_secret_until
    assert until is not None
    assert abs(until - utcnow() - timedelta(days=1)) < timedelta(minutes=1)
    hooks.set(webhook, previous_secret_until=utcnow() - timedelta(seconds=1))
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    during, after = receiver.calls
    assert len(during.headers["webhook-signature"].split()) == 2
    assert [_verifies(one, during.body, during.headers) for one in (new, old)] == [True, True]
    assert [_verifies(one, after.body, after.headers) for one in (new, old)] == [True, False]


def test_W3_a_secret_is_not_replaced_again_while_the_one_before_still_signs(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url)
    first = hooks.secret(webhook)

    def within(act: Callable[[Session, Webhook], Any]) -> Any:
        with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
            return act(session, session.get_one(Webhook, webhook.id))

    def replace(session: Session, row: Webhook) -> str:
        return rotation.rotate_secret(session, webhook=row, by=hooks.ada.actor, setup=hooks.setup, now=utcnow())

    def end(session: Session, row: Webhook) -> bool:
        return rotation.end_old_secret(session, webhook=row, by=hooks.ada.actor, now=utcnow())

    second = within(replace)
    with pytest.raises(rotation.OldSecretSigns):
        within(replace)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    [call] = receiver.calls
    assert [_verifies(one, call.body, call.headers) for one in (second, first)] == [True, True]
    assert [within(end), within(end)] == [True, False]
    third = within(replace)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    call = receiver.calls[-1]
    assert [_verifies(one, call.body, call.headers) for one in (third, second, first)] == [True, True, False]
    assert len(hooks.told("webhook.secret_ended")) == 1


def test_W4_the_id_stays_over_retries_and_sending_again_and_the_timestamp_does_not(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = hooks.endpoint(receiver.url)
    receiver.status = 500
    event = hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    [delivery] = hooks.deliveries(webhook)
    assert (delivery.status, delivery.outcome, delivery.response_status) == ("due", "http", 500)
    receiver.status = 200
    hooks.make_due(webhook)
    hooks.pump()
    with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
        replaying.resend(
            session, webhook=session.get_one(Webhook, webhook.id), delivery=session.get_one(Delivery, delivery.id),
            now=utcnow(),
        )  # fmt: skip
    hooks.pump()
    assert receiver.ids == [event.public_id] * 3
    assert len({call.body for call in receiver.calls}) == 1
    assert [(one.number, one.response_status) for one in hooks.attempts(webhook)] == [(1, 500), (2, 200), (3, 200)]


def test_W4_a_timestamp_is_that_of_the_attempt(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url)
    hooks.publish(CLIENT_CREATED)
    from app.events.jobs import dispatch

    dispatch()
    now = utcnow()
    claimed = [one for one in claim(db.session(), room=1000, struggling=False, now=now) if one.webhook_id == webhook.id]
    drifts = {minutes: now + timedelta(minutes=minutes) for minutes in (-6, -4, 4, 6)}
    accepted = {}
    for minutes, moment in drifts.items():
        send(claimed[0], outside=hooks.setup.outside, keys=hooks.setup.keys, now=lambda moment=moment: moment)
        call = receiver.calls[-1]
        accepted[minutes] = _verifies(hooks.secret(webhook), call.body, call.headers)
    assert accepted == {-6: False, -4: True, 4: True, 6: False}


def test_W5_a_body_is_at_most_256_kB(hooks: Hooks, receiver: Receiver) -> None:
    hooks.endpoint(receiver.url)
    hooks.of_module("deal.created", {"record": {"notes": "x" * 300_000}})
    hooks.deliver()
    body = json.loads(receiver.calls[0].body)
    assert body["type"] == "deal.created"
    assert body["data"]["omitted"] is True


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
def test_W6_only_2xx_is_success_and_redirects_are_not_followed(hooks: Hooks, receiver: Receiver, status: int) -> None:
    webhook = hooks.endpoint(receiver.url)
    receiver.status, receiver.headers = status, {"Location": receiver.url + "/elsewhere"}
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    [delivery] = hooks.deliveries(webhook)
    assert (delivery.status, delivery.outcome, delivery.response_status) == ("due", "http", status)
    assert [call.path for call in receiver.calls] == [receiver.path]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_W6_every_2xx_is_success(hooks: Hooks, receiver: Receiver, status: int) -> None:
    webhook = hooks.endpoint(receiver.url)
    receiver.status, receiver.body = status, b""
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert [one.status for one in hooks.deliveries(webhook)] == ["delivered"]


def test_W6_four_kilobytes_of_an_answer_are_kept_without_secrets(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url, headers={"X-Key": "opensesame-42"})
    receiver.body = (
        b'{"password": "hunter2", "you": "opensesame-42", "t": "Bearer abcdefghijklmnop", "ok": 1}\x00' + b"y" * 100_000
    )
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    [delivery] = hooks.deliveries(webhook)
    assert delivery.status == "delivered"
    assert delivery.response_excerpt.startswith(
        '{"password": [hidden], "you": "[hidden]", "t": "[hidden]", "ok": 1}�yyy'
    )
    assert len(delivery.response_excerpt) <= 4096


def test_W6_a_receiver_that_hangs_up_or_is_not_there_has_failed(hooks: Hooks, receiver: Receiver) -> None:
    receiver.vanish = True
    with receiving() as gone:
        pass
    vanishing, missing = hooks.endpoint(receiver.url), hooks.endpoint(gone.url)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert [one.outcome for one in hooks.deliveries(vanishing)] == ["protocol"]
    assert [one.outcome for one in hooks.deliveries(missing)] == ["connect"]


def test_W6_no_answer_in_time_has_failed(hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhooks.sending.TIMEOUT_S", 0.3)
    receiver.wait_s = 2
    webhook = hooks.endpoint(receiver.url)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert [(one.status, one.outcome) for one in hooks.deliveries(webhook)] == [("due", "timeout")]


def test_W7_the_schedule() -> None:
    waits = [wait_after(tries, None, lambda: 0.0) for tries in range(1, 8)]
    assert waits == pytest.approx([5.5, 330, 1980, 7920, 19800, 39600, 39600])
    assert [wait_after(1, None, lambda: 1.0), wait_after(2, None, lambda: 0.5)] == pytest.approx([6, 345])
    assert wait_after(1, 600, lambda: 0.0) == 600
    assert wait_after(2, 10, lambda: 0.0) == pytest.approx(330)
    assert wait_after(1, 10**9, lambda: 0.0) == 12 * 3600


def test_W7_it_is_given_up_after_the_eighth_attempt_and_the_owner_is_told_once(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.status = 500
    webhook = hooks.endpoint(receiver.url)
    for _ in range(2):
        hooks.publish(CLIENT_CREATED)
        hooks.deliver()
        for _ in SCHEDULE_S:
            hooks.make_due(webhook)
            hooks.pump()
    assert [(one.status, one.attempts) for one in hooks.deliveries(webhook)] == [("failed", 8), ("failed", 8)]
    assert len(receiver.calls) == 16
    assert letters(hooks) == ["webhooks.given_up"]


def test_W7_retry_after_is_seconds_or_a_date() -> None:
    now = utcnow().replace(year=2026, month=1, day=31, hour=12, minute=0, second=0, microsecond=0)
    assert [retry_after(text, now=now) for text in ("120", " 7 ", "", "soon", "-5")] == [120, 7, None, None, None]
    assert retry_after("Sat, 31 Jan 2026 12:10:00 GMT", now=now) == 600
    assert retry_after("Sat, 31 Jan 2026 11:00:00 GMT", now=now) == 0


def test_W7_a_busy_receiver_is_left_alone_for_as_long_as_it_asks(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "600"}
    webhook = hooks.endpoint(receiver.url)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    [delivery] = hooks.deliveries(webhook)
    assert delivery.due_at - utcnow() > timedelta(seconds=590)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert len(receiver.calls) == 1  # the second event waits as well
    assert [one.status for one in hooks.deliveries(webhook)] == ["due", "due"]
    assert hooks.read(webhook).held(utcnow())


def test_W7_a_reset_ends_the_hold_and_the_slowing_down_and_sends_what_waits(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 503, {"Retry-After": "600"}
    webhook = hooks.endpoint(receiver.url)
    for _ in range(2):
        hooks.publish(CLIENT_CREATED)
        hooks.deliver()
    hooks.set(webhook, latency_ms=9000)
    receiver.status = 200
    with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
        row = session.get_one(Webhook, webhook.id)
        actions.reset_webhook(session, webhook=row, by=hooks.ada.actor, now=utcnow())
    after = hooks.read(webhook)
    assert (after.held_until, after.failures, after.latency_ms, after.state) == (None, 0, None, "active")
    hooks.pump()
    assert [one.status for one in hooks.deliveries(webhook)] == ["delivered", "delivered"]
    assert len(hooks.told("webhook.reset")) == 1


def test_W7_410_switches_off_at_once(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status = 410
    webhook = hooks.endpoint(receiver.url)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    row = hooks.read(webhook)
    assert (row.state, row.disabled_reason) == ("disabled", "gone")
    assert [one.status for one in hooks.deliveries(webhook)] == ["failed", "missed"]
    assert len(receiver.calls) == 1
    assert letters(hooks) == ["webhooks.disabled_gone"]


def test_W8_after_three_days_the_owner_is_told_and_after_five_it_is_switched_off(
    hooks: Hooks, receiver: Receiver
) -> None:
    receiver.status = 500
    webhook = hooks.endpoint(receiver.url)
    for days in (0, 2, 3.1, 4, 5.1):
        if days:
            hooks.set(webhook, counted_since=utcnow() - timedelta(days=days))
        hooks.publish(CLIENT_CREATED)
        hooks.deliver()
    row = hooks.read(webhook)
    assert (row.state, row.disabled_reason, row.failures) == ("disabled", "failing", len(hooks.attempts(webhook)))
    assert letters(hooks) == ["webhooks.still_failing", "webhooks.disabled_failing"]
    assert {one.status for one in hooks.deliveries(webhook)} == {"missed"}


def test_W8_one_success_begins_anew(hooks: Hooks, receiver: Receiver) -> None:
    receiver.status = 500
    webhook = hooks.endpoint(receiver.url)
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert hooks.read(webhook).state == "failing"
    long_ago = utcnow() - timedelta(days=9)
    hooks.set(webhook, failing_since=long_ago, counted_since=long_ago, failed_at=[long_ago] * 3, failures=4, warned=2)
    receiver.status = 200
    hooks.make_due(webhook)
    hooks.pump()
    row = hooks.read(webhook)
    assert (row.state, row.failures, row.failing_since, row.warned) == ("active", 0, None, 0)
    assert (row.counted_since, row.failed_at) == (None, [])


def test_W8_the_days_are_counted_from_several_failures_within_one(hooks: Hooks, receiver: Receiver) -> None:
    """Failures now and then switch nothing off, however long ago the first was."""
    receiver.status = 500
    webhook = hooks.endpoint(receiver.url)
    for days in (20, 14, 7):
        moment = utcnow() - timedelta(days=days)
        hooks.set(webhook, failing_since=moment, failures=3, failed_at=[moment - timedelta(days=8), moment])
        hooks.publish(CLIENT_CREATED)
        hooks.deliver()
        assert (hooks.read(webhook).state, hooks.read(webhook).counted_since) == ("failing", None)
    for _ in range(2):  # with the last one these are three within a day
        hooks.publish(CLIENT_CREATED)
        hooks.deliver()
    counted = hooks.read(webhook).counted_since
    assert counted is not None
    assert utcnow() - counted < timedelta(minutes=1)
    assert letters(hooks) == []


def test_W9_what_failed_or_was_missed_is_sent_again(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
    with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
        actions.disable_webhook(session, webhook=session.get_one(Webhook, webhook.id), by=hooks.ada.actor, now=utcnow())
    missed = [hooks.publish(CLIENT_CREATED).public_id for _ in range(3)]
    hooks.deliver()
    assert ([one.status for one in hooks.deliveries(webhook)], receiver.calls) == (["missed"] * 3, [])
    with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
        row = session.get_one(Webhook, webhook.id)
        actions.enable_webhook(session, webhook=row, by=hooks.ada.actor)
        since = utcnow() - timedelta(days=1)
        count = replaying.replay(session, webhook=row, since=since, by=hooks.ada.actor, now=utcnow())
    hooks.pump()
    assert count == 3
    assert sorted(receiver.ids) == sorted(missed)
    assert {one.status for one in hooks.deliveries(webhook)} == {"delivered"}


def test_W9_a_paused_endpoint_gets_later_what_came_meanwhile(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
    hooks.set(webhook, paused_at=utcnow())
    event = hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert ([one.status for one in hooks.deliveries(webhook)], receiver.calls) == (["due"], [])
    with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
        actions.enable_webhook(session, webhook=session.get_one(Webhook, webhook.id), by=hooks.ada.actor)
    hooks.pump()
    assert receiver.ids == [event.public_id]


def test_W9_a_test_event_goes_to_its_endpoint_alone(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url, patterns=("deal.*",))
    with receiving() as other:
        hooks.endpoint(other.url, patterns=("*",))
        hooks.deliver()
        before = len(other.calls)
        with tenant_scope(hooks.agency.id, user_id=hooks.ada.id), transaction(db.session()) as session:
            actions.send_test(session, webhook=session.get_one(Webhook, webhook.id), by=hooks.ada.actor, now=utcnow())
        hooks.deliver()
        assert [json.loads(call.body)["type"] for call in receiver.calls] == ["webhook.test"]
        assert len(other.calls) == before


def test_W10_an_event_that_is_handed_over_twice_is_delivered_once(hooks: Hooks, receiver: Receiver) -> None:
    from app.webhooks.receivers import ENDPOINTS, deliver

    webhook = hooks.endpoint(receiver.url)
    event = hooks.publish(CLIENT_CREATED)
    for _ in range(2):
        with tenant_scope(hooks.agency.id), transaction(db.session()) as session:
            deliver(session, session.get_one(Event, event.id), ENDPOINTS)
    hooks.deliver()
    assert (len(hooks.deliveries(webhook)), receiver.ids) == (1, [event.public_id])


def test_W10_what_a_lost_worker_had_taken_is_due_again_and_its_late_result_changes_nothing(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = hooks.endpoint(receiver.url)
    hooks.publish(CLIENT_CREATED)
    from app.events.jobs import dispatch

    dispatch()
    session = db.session()
    first = [one for one in claim(session, room=1000, struggling=False, now=utcnow()) if one.webhook_id == webhook.id]
    assert [one.number for one in first] == [1]
    hooks.pump()
    assert receiver.calls == []  # leased
    hooks.make_due(webhook)
    hooks.pump()
    assert [one.status for one in hooks.deliveries(webhook)] == ["delivered"]
    late = Result(first[0].id, webhook.id, 1, utcnow(), "timeout", 15000)
    finish(session, [late], setup=hooks.setup, now=utcnow())
    assert [(one.status, one.outcome) for one in hooks.deliveries(webhook)] == [("delivered", "ok")]
    assert sorted((one.number, one.outcome) for one in hooks.attempts(webhook)) == [(1, "timeout"), (2, "ok")]


def test_W10_workers_at_the_same_time_send_each_delivery_once(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url, concurrency=16)
    hooks.set(webhook, latency_ms=1)
    sent = [hooks.of_module("deal.created", {"record": {"n": n}}).public_id for n in range(200)]
    from app.events.jobs import dispatch

    dispatch()
    pumps = [Pump(hooks.app, hooks.setup, senders=16) for _ in range(4)]
    for pump in pumps:
        pump.start()
    assert [pump.wait(40) for pump in pumps] == [True] * 4
    assert sorted(receiver.ids) == sorted(sent)
    assert receiver.most_at_once <= 16


def test_W11_an_endpoint_is_called_no_more_at_once_than_it_allows(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url, concurrency=3)
    hooks.set(webhook, latency_ms=1)
    receiver.wait_s = 0.05
    for n in range(24):
        hooks.of_module("deal.created", {"record": {"n": n}})
    from app.events.jobs import dispatch

    dispatch()
    pumps = [Pump(hooks.app, hooks.setup, senders=16) for _ in range(3)]
    for pump in pumps:
        pump.start()
    assert all(pump.wait(40) for pump in pumps)
    assert (len(receiver.calls), receiver.most_at_once) == (24, 3)


def test_W11_twenty_dead_endpoints_delay_no_healthy_one(
    hooks: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.webhooks.sending.TIMEOUT_S", 4.0)
    with receiving(wait_s=30) as dead:
        for _ in range(20):
            hooks.endpoint(dead.url, patterns=("deal.*",))
        webhook = hooks.endpoint(receiver.url, patterns=("deal.*",))
        for n in range(30):
            hooks.of_module("deal.created", {"record": {"n": n}})
        from app.events.jobs import dispatch

        dispatch()
        begin = utcnow()
        pump = Pump(hooks.app, hooks.setup, senders=32)
        pump.start()
        done = threading.Event()
        while len(receiver.calls) < 30 and (utcnow() - begin) < timedelta(seconds=3.5):
            done.wait(0.02)
        took = utcnow() - begin
        pump.stop()
    assert len(receiver.calls) == 30
    assert took < timedelta(seconds=3.5)  # before a single dead one was given up
    assert {one.status for one in hooks.deliveries(webhook)} == {"delivered"}


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("https://10.0.0.1/", "blocked"),
        ("https://[::1]/", "blocked"),
        ("https://127.0.0.1/", "blocked"),
        ("https://169.254.169.254/latest/meta-data", "blocked"),
    ],
)
def test_W12_private_addresses_are_not_called(hooks: Hooks, url: str, outcome: str) -> None:
    with pytest.raises(Invalid, match=r"not on the public internet"):
        hooks.endpoint(url)
    webhook = hooks.endpoint("https://hooks.example.com/in")
    hooks.set(webhook, url=url)  # as one that was made before that was checked
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert [(one.status, one.outcome) for one in hooks.deliveries(webhook)] == [("due", outcome)]


def test_W12_a_name_is_judged_anew_at_every_attempt(hooks: Hooks) -> None:
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        if host != "rebinding.example":  # a pump sends whatever is due, other tests' deliveries too
            raise OSError(host)
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else ["10.1.2.3"]

    rebinding = Outside(development=False, public=Egress(resolver=resolver))
    hooks.setup = Setup(hooks.setup.keys, hooks.setup.platform_url, rebinding)
    webhook = hooks.endpoint("https://rebinding.example/")
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    hooks.make_due(webhook)
    hooks.pump()
    assert asked == ["rebinding.example"] * 2
    assert [one.outcome for one in hooks.attempts(webhook)] == ["blocked", "blocked"]


def test_W12_in_production_not_even_this_machine_is_called_by_http(hooks: Hooks, receiver: Receiver) -> None:
    webhook = hooks.endpoint(receiver.url)
    hooks.setup = Setup(hooks.setup.keys, hooks.setup.platform_url, outside(development=False))
    hooks.publish(CLIENT_CREATED)
    hooks.deliver()
    assert [one.outcome for one in hooks.deliveries(webhook)] == ["url"]
    assert receiver.calls == []


def test_the_time_of_a_call_is_counted_over_all_of_it(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver that sends a byte of its head now and then would else keep a sender for ever."""
    import socket

    monkeypatch.setattr("app.webhooks.sending.TIMEOUT_S", 0.6)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    for _ in range(40):
                        connection.sendall(b"H")
                        threading.Event().wait(0.1)
                except OSError:
                    return

        threading.Thread(target=drip, daemon=True).start()
        webhook = hooks.endpoint(f"http://127.0.0.1:{server.getsockname()[1]}/")
        hooks.publish(CLIENT_CREATED)
        hooks.deliver(timeout_s=5)
    [delivery] = hooks.deliveries(webhook)
    assert delivery.outcome in ("timeout", "protocol")
    assert (delivery.latency_ms or 0) < 1500


def test_an_id_outside_is_that_of_the_event(hooks: Hooks, receiver: Receiver) -> None:
    hooks.endpoint(receiver.url)
    event = hooks.of_module("deal.won", {"record": {"id": "1"}})
    hooks.deliver()
    assert receiver.ids == [encode("evt", event.id)]
    assert json.loads(receiver.calls[0].body)["install"] == encode("ins", event.install_id or event.id)
