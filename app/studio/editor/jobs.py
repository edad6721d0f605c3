"""studio.try: the tests, a preview or a call of a project, done by a worker. studio.forget_old: trials of days gone by.

result of a trial: tests {results: [{file, name, failures}], took_ms}; preview {name} (app.runtime.previews);
call {output, error, runs: [{function, outcome, error, logs, cpu_ms, host_calls}], took_ms}; failed {error}.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from app.db.base import db as flask_db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import AppError
from app.lib.clock import utcnow
from app.modules.package import Package
from app.runtime.acceptance import call_on_sample, run_tests, show_sample_page
from app.runtime.previews import Preview, keep_preview
from app.studio.editor.checks import check_project
from app.studio.editor.models import Project, Trial
from app.studio.editor.queries import files

log = logging.getLogger(__name__)
KEPT = timedelta(days=1)


def attempt(trial_id: str) -> None:
    """Do what a trial asks for and keep the outcome; a trial that was done already is left alone."""
    db = flask_db.session()
    with transaction(db):
        trial = db.get(Trial, UUID(trial_id))
        if trial is None or trial.status != "waiting":
            return
        kind, asked = trial.kind, trial.asked
        contents = files(db, project=db.get_one(Project, trial.project_id), until=trial.revision)
    status, result = "done", {}
    try:
        result = _done(kind, asked, contents, now=utcnow())
    except AppError as error:
        status, result = "failed", {"error": error.message}
    except Exception:  # whoever waits is told; the log has the rest
        log.exception("trial %s failed", trial_id)
        status, result = "failed", {"error": "Something broke on our side. It was written to the log; try again."}
    with transaction(db):
        trial = db.get_one(Trial, UUID(trial_id))
        trial.status, trial.result, trial.finished_at = status, result, utcnow()


def _done(kind: str, asked: dict[str, Any], contents: dict[str, bytes], *, now: datetime) -> dict[str, Any]:
    package = check_project(contents).package
    if package is None:
        return {"error": "Put the errors of the checks right first."}
    if kind == "tests":
        return _tests(package)
    if kind == "preview":
        shown = show_sample_page(package, asked["page"], given=asked.get("params", {}), now=now)
        page = package.manifest.pages[asked["page"]]
        kept = Preview(shown, page.kind, package.manifest.name, package.digest)
        return {"name": keep_preview(kept, package.files)}
    called = call_on_sample(package, asked["function"], asked["input"], now=now)
    runs = [
        {
            "function": run.function, "outcome": run.outcome, "error": run.error, "logs": list(run.logs),
            "cpu_ms": round(run.cpu_ms, 1), "host_calls": run.host_calls,
        }
        for run in called.runs
    ]  # fmt: skip
    return {"output": called.output, "error": called.error, "runs": runs, "took_ms": round(called.took_ms)}


def _tests(package: Package) -> dict[str, Any]:
    begin = time.perf_counter()
    report = run_tests(package)
    results = [{"file": one.file, "name": one.name, "failures": list(one.failures)} for one in report.results]
    return {"results": results, "took_ms": round((time.perf_counter() - begin) * 1000)}


def forget_old() -> None:
    """Delete trials of days gone by."""
    db = flask_db.session()
    with platform_scope("trials of days gone by"), transaction(db):
        db.execute(delete(Trial).where(Trial.created_at < utcnow() - KEPT))
