"""A worker that is killed between sending and writing it down sends twice, and loses nothing (W10)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from app.events.catalog import CLIENT_CREATED
from app.events.jobs import dispatch
from tests.support.hooks import Call, Hooks, receiving

WORKER = """
    from app.config import Config
    from app.factory import create_platform_app, wire
    from app.webhooks.jobs import deliver
    from app.webhooks.pump import process_pump
    from app.webhooks.setup import current_setup

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


def _worker(hooks: Hooks) -> subprocess.Popen[bytes]:
    config = hooks.config
    environ = {
        "DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url, "SECRET_KEY": ",".join(config.secret_keys),
        "DATA_DIR": str(config.data_dir), "PATH": os.environ["PATH"],
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(WORKER)], cwd=Path(__file__).parents[3], env=environ)
