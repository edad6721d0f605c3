"""A release is signed twice and stands in the log; one flipped byte anywhere and it is put on no site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.config import Config
from app.db.base import db
from app.db.pools import owner_connection
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.installs.actions import install_module
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules import actions
from app.modules.actions import yank_version
from app.modules.models import Version
from app.modules.signing.checking import verify, version_faults
from app.modules.signing.keys import keys_of_publisher, rotate_key
from app.modules.signing.log import NotGenuine, entry_hash, faults_of
from app.modules.signing.models import ReleaseEntry, ReleaseHead
from app.modules.signing.older import enter_older, enter_older_once
from app.tenancy.models import Agency, Site
from tests.support.packages import notes
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World

Tamper = Callable[[psycopg.Connection, Version], None]


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def version(ada: Person) -> Version:
    return released(ada, notes(new_slug()))


def faults(version: Version) -> list[str]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(faults_of(session, session.get_one(Version, version.id)))


def entry_of(version: Version, kind: str = "release") -> ReleaseEntry:
    with platform_scope("test"), transaction(db.session()) as session:
        query = select(ReleaseEntry).where(ReleaseEntry.version_id == version.id, ReleaseEntry.kind == kind)
        return session.scalars(query).one()


def test_what_is_older_than_the_log_is_entered_once_and_nothing_later(
    ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as unlogged:
        unlogged.setattr(actions, "enter", lambda *args, **given: None)
        old, new = released(ada, notes(new_slug())), released(ada, notes(new_slug()))
    assert faults(old) == ["it does not stand in the release log"]

    def run(since: datetime) -> list[UUID]:
        with platform_scope("test"), transaction(db.session()) as session:
            return [one.id for one in enter_older_once(session, log_since=since, now=utcnow())]

    with platform_scope("test"), transaction(db.session()) as session:
        session.scalars(select(ReleaseHead)).one().older_entered_at = None  # as an installation that was just upgraded
        between = session.get_one(Version, new.id).published_at
    assert between is not None
    assert old.id in run(between)
    assert (faults(old), faults(new)) == ([], ["it does not stand in the release log"])
    assert run(utcnow()) == []
    assert faults(new) == ["it does not stand in the release log"]
    with platform_scope("test"), transaction(db.session()) as session:  # the command, when somebody has looked at it
        assert new.id in [one.id for one in enter_older(session, now=utcnow())]
    assert (faults(new), verify()) == ([], [])


def test_a_release_is_signed_and_stands_in_the_log(version: Version) -> None:
    entry = entry_of(version)
    assert (faults(version), entry_hash(entry) == entry.hash, f'"version":"{version.version}"' in entry.statement) == (
        [], True, True,
    )  # fmt: skip


def test_a_withdrawal_is_an_entry_of_its_own(ada: Person, version: Version) -> None:
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        yank_version(session, version=session.get_one(Version, version.id), by=ada.actor, now=utcnow())
    assert (entry_of(version, "yank").kind, faults(version)) == ("yank", [])


@pytest.mark.parametrize("role", ["dramac_lookup", "dramac_staff"])
@pytest.mark.parametrize("change", ["UPDATE release_log SET kind = 'yank'", "DELETE FROM release_log"])
def test_nobody_who_serves_requests_can_change_the_log(version: Version, role: str, change: str) -> None:
    with owner_connection() as owner, owner.transaction(force_rollback=True):
        owner.execute(f"SET LOCAL ROLE {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute(change)


def test_an_agency_enters_nothing_for_another(ada: Person, version: Version, world: World) -> None:
    other = world.agency("Elsewhere")
    entry = entry_of(version)
    values = {column.name: getattr(entry, column.name) for column in ReleaseEntry.__table__.columns}
    with (
        pytest.raises(DBAPIError),
        tenant_scope(other.id),
        transaction(db.session()) as session,
    ):  # fmt: skip
        session.execute(ReleaseEntry.__table__.insert().values({**values, "kind": "yank"}))


def a_file(owner: psycopg.Connection, version: Version) -> None:
    owner.execute("SET ROLE dramac_staff")
    owner.execute(
        "UPDATE module_blobs SET content = set_byte(content, 0, get_byte(content, 0) # 1) WHERE sha256 = "
        "(SELECT sha256 FROM module_version_files WHERE version_id = %s AND path = 'module.yaml')",
        [version.id],
    )


def of_version(change: str) -> Tamper:
    """What only the owner of the database could do to a released version."""

    def tamper(owner: psycopg.Connection, version: Version) -> None:
        with owner.transaction():
            owner.execute("ALTER TABLE module_versions DISABLE TRIGGER USER, NO FORCE ROW LEVEL SECURITY")
            owner.execute(f"UPDATE module_versions SET {change} WHERE id = %s", [version.id])
            owner.execute("ALTER TABLE module_versions ENABLE TRIGGER USER, FORCE ROW LEVEL SECURITY")

    return tamper


the_manifest = of_version("manifest = jsonb_set(manifest, '{name}', '\"Notez\"')")
the_digest = of_version("digest = translate(digest, '0123456789abcdef', '1032547698badcfe')")


def by_force(column: str) -> Tamper:
    """What only the owner of the database could do, with the trigger out of the way."""

    def change(owner: psycopg.Connection, version: Version) -> None:
        with owner.transaction():
            owner.execute("ALTER TABLE release_log DISABLE TRIGGER release_log_only_grows")
            owner.execute("ALTER TABLE release_log NO FORCE ROW LEVEL SECURITY")
            new = f"set_byte({column}, 0, get_byte({column}, 0) # 1)"
            if column == "statement":
                new = "translate(statement, 'ab', 'ba')"
            owner.execute(f"UPDATE release_log SET {column} = {new} WHERE version_id = %s", [version.id])
            owner.execute("ALTER TABLE release_log FORCE ROW LEVEL SECURITY")
            owner.execute("ALTER TABLE release_log ENABLE TRIGGER release_log_only_grows")

    return change


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (a_file, "its files are not those that were signed"),
        (the_manifest, "its manifest is not the one that was signed"),
        (the_digest, "its files are not those that were signed"),
        (by_force("publisher_signature"), "the publisher's signature does not fit"),
        (by_force("platform_signature"), "the platform's signature does not fit"),
        (by_force("platform_key"), "it was countersigned with a key that is not the platform's"),
        (by_force("statement"), "the publisher's signature does not fit"),
        (by_force("hash"), "its entry in the release log was changed"),
    ],
)
def test_one_flipped_byte_refuses_and_says_where(
    ada: Person, version: Version, world: World, config: Config, tamper: Tamper, said: str
) -> None:
    site = world.site(agency_of(ada))
    with owner_connection() as owner:
        tamper(owner, version)
    try:
        assert said in faults(version)
        with (
            pytest.raises(NotGenuine, match=r"1\.0\.0 cannot be used: "),
            tenant_scope(ada.agency_id),
            transaction(db.session()) as session,
        ):
            install_module(
                session, site=session.get_one(Site, site.id), version=session.get_one(Version, version.id), settings={},
                keys=config.secret_keys, by=ada.actor, now=utcnow(),
            )  # fmt: skip
        if in_chain(tamper):
            assert any(said in fault for fault in verify())
        else:
            with platform_scope("test"), transaction(db.session()) as session:
                assert f"{version.public_id} (1.0.0): {said}" in list(version_faults(session))
    finally:
        with owner_connection() as owner:
            tamper(owner, version)  # the same bit back, so that the chain is whole for the other tests
    if in_chain(tamper):
        assert verify() == []


def in_chain(tamper: Tamper) -> bool:
    return tamper.__name__ == "change"


def agency_of(person: Person) -> Agency:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.get_one(Agency, person.agency_id)


def test_a_release_in_no_log_is_put_on_no_site(version: Version) -> None:
    stranger = Version(
        id=uuid7(), module_id=version.module_id, agency_id=version.agency_id, version="1.0.0", status="published"
    )
    with platform_scope("test"), transaction(db.session()) as session:
        assert list(faults_of(session, stranger)) == ["it does not stand in the release log"]


def test_an_entry_that_is_cut_off_is_missed(version: Version) -> None:
    number = entry_of(version).number
    by_owner("CREATE TABLE cut AS SELECT * FROM release_log WHERE number >= %(n)s", n=number)
    by_owner("DELETE FROM release_log WHERE number >= %(n)s", n=number)
    try:
        assert verify()[-1].startswith(f"entries after {number - 1} are missing: there were ")
    finally:
        by_owner("INSERT INTO release_log SELECT * FROM cut")
        by_owner("DROP TABLE cut")
    assert verify() == []


def by_owner(statement: LiteralString, **values: int) -> None:
    """With nothing in the way: what no role that serves requests can do."""
    with owner_connection() as owner, owner.transaction():
        owner.execute("ALTER TABLE release_log DISABLE TRIGGER USER, NO FORCE ROW LEVEL SECURITY")
        owner.execute(statement, values)
        owner.execute("ALTER TABLE release_log ENABLE TRIGGER USER, FORCE ROW LEVEL SECURITY")


def test_a_key_in_place_of_another_signs_what_follows_and_the_old_releases_stay_good(
    ada: Person, version: Version
) -> None:
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        fresh = rotate_key(session, agency_id=ada.agency_id, now=utcnow())
        assert [key.public_key == fresh for key in keys_of_publisher(session, agency_id=ada.agency_id)] == [True, False]
    later = released(ada, notes(new_slug()))
    assert (entry_of(later).publisher_key, faults(later), faults(version)) == (fresh, [], [])
