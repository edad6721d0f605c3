"""How the queues are: what waits, who works, what failed. Read from Valkey and from the history of runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from redis import RedisError
from rq import Queue, Worker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, undefer

from app.queue.enqueue import redis
from app.queue.models import JobRun
from app.queue.registry import QUEUES

PAGE_ROWS = 50


@dataclass(frozen=True, slots=True)
class QueueState:
    """depth: orders that wait. oldest_s: how long the first of them has, None when nothing waits. failed: kept for 7 days."""

    name: str
    depth: int
    oldest_s: int | None
    failed: int


@dataclass(frozen=True, slots=True)
class WorkerState:
    """doing: name of the job it works on, '' for none. seen_s: since its last sign of life."""

    name: str
    queues: list[str]
    state: str
    doing: str
    seen_s: int | None
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class RunPage:
    """next_cursor: id of the last row when there are more."""

    rows: list[JobRun]
    next_cursor: UUID | None


def queue_states(*, now: datetime) -> list[QueueState] | None:
    """Every queue in the order workers look at them; None when Valkey does not answer."""
    try:
        return [_queue_state(name, now) for name in QUEUES]
    except RedisError:
        return None


def worker_states(*, now: datetime) -> list[WorkerState]:
    """The workers that are registered, by name; [] when Valkey does not answer. One that died is gone after 7 minutes."""
    try:
        found = Worker.all(connection=redis(), serializer=JSONSerializer)
        return sorted((_worker_state(worker, now) for worker in found), key=lambda one: one.name)
    except RedisError:
        return []


def failed_runs(db: Session, *, now: datetime, before: UUID | None = None) -> RunPage:
    """Runs that failed or were lost and that nobody has dealt with, newest first, with their traces. Needs platform_scope()."""
    found = select(JobRun).options(undefer(JobRun.trace))
    found = found.where(
        JobRun.status != "done", JobRun.settled == "",
        or_(JobRun.status == "failed", and_(JobRun.status == "running", JobRun.gives_up_at < now)),
    )  # fmt: skip
    if before is not None:
        found = found.where(JobRun.id < before)
    rows = list(db.scalars(found.order_by(JobRun.id.desc()).limit(PAGE_ROWS + 1)))
    return RunPage(rows[:PAGE_ROWS], rows[PAGE_ROWS - 1].id if len(rows) > PAGE_ROWS else None)


def _queue_state(name: str, now: datetime) -> QueueState:
    queue = Queue(name, connection=redis(), serializer=JSONSerializer)
    failed = FailedJobRegistry(queue=queue).get_job_count(cleanup=False)
    return QueueState(name, queue.count, _waiting_s(queue, now), failed)


def _waiting_s(queue: Queue, now: datetime) -> int | None:
    first = queue.get_job_ids(0, 1)
    if not first:
        return None
    try:
        since = Job.fetch(first[0], connection=redis(), serializer=JSONSerializer).enqueued_at
    except NoSuchJobError:  # taken this moment
        return None
    return _seconds(since, now)


def _worker_state(worker: BaseWorker, now: datetime) -> WorkerState:
    try:
        job = worker.get_current_job()
    except NoSuchJobError:  # done this moment
        job = None
    return WorkerState(
        name=worker.name, queues=worker.queue_names(), state=str(worker.get_state()),
        doing=str(job.args[0]) if job and job.args else "",
        seen_s=_seconds(worker.last_heartbeat, now), done=worker.successful_job_count, failed=worker.failed_job_count,
    )  # fmt: skip


def _seconds(since: datetime | None, now: datetime) -> int | None:
    if since is None:
        return None
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    return max(0, int((now - aware).total_seconds()))
