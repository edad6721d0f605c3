"""job_runs: what became of work orders. The queue forgets a job when it is done; this is what people are told.

Kept of every job that was ordered for an agency or an install, and of the platform's own jobs when they fail.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.lib.redact import redact_text
from app.queue.registry import Job

log = logging.getLogger(__name__)

KEEP_DAYS = 30
KILLED_AFTER_S = 30  # beyond a job's own time limit: then nobody is working on it any more

# the install of an order says whose it is, also when the clock ordered it for nobody in particular
_WRITE = text(
    """
    INSERT INTO job_runs (id, agency_id, site_id, install_id, name, given, request_id, status, error, trace, started_at,
                          gives_up_at, finished_at, scoped)
    SELECT :id, coalesce(CAST(:agency AS uuid), i.agency_id), i.site_id, i.id, :name, CAST(:given AS jsonb), :request_id, :status,
           :error, :trace, :started, :gives_up, :finished, :scoped
    FROM (SELECT) nothing LEFT JOIN modules_v2 i ON i.id = CAST(:install AS uuid)
    ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, error = EXCLUDED.error, trace = EXCLUDED.trace,
                                   finished_at = EXCLUDED.finished_at, written = pg_current_xact_id()
    """
)
_FORGET = text("DELETE FROM job_runs WHERE started_at < :before")


@contextmanager
def kept(job: Job, *, agency_id: str | None, ids: dict[str, Any], request_id: str) -> Iterator[None]:
    """Write down that a job runs and how it ends. That this fails stops no job."""
    ordered = agency_id is not None or "install_id" in ids
    started = utcnow()
    values = {
        "id": uuid7(), "agency": agency_id, "install": ids.get("install_id"), "name": job.name, "given": json.dumps(ids),
        "request_id": request_id, "started": started, "status": "running", "error": "", "trace": "", "finished": None,
        "scoped": agency_id is not None,
        "gives_up": started + timedelta(seconds=job.timeout_s + KILLED_AFTER_S),
    }  # fmt: skip
    if ordered:
        _write(values)
    try:
        yield
    except BaseException as error:  # a worker that is told to stop is a failure of its job too
        _write(values | _failure(error) | {"finished": utcnow()})
        raise
    if ordered:
        _write(values | {"status": "done", "finished": utcnow()})


def failure_words(error: BaseException) -> tuple[str, str]:
    """(what went wrong in a line, the trace) without secrets, as long as their columns take. The end of a trace counts."""
    words = redact_text(f"{type(error).__name__}: {error}".strip(": ")).replace("\x00", "")
    trace = redact_text("".join(traceback.format_exception(error))).replace("\x00", "")
    return words[:500], trace[-8000:]


def forget_old(*, now: datetime) -> None:
    """Drop runs past their retention."""
    with platform_scope("job runs past retention"), transaction(flask_db.session()) as db:
        db.execute(_FORGET, {"before": now - timedelta(days=KEEP_DAYS)})


def _failure(error: BaseException) -> dict[str, str]:
    words, trace = failure_words(error)
    return {"status": "failed", "error": words, "trace": trace}


def _write(values: dict[str, Any]) -> None:
    try:
        with platform_scope("history of jobs"), transaction(flask_db.session()) as db:
            db.execute(_WRITE, values)
    except SQLAlchemyError as error:
        log.error("run of %s is not written down: %s", values["name"], error)
    finally:
        flask_db.session.remove()
