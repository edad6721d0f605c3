"""rollouts.rehearse, rollouts.sweep: an upgrade tried on a copy of the install's records, and what came of it.

The copy lives in one transaction that is rolled back (scene.py), so a worker that is killed leaves nothing; the sweep orders
again what stands still, and gives up after the third time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.base import db as flask_db
from app.db.pools import alone, owner_connection
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import AppError, Conflict
from app.installs.carried import told, unfit_settings
from app.installs.inheritance import Level, resolve
from app.installs.jobs import needed_manifests
from app.installs.levels import own_levels
from app.installs.models import Install
from app.installs.steps import begun, failed, finished
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.modules.package import Package, read_folder
from app.modules.queries import files_of
from app.modules.storage.census import AGAINST, HIDDEN, OPTION
from app.modules.storage.layout import Layout
from app.queue.enqueue import enqueue
from app.rollouts.asking import Compared, Question, ask_all, compare, last_questions, show_all
from app.rollouts.models import Rehearsal
from app.rollouts.runs import begin, fail, order_stalled
from app.rollouts.scene import scene
from app.rollouts.setup import current_setup
from app.runtime.acceptance import run_tests
from app.runtime.context import load_install
from app.runtime.pages.view import SERVED
from app.support.timeline import KEPT

log = logging.getLogger(__name__)

STEPS = {
    "copy": "Copy the records to a place nobody else sees",
    "before": "Ask the last questions of the version it has",
    "move": "Go to the new version",
    "after": "Ask them again",
    "compare": "Compare the records",
    "tests": "Run the module's own tests",
    "gone": "Throw the copy away",
}


class RehearsalRunning(Conflict):
    """A rehearsal of this module is under way. Wait for it to end."""

    code = "rehearsal_running"


def rehearse_upgrade(db: Session, *, install: Install, version: Version, by: Actor, now: datetime) -> Rehearsal:
    """Order a rehearsal; its page shows how it goes. Raises RehearsalRunning, Conflict (the module does not serve)."""
    if install.status != "active":
        raise Conflict(f"The module is {install.status}. It can be rehearsed when it is active.")
    running = select(Rehearsal.id).where(Rehearsal.install_id == install.id, Rehearsal.status == "running")
    if db.scalar(running.where(Rehearsal.agency_id == install.agency_id).limit(1)) is not None:
        raise RehearsalRunning()
    made = Rehearsal(
        id=uuid7(), agency_id=install.agency_id, site_id=install.site_id, install_id=install.id,
        from_version_id=install.version_id, to_version_id=version.id, created_at=now, changed_at=now,
        steps=[{"key": key, "label": label, "state": "todo", "at": None, "detail": ""} for key, label in STEPS.items()],
        ordered_by=by.id if by.kind == "person" else None, ordered_name=by.name,
    )  # fmt: skip
    db.add(made)
    db.flush()
    enqueue(db, "rollouts.rehearse", rehearsal_id=made.id)
    return made


def rehearse(rehearsal_id: str) -> None:
    """Try it and note what came of it. Nothing happens for one that is over."""
    db, wanted = flask_db.session(), UUID(rehearsal_id)
    with owner_connection() as owner, alone(owner, f"rehearsal:{wanted}") as mine:
        if not mine or not begin(db, Rehearsal, wanted):
            return
        try:
            result = _rehearsed(db, wanted)
        except AppError as error:
            _fail(db, wanted, error.message)
        except Exception as error:  # whatever it was: the person waiting is told, and can try again
            log.exception("rehearsal %s failed", wanted)
            _fail(db, wanted, f"An unexpected error ({type(error).__name__}). It was written to the log.")
        else:
            with transaction(db):
                done = db.get_one(Rehearsal, wanted)
                done.status, done.result, done.changed_at = "done", result, utcnow()
                done.steps = finished(done.steps, now=utcnow())


def sweep() -> None:
    """Order again what has stood still for a minute; forget what is older than the logs."""
    db = flask_db.session()
    with platform_scope("old rehearsals"), transaction(db):
        db.execute(delete(Rehearsal).where(Rehearsal.created_at < utcnow() - KEPT))
    order_stalled(
        db, Rehearsal, order=lambda run_id: enqueue(db, "rollouts.rehearse", rehearsal_id=run_id),
        give_up=lambda run_id: _fail(
            db, run_id, "It was stopped in the middle three times, perhaps by a restart. Rehearse it again."
        ),
    )  # fmt: skip


def _fail(db: Session, rehearsal_id: UUID, reason: str) -> None:
    def mark(run: Rehearsal) -> None:
        run.steps = failed(run.steps, "", now=utcnow())

    fail(db, Rehearsal, rehearsal_id, reason, also=mark)


def _rehearsed(db: Session, rehearsal_id: UUID) -> dict[str, Any]:
    now = utcnow()
    with transaction(db):
        rehearsal = db.get_one(Rehearsal, rehearsal_id)
        install = db.get_one(Install, rehearsal.install_id)
        held, version = db.get_one(Version, rehearsal.from_version_id), db.get_one(Version, rehearsal.to_version_id)
        if install.status != "active" or install.version_id != held.id:
            raise Conflict("The module has gone to another version meanwhile. Rehearse it from there.")
        old, new = Manifest.from_dict(held.manifest), Manifest.from_dict(version.manifest)
        questions = last_questions(db, install=install, since=now - KEPT, keys=current_setup().keys)
        package = read_folder(files_of(db, version_id=version.id).items())
        install_id, module_id, levels = install.id, install.module_id, own_levels(db, install=install)
        db.expunge(version)
    needed = needed_manifests(db, module_id)

    def step(key: str) -> None:
        with transaction(db):
            row = db.get_one(Rehearsal, rehearsal_id)
            row.steps, row.changed_at = begun(row.steps, key, now=utcnow()), utcnow()

    found = _on_a_copy(step, install_id, old, new, version, needed, levels, questions, now=now)
    found["settings"] = _settings(old, new, levels)
    step("tests")
    found["tests"] = _tests(package, now)
    step("gone")
    return {**found, "verdict": _verdict(found)}


def _on_a_copy(
    step: Callable[[str], None],
    install_id: UUID,
    old: Manifest,
    new: Manifest,
    version: Version,
    needed: list[Manifest],
    levels: list[Level],
    questions: list[Question],
    *,
    now: datetime,
) -> dict[str, Any]:
    step("copy")
    context = load_install(install_id)
    with scene(context) as here:
        here.remember()
        held, wanted, counts = here.counts(new)
        step("before")
        pages = [name for name, page in old.pages.items() if page.kind in SERVED and name in new.pages]
        show_all(here, here.context, pages[:1])  # starts the sandbox, which is no fault of the old version
        told = ask_all(here, here.context, questions, now=now)
        shown = show_all(here, here.context, pages)
        step("move")
        after, moved = here.move(old, new, version, needed, levels)
        step("after")
        told_after = ask_all(here, after, questions, now=now)
        shown_after = show_all(here, after, pages)
        step("compare")
        tables = here.compare(after)
        rows = here.rows
    asked = [
        compare(one.path, one.fields, one.times, a, b) for one, a, b in zip(questions, told, told_after, strict=True)
    ]
    seen = [compare(name, "", 0, a, b) for name, a, b in zip(pages, shown, shown_after, strict=True)]
    return {
        "rows": rows,
        "took_ms": round(moved.took_ms, 1),
        "steps": moved.steps,
        "left": moved.left,
        "tables": [asdict(one) for one in tables],
        "hidden": _named(held, counts, HIDDEN, OPTION),
        "against": _named(wanted, counts, AGAINST),
        "requests": [one.to_dict() for one in _worst_first(asked)],
        "pages": [one.to_dict() for one in _worst_first(seen)],
    }


def _settings(old: Manifest, new: Manifest, levels: list[Level]) -> list[dict[str, str]]:
    """The settings whose value the new version cannot have: [{label, has, then}]."""
    after = resolve(new, levels)
    return [
        {
            "label": one.label,
            "has": one.has,
            "then": "nothing" if after[name].value is None else told(after[name].value),
        }
        for name, one in unfit_settings(old, new, levels).items()
    ]


def _named(layout: Layout, counts: dict[Any, int], *kinds: str) -> list[dict[str, Any]]:
    """The counts that are not 0, under the names of a version: [{table, field, what, rows}]."""
    found = []
    for (kind, table, column, what), rows in counts.items():
        place = layout.physical.get(table)
        if kind not in kinds or not rows or place is None:
            continue
        field = next((one.fields[-1] for one in place.columns if one.name == column and one.fields), None)
        field = field or next((one.fields[-1] for one in place.links if one.name == column), column)
        found.append({"table": place.tables[-1], "field": field, "what": what, "rows": rows})
    return found


def _worst_first(found: list[Compared]) -> list[Compared]:
    return sorted(found, key=lambda one: (not one.worse, not one.differences, not one.slow, -one.times))


def _tests(package: Package, now: datetime) -> list[dict[str, Any]]:
    return [{"name": one.name, "failures": list(one.failures)} for one in run_tests(package, now=now).results]


def _verdict(found: dict[str, Any]) -> str:
    """bad: something that worked fails, or records change or go; look: something is another; well: nothing is."""
    answers = [*found["requests"], *found["pages"]]
    lost = any(one["lost"] or one["changed"] for one in found["tables"])
    if lost or any(one["worse"] for one in answers) or any(one["failures"] for one in found["tests"]):
        return "bad"
    differs = any(one["differences"] or one["slow"] for one in answers)
    return "look" if differs or found["hidden"] or found["against"] or found["left"] or found["settings"] else "well"
