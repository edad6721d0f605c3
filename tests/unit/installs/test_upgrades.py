"""Moving an install to another version: what is added, what is refused, the way back."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from psycopg import sql

from app.errors import Invalid
from app.installs import jobs
from app.installs.actions import NotNow, VersionNotPublished, give_role
from app.installs.models import Install, MemberRole
from app.installs.settings import SettingsInvalid
from app.installs.upgrades import ConsentNeeded, WouldLoseData, rollback_install, upgrade_install
from app.lib.clock import utcnow
from app.modules.actions import yank_version
from app.modules.models import Version
from app.runtime.context import forget_install, load_install
from app.runtime.data import Access, Data, Surface
from tests.unit.installs.conftest import Desk

MORE = "mood: {type: enum, options: [good, bad], default: good}\n      note: {type: text}"


def upgraded(desk: Desk, install: Install, version: Version, *, consent: bool = False) -> Install:
    return desk.run(jobs.provision, desk.do(upgrade_install, install, version=version, consent=consent, now=utcnow()))


def test_an_upgrade_adds_fields_and_gives_old_records_their_defaults(desk: Desk) -> None:
    old = desk.publish()
    other = desk.world.site(desk.agency)
    install, others = desk.install(old), desk.install(old, site=other)
    for site in (desk.site, other):
        desk.rows(old, "INSERT INTO guests (site_id, name) VALUES (current_site_id(), 'Ann')", site_id=site.id)
    new = desk.publish(desk.slug(old), version="1.1.0", fields=MORE)
    moved = upgraded(desk, install, new)
    assert (moved.status, moved.version_id, moved.previous_version_id) == ("active", new.id, old.id)
    assert desk.rows(old, "SELECT name, mood, note FROM guests") == [("Ann", "good", None)]
    assert desk.rows(old, "SELECT name, mood FROM guests", site_id=other.id) == [("Ann", None)]
    assert desk.reload(others).version_id == old.id


def test_going_back_hides_what_only_the_newer_version_has_and_upgrading_again_shows_it(desk: Desk) -> None:
    old = desk.publish()
    install = desk.install(old)
    desk.rows(old, "INSERT INTO guests (site_id, name) VALUES (current_site_id(), 'Ann')")
    new = desk.publish(desk.slug(old), version="1.1.0", fields=MORE)
    moved = upgraded(desk, install, new)
    desk.rows(old, "UPDATE guests SET note = 'by the window'")
    back = desk.run(jobs.provision, desk.do(rollback_install, moved, now=utcnow()))
    assert (back.status, back.version_id, back.previous_version_id) == ("active", old.id, new.id)
    assert back.parked_until is not None
    forget_install(install.id)
    data = Data(load_install(install.id), Access(Surface.SYSTEM))
    assert {"mood", "note"} & set(data.list("guests").records[0]) == set()
    data.insert("guests", {"name": "Bea"})
    jobs.purge()  # it is not yet time
    again = upgraded(desk, back, new)
    assert desk.rows(old, "SELECT name, mood, note FROM guests ORDER BY name") == [
        ("Ann", "good", "by the window"), ("Bea", "good", None),
    ]  # fmt: skip
    assert again.version_id == new.id


def test_hidden_values_are_deleted_after_their_30_days(desk: Desk) -> None:
    old = desk.publish()
    install = desk.install(old)
    new = desk.publish(desk.slug(old), version="1.1.0", fields=MORE)
    moved = upgraded(desk, install, new)
    desk.rows(old, "INSERT INTO guests (site_id, name, note) VALUES (current_site_id(), 'Ann', 'secret')")
    back = desk.run(jobs.provision, desk.do(rollback_install, moved, now=utcnow()))
    with desk.scope() as session:
        session.get_one(Install, back.id).parked_until = utcnow() - timedelta(seconds=1)
    jobs.purge()
    assert desk.rows(old, "SELECT name, note, mood FROM guests") == [("Ann", None, None)]
    assert desk.reload(back).parked_until is None


def test_going_back_is_refused_while_records_use_an_option_the_older_version_does_not_know(desk: Desk) -> None:
    old = desk.publish(fields="mood: {type: enum, options: [good, bad]}")
    install = desk.install(old)
    new = desk.publish(desk.slug(old), version="1.1.0", fields="mood: {type: enum, options: [good, bad, odd]}")
    moved = upgraded(desk, install, new)
    desk.rows(old, "INSERT INTO guests (site_id, name, mood) VALUES (current_site_id(), 'Ann', 'odd')")
    kept = desk.run(jobs.provision, desk.do(rollback_install, moved, now=utcnow()))
    assert (kept.status, kept.version_id) == ("active", new.id)
    assert '1 record has "odd" as mood' in kept.failure
    desk.rows(old, "UPDATE guests SET mood = 'good'")


def test_a_version_without_place_for_the_records_is_refused_with_what_would_be_lost(desk: Desk) -> None:
    old = desk.publish(fields="phone: {type: phone}")
    install = desk.install(old)
    new = desk.publish(desk.slug(old), version="2.0.0")
    with pytest.raises(WouldLoseData) as error:
        desk.do(upgrade_install, install, version=new, now=utcnow())
    assert error.value.lost == ['the field "guests.phone" and its values would go']
    assert desk.reload(install).version_id == old.id


def test_more_permissions_need_consent_again(desk: Desk) -> None:
    old = desk.publish()
    install = desk.install(old)
    new = desk.publish(desk.slug(old), version="2.0.0", head="permissions: {email: true}")
    with pytest.raises(ConsentNeeded):
        desk.do(upgrade_install, install, version=new, now=utcnow())
    moved = upgraded(desk, install, new, consent=True)
    assert (moved.version_id, moved.granted["email"]) == (new.id, True)


def test_a_new_required_setting_is_asked_for_before_the_upgrade(desk: Desk) -> None:
    old = desk.publish()
    install = desk.install(old)
    head = "settings: [{label: Mail, fields: {greeting: {type: text, required: true}}}]"
    new = desk.publish(desk.slug(old), version="2.0.0", head=head)
    with pytest.raises(SettingsInvalid):
        desk.do(upgrade_install, install, version=new, now=utcnow())


@pytest.mark.parametrize("which", ["same", "foreign", "withdrawn"])
def test_only_another_published_version_of_the_module_will_do(desk: Desk, which: str) -> None:
    old = desk.publish()
    install = desk.install(old)
    version = {
        "same": lambda: old,
        "foreign": desk.publish,
        "withdrawn": lambda: desk.publish(desk.slug(old), version="1.0.1"),
    }[which]()
    if which == "withdrawn":
        with desk.scope() as session:
            version = session.get_one(Version, version.id)
            yank_version(session, version=version, by=desk.actor, now=utcnow())
    with pytest.raises(VersionNotPublished if which == "withdrawn" else NotNow):
        desk.do(upgrade_install, install, version=version, now=utcnow())


def test_a_failed_upgrade_leaves_the_version_before_in_use(desk: Desk) -> None:
    old = desk.publish()
    install = desk.install(old)
    desk.rows(old, "INSERT INTO guests (site_id, name) VALUES (current_site_id(), 'Ann')")
    new = desk.publish(desk.slug(old), version="1.1.0", fields=MORE)
    ordered = desk.do(upgrade_install, install, version=new, now=utcnow())
    guests = sql.Identifier(desk.schema(old), "guests")
    with psycopg.connect(desk.config.database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN stray text").format(guests))
        failed = desk.run(jobs.provision, ordered)
    assert (failed.status, failed.version_id, failed.previous_version_id) == ("active", old.id, None)
    assert failed.failure.endswith(
        "the column guests.stray should not be there. The version before is in use again and no record was changed."
    )
    assert desk.rows(old, "SELECT name FROM guests") == [("Ann",)]


def test_an_upgrade_that_fails_at_its_last_step_leaves_tables_the_old_version_can_write_to(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = desk.publish()
    install = desk.install(old)
    new = desk.publish(desk.slug(old), version="2.0.0", fields="must: {type: text, required: true}")
    ordered = desk.do(upgrade_install, install, version=new, now=utcnow())

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(jobs, "set_schedules", broken)
    failed = desk.run(jobs.provision, ordered)
    assert (failed.status, failed.version_id) == ("active", old.id)
    desk.rows(old, "INSERT INTO guests (site_id, name) VALUES (current_site_id(), 'Ann')")


def test_members_get_roles_of_the_module(desk: Desk) -> None:
    install = desk.install(desk.publish(head="roles: {host: {label: Host, tables: {guests: [read]}}}"))
    person = desk.world.person(desk.agency, "member")
    desk.do(give_role, install, user_id=person.id, role="host")
    with desk.scope() as session:
        assert session.get_one(MemberRole, (install.id, person.id)).role == "host"
    desk.do(give_role, install, user_id=person.id, role=None)
    with desk.scope() as session:
        assert session.get(MemberRole, (install.id, person.id)) is None


@pytest.mark.parametrize(("role", "stranger"), [("king", False), ("host", True)])
def test_unknown_roles_and_strangers_get_none(desk: Desk, role: str, stranger: bool) -> None:
    install = desk.install(desk.publish(head="roles: {host: {label: Host, tables: {guests: [read]}}}"))
    person = desk.world.person(desk.world.agency() if stranger else desk.agency)
    with pytest.raises(Invalid):
        desk.do(give_role, install, user_id=person.id, role=role)
