"""The jobs there are, by name. The composition root fills it; a test holds every name that is enqueued to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

QUEUES = ("high", "default", "long")  # in the order a worker looks at them


@dataclass(frozen=True, slots=True)
class Job:
    """cron: five fields in UTC, or "@every N" seconds; None: only when enqueued. timeout_s: then the job is stopped."""

    name: str
    run: Callable[..., Any]
    queue: str = "default"
    timeout_s: int = 60
    cron: str | None = None


JOBS: dict[str, Job] = {}


def register_job(
    name: str, run: Callable[..., Any], *, queue: str = "default", timeout_s: int = 60, cron: str | None = None
) -> None:
    """Make a job known under `package.verb`."""
    if queue not in QUEUES:
        raise ValueError(f"{name}: no queue {queue!r}")
    JOBS[name] = Job(name, run, queue, timeout_s, cron)
