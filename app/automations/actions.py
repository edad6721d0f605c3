"""Every write to automations by people. What they say is checked here, against what the agency really has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.access.permissions import Permission
from app.automations import queries
from app.automations.fields import check_values
from app.automations.finding import ByName
from app.automations.matching import condition_of
from app.automations.models import Automation, Run
from app.automations.steps import MOST_STEPS, Step, check_path
from app.db.session import after_commit
from app.errors import Conflict, Forbidden, Invalid
from app.events import catalog
from app.events.outbox import changed, publish
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.queue.enqueue import wake
from app.runtime.validation.problems import Facts
from app.tenancy.models import Site
from app.webhooks.catalogue import catalogue
from app.webhooks.queries import manifests
from app.workspace.forms.raw import Place as Amounts


class TooManyAutomations(Conflict):
    """An agency may have 100 automations. Delete one that is no longer needed."""


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
    _check(db, event_type=event_type, conditions=conditions, by=by)
    db.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:agency, 23))"), {"agency": str(by.agency_id)})
    if (db.scalar(select(func.count()).select_from(Automation)) or 0) >= queries.MOST:
        raise TooManyAutomations()
    automation = Automation(
        id=uuid7(), agency_id=by.agency_id, site_id=site.id if site else None, name=name, event_type=event_type,
        conditions=conditions, role=_role(by), retries=retries, off_after=off_after, steps=[], active=False,
        failures=0, off_reason="", created_by=by.id if by.kind == "person" else None, created_at=now,
    )  # fmt: skip
    db.add(automation)
    _tell(db, catalog.AUTOMATION_CREATED, automation, by=by, changes=changed({}, _facts(automation)))
    return automation


def change_automation(
    db: Session, *, automation: Automation, name: str, event_type: str, conditions: str, retries: int, off_after: int,
    by: Actor,
) -> None:  # fmt: skip
    """New values; from now on it may see and do what the role of who changed it may. Raises as create_automation()."""
    _check(db, event_type=event_type, conditions=conditions, by=by)
    before = _facts(automation)
    automation.name, automation.event_type, automation.conditions = name, event_type, conditions
    automation.retries, automation.off_after, automation.role = retries, off_after, _role(by)
    if changes := changed(before, _facts(automation)):
        _tell(db, catalog.AUTOMATION_CHANGED, automation, by=by, changes=changes)


def add_step(db: Session, *, automation: Automation, step: Step, by: Actor) -> None:
    """One more step, after the others. Raises Invalid, Conflict when there are ten, Forbidden."""
    if len(automation.steps) >= MOST_STEPS:
        raise Conflict(f"An automation has at most {MOST_STEPS} steps.")
    step = _checked_step(db, automation, step, by=by)
    before = _facts(automation)
    automation.steps, automation.role = [*automation.steps, step], _role(by)
    _tell(db, catalog.AUTOMATION_CHANGED, automation, by=by, changes=changed(before, _facts(automation)))


def remove_step(db: Session, *, automation: Automation, number: int, by: Actor) -> None:
    """Without the step of this number (from 0); an automation without steps is off."""
    if not 0 <= number < len(automation.steps):
        return
    before = _facts(automation)
    automation.steps = [step for at, step in enumerate(automation.steps) if at != number]
    automation.active = automation.active and bool(automation.steps)
    _tell(db, catalog.AUTOMATION_CHANGED, automation, by=by, changes=changed(before, _facts(automation)))


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


def _check(db: Session, *, event_type: str, conditions: str, by: Actor) -> None:
    assert by.role is not None
    assert by.agency_id is not None
    known = manifests(db, agency_id=by.agency_id)
    offered = {one.type for group in catalogue(role=by.role, modules=known) for one in group.events}
    if event_type not in offered:
        raise Invalid.field("event_type", "Choose an event of the list.")
    if conditions.strip():
        try:
            condition_of(conditions, event_type, [manifest for _, manifest in known])
        except Invalid as error:
            raise Invalid.field("conditions", error.message) from error


def _checked_step(db: Session, automation: Automation, step: Step, *, by: Actor) -> Step:
    """The step as it is kept: with what its texts name."""
    if step["kind"] == "mail" and step["to"] == "event":
        check_path(step["path"], "path")
    if step["kind"] == "webhook":
        offered = queries.webhooks(db, agency_id=automation.agency_id, site_id=automation.site_id)
        if step["webhook"] not in {str(one.id) for one in offered}:
            raise Invalid.field("webhook", "Choose a webhook of the list.")
    if step["kind"] in ("function", "record"):
        if not by.can(Permission.RECORDS_EDIT):
            raise Forbidden()
        return _checked_place(db, automation, step, by=by)
    return step


def _checked_place(db: Session, automation: Automation, step: Step, *, by: Actor) -> Step:
    offered = queries.places(db, agency_id=automation.agency_id, site_id=automation.site_id)
    place = next((one for one in offered if str(one.id) == step["install"]), None)
    if place is None:
        raise Invalid.field("target", "Choose one of the list.")
    if step["kind"] == "function":
        if step["function"] not in place.manifest.functions:
            raise Invalid.field("target", "Choose one of the list.")
        return step
    table = place.manifest.tables.get(step["table"])
    if table is None:
        raise Invalid.field("target", "Choose one of the list.")
    if unknown := sorted(step["values"].keys() - table.fields.keys()):
        raise Invalid.field("values", f"{step['table']} has no field {unknown[0]}; it has {', '.join(table.fields)}.")
    if step["act"] == "change":
        check_path(step["path"], "path")
    facts = Facts(utcnow(), place.locale, place.time_zone)
    return check_values(step, table, Amounts(place.currency, place.time_zone), facts, ByName(db, place, by))


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
