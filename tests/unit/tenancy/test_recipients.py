"""Whom letters about an agency go to."""

from __future__ import annotations

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.tenancy.recipients import MANAGERS, recipients
from tests.support.world import World


def test_owners_and_who_else_is_asked_for_but_nobody_whose_account_is_disabled(world: World) -> None:
    agency = world.agency("Studio Lumen")
    ada = world.person(agency, Role.OWNER, name="Ada Bright")
    amir = world.person(agency, Role.ADMIN, name="Amir Haddad")
    vic = world.person(agency, Role.VIEWER, name="Vic Watcher")
    world.person(agency, Role.OWNER, name="Gone", disabled_at=utcnow())
    olga = world.person(world.agency("Other Place"), Role.OWNER, name="Olga")
    with tenant_scope(agency.id, user_id=ada.id), transaction(db.session()) as session:

        def told(**asked: object) -> list[str]:
            return sorted(one.name for one in recipients(session, agency_id=agency.id, **asked))  # type: ignore[arg-type]  # as asked

        assert told() == ["Ada Bright"]
        assert told(roles=MANAGERS) == ["Ada Bright", "Amir Haddad"]
        assert told(also=vic.id) == ["Ada Bright", "Vic Watcher"]
        assert told(also=olga.id) == ["Ada Bright"]
        assert recipients(session, agency_id=agency.id)[0].email == ada.email != amir.email
