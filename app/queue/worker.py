"""Runs work orders: looks the job up, opens the scope it was ordered in, calls it, gives the connection back."""

from __future__ import annotations

import logging
import time
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from rq import SimpleWorker, Worker
from rq.serializers import JSONSerializer

from app.db.base import db
from app.db.scope import tenant_scope
from app.lib.trace import set_request_id
from app.queue.enqueue import redis
from app.queue.history import kept
from app.queue.registry import JOBS, QUEUES, Job

log = logging.getLogger(__name__)


def perform(name: str, agency_id: str | None, ids: dict[str, Any], request_id: str = "") -> None:
    """The one function RQ ever calls. Needs an application context, which worker.py opens.

    request_id: of the request that ordered it; letters and orders of the job carry it on.
    """
    job = JOBS[name]
    redis().delete(f"dramac:waiting:{name}")
    started = time.monotonic()
    set_request_id(request_id)
    try:
        with kept(job, agency_id=agency_id, ids=ids, request_id=request_id):
            _run(job, agency_id, ids)
    finally:
        set_request_id("")
    log.info("%s took %d ms", name, (time.monotonic() - started) * 1000)


def _run(job: Job, agency_id: str | None, ids: dict[str, Any]) -> None:
    with tenant_scope(UUID(agency_id)) if agency_id else nullcontext():
        try:
            job.run(**ids)
        finally:
            db.session.remove()


def run_worker(*, queues: tuple[str, ...] = QUEUES, forking: bool = False) -> None:
    """Work until told to stop. Forking gives each job a process of its own, for long ones; else they share this one."""
    kind = Worker if forking else SimpleWorker
    worker = kind(list(queues), connection=redis(), serializer=JSONSerializer)
    worker.work(with_scheduler=False, logging_level="WARNING")
