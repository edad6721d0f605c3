"""A worker that is killed between sending and writing it down sends twice, and loses nothing (W10)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from app.events.catalog import CLIENT_CREATED
from app.events.jobs import dispatch
from app.webhooks import claiming, pump, senders
from app.webhooks.sending import TIMEOUT_S
from tests.support.hooks import Call, Hooks, receiving

LEASE_S = 5
WORKER = """
    import sys
    from app.config import Config
    from app.factory import create_platform_app, wire
    from app.webhooks.jobs import deliver
    from app.webhooks.pump import process_pump
    from app.webhooks.setup import current_setup

    if len(sys.argv) > 1:
        from app.webhooks import claiming, pump, senders
        claiming.LEASE_S, pump.BEAT_S, senders.FRESH_S = int(sys.argv[1]), 0.5, 3.0
    config = Config.from_env()
    wire(config)
    app = create_platform_app(config)
    with app.app_context():
        deliver()
    process_pump(app, current_setup()).wait(60)
"""


def test_W10_a_worker_killed_after_sending_causes_a_duplicate_and_no_loss(hooks: Hooks) -> None:
    workers: list[subprocess.Popen[bytes]] = []

    def kill(_: Call) -> None:
        if workers[0].poll() is None:
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait(10)

    with receiving(heard=kill) as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
        events = [hooks.publish(CLIENT_CREATED).public_id for _ in range(3)]
        dispatch()
        workers.append(_worker(hooks))
        assert workers[0].wait(60) == -signal.SIGKILL
        receiver.heard = None
        [first] = set(receiver.ids)
        assert sorted(one.status for one in hooks.deliveries(webhook)) == ["due", "due", "sending"]
        hooks.make_due(webhook)  # its lease has run out
        hooks.pump()
    assert sorted(receiver.ids) == sorted([first, *events])
    assert {one.status for one in hooks.deliveries(webhook)} == {"delivered"}


def test_W10_what_a_killed_worker_had_is_taken_by_others_as_soon_as_its_leases_have_run_out(
    hooks: Hooks, short: None
) -> None:
    workers: list[subprocess.Popen[bytes]] = []
    killed: list[float] = []

    def kill(_: Call) -> None:
        if workers[0].poll() is None:
            time.sleep(LEASE_S)  # the call goes on: its lease is extended meanwhile
            workers[0].send_signal(signal.SIGKILL)
            workers[0].wait(10)
            killed.append(time.monotonic())

    with receiving(heard=kill) as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
        events = [hooks.publish(CLIENT_CREATED).public_id for _ in range(3)]
        dispatch()
        workers.append(_worker(hooks, lease_s=LEASE_S))
        assert workers[0].wait(90) == -signal.SIGKILL
        receiver.heard = None
        assert len(receiver.calls) == 1
        deadline = time.monotonic() + 60
        while {one.status for one in hooks.deliveries(webhook)} != {"delivered"} and time.monotonic() < deadline:
            hooks.pump()
    [again] = [call for call in receiver.calls[1:] if call.headers["webhook-id"] == receiver.ids[0]]
    assert sorted(receiver.ids) == sorted([receiver.ids[0], *events])
    # never before the lease has run out, and soon after: a beat, a look for work, and a busy machine
    assert LEASE_S - 1.5 <= again.at - killed[0] < LEASE_S + 15


def test_W10_a_call_that_takes_longer_than_a_lease_is_not_made_by_others_too(hooks: Hooks, short: None) -> None:
    """A real worker waits for a slow receiver, three leases long, while another one looks for work all the time."""
    with receiving(wait_s=LEASE_S * 2.5) as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
        event = hooks.publish(CLIENT_CREATED)
        dispatch()
        worker = _worker(hooks, lease_s=LEASE_S)
        try:
            while not receiver.calls and worker.poll() is None:
                time.sleep(0.1)
            while worker.poll() is None:
                hooks.pump()
                time.sleep(0.2)
        finally:
            worker.kill()
            worker.wait(10)
        hooks.pump()
    assert receiver.ids == [event.public_id]
    [delivery] = hooks.deliveries(webhook)
    assert (delivery.status, delivery.attempts) == ("delivered", 1)


def test_W10_a_call_begins_only_when_its_lease_lasts_for_it() -> None:
    assert senders.FRESH_S + TIMEOUT_S < claiming.LEASE_S
    assert pump.BEAT_S * 3 < senders.FRESH_S  # two beats may be missed before anything is given back


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short leases here too."""
    monkeypatch.setattr(claiming, "LEASE_S", LEASE_S)
    monkeypatch.setattr(pump, "BEAT_S", 0.5)
    monkeypatch.setattr(senders, "FRESH_S", 3.0)


def _worker(hooks: Hooks, *, lease_s: int | None = None) -> subprocess.Popen[bytes]:
    config = hooks.config
    environ = {
        "DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url, "SECRET_KEY": ",".join(config.secret_keys),
        "DATA_DIR": str(config.data_dir), "PATH": os.environ["PATH"],
    }  # fmt: skip
    more = [] if lease_s is None else [str(lease_s)]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORKER), *more], cwd=Path(__file__).parents[3], env=environ
    )
