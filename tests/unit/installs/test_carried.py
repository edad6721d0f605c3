"""Settings through an upgrade and back: what a version cannot have is asked for, and what was there before comes back."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from sqlalchemy import select

from app.db.base import db
from app.db.scope import tenant_scope
from app.installs import jobs
from app.installs.actions import configure_install
from app.installs.models import Install, ModuleSettings, Move
from app.installs.outcomes import fail
from app.installs.settings import SettingsInvalid, sealed_setting
from app.installs.since import csv_of, file_name
from app.installs.upgrades import rollback_install, upgrade_install
from app.lib.clock import utcnow
from app.lib.crypto import unseal
from app.lib.storage import storage
from app.modules.models import Version
from app.runtime.context import forget_install, load_install
from tests.unit.installs.conftest import Desk

OLD = (
    "settings: [{label: Look, fields: {mode: {type: enum, options: [a, b, c], required: true}, size: {type: number},"
    " title: {type: text}, key: {type: secret}}}]"
)
NEW = (
    "settings: [{label: Look, fields: {mode: {type: enum, options: [x, y], default: y}, size: {type: text, default: medium},"
    " title: {type: text}, key: {type: secret}, extra: {type: text}}}]"
)


def staged(desk: Desk) -> tuple[Version, Version, Install]:
    old = desk.publish(head=OLD)
    install = desk.install(old, mode="b", size=5, title="Hello", key="first")
    return old, desk.publish(desk.slug(old), version="2.0.0", head=NEW), install


def upgraded(desk: Desk, install: Install, new: Version, **settings: Any) -> Install:
    given = {"settings": settings, "keys": desk.config.secret_keys, "now": utcnow()}
    return desk.run(jobs.provision, desk.do(upgrade_install, install, version=new, **given))


def back(desk: Desk, install: Install, records: Literal["keep", "put_back"]) -> Install:
    return desk.run(jobs.provision, desk.do(rollback_install, install, records=records, now=utcnow()))


def configured(desk: Desk, install: Install, **settings: Any) -> Install:
    return desk.do(configure_install, install, settings=settings, keys=desk.config.secret_keys, now=utcnow())


def served(install: Install) -> dict[str, Any]:
    forget_install(install.id)
    return dict(load_install(install.id).settings)


def last_move(desk: Desk, install: Install) -> Move:
    with desk.scope() as session:
        move = session.scalars(
            select(Move).where(Move.install_id == install.id).order_by(Move.id.desc()).limit(1)
        ).one()
        session.expunge(move)
    return move


def key_of(desk: Desk, install: Install) -> str:
    return unseal(desk.config.secret_keys, install.secrets["key"], sealed_setting(install.id, "key"))


def test_a_value_the_version_cannot_have_has_to_be_chosen(desk: Desk) -> None:
    _, new, install = staged(desk)
    with pytest.raises(SettingsInvalid) as caught:
        desk.do(upgrade_install, install, version=new, settings={"mode": "x"}, now=utcnow())
    assert [(one.pointer, one.code, one.detail) for one in caught.value.errors] == [
        (
            "/size",
            "unfit",
            "Size: this site has 5, which the other version cannot have. Choose what it is from then on.",
        )
    ]
    moved = upgraded(desk, install, new, mode="x", size="large")
    assert served(moved) == {"mode": "x", "size": "large", "title": "Hello"}


@pytest.mark.parametrize("records", ["keep", "put_back"])
def test_going_back_restores_the_settings_of_before(desk: Desk, records: Literal["keep", "put_back"]) -> None:
    _, new, install = staged(desk)
    moved = upgraded(desk, install, new, mode="x", size="large")
    gone_back = back(desk, moved, records)
    assert served(gone_back) == {"mode": "b", "size": 5, "title": "Hello"}
    assert gone_back.settings == {"mode": "b", "size": 5, "title": "Hello"}
    move = last_move(desk, install)
    assert move.file_rows["settings_left"] == ["mode", "size"]
    file = storage().read(file_name(move.agency_id, move.id)).splitlines()
    assert json.loads(file[0])["settings"] == [
        {
            "setting": "mode",
            "before": "b",
            "value": "x",
            "stays": False,
            "why": "a value the older version cannot have",
        },
        {
            "setting": "size",
            "before": 5,
            "value": "large",
            "stays": False,
            "why": "a value the older version cannot have",
        },
    ]
    _, mode, size = b"".join(csv_of(iter(file))).decode().splitlines()
    assert mode == '(settings),mode,changed,no,a value the older version cannot have,"""x""","""b"""'
    assert size.endswith(',"""large""",5')


def test_what_people_set_since_stays_with_the_records_and_goes_with_them(desk: Desk) -> None:
    _, new, install = staged(desk)
    moved = configured(
        desk, upgraded(desk, install, new, mode="x", size="large"), title="Since", key="second", extra="more"
    )
    kept = back(desk, moved, "keep")
    assert served(kept) == {"mode": "b", "size": 5, "title": "Since"}
    assert (kept.settings["extra"], key_of(desk, kept)) == ("more", "second")
    again = configured(desk, upgraded(desk, kept, new, mode="y", size="large"), title="Once more", key="third")
    put_back = back(desk, again, "put_back")
    assert served(put_back) == {"mode": "b", "size": 5, "title": "Since"}
    assert key_of(desk, put_back) == "third"  # it is in no file, and the one before may be revoked
    assert last_move(desk, install).file_rows["settings_left"] == ["mode", "size", "title"]


def test_an_upgrade_that_fails_leaves_the_settings_as_they_were(desk: Desk) -> None:
    _, new, install = staged(desk)
    given = {"settings": {"mode": "x", "size": "large", "key": "other"}, "keys": desk.config.secret_keys}
    ordered = desk.do(upgrade_install, install, version=new, now=utcnow(), **given)
    assert ordered.settings["mode"] == "x"
    with tenant_scope(desk.agency.id):
        fail(db.session(), install.id, "The disk is full.", now=utcnow())
    after = desk.reload(install)
    assert (after.settings, key_of(desk, after)) == ({"mode": "b", "size": 5, "title": "Hello"}, "first")


def test_a_value_from_above_that_the_version_cannot_have_is_asked_for_too(desk: Desk) -> None:
    old, new, install = staged(desk)
    plain = desk.install(old, site=desk.world.site(desk.agency), mode="a")
    with desk.scope() as session:
        session.add(ModuleSettings(agency_id=desk.agency.id, module_id=old.module_id, settings={"size": 7}))
    with pytest.raises(SettingsInvalid) as caught:
        desk.do(upgrade_install, plain, version=new, settings={"mode": "x"}, now=utcnow())
    assert [one.detail for one in caught.value.errors] == [
        "Size: the agency gives 7, which the other version cannot have. Choose what it is from then on."
    ]
    assert served(upgraded(desk, plain, new, mode="x", size="small")) == {"mode": "x", "size": "small"}
    assert served(install)["size"] == 5


def test_a_value_that_a_version_cannot_have_is_never_served(desk: Desk) -> None:
    """Such as one that an upgrade of long ago has left there."""
    old, _, install = staged(desk)
    with desk.scope() as session:
        session.get_one(Install, install.id).settings = {"mode": "x", "size": "large", "title": "Hello"}
    assert served(install) == {"title": "Hello"}
    assert configured(desk, install, mode="c").settings["mode"] == "c"
    assert served(install) == {"mode": "c", "title": "Hello"}
    assert old.version == "1.0.0"


def test_the_copy_of_the_settings_goes_with_the_copy_of_the_records(desk: Desk) -> None:
    _, new, install = staged(desk)
    upgraded(desk, install, new, mode="x", size="large")
    move = last_move(desk, install)
    assert move.own_before is not None
    assert "first" not in json.dumps(move.own_before)
    with desk.scope() as session:
        session.get_one(Move, move.id).keep_until = utcnow()
    jobs.purge()
    assert (last_move(desk, install).own_before, last_move(desk, install).own_after) == (None, None)
