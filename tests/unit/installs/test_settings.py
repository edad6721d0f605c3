"""Settings against the manifest: defaults, each kind of wrong value, hidden ones, secrets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.installs.actions import configure_install
from app.installs.settings import Known, SettingsInvalid, check_settings, sealed_setting
from app.lib.clock import utcnow
from app.lib.crypto import unseal
from app.modules.manifest import load_manifest
from tests.unit.installs.conftest import Desk

ADA = UUID("0199aaaa-0000-7000-8000-000000000001")
KNOWN = Known(people={ADA}, modules={"crm"})
SETTINGS = """settings:
  - label: Mail
    fields:
      greeting: {type: text, required: true, default: Hello, min: 2, max: 10}
      body: {type: text, multiline: true}
      count: {type: number, min: 1, max: 5}
      share: {type: range, min: 0, max: 10, step: 2.5, default: 5}
      active: {type: boolean, default: false}
      style: {type: enum, options: [plain, fancy], default: plain}
      tint: {type: color}
      fee: {type: money, min: 0}
      token: {type: secret}
      open: {type: hours}
      host: {type: user}
      page: {type: page}
      friend: {type: module}
      links: {type: repeater, min: 0, max: 2, fields: {label: {type: text, required: true}, hue: {type: color}}}
  - label: Shown when fancy
    visible_if: {style: fancy}
    fields:
      ribbon: {type: text, required: true}
"""
MANIFEST = load_manifest(
    f"manifest: 1\nslug: with-settings\nname: S\nsummary: S.\nversion: 1.0.0\ntype: app\n{SETTINGS}"
)


def test_absent_settings_take_their_defaults() -> None:
    assert check_settings(MANIFEST, {}, known=KNOWN).in_force == {
        "greeting": "Hello",
        "body": None,
        "count": None,
        "share": 5,
        "active": False,
        "style": "plain",
        "tint": None,
        "fee": None,
        "open": None,
        "host": None,
        "page": None,
        "friend": None,
        "links": None,
        "ribbon": None,
    }


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("greeting", "  Hi there ", "Hi there"),
        ("body", "one\r\ntwo", "one\ntwo"),
        ("count", 2.5, 2.5),
        ("share", 7.5, 7.5),
        ("active", True, True),
        ("tint", "#AABBCC", "#aabbcc"),
        ("fee", 1999, 1999),
        ("open", {"tue": [["14:00", "18:00"], ["09:00", "12:00"]]}, {"tue": [["09:00", "12:00"], ["14:00", "18:00"]]}),
        ("host", str(ADA), str(ADA)),
        ("friend", "crm", "crm"),
        ("links", [{"label": "Home", "hue": "#AABBCC"}], [{"label": "Home", "hue": "#aabbcc"}]),
        ("count", None, None),
    ],
)
def test_good_values_are_kept_in_one_form(name: str, given: Any, kept: Any) -> None:
    assert check_settings(MANIFEST, {name: given}, known=KNOWN).values[name] == kept


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"nothing": 1}, "/nothing", "unknown_setting"),
        ({"greeting": 7}, "/greeting", "type"),
        ({"greeting": "x"}, "/greeting", "length"),
        ({"greeting": "x" * 11}, "/greeting", "length"),
        ({"greeting": "a\nb"}, "/greeting", "characters"),
        ({"body": "a\x00b"}, "/body", "characters"),
        ({"greeting": ""}, "/greeting", "required"),
        ({"greeting": None}, "/greeting", "required"),
        ({"count": "3"}, "/count", "type"),
        ({"count": True}, "/count", "type"),
        ({"count": 0}, "/count", "min"),
        ({"count": 6}, "/count", "max"),
        ({"count": float("nan")}, "/count", "type"),
        ({"share": 3}, "/share", "step"),
        ({"active": "yes"}, "/active", "type"),
        ({"style": "odd"}, "/style", "option"),
        ({"tint": "red"}, "/tint", "color"),
        ({"fee": 1.5}, "/fee", "type"),
        ({"fee": -1}, "/fee", "min"),
        ({"token": 5}, "/token", "type"),
        ({"open": {"someday": []}}, "/open", "type"),
        ({"open": {"mon": [["9:00", "10:00"]]}}, "/open/mon", "type"),
        ({"open": {"mon": [["10:00", "09:00"]]}}, "/open/mon", "order"),
        ({"open": {"mon": [["09:00", "11:00"], ["10:00", "12:00"]]}}, "/open/mon", "overlap"),
        ({"host": "0199aaaa-0000-7000-8000-000000000002"}, "/host", "unknown_person"),
        ({"host": "somebody"}, "/host", "unknown_person"),
        ({"friend": "shop"}, "/friend", "unknown_module"),
        ({"links": "x"}, "/links", "type"),
        ({"links": [{"label": "a"}] * 3}, "/links", "length"),
        ({"links": [{"label": "a"}, {"hue": "#000000"}]}, "/links/1/label", "required"),
        ({"links": [{"label": "a", "hue": "red"}]}, "/links/0/hue", "color"),
        ({"links": [{"label": "a", "more": 1}]}, "/links/0/more", "unknown_setting"),
        ({"style": "fancy"}, "/ribbon", "required"),
    ],
)
def test_wrong_values_are_refused_with_their_place(given: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(SettingsInvalid) as error:
        check_settings(MANIFEST, given, known=KNOWN)
    assert [(one.pointer, one.code) for one in error.value.errors] == [(pointer, code)]


def test_every_wrong_setting_is_reported_at_once() -> None:
    with pytest.raises(SettingsInvalid) as error:
        check_settings(MANIFEST, {"count": 9, "tint": "red"}, known=KNOWN)
    assert [one.pointer for one in error.value.errors] == ["/count", "/tint"]


def test_secrets_are_sealed_kept_when_left_empty_and_removed_by_none(desk: Desk) -> None:
    keys = desk.config.secret_keys
    install = desk.install(desk.publish(head=SETTINGS), token="s3cret")
    assert "token" not in install.settings
    assert "s3cret" not in install.secrets["token"]
    assert unseal(keys, install.secrets["token"], sealed_setting(install.id, "token")) == "s3cret"
    same = desk.do(configure_install, install, settings={"token": "", "count": 3}, keys=keys, now=utcnow())
    assert (same.secrets, same.settings["count"]) == (install.secrets, 3)
    gone = desk.do(configure_install, install, settings={"token": None}, keys=keys, now=utcnow())
    assert gone.secrets == {}


def test_a_change_of_settings_leaves_the_others_and_is_written_down(desk: Desk) -> None:
    keys = desk.config.secret_keys
    install = desk.install(desk.publish(head=SETTINGS), greeting="Hey", count=2)
    after = desk.do(configure_install, install, settings={"count": 4}, keys=keys, now=utcnow())
    assert (after.settings["greeting"], after.settings["count"]) == ("Hey", 4)
    with desk.scope() as session:
        row = session.execute(
            text("SELECT changes FROM audit_log WHERE action = 'install.configured' AND target = :id"),
            {"id": install.public_id},
        ).one()
    assert row.changes == {"count": [2, 4]}
