"""The threads that call endpoints: endpoints take turns, none waits for another, what is not sent is handed back (W11)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.webhooks import senders as module
from app.webhooks.senders import Senders
from app.webhooks.sending import Claimed, Result


def work(count: int, *, allowed: int = 1, webhook: Any = None) -> list[Claimed]:
    endpoint = webhook or uuid7()
    return [
        Claimed(
            id=uuid7(), webhook_id=endpoint, number=1, url="", headers_sealed="", secret_sealed="", previous_secret_sealed="",
            previous_secret_until=None, fields=[], event_id=uuid7(), type="deal.won", site_id=None, install_id=None,
            occurred_at=utcnow(), data={}, allowed=allowed, struggling=False,
        )
        for _ in range(count)
    ]  # fmt: skip


def told(claimed: Claimed, outcome: str = "ok", status: int | None = None) -> Result:
    return Result(claimed.id, claimed.webhook_id, claimed.number, utcnow(), outcome, 1, status=status)


def gather(senders: Senders, count: int, *, within_s: float = 10) -> list[Result]:
    found: list[Result] = []
    deadline = time.monotonic() + within_s
    while len(found) < count and time.monotonic() < deadline:
        senders.tend()
        found += senders.finished(wait_s=0.02)
    return found


class AtOnce:
    """A receiver that takes `for_s` and counts how many calls it was given at the same time, at most."""

    def __init__(self, for_s: float) -> None:
        self.for_s, self.lock, self.now, self.most = for_s, threading.Lock(), 0, 0

    def send(self, claimed: Claimed) -> Result:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.for_s)
        with self.lock:
            self.now -= 1
        return told(claimed)


@pytest.fixture
def made() -> Callable[..., Senders]:
    return lambda send, most=32: Senders(send, most=most)


def test_W11_an_endpoint_is_called_no_more_at_once_than_allowed_however_much_waits(
    made: Callable[..., Senders],
) -> None:
    receiver = AtOnce(0.002)
    senders = made(receiver.send)
    given = work(60, allowed=3)
    for start in range(0, 60, 10):  # topped up while it works
        senders.give(given[start : start + 10])
    assert {one.delivery_id for one in gather(senders, 60)} == {one.id for one in given}
    assert receiver.most <= 3
    assert (senders.waiting, senders.unsent()) == (0, [])


def test_W11_endpoints_take_turns(made: Callable[..., Senders]) -> None:
    order: list[Any] = []
    begun = threading.Event()

    def send(claimed: Claimed) -> Result:
        begun.wait(5)
        order.append(claimed.webhook_id)
        return told(claimed)

    senders = made(send, most=1)
    much, little = work(20), work(2)
    senders.give(much)
    senders.give(little)
    begun.set()
    gather(senders, 22)
    assert order[:4].count(little[0].webhook_id) >= 1
    assert order[:6].count(little[0].webhook_id) == 2


def test_W11_slow_receivers_hold_up_nobody(made: Callable[..., Senders]) -> None:
    over = threading.Event()
    slow = [work(1)[0] for _ in range(20)]
    held = {one.id for one in slow}

    def send(claimed: Claimed) -> Result:
        if claimed.id in held:
            over.wait(20)
        return told(claimed)

    senders = made(send)
    senders.give(slow)
    quick = work(5)
    senders.give(quick)
    try:
        found = gather(senders, 5)
        assert {one.delivery_id for one in found} == {one.id for one in quick}
        assert 20 < senders.threads <= 32
    finally:
        over.set()
    assert len(gather(senders, 20)) == 20


def test_W11_receivers_that_are_some_way_off_are_called_many_at_once(made: Callable[..., Senders]) -> None:
    """Not slow, only distant: a process that waits for all of them has more of them to call."""
    receiver = AtOnce(0.03)
    senders = made(receiver.send)
    given = [one for _ in range(30) for one in work(8)]
    senders.give(given)
    assert len(gather(senders, len(given))) == len(given)
    assert receiver.most > 3 * module.FEWEST


def test_W11_after_a_call_that_failed_the_rest_is_handed_back(made: Callable[..., Senders]) -> None:
    given = work(10)
    senders = made(lambda claimed: told(claimed, "http" if claimed.id == given[2].id else "ok"))
    senders.give(given)
    found = gather(senders, 3)
    assert [one.delivery_id for one in found] == [one.id for one in given[:3]]
    assert [one.id for one in senders.unsent()] == [one.id for one in given[3:]]
    senders.give(given[3:5])  # it is tried again later, as if nothing had been
    assert [one.delivery_id for one in gather(senders, 2)] == [one.id for one in given[3:5]]


@pytest.mark.parametrize(("status", "sent"), [(500, 5), (404, 5), (503, 1), (429, 1), (410, 1), (None, 1)])
def test_W11_an_endpoint_in_trouble_that_answers_goes_on_one_call_at_a_time(
    made: Callable[..., Senders], status: int | None, sent: int
) -> None:
    given = [replace(one, struggling=True) for one in work(5)]
    senders = made(lambda claimed: told(claimed, "http" if status else "connect", status))
    senders.give(given)
    assert [one.delivery_id for one in gather(senders, sent)] == [one.id for one in given[:sent]]
    assert [one.id for one in senders.unsent()] == [one.id for one in given[sent:]]


def test_W10_what_waited_too_long_is_handed_back_because_its_lease_would_end(
    made: Callable[..., Senders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    senders = made(told)
    given = work(3)
    senders.give(given)
    back: list[Claimed] = []
    deadline = time.monotonic() + 10
    while len(back) < 3 and time.monotonic() < deadline:
        back += senders.unsent()
        time.sleep(0.01)
    assert [one.id for one in back] == [one.id for one in given]
    assert senders.finished(wait_s=0) == []


def test_W10_what_others_took_meanwhile_is_not_sent_and_what_was_extended_is(made: Callable[..., Senders]) -> None:
    go = threading.Event()

    def send(claimed: Claimed) -> Result:
        go.wait(10)
        return told(claimed)

    senders = made(send)
    given = work(3)
    began = time.monotonic()
    senders.give(given, leased=began - module.FRESH_S + 1)
    senders.extended({given[1].id}, {given[2].id}, leased=began + 60)
    go.set()
    assert [one.delivery_id for one in gather(senders, 2)] == [given[0].id, given[1].id]
    assert [one.id for one in senders.unsent()] == [given[2].id]


def test_W10_a_stop_ends_the_calls_that_were_begun_and_hands_back_the_rest(made: Callable[..., Senders]) -> None:
    begun, go = threading.Event(), threading.Event()

    def send(claimed: Claimed) -> Result:
        begun.set()
        go.wait(10)
        return told(claimed)

    senders = made(send)
    given = work(4)
    senders.give(given)
    assert begun.wait(10)
    senders.stop()
    go.set()
    assert [one.delivery_id for one in gather(senders, 1)] == [given[0].id]
    assert [one.id for one in senders.unsent()] == [one.id for one in given[1:]]
