"""The letter about a connection that died: to who made it, else to the owners."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.connections.models import Connection
from app.connections.setup import Setup
from app.installs.queries import install_with_parts
from app.lib.ids import encode
from app.mail.actions import post
from app.mail.letters import compose
from app.tenancy.recipients import recipients


def tell_broken(db: Session, connection: Connection, service: str, *, setup: Setup) -> None:
    """Ask to connect it again."""
    install = install_with_parts(db, install_id=connection.install_id)
    assert install is not None
    people = recipients(db, agency_id=connection.agency_id, also=connection.connected_by)
    link = f"{setup.platform_url}/installs/{encode('ins', connection.install_id)}/connections"
    for person in [one for one in people if one.id == connection.connected_by] or people:
        words = compose(
            "connections/broken", name=person.name, service=service, module=install.module.name, site=install.site.name,
            why=connection.failure, link=link,
        )  # fmt: skip
        post(
            db, keys=setup.keys, kind="connections.broken", recipient=person.email, agency_id=connection.agency_id,
            site_id=connection.site_id, **words.parts(),
        )  # fmt: skip
