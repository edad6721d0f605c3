"""publish(): an event, and its line in the audit trail, in the transaction of the change itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.events.catalog import EventType
from app.events.models import AuditRow, Event
from app.queue.enqueue import wake


def publish(
    db: Session,
    event: EventType,
    *,
    by: Actor,
    agency_id: UUID,
    target: str = "",
    target_name: str = "",
    site_id: UUID | None = None,
    install_id: UUID | None = None,
    data: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> Event:
    """Write the event; audited types also leave a row in the audit trail.

    target: public id of what it is about (`ste_…`). data: what receivers get, never secrets.
    changes: {field: [before, after]} for the audit trail only.
    """
    row = Event(
        agency_id=agency_id,
        site_id=site_id,
        install_id=install_id,
        type=event.name,
        subject=target,
        data=data or {},
        actor=by.ref,
        request_id=by.request_id,
    )
    db.add(row)
    if event.audited:
        record(
            db,
            event.name,
            by=by,
            agency_id=agency_id,
            target=target,
            target_name=target_name,
            site_id=site_id,
            changes=changes,
        )
    after_commit(db, lambda: wake("events.dispatch"))
    return row


def record(
    db: Session,
    action: str,
    *,
    by: Actor,
    agency_id: UUID,
    target: str = "",
    target_name: str = "",
    site_id: UUID | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """One row of the audit trail alone, for what is not news to anybody else."""
    db.add(
        AuditRow(
            agency_id=agency_id,
            actor=by.ref,
            actor_name=by.name,
            action=action,
            target=target,
            target_name=target_name,
            changes=changes or {},
            ip=by.ip,
            user_agent=by.user_agent[:400],
            request_id=by.request_id,
            site_id=site_id,
        )
    )


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """{field: [before, after]} of the fields that differ, for publish(changes=…)."""
    return {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
