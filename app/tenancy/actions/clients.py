"""Clients: the agency's customers, who own sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict
from app.events.catalog import CLIENT_ARCHIVED, CLIENT_CHANGED, CLIENT_CREATED, CLIENT_RESTORED, EventType
from app.events.outbox import changed, publish
from app.lib.ids import uuid7
from app.tenancy.models import Client, Site


class ClientNameTaken(Conflict):
    """Another client of this agency has this name, perhaps among the archived ones."""


class ClientHasSites(Conflict):
    """This client still has sites in use. Archive them first."""


def create_client(
    db: Session,
    *,
    agency_id: UUID,
    name: str,
    by: Actor,
    now: datetime,
    contact_name: str = "",
    contact_email: str = "",
    notes: str = "",
) -> Client:
    """A new client. Raises ClientNameTaken."""
    client = Client(
        id=uuid7(),
        agency_id=agency_id,
        name=name,
        contact_name=contact_name,
        contact_email=contact_email,
        notes=notes,
        created_at=now,
    )
    try:
        with db.begin_nested():  # the unique key decides
            db.add(client)
            db.flush()
    except IntegrityError as error:
        raise ClientNameTaken() from error
    _tell(db, CLIENT_CREATED, client, by=by)
    return client


def change_client(
    db: Session, *, client: Client, name: str, contact_name: str, contact_email: str, notes: str, by: Actor
) -> Client:
    """Raises ClientNameTaken."""
    values = {"name": name, "contact_name": contact_name, "contact_email": contact_email, "notes": notes}
    changes = changed({key: getattr(client, key) for key in values}, values)
    if not changes:
        return client
    try:
        with db.begin_nested():  # the unique key decides
            for key, value in values.items():
                setattr(client, key, value)
            db.flush()
    except IntegrityError as error:
        raise ClientNameTaken() from error
    _tell(db, CLIENT_CHANGED, client, by=by, changes=changes)
    return client


def archive_client(db: Session, *, client: Client, by: Actor, now: datetime) -> None:
    """Put a client away; nothing is deleted. Raises ClientHasSites. Doing it twice is doing it once."""
    if client.archived_at:
        return
    # a site being made for this client at the same moment waits for its row, or has been counted
    db.execute(select(Client.id).where(Client.id == client.id).with_for_update())
    in_use = db.scalar(
        select(func.count()).select_from(Site).where(Site.client_id == client.id, Site.archived_at.is_(None))
    )
    if in_use:
        raise ClientHasSites()
    client.archived_at = now
    _tell(db, CLIENT_ARCHIVED, client, by=by)


def restore_client(db: Session, *, client: Client, by: Actor) -> None:
    """Take a client back into use. Doing it twice is doing it once."""
    if client.archived_at is None:
        return
    client.archived_at = None
    _tell(db, CLIENT_RESTORED, client, by=by)


def _tell(db: Session, event: EventType, client: Client, *, by: Actor, changes: dict[str, Any] | None = None) -> None:
    publish(
        db,
        event,
        by=by,
        agency_id=client.agency_id,
        target=client.public_id,
        target_name=client.name,
        data={"name": client.name, **({"changed": sorted(changes)} if changes else {})},
        changes=changes,
    )
