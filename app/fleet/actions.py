"""Runs over many installs: start one, hold it, go on, call it off, try again what failed, take all of it back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid
from app.events.catalog import FLEET_RUN_CHANGED, FLEET_RUN_STARTED, EventType
from app.events.outbox import publish
from app.fleet.models import Run, RunItem
from app.fleet.planning import plan_switch, plan_upgrade
from app.fleet.queries import MOST, Cell
from app.fleet.settings import Change, own_value, plan_setting, said_of, settable
from app.installs.models import Install
from app.lib.ids import uuid7
from app.modules.manifest import Manifest
from app.queue.enqueue import enqueue

Kind = Literal["upgrade", "pause", "resume"]


class NothingToDo(Invalid):
    """None of the chosen installs can do this."""

    code = "nothing_to_do"


class RunIsOver(Conflict):
    """The run is not in a state that allows this. Look at it again."""

    code = "run_is_over"


def start_run(
    db: Session,
    *,
    agency_id: UUID,
    kind: Kind,
    cells: Iterable[Cell],
    agreed: frozenset[str] = frozenset(),
    stop_at_first: bool = True,
    by: Actor,
    now: datetime,
) -> Run:
    """Start a run over these installs; a job works it off. Those that cannot are in it too, left out with the reason.

    agreed: keys of the steps whose new permissions the person has agreed to. Raises NothingToDo, also for too many.
    """
    chosen = list(cells)
    if len(chosen) > MOST:
        raise NothingToDo(f"At most {MOST} installs at once. Choose fewer.")
    run = _run(agency_id, kind, stop_at_first=stop_at_first, by=by, now=now)
    items = _upgrades(db, run, chosen, agreed) if kind == "upgrade" else _switches(run, chosen, kind)
    return _begin(db, run, items, by=by)


def start_setting_run(
    db: Session,
    *,
    agency_id: UUID,
    cells: Iterable[Cell],
    change: Change,
    manifest: Manifest,
    stop_at_first: bool = True,
    by: Actor,
    now: datetime,
) -> Run:
    """Start a run that sets one setting on these installs of one module; those that have it so already are not in it.

    manifest: of the version that the change was chosen by. Raises NothingToDo, also for a setting it does not have.
    """
    chosen = list(cells)
    if len(chosen) > MOST:
        raise NothingToDo(f"At most {MOST} installs at once. Choose fewer.")
    if change.name not in dict(settable(manifest)):
        raise NothingToDo("There is no such setting to be set on many sites.")
    plan = plan_setting(db, agency_id=agency_id, cells=chosen, change=change)
    run = _run(agency_id, "settings", stop_at_first=stop_at_first, by=by, now=now)
    run.change = {**asdict(change), "said": said_of(manifest, change)}
    told = [(one.cell, "") for one in plan.moving] + [(one.cell, one.reason) for one in plan.refused]
    return _begin(db, run, _items(run, told), by=by)


def undo_run(db: Session, *, run: Run, by: Actor, now: datetime) -> Run:
    """Take back all that a run has moved, as a run of its own. What has changed again since is left out with the reason.

    Raises RunIsOver while it still works, and NothingToDo.
    """
    if run.status == "running" or run.kind == "undo":
        raise RunIsOver("Hold the run first." if run.status == "running" else "An undo is not undone: start a new run.")
    done = db.execute(
        select(RunItem, Install)
        .join(Install, Install.id == RunItem.install_id)
        .where(RunItem.agency_id == run.agency_id, RunItem.run_id == run.id, RunItem.state == "done")
        .order_by(RunItem.position.desc())  # the last one first
    ).all()
    back = _run(run.agency_id, "undo", stop_at_first=False, by=by, now=now)
    back.undoes_id, back.change = run.id, run.change
    items: list[RunItem] = []
    for place, (item, install) in enumerate(done):
        reason = _cannot_go_back(run, item, install)
        items.append(
            RunItem(
                agency_id=run.agency_id, run_id=back.id, install_id=install.id, position=place,
                from_version_id=item.to_version_id, to_version_id=item.from_version_id,
                state="skipped" if reason else "waiting", detail=reason,
                moved={"from": item.moved["to"], "to": item.moved["from"]} if item.moved else None,
            )
        )  # fmt: skip
    return _begin(db, back, items, by=by)


def hold_run(db: Session, *, run: Run, by: Actor, now: datetime) -> None:
    """Stop after the install it is at. Raises RunIsOver."""
    _change(db, run, "paused", "running", by=by, now=now)


def resume_run(db: Session, *, run: Run, by: Actor, now: datetime) -> None:
    """Go on with what is waiting. Raises RunIsOver."""
    _change(db, run, "running", "paused", "stopped", by=by, now=now)
    run.reason, run.ended_at = "", None
    enqueue(db, "fleet.work", run_id=run.id)


def cancel_run(db: Session, *, run: Run, by: Actor, now: datetime) -> None:
    """Leave out what is still waiting; what is done stays. Raises RunIsOver."""
    _change(db, run, "cancelled", "running", "paused", "stopped", by=by, now=now)
    run.ended_at = now
    db.execute(
        update(RunItem)
        .where(RunItem.agency_id == run.agency_id, RunItem.run_id == run.id, RunItem.state == "waiting")
        .values(state="skipped", detail="The run was called off before its turn.", changed_at=now)
    )


def retry_failed(db: Session, *, run: Run, by: Actor, now: datetime) -> None:
    """Try once more what failed. Raises RunIsOver, NothingToDo."""
    again = db.execute(
        update(RunItem)
        .where(RunItem.agency_id == run.agency_id, RunItem.run_id == run.id, RunItem.state == "failed")
        .values(state="waiting", detail="", changed_at=now)
        .returning(RunItem.install_id)
    ).all()
    if not again:
        raise NothingToDo("Nothing of this run failed.")
    _change(db, run, "running", "done", "stopped", "paused", by=by, now=now)
    run.reason, run.ended_at = "", None
    enqueue(db, "fleet.work", run_id=run.id)


def _run(agency_id: UUID, kind: str, *, stop_at_first: bool, by: Actor, now: datetime) -> Run:
    return Run(
        id=uuid7(), agency_id=agency_id, kind=kind, status="running", stop_at_first=stop_at_first, started_at=now,
        changed_at=now, ordered_by=by.id if by.kind == "person" else None, ordered_name=by.name,
    )  # fmt: skip


def _upgrades(db: Session, run: Run, cells: list[Cell], agreed: frozenset[str]) -> list[RunItem]:
    plan = plan_upgrade(db, cells=cells, agreed=agreed)
    held = dict(
        db.execute(select(Install.id, Install.version_id).where(Install.id.in_([cell.id for cell in cells]))).all()
    )
    items: list[RunItem] = []
    for step in plan.steps:
        told = [(cell, "") for cell in step.ready] + [(one.cell, one.reason) for one in step.refused]
        for cell, reason in told:
            items.append(
                RunItem(
                    agency_id=run.agency_id, run_id=run.id, install_id=cell.id, position=len(items),
                    from_version_id=held[cell.id], to_version_id=step.to_version_id, agreed=step.consent and step.agreed,
                    state="skipped" if reason else "waiting", detail=reason,
                )
            )  # fmt: skip
    return items


def _switches(run: Run, cells: list[Cell], kind: str) -> list[RunItem]:
    ready, refused = plan_switch(cells, kind=kind)
    told = [(cell, "") for cell in ready] + [(one.cell, one.reason) for one in refused]
    return _items(run, told)


def _items(run: Run, told: list[tuple[Cell, str]]) -> list[RunItem]:
    """In this order; those with a reason are left out for it."""
    return [
        RunItem(
            agency_id=run.agency_id, run_id=run.id, install_id=cell.id, position=place,
            state="skipped" if reason else "waiting", detail=reason[:1000],
        )
        for place, (cell, reason) in enumerate(told)
    ]  # fmt: skip


def _cannot_go_back(run: Run, item: RunItem, install: Install) -> str:
    if run.kind == "upgrade" and install.version_id != item.to_version_id:
        return "It is on another version by now."
    if run.kind == "settings":
        assert run.change is not None
        assert item.moved is not None
        same = own_value(install.settings, run.change["name"]) == item.moved["to"]
        return "" if same else "It was set to something else since."
    wanted = {"upgrade": "active", "pause": "paused", "resume": "active"}[run.kind]
    if install.status != wanted:
        return f"It is {install.status} by now."
    return ""


def _begin(db: Session, run: Run, items: list[RunItem], *, by: Actor) -> Run:
    waiting = sum(1 for item in items if item.state == "waiting")
    if not waiting:
        why = next((item.detail for item in items if item.detail), "")
        raise NothingToDo(f"None of the chosen installs can do this. {why}".strip())
    db.add(run)
    db.flush()
    db.add_all(items)
    _tell(db, run, by=by, event=FLEET_RUN_STARTED, data={"kind": run.kind, "installs": waiting})
    enqueue(db, "fleet.work", run_id=run.id)
    return run


def _change(db: Session, run: Run, to: str, *allowed: str, by: Actor, now: datetime) -> None:
    db.refresh(run, with_for_update=True)  # its job may be ending it at this moment
    if run.status not in allowed:
        raise RunIsOver(f"The run is {run.status}.")
    run.status, run.changed_at = to, now
    _tell(db, run, by=by, event=FLEET_RUN_CHANGED, data={"status": to})


def _tell(db: Session, run: Run, *, by: Actor, event: EventType, data: dict[str, object]) -> None:
    publish(
        db,
        event,
        by=by,
        agency_id=run.agency_id,
        target=run.public_id,
        target_name=run.kind,
        data={"run": run.public_id, **data},
    )
