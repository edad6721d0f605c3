"""The connections of an install as its screen shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.connections.models import Connection
from app.installs.models import Install
from app.modules.manifest import Manifest
from app.modules.manifest.connections import Connection as Declared


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """One declared connection. state: unregistered, new, connected, waiting (a renewal gets no answer) or broken."""

    name: str
    declared: Declared
    state: str
    client_id: str
    scopes: list[str]
    connected_at: datetime | None
    person: str | None
    failure: str


def connections_of(db: Session, *, install: Install, manifest: Manifest) -> list[ConnectionRow]:
    """Every connection that the version declares, in its order; one statement."""
    query = select(Connection, User.name).outerjoin(User, User.id == Connection.connected_by)
    found = {row[0].name: row for row in db.execute(query.where(Connection.install_id == install.id))}
    return [_row(name, declared, *(found.get(name) or (None, None))) for name, declared in manifest.connections.items()]


def _row(name: str, declared: Declared, made: Connection | None, person: str | None) -> ConnectionRow:
    if made is None:
        state = "new" if declared.client_id else "unregistered"
        return ConnectionRow(name, declared, state, "", [], None, None, "")
    return ConnectionRow(
        name=name, declared=declared, state=_state(made, declared), client_id=made.client_id, scopes=made.scopes,
        connected_at=made.connected_at, person=person,
        failure=made.failure,
    )  # fmt: skip


def _state(made: Connection, declared: Declared) -> str:
    if made.state == "connected":
        if made.token_url != declared.token_url:  # another version, which means another service
            return "new"
        return "waiting" if made.failing_since else "connected"
    if made.state == "new" and not (declared.client_id or made.client_id):
        return "unregistered"
    return made.state
