"""The steps of a job as an install keeps them, for a progress screen: [{key, label, state, at, detail}].

state: todo, now, done, failed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.installs.models import Install
from app.lib.clock import rfc3339

_CHECK = {"check": "Check the module and what it needs"}
_TABLES = {
    "schema": "Prepare its place in the database",
    "tables": "Make its tables",
    "permissions": "Check that only this site can see its records",
}
_FINISH = {"schedules": "Set its schedules", "ready": "Ready"}
_BEFORE = {
    "upgrade": {"copy": "Keep a copy of the records it touches"},
    "rollback": {"since": "Keep a file of what was written since"},
}
_RECORDS = {
    "restore": {"records": "Bring its records back"},
    "upgrade": {"records": "Fill new fields with their defaults"},
    "rollback": {"records": "See to the records"},
}
_REMOVE = {
    "stop": "Stop its schedules",
    "export": "Keep a copy of its records for 30 days",
    "rows": "Remove its records from the site",
    "schema": "Remove its place in the database, unless other sites need it",
    "gone": "Removed",
}


def waiting_steps(task: str) -> list[dict[str, Any]]:
    """All steps of a task, none begun."""
    labels = (
        _REMOVE
        if task == "remove"
        else {**_CHECK, **_BEFORE.get(task, {}), **_TABLES, **_RECORDS.get(task, {}), **_FINISH}
    )
    return [{"key": key, "label": label, "state": "todo", "at": None, "detail": ""} for key, label in labels.items()]


def state_of(install: Install) -> dict[str, Any]:
    """What the screen of an install's state needs: the install, its steps for progress.html, how many percent are done."""
    done = sum(1 for step in install.steps if step["state"] == "done")
    return {
        "install": install,
        "steps": [(step["label"], step["state"], step.get("detail") or None) for step in install.steps],
        "percent": round(100 * done / len(install.steps)) if install.steps else 0,
    }


def begun(steps: list[dict[str, Any]], key: str, *, now: datetime) -> list[dict[str, Any]]:
    """The steps once `key` has begun: those before it are done."""
    place = [step["key"] for step in steps].index(key)
    return [
        _done(step, now) if index < place else {**step, "state": "now", "at": rfc3339(now)} if index == place else step
        for index, step in enumerate(steps)
    ]


def finished(steps: list[dict[str, Any]], *, now: datetime) -> list[dict[str, Any]]:
    """The steps once all are done."""
    return [_done(step, now) for step in steps]


def failed(steps: list[dict[str, Any]], detail: str, *, now: datetime) -> list[dict[str, Any]]:
    """The steps once the running one has failed."""
    return [
        {**step, "state": "failed", "at": rfc3339(now), "detail": detail} if step["state"] == "now" else step
        for step in steps
    ]


def _done(step: dict[str, Any], now: datetime) -> dict[str, Any]:
    return step if step["state"] == "done" else {**step, "state": "done", "at": rfc3339(now), "detail": ""}
