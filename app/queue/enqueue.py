"""Sends work orders to RQ, always after the transaction that needs them is committed."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.orm import Session

from app.db.scope import current_scope
from app.db.session import after_commit
from app.lib.trace import current_request_id
from app.queue.models import JobRun
from app.queue.registry import JOBS

log = logging.getLogger(__name__)

PERFORM = "app.queue.worker.perform"
IMPATIENT_S = 0.25
WAKE_S = 2  # within this time one waiting order is enough

_connection: dict[str, Redis] = {}


def configure_queue(url: str) -> None:
    """Tell where Valkey is; the connection is made when first used."""
    _connection["redis"] = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
    _connection["impatient"] = Redis.from_url(
        url, socket_timeout=IMPATIENT_S, socket_connect_timeout=IMPATIENT_S, retry=Retry(NoBackoff(), 1)
    )


def redis() -> Redis:
    """The process-wide Valkey client (thread-safe, reconnects after a fork)."""
    return _connection["redis"]


def impatient_redis() -> Redis:
    """The client for what somebody waits for and can do without: one more try, a quarter of a second each."""
    return _connection["impatient"]


def enqueue(db: Session, name: str, **ids: UUID | str | int) -> None:
    """Order a job once this transaction is committed; it runs in the agency's scope that is open now.

    ids: what the job loads its rows by; nothing else travels.
    """
    scope = current_scope()
    _order(db, name, str(scope.agency_id) if scope.agency_id else None, ids)


def enqueue_for(db: Session, agency_id: UUID, name: str, **ids: UUID | str | int) -> None:
    """As enqueue(), in the scope of an agency: for staff of the platform, whose decisions concern one."""
    _order(db, name, str(agency_id), ids)


def _order(db: Session, name: str, agency: str | None, ids: dict[str, UUID | str | int]) -> None:
    job = JOBS[name]
    plain: dict[str, Any] = {key: str(value) if isinstance(value, UUID) else value for key, value in ids.items()}
    request_id = current_request_id()
    after_commit(db, lambda: _send(job.name, agency, plain, request_id))


def order_again(db: Session, run: JobRun) -> None:
    """Order what a run was ordered to do, once this transaction is committed. One of the platform's own needs no names."""
    agency = str(run.agency_id) if run.scoped and run.agency_id else None
    name, given, request_id = run.name, dict(run.given), run.request_id
    after_commit(db, lambda: _send(name, agency, given, request_id))


def wake(name: str) -> None:
    """Order a job that works off a table, unless an order for it is already waiting."""
    try:
        if redis().set(f"dramac:waiting:{name}", "1", nx=True, ex=WAKE_S):
            _send(name, None, {})
    except RedisError as error:
        log.error("could not wake %s: %s; its timed run will find the work", name, error)


def _send(name: str, agency_id: str | None, ids: dict[str, Any], request_id: str = "") -> None:
    job = JOBS[name]
    try:
        Queue(job.queue, connection=redis(), serializer=JSONSerializer).enqueue(
            PERFORM,
            name,
            agency_id,
            ids,
            request_id,
            job_timeout=job.timeout_s,
            result_ttl=0,
            failure_ttl=7 * 86400,
            description=name,
        )
    except RedisError as error:
        # The rows say what is to be done; the sweep of that table orders it again.
        log.error("could not enqueue %s: %s", name, error)
