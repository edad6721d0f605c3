"""The whole product as a visitor meets it: granian and the workers as processes of their own, on a database of their own.

One server answers for both origins, told apart by host name as in production: the platform at localhost, modules' pages
at 127.0.0.1, on the same free port.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from app.queue.enqueue import PERFORM
from tests.support.seeded import ROOT, Seeded, seed

READY_WITHIN_S = 110
PASSWORD = "lantern orchid tidewater 41"  # of every demo person
OWNER = "maya.okafor@studiolumen.example"
SECRET_KEY = "a secret key for tests that is long enough to be taken"


@dataclass(frozen=True)
class Live:
    """Where the running product is. seeded: the demo world before anybody touched it."""

    platform_url: str
    runtime_url: str
    database_url: str
    environ: dict[str, str]
    seeded: Seeded

    def flask(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a management command beside it."""
        return flask(self.environ, *command, check=check)

    def order(self, job: str) -> None:
        """Have a timed job done now, since no clock runs here. Comes back when a worker has done it."""
        queue = Queue("default", connection=Redis.from_url(self.environ["REDIS_URL"]), serializer=JSONSerializer)
        ordered = queue.enqueue(PERFORM, job, None, {}, "", result_ttl=60, description=job)
        deadline = time.monotonic() + 60
        while not ordered.is_finished:
            assert not ordered.is_failed, f"{job} failed"
            assert time.monotonic() < deadline, f"{job} was not done within a minute"
            time.sleep(0.1)


def flask(environ: dict[str, str], *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """`flask --app wsgi …` to its end; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *command],
        env=environ, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"flask {' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done


@contextmanager
def running(*, database_url: str, admin_url: str, redis_url: str, data_dir: Path) -> Iterator[Live]:
    """Seed a migrated, empty database with the demo world, start everything, and end it all afterwards."""
    port = free_port()
    environ = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    }
    environ |= {
        "DATABASE_URL": database_url, "REDIS_URL": redis_url, "DATA_DIR": str(data_dir), "DEMO_PASSWORD": PASSWORD,
        "SECRET_KEY": SECRET_KEY, "PYTHONUNBUFFERED": "1",
        "PLATFORM_URL": f"http://localhost:{port}", "RUNTIME_URL": f"http://127.0.0.1:{port}",
    }  # fmt: skip
    seeded = seed(environ, admin_url, lambda: flask(environ, "seed", "demo").stdout)
    granian = ("-m", "granian", "--interface", "wsgi", "--no-ws", "--log-level", "warning", "--host", "127.0.0.1")
    programs = {
        "web": (*granian, "--port", str(port), "--workers", "1", "--blocking-threads", "4", "wsgi:application"),
        "worker": ("worker.py",),
        "long": ("worker.py", "--long"),
    }
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in programs.items():
            with open(data_dir / f"{name}.log", "wb") as log:
                started[name] = subprocess.Popen(
                    [sys.executable, *command], env=environ, cwd=ROOT, stdout=log, stderr=log
                )
        _wait_until_ready(environ["PLATFORM_URL"], started, data_dir)
        yield Live(environ["PLATFORM_URL"], environ["RUNTIME_URL"], database_url, environ, seeded)
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _wait_until_ready(url: str, started: dict[str, subprocess.Popen[bytes]], data_dir: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        for name, process in started.items():
            log = (data_dir / f"{name}.log").read_text(errors="replace")
            assert process.poll() is None, f"{name} ended with {process.returncode}:\n{log}"
            assert time.monotonic() < deadline, f"not ready after {READY_WITHIN_S} s; {name} said:\n{log}"
        try:
            if httpx.get(f"{url}/api/ready", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
