"""The real worker: an event published here is delivered by a process that only hears of it through the queue."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from app.events.catalog import CLIENT_CREATED
from tests.support.hooks import Hooks, receiving

WITHIN_S = 40


def test_a_published_event_arrives_by_the_worker(hooks: Hooks) -> None:
    config = hooks.config
    environ = {
        "DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url, "SECRET_KEY": ",".join(config.secret_keys),
        "DATA_DIR": str(config.data_dir), "PATH": os.environ["PATH"],
    }  # fmt: skip
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("client.*",))
        worker = subprocess.Popen([sys.executable, "worker.py"], cwd=Path(__file__).parents[3], env=environ)
        try:
            event = hooks.publish(CLIENT_CREATED)
            deadline = time.monotonic() + WITHIN_S
            while time.monotonic() < deadline and [one.status for one in hooks.deliveries(webhook)] != ["delivered"]:
                threading.Event().wait(0.1)
        finally:
            worker.terminate()
            ended = worker.wait(30)
    assert receiver.ids == [event.public_id]
    assert ([one.status for one in hooks.deliveries(webhook)], ended) == (["delivered"], 0)
