"""Every write to automations by people. What they say is checked here, against what the agency really has."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.automations import queries
from app.automations.checks import check_event, checked_step
from app.automations.models import Automation, Run, State
from app.automations.steps import MOST_STEPS, Step, seen_of
from app.db.session import after_commit
from app.errors import Conflict, NotFound
from app.events import catalog
from app.events.outbox import changed, publish
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.queue.enqueue import wake
from app.tenancy.models import Site

MOST_STATES = 20  # of an automation, to go back to


class TooManyAutomations(Conflict):
    """An agency may have 100 automations. Delete one that is no longer needed."""


class ChangedMeanwhile(Conflict):
    """Somebody changed this a moment ago. Nothing of yours is saved yet."""

    code = "version_mismatch"


class StepGone(Conflict):
    """This step was taken away a moment ago. What you see now is what is there."""


class NothingToUndo(Conflict):
    """There is no change of this automation to take back."""


class NothingToDo(Conflict):
    """This automation has no step yet. Add one first."""


def create_automation(
    db: Session, *, site: Site | None, name: str, event_type: str, conditions: str, retries: int, off_after: int,
    by: Actor, now: datetime,
) -> Automation:  # fmt: skip
    """A new automation of a site, or of the whole agency (site None): off, and without steps.

    Raises Invalid with errors on event_type, conditions; TooManyAutomations.
    """
    assert by.agency_id is not None
    check_event(db, event_type=event_type, conditions=conditions, by=by)
    db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 23))"), {"agency": str(by.agency_id)})
    if (db.scalar(select(func.count()).select_from(Automation)) or 0) >= queries.MOST:
        raise TooManyAutomations()
    automation = Automation(
        id=uuid7(), agency_id=by.agency_id, site_id=site.id if site else None, name=name, event_type=event_type,
        conditions=conditions, role=_role(by), retries=retries, off_after=off_after, steps=[], active=False,
        failures=0, off_reason="", revision=1, created_by=by.id if by.kind == "person" else None, created_at=now,
    )  # fmt: skip
    db.add(automation)
    db.flush()
    _tell(db, catalog.AUTOMATION_CREATED, automation, by=by, changes=changed({}, _facts(automation)))
    return automation


def change_automation(
    db: Session, *, automation: Automation, seen: str, name: str, event_type: str, conditions: str, retries: int,
    off_after: int, by: Actor,
) -> None:  # fmt: skip
    """New values; from now on it may see and do what the role of who changed it may.

    seen: of the automation that was edited. Raises ChangedMeanwhile, and as create_automation().
    """
    _lock(db, automation)
    if automation.seen != seen:
        raise ChangedMeanwhile()
    check_event(db, event_type=event_type, conditions=conditions, by=by)
    new = {
        "name": name, "event_type": event_type, "conditions": conditions, "retries": retries, "off_after": off_after,
    }  # fmt: skip
    if new != automation.settings or automation.role != _role(by):
        _change(db, automation, new, said="Changed what it waits for", by=by)


def add_step(db: Session, *, automation: Automation, step: Step, by: Actor) -> str:
    """One more step, after the others; returns its id. Raises Invalid, Conflict when there are ten, Forbidden."""
    _lock(db, automation)
    if len(automation.steps) >= MOST_STEPS:
        raise Conflict(f"An automation has at most {MOST_STEPS} steps.")
    step_id = secrets.token_hex(6)
    kept = {**checked_step(db, automation, step, by=by), "id": step_id}
    _change(db, automation, {"steps": [*automation.steps, kept]}, said=f"Added step {len(automation.steps) + 1}", by=by)
    return step_id


def change_step(db: Session, *, automation: Automation, step_id: str, seen: str, step: Step, by: Actor) -> None:
    """Another content of a step, of the same kind. seen: of the step that was edited. Raises as add_step(), StepGone,
    ChangedMeanwhile.
    """
    _lock(db, automation)
    at = _place_of(automation, step_id)
    before = automation.steps[at]
    if seen_of(before) != seen:
        raise ChangedMeanwhile()
    kept = {**checked_step(db, automation, step, by=by), "id": step_id}
    if kept == before and automation.role == _role(by):
        return
    steps = [kept if number == at else one for number, one in enumerate(automation.steps)]
    fields = sorted(name for name in kept if kept[name] != before.get(name) and name != "known")
    _change(db, automation, {"steps": steps}, said=f"Edited step {at + 1}", by=by, edited=", ".join(fields))


def move_step(db: Session, *, automation: Automation, step_id: str, before: str, by: Actor) -> None:
    """A step to before another one, or to the end (before ""): asked for twice it stays there. Raises StepGone."""
    _lock(db, automation)
    at = _place_of(automation, step_id)
    others = [one for one in automation.steps if one["id"] != step_id]
    to = next((number for number, one in enumerate(others) if one["id"] == before), None) if before else len(others)
    if before == step_id:
        return
    if to is None:
        raise StepGone()
    if to != at:
        steps = [*others[:to], automation.steps[at], *others[to:]]
        _change(db, automation, {"steps": steps}, said=f"Moved step {at + 1}", by=by)


def remove_step(db: Session, *, automation: Automation, step_id: str, by: Actor) -> None:
    """Without this step; an automation without steps is off. Raises StepGone."""
    _lock(db, automation)
    at = _place_of(automation, step_id)
    steps = [one for one in automation.steps if one["id"] != step_id]
    _change(db, automation, {"steps": steps}, said=f"Removed step {at + 1}", by=by)
    automation.active = automation.active and bool(steps)


def undo(db: Session, *, automation: Automation, revision: int, by: Actor) -> str:
    """Back to what it was before its last change; returns what that was. revision: of the automation that is meant.

    What comes back is held to today's rules again: Raises Invalid, Forbidden, ChangedMeanwhile, NothingToUndo.
    """
    _lock(db, automation)
    if automation.revision != revision:
        raise ChangedMeanwhile()
    last = queries.last_state(db, automation_id=automation.id)
    if last is None:
        raise NothingToUndo()
    new = {name: last.state[name] for name in (*automation.settings, "steps")}
    if (new["event_type"], new["conditions"]) != (automation.event_type, automation.conditions):
        check_event(db, event_type=new["event_type"], conditions=new["conditions"], by=by)
    for step in new["steps"]:
        if step not in automation.steps:
            checked_step(db, automation, step, by=by)
    stopped_by_it = last.state["active"] and not automation.steps
    _write(db, automation, new, by=by)
    automation.active = automation.active or stopped_by_it
    db.delete(last)
    return last.said


def switch(db: Session, *, automation: Automation, on: bool, by: Actor) -> None:
    """On, with a clean slate, or off. What happens while it is off is not made up for. Raises NothingToDo."""
    if on and not automation.steps:
        raise NothingToDo()
    if automation.active == on:
        return
    automation.active, automation.failures, automation.off_reason = on, 0, ""
    _tell(db, catalog.AUTOMATION_ON if on else catalog.AUTOMATION_OFF, automation, by=by)


def delete_automation(db: Session, *, automation: Automation, by: Actor) -> None:
    """End it for good, its runs included."""
    _tell(db, catalog.AUTOMATION_DELETED, automation, by=by)
    db.execute(delete(Automation).where(Automation.id == automation.id))


def run_again(db: Session, *, run: Run, now: datetime) -> None:
    """Go on with a failed run where it failed: steps that are done stay done."""
    if run.status != "failed" or any(step["kind"] == "conditions" for step in run.steps):
        return
    run.status, run.due_at, run.attempts, run.finished_at = "due", now, 0, None
    after_commit(db, lambda: wake("automations.work"))


def _lock(db: Session, automation: Automation) -> None:
    """The row as it is now, and nobody else's until this transaction ends. Raises NotFound when it was deleted."""
    db.flush()
    try:
        db.refresh(automation, with_for_update={"key_share": True})
    except InvalidRequestError as error:
        raise NotFound() from error


def _place_of(automation: Automation, step_id: str) -> int:
    for number, step in enumerate(automation.steps):
        if step["id"] == step_id:
            return number
    raise StepGone()


def _change(
    db: Session, automation: Automation, new: dict[str, Any], *, said: str, by: Actor, edited: str = ""
) -> None:  # fmt: skip
    """Write it, and keep what it was before."""
    state = {**automation.settings, "steps": automation.steps, "active": automation.active}
    db.add(
        State(
            agency_id=automation.agency_id, automation_id=automation.id, revision=automation.revision, said=said,
            state=state, at=utcnow(),
        )
    )  # fmt: skip
    _write(db, automation, new, by=by, edited=f"{said.lower()}: {edited}" if edited else "")
    kept = (
        select(State.revision).where(State.automation_id == automation.id).order_by(State.revision.desc())
        .limit(MOST_STATES).scalar_subquery()
    )  # fmt: skip
    db.execute(delete(State).where(State.automation_id == automation.id, State.revision.not_in(kept)))


def _write(db: Session, automation: Automation, new: dict[str, Any], *, by: Actor, edited: str = "") -> None:
    before = _facts(automation)
    for name, value in new.items():
        setattr(automation, name, value)
    automation.role, automation.revision = _role(by), automation.revision + 1
    db.flush()
    changes = changed(before, _facts(automation)) | ({"edited": [None, edited]} if edited else {})
    _tell(db, catalog.AUTOMATION_CHANGED, automation, by=by, changes=changes)


def _role(by: Actor) -> str:
    assert by.role is not None
    return by.role.value


def _facts(automation: Automation) -> dict[str, Any]:
    return {
        "name": automation.name, "event": automation.event_type, "conditions": automation.conditions,
        "steps": [step["kind"] for step in automation.steps], "role": automation.role,
        "retries": automation.retries, "off_after": automation.off_after,
    }  # fmt: skip


def _tell(
    db: Session, event: catalog.EventType, automation: Automation, *, by: Actor, changes: dict[str, Any] | None = None
) -> None:
    publish(
        db, event, by=by, agency_id=automation.agency_id, site_id=automation.site_id, target=automation.public_id,
        target_name=automation.name, data={"automation": automation.public_id, "name": automation.name}, changes=changes,
    )  # fmt: skip
