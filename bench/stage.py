"""Servers, workers and receivers of a measurement's own, which it may kill and start again."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import psycopg
from flask import Flask

from app.access.actors import Actor, member
from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.migrate import migrate
from app.db.pools import close_pools
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.dev import postgres, valkey
from app.dev.folders import data_folder
from app.events.catalog import EventType
from app.events.models import Event
from app.factory import create_platform_app, wire
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.webhooks.actions import create_webhook
from app.webhooks.addresses import Outside
from app.webhooks.models import Webhook
from app.webhooks.setup import Setup

ROOT = Path(__file__).parents[1]
SECRET = "a secret key for measuring that is long enough"


@dataclass
class Stage:
    """kill() and restart() take "postgres", "valkey", or the name of a worker."""

    folder: Path
    environ: dict[str, str]
    app: Flask
    setup: Setup
    owner: str  # the address of the tables' owner
    superuser: str
    by: Actor
    receiver_port: int
    servers: dict[str, postgres.Postgres | valkey.Valkey]
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def agency_id(self) -> UUID:
        assert self.by.agency_id is not None
        return self.by.agency_id

    def endpoint(self, place: str, event: EventType) -> Webhook:
        """An endpoint at one of the receivers' places, for one type of event."""
        with tenant_scope(self.agency_id, user_id=self.by.id), transaction(db.session()) as session:
            return create_webhook(
                session, site=None, url=f"http://127.0.0.1:{self.receiver_port}/{place}", description=place,
                patterns=[event.name], headers={}, by=self.by, setup=self.setup, now=utcnow(),
            )  # fmt: skip

    def publish(self, event: EventType, ids: list[UUID]) -> None:
        """Events with these ids in one transaction. The dispatcher finds them by its clock, as after a lost wake-up."""
        with tenant_scope(self.agency_id, user_id=self.by.id), transaction(db.session()) as session:
            for number, event_id in enumerate(ids):
                session.add(
                    Event(
                        id=event_id, agency_id=self.agency_id, type=event.name, data={"n": number, "name": "x" * 200},
                        actor=self.by.ref, occurred_at=utcnow(),
                    )
                )  # fmt: skip

    def arrivals(self) -> dict[str, dict[str, list[float]]]:
        """{place: {event: when it came, each time}} so far."""
        found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for line in (self.folder / "arrivals").read_text().splitlines():
            place, event, at = line.split(" ")
            found[place][event].append(float(at))
        return found

    def start_worker(self, name: str) -> None:
        """`worker-…` works, `scheduler` puts timed jobs on the queues."""
        command = [sys.executable, "worker.py", *(["--scheduler"] if name == "scheduler" else [])]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.workers[name] = subprocess.Popen(command, cwd=ROOT, env=self.environ, stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        """As when the power of its machine fails."""
        process = self.workers[name] if name in self.workers else self.servers[name].process
        process.kill()
        process.wait(30)

    def restart(self, name: str) -> None:
        if name == "postgres":
            self.servers[name] = postgres.start(self.folder)
        elif name == "valkey":
            self.servers[name] = valkey.start(self.folder)
        elif self.workers[name].poll() is not None:
            self.start_worker(name)

    def keep_up(self) -> None:
        """Start again what ended by itself, as whoever runs the product does: a worker ends when it loses Valkey."""
        for name, process in self.workers.items():
            if process.poll() is not None:
                self.start_worker(name)

    def end(self) -> None:
        for process in self.workers.values():
            process.kill()
        for process in self.workers.values():
            process.wait(30)


@contextmanager
def stage() -> Iterator[Stage]:
    """Real settings of the servers: what they said is written is on its way to the disk."""
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="dramac-bench-", dir=memory) as name:
        folder = data_folder(Path(name))
        servers: dict[str, postgres.Postgres | valkey.Valkey] = {"valkey": valkey.start(folder)}
        receivers = subprocess.Popen([sys.executable, "-m", "bench.receivers", str(folder)], cwd=ROOT)
        made: Stage | None = None
        try:
            servers["postgres"] = database = postgres.start(folder)
            migrate(database.url, SECRET)
            made = _stage(folder, database, servers)
            with made.app.app_context():
                yield made
                db.session.remove()
        finally:
            if made is not None:
                made.end()
            receivers.kill()
            receivers.wait(30)
            close_pools()
            for server in servers.values():
                server.stop()


def _stage(folder: Path, database: postgres.Postgres, servers: dict[str, postgres.Postgres | valkey.Valkey]) -> Stage:
    environ = {
        "DATABASE_URL": database.url, "REDIS_URL": valkey.url(folder), "SECRET_KEY": SECRET, "DATA_DIR": str(folder),
        "PLATFORM_URL": "http://localhost:8000", "RUNTIME_URL": "http://127.0.0.1:8001", "PATH": os.environ["PATH"],
    }  # fmt: skip
    config = Config.from_env({key: value for key, value in environ.items() if key != "PATH"})
    wire(config)
    agency, person = uuid7(), uuid7()
    with psycopg.connect(database.superuser_url.replace("/postgres?", "/dramac?"), autocommit=True) as bare:
        bare.execute("INSERT INTO agencies (id, slug, name) VALUES (%s, 'bench', 'Bench')", [agency])
        bare.execute("INSERT INTO users (id, email, name) VALUES (%s, 'ada@example.com', 'Ada')", [person])
        bare.execute(
            "INSERT INTO memberships (agency_id, user_id, role) VALUES (%s, %s, 'owner')", [agency, person]
        )  # fmt: skip
    return Stage(
        folder=folder, environ=environ, app=create_platform_app(config), owner=database.url,
        superuser=database.superuser_url.replace("/postgres?", "/dramac?"), servers=servers,
        setup=Setup(config.secret_keys, config.platform_url, Outside(development=True)),
        by=member(user_id=person, name="Ada", agency_id=agency, role=Role.OWNER), receiver_port=_port(folder),
    )  # fmt: skip


def _port(folder: Path) -> int:
    deadline = time.monotonic() + 30
    while not (folder / "port").exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the receivers did not start")
        threading.Event().wait(0.02)
    return int((folder / "port").read_text())


def public(event_id: UUID) -> str:
    """An event's id as receivers see it."""
    return encode("evt", event_id)
