"""The scheduler process: RQ's cron, with our job table and the JSON serializer."""

from __future__ import annotations

from typing import Any

from redis import Redis
from rq import Queue
from rq.cron import CronJob, CronScheduler
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from app.queue.enqueue import redis
from app.queue.registry import JOBS, Job
from app.queue.worker import perform


class JsonCronJob(CronJob):
    """A timed job whose order is JSON: RQ's own would be a pickle, which a worker must never load."""

    def enqueue(self, connection: Redis) -> RqJob:
        queue = Queue(self.queue_name, connection=connection, serializer=JSONSerializer)
        return queue.enqueue(perform, args=self.args, kwargs=self.kwargs, **self.job_options)


class JsonCronScheduler(CronScheduler):
    def add(self, job: Job) -> None:
        """Put one job of the table on the clock."""
        assert job.cron is not None
        every = job.cron.removeprefix("@every ") if job.cron.startswith("@every ") else None
        timing: dict[str, Any] = {"interval": int(every)} if every else {"cron": job.cron}
        self._cron_jobs.append(
            JsonCronJob(
                queue_name=job.queue,
                func=perform,
                args=(job.name, None, {}),
                job_timeout=job.timeout_s,
                result_ttl=0,
                name=job.name,
                **timing,
            )
        )


def run_scheduler() -> None:
    """Enqueue timed jobs until told to stop. Several schedulers would only enqueue twice; jobs bear that."""
    scheduler = JsonCronScheduler(connection=redis(), logging_level="WARNING")
    for job in JOBS.values():
        if job.cron:
            scheduler.add(job)
    scheduler.start()  # type: ignore[no-untyped-call]  # rq has no types there
