"""Receivers of webhooks: real servers on threads that behave as they are told, and the world around them."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import delete, select, update

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.events.catalog import EventType
from app.events.jobs import dispatch
from app.events.models import Event
from app.events.outbox import publish
from app.lib.clock import utcnow
from app.lib.crypto import unseal
from app.lib.http_out import Egress
from app.tenancy.models import Agency, Site
from app.webhooks.actions import create_webhook
from app.webhooks.addresses import Outside
from app.webhooks.models import Attempt, Delivery, Webhook
from app.webhooks.pump import Pump
from app.webhooks.replaying import replay
from app.webhooks.setup import Setup
from tests.support.world import Person, World


@dataclass(frozen=True)
class Call:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """status, headers, body: what it answers; wait_s: before answering. It keeps the calls to its own path alone.

    A pump sends whatever is due, and a port may have been another test's: what that test left behind is not counted here.
    """

    port: int = 0
    path: str = field(default_factory=lambda: f"/hook-{secrets.token_hex(8)}")
    calls: list[Call] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    wait_s: float = 0
    vanish: bool = False
    heard: Callable[[Call], None] | None = None
    most_at_once: int = 0
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def ids(self) -> list[str]:
        return [call.headers["webhook-id"] for call in self.calls]

    def take(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        if self.heard:
            self.heard(call)
        time.sleep(self.wait_s)
        with self._lock:
            self._open -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def receiving(**behaviour: Any) -> Iterator[Receiver]:
    """A receiver that listens while the block runs."""
    receiver = Receiver(**behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if not self.path.startswith(receiver.path):
                self.send_error(404)
                return
            receiver.take(Call(self.path, headers, body, time.monotonic()))
            if receiver.vanish:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError, ValueError):  # the caller or the test hung up
                super().handle()

    server = _Server(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def _unknown(host: str, port: int) -> list[str]:
    """No test asks the internet for a name: that can take longer than the first retry."""
    raise OSError(f"{host} is not known here")


def outside(*, development: bool) -> Outside:
    return Outside(development=development, public=Egress(resolver=_unknown))


@dataclass
class Hooks:
    """An agency with a site, its endpoints, and what is sent to them."""

    app: Flask
    config: Config
    world: World
    agency: Agency
    ada: Person
    site: Site

    def __post_init__(self) -> None:
        self.setup = Setup(self.config.secret_keys, self.config.platform_url, outside(development=True))

    def endpoint(
        self, url: str, *, patterns: tuple[str, ...] = ("client.*", "site.*", "deal.*"), site: Site | None = None,
        by: Person | None = None, **values: Any,
    ) -> Webhook:  # fmt: skip
        """An endpoint of the agency, or of a site."""
        person = by or self.ada
        with tenant_scope(self.agency.id, user_id=person.id), transaction(db.session()) as session:
            return create_webhook(
                session, site=session.get_one(Site, site.id) if site else None, url=url, description="", patterns=patterns,
                headers=values.pop("headers", {}), by=person.actor, setup=self.setup, now=utcnow(), **values,
            )  # fmt: skip

    def leave(self) -> None:
        """Take the agency's endpoints away, so that no later pump has their deliveries to send."""
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(delete(Webhook).where(Webhook.agency_id == self.agency.id))

    def secret(self, webhook: Webhook) -> str:
        return unseal(self.setup.keys, self.read(webhook).secret_sealed, f"external_webhooks|secret|{webhook.id}")

    def publish(self, event: EventType, *, site: Site | None = None, data: dict[str, Any] | None = None) -> Event:
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            return publish(
                session,
                event,
                by=self.ada.actor,
                agency_id=self.agency.id,
                site_id=site.id if site else None,
                data=data,
            )

    def of_module(self, event_type: str, data: dict[str, Any], *, site: Site | None = None) -> Event:
        """An event as a module's record tells it."""
        from app.lib.ids import uuid7

        place = site or self.site
        event = Event(
            id=uuid7(), agency_id=place.agency_id, site_id=place.id, install_id=uuid7(), type=event_type, data=data
        )
        with platform_scope("test event"), transaction(db.session()) as session:
            session.add(event)
        return event

    def deliver(self, *, senders: int = 32, timeout_s: float = 40) -> None:
        """Hand every event over and send what is due, as the jobs do."""
        dispatch()
        self.pump(senders=senders, timeout_s=timeout_s)

    def pump(self, *, senders: int = 32, timeout_s: float = 40) -> None:
        pump = Pump(self.app, self.setup, senders=senders)
        pump.start()
        assert pump.wait(timeout_s), "the senders did not end in time"

    def replay_all(self) -> list[tuple[UUID, UUID]]:
        """Send everything that came for each endpoint to each one of the agency; the (source, target) ids in their order."""
        pairs = []
        with tenant_scope(self.agency.id, user_id=self.ada.id), transaction(db.session()) as session:
            found = list(session.scalars(select(Webhook).where(Webhook.agency_id == self.agency.id)))
            for source in found:
                for target in found:
                    missed = update(Delivery).where(Delivery.agency_id == self.agency.id)
                    session.execute(missed.values(status="missed"))
                    pairs.append((source.id, target.id))
                    replay(
                        session, webhook=source, target=target, since=utcnow() - timedelta(hours=1), by=self.ada.actor,
                        now=utcnow(),
                    )  # fmt: skip
        return pairs

    @contextmanager
    def worker(self) -> Iterator[None]:
        """Sends what becomes due while the block runs."""
        pump, ended = Pump(self.app, self.setup, senders=32), threading.Event()

        def work() -> None:
            while not ended.wait(0.05):
                pump.start()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            pump.stop()

    def deliveries(self, webhook: Webhook) -> list[Delivery]:
        with platform_scope("test"), transaction(db.session()) as session:
            query = select(Delivery).where(Delivery.webhook_id == webhook.id).order_by(Delivery.id)
            return list(session.scalars(query))

    def endpoints(self) -> list[Webhook]:
        """The agency's endpoints, oldest first."""
        with platform_scope("test"), transaction(db.session()) as session:
            return list(
                session.scalars(select(Webhook).where(Webhook.agency_id == self.agency.id).order_by(Webhook.id))
            )

    def told(self, event_type: str) -> list[Event]:
        """The agency's events of a type, oldest first."""
        with platform_scope("test"), transaction(db.session()) as session:
            query = select(Event).where(Event.agency_id == self.agency.id, Event.type == event_type)
            return list(session.scalars(query.order_by(Event.sequence)))

    def attempts(self, webhook: Webhook) -> list[Attempt]:
        with platform_scope("test"), transaction(db.session()) as session:
            query = select(Attempt).join(Delivery, Delivery.id == Attempt.delivery_id)
            return list(session.scalars(query.where(Delivery.webhook_id == webhook.id).order_by(Attempt.at)))

    def read(self, webhook: Webhook) -> Webhook:
        with platform_scope("test"), transaction(db.session()) as session:
            return session.get_one(Webhook, webhook.id)

    def set(self, webhook: Webhook, **values: Any) -> None:
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(update(Webhook).where(Webhook.id == webhook.id).values(**values))

    def alone(self) -> None:
        """Have the endpoints of other agencies wait, which other tests left behind."""
        with platform_scope("test"), transaction(db.session()) as session:
            others = update(Webhook).where(Webhook.agency_id != self.agency.id)
            session.execute(others.values(paused_at=utcnow()))

    def make_due(self, webhook: Webhook, *, at: datetime | None = None) -> None:
        """As if the time of the next attempt had come."""
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(
                update(Delivery)
                .where(Delivery.webhook_id == webhook.id, Delivery.status.in_(("due", "sending")))
                .values(due_at=at or utcnow())
            )
            session.execute(update(Webhook).where(Webhook.id == webhook.id).values(held_until=None))
