"""Hears of every event and notes a run for each automation it is for, in the scope of the event's agency."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.automations.matching import fits, hears
from app.automations.models import Automation, Run
from app.automations.queries import manifest_of
from app.db.session import after_commit
from app.errors import Invalid
from app.events.bus import Receivers
from app.events.models import Event
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.queue.enqueue import wake


def members(db: Session, event: Event) -> list[str]:
    """The ids of the automations that listen to it."""
    query = select(Automation).where(
        Automation.agency_id == event.agency_id, Automation.active, Automation.event_type == event.type
    )
    return [str(one.id) for one in db.scalars(query) if hears(one, event)]


def deliver(db: Session, event: Event, key: str) -> None:
    """A run, when the conditions hold; handing the event over again adds none."""
    automation = db.get(Automation, UUID(key))
    if automation is None or not hears(automation, event):
        return  # changed meanwhile
    steps = [{**step, "outcome": "", "detail": ""} for step in automation.steps]
    now = utcnow()
    row = {
        "id": uuid7(), "agency_id": event.agency_id, "automation_id": automation.id, "event_id": event.id,
        "event_type": event.type, "due_at": now, "created_at": now, "steps": steps, "status": "due", "finished_at": None,
    }  # fmt: skip
    try:
        if not fits(automation, event, manifest_of(db, event.install_id)):
            return
    except Invalid as error:  # the module has changed since: said where people look, not passed over
        row |= {"status": "failed", "finished_at": now}
        row["steps"] = [{"kind": "conditions", "outcome": "failed", "detail": error.message}]
    db.execute(insert(Run).on_conflict_do_nothing(index_elements=["automation_id", "event_id"]), [row])
    after_commit(db, lambda: wake("automations.work"))


AUTOMATIONS = Receivers(members, deliver)
