"""studio.try: the tests, a preview or a call of a project, done by a worker. studio.forget_old: trials of days gone by.

result of a trial: tests {results: [{file, name, failures: [{text, lines: [[kind, text]]}]}], coverage: [{path, functions,
measured, percent, statements, branches, lines: {number: state}, parts}], took_ms}; preview {name (of app.runtime.previews),
title, records, chosen}; call {output, error, runs: [{function, outcome, error, logs, cpu_ms, host_calls}], took_ms}; failed
{error}.
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
from app.errors import AppError, NotFound
from app.lib.clock import utcnow
from app.lib.difference import difference
from app.modules.package import Package
from app.runtime.acceptance import Failure, Report, call_on_sample, draw_sample, run_tests, show_sample_page
from app.runtime.pages.view import Shown
from app.runtime.previews import Preview, keep_preview
from app.studio.editor.checks import check_project
from app.studio.editor.models import Project, Trial
from app.studio.editor.queries import files
from app.studio.editor.screens import screens

log = logging.getLogger(__name__)
KEPT = timedelta(days=1)
UNSEEN = "The module has no such page, screen or role any more, or this role does not see it."


def attempt(trial_id: str) -> None:
    """Do what a trial asks for and keep the outcome; a trial that was done already is left alone."""
    db = flask_db.session()
    with transaction(db):
        trial = db.get(Trial, UUID(trial_id))
        if trial is None or trial.status != "waiting":
            return
        kind, asked, agency_id = trial.kind, trial.asked, trial.agency_id
        contents = files(db, project=db.get_one(Project, trial.project_id), until=trial.revision)
    status, result = "done", {}
    try:
        result = _done(kind, asked, contents, agency_id=agency_id, now=utcnow())
    except AppError as error:
        status, result = "failed", {"error": error.message}
    except Exception:  # whoever waits is told; the log has the rest
        log.exception("trial %s failed", trial_id)
        status, result = "failed", {"error": "Something broke on our side. It was written to the log; try again."}
    with transaction(db):
        trial = db.get_one(Trial, UUID(trial_id))
        trial.status, trial.result, trial.finished_at = status, result, utcnow()


def _done(
    kind: str, asked: dict[str, Any], contents: dict[str, bytes], *, agency_id: UUID, now: datetime
) -> dict[str, Any]:
    package = check_project(contents).package
    if package is None:
        return {"error": "Put the errors of the checks right first."}
    if kind == "tests":
        return _tests(package)
    if kind == "preview":
        try:
            return _preview(package, asked, agency_id=agency_id, now=now)
        except NotFound as error:
            told = error.message if error.message != NotFound().message else UNSEEN
            return {"error": told}
    called = call_on_sample(package, asked["function"], asked["input"], now=now)
    runs = [
        {
            "function": run.function, "outcome": run.outcome, "error": run.error, "logs": list(run.logs),
            "cpu_ms": round(run.cpu_ms, 1), "host_calls": run.host_calls,
        }
        for run in called.runs
    ]  # fmt: skip
    return {"output": called.output, "error": called.error, "runs": runs, "took_ms": round(called.took_ms)}


def _preview(package: Package, asked: dict[str, Any], *, agency_id: UUID, now: datetime) -> dict[str, Any]:
    """asked: {what: page:<name> or a screen that is offered, role, record, params, sent}."""
    what, manifest = str(asked["what"]), package.manifest
    kind, _, name = what.partition(":")
    if kind == "page":
        sent = asked.get("sent", False)
        shown = show_sample_page(package, name, given=asked.get("params", {}), now=now, sent=sent)
        kept = Preview(shown, manifest.pages[name].kind, manifest.name, package.digest, agency_id)
        return {"name": keep_preview(kept, package.files), "title": shown.title, "records": [], "chosen": 0}
    drawn = draw_sample(
        package, role=asked.get("role") or None, now=now,
        draw=lambda data, actor: screens().draw(data, actor, screen=what, record=asked.get("record", 0)),
    )  # fmt: skip
    kept = Preview(
        Shown(drawn.html, drawn.title, "auto", None, "en"), "screen", manifest.name, package.digest, agency_id
    )
    name = keep_preview(kept, {})
    return {"name": name, "title": drawn.title, "records": list(drawn.records), "chosen": drawn.chosen}


def _tests(package: Package) -> dict[str, Any]:
    begin = time.perf_counter()
    report = run_tests(package, coverage=True)
    results = [
        {"file": one.file, "name": one.name, "failures": [_failure(failure) for failure in one.found]}
        for one in report.results
    ]
    took_ms = round((time.perf_counter() - begin) * 1000)
    return {"results": results, "coverage": _coverage(package, report), "took_ms": took_ms}


def _failure(failure: Failure) -> dict[str, Any]:
    """Its sentence, and what was expected and what there is instead, line by line."""
    lines = difference(failure.expected.encode(), failure.found.encode()) or []
    return {"text": failure.text, "lines": [[line.kind, line.text] for line in lines if line.kind != "skip"]}


def _coverage(package: Package, report: Report) -> list[dict[str, Any]]:
    named: dict[str, list[str]] = {}
    for name, function in package.manifest.functions.items():
        named.setdefault(f"functions/{function.file}", []).append(name)
    return [
        {
            "path": one.path, "functions": named.get(one.path, []), "measured": one.measured, "percent": one.percent,
            "statements": one.statements, "branches": one.branches,
            "lines": {str(line): state for line, state in one.lines.items()},
            "parts": [
                {"name": part.name, "line": part.line, "called": part.called, "statements": part.statements}
                for part in one.parts
            ],
        }
        for one in report.coverage
    ]  # fmt: skip


def forget_old() -> None:
    """Delete trials of days gone by."""
    db = flask_db.session()
    with platform_scope("trials of days gone by"), transaction(db):
        db.execute(delete(Trial).where(Trial.created_at < utcnow() - KEPT))
