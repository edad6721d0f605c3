"""The rule of inherited settings, against a plain reading of it; and what locks and versions side by side make of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.installs.inheritance import Level, resolve
from app.installs.settings import Known, SettingsInvalid, check_level, check_settings
from app.modules.manifest import load_manifest

SETTINGS = """settings:
  - label: All
    fields:
      title: {type: text, default: Hello, max: 10}
      plain: {type: text}
      count: {type: number, min: 1, max: 5}
      active: {type: boolean, default: true}
      token: {type: secret}
      alone: {type: text, inherit: false}
      open: {type: text, lock: false}
      friend: {type: module}
      needed: {type: text, required: true}
"""
MANIFEST = load_manifest(f"manifest: 1\nslug: inherits\nname: S\nsummary: S.\nversion: 1.0.0\ntype: app\n{SETTINGS}")
IDS = {kind: UUID(int=number) for number, kind in enumerate(("agency", "client", "site"), 1)}
WHO = {"name": "Ada Bright", "at": "2026-11-29T08:00:00Z", "reason": "One look everywhere"}


def level(kind: str, values: dict[str, Any] | None = None, *, locks: tuple[str, ...] = (), **sealed: str) -> Level:
    return Level(kind, IDS[kind], values or {}, sealed, dict.fromkeys(locks, WHO))


def in_force(*levels: Level) -> dict[str, Any]:
    return {name: one.value for name, one in resolve(MANIFEST, levels).items()}


def test_the_nearest_level_that_gives_a_value_decides() -> None:
    agency, client = level("agency", {"title": "A", "count": 2}), level("client", {"title": "C"})
    found = resolve(MANIFEST, [agency, client, level("site", {"plain": "S"})])
    assert {name: (found[name].value, found[name].source) for name in ("title", "count", "plain", "active")} == {
        "title": ("C", "client"), "count": (2, "agency"), "plain": ("S", "site"), "active": (True, "default"),
    }  # fmt: skip


def test_no_value_of_ones_own_is_a_value() -> None:
    assert in_force(level("agency", {"title": "A"}), level("site", {"title": None}))["title"] is None


def test_a_lock_keeps_what_the_locking_level_comes_to_and_says_who_and_why() -> None:
    found = resolve(
        MANIFEST,
        [level("agency", {"title": "A"}), level("client", {}, locks=("title",)), level("site", {"title": "S"})],
    )["title"]
    assert (found.value, found.source, found.aside) == ("A", "agency", True)
    assert found.lock is not None
    assert (found.lock.level, found.lock.name, found.lock.reason) == ("client", "Ada Bright", "One look everywhere")


def test_the_highest_lock_is_the_one_that_counts() -> None:
    found = resolve(
        MANIFEST,
        [
            level("agency", {"title": "A"}, locks=("title",)),
            level("client", {"title": "C"}, locks=("title",)),
            level("site"),
        ],
    )["title"]
    assert (found.value, found.lock.level if found.lock else None) == ("A", "agency")


def test_what_a_module_keeps_to_the_site_does_not_come_from_above() -> None:
    found = in_force(level("agency", {"alone": "A", "friend": "crm"}, locks=("alone",)), level("site", {"alone": "S"}))
    assert (found["alone"], found["friend"]) == ("S", None)


def test_a_setting_that_must_stay_open_is_not_locked() -> None:
    assert in_force(level("agency", {"open": "A"}, locks=("open",)), level("site", {"open": "S"}))["open"] == "S"


@pytest.mark.parametrize("value", ["three", 9, None])
def test_a_value_from_above_that_this_version_cannot_have_is_passed_over(value: Any) -> None:
    found = resolve(MANIFEST, [level("agency", {"count": value}), level("site")])["count"]
    assert (found.value, found.source) == (None, "agency" if value is None else "default")


def test_a_secret_is_opened_with_what_it_was_sealed_for() -> None:
    from_above = resolve(MANIFEST, [level("agency", token="a"), level("site")])["token"]
    own = resolve(MANIFEST, [level("agency", token="a"), level("site", token="s")])["token"]
    assert (from_above.sealed, from_above.sealed_for) == ("a", f"module_settings.secrets|token|{IDS['agency']}")
    assert (own.sealed, own.sealed_for) == ("s", f"modules_v2.secrets|token|{IDS['site']}")
    assert "sealed=" not in repr(own)


values = st.dictionaries(st.sampled_from(["title", "plain", "open"]), st.sampled_from(["x", "y", None]), max_size=3)
locks = st.lists(st.sampled_from(["title", "plain", "open"]), max_size=2, unique=True)


@settings(max_examples=200, deadline=None)
@given(values, locks, values, locks, values)
def test_the_rule_is_the_plain_one(
    agency: dict[str, Any],
    agency_locks: list[str],
    client: dict[str, Any],
    client_locks: list[str],
    site: dict[str, Any],
) -> None:
    """Read downwards: a level's own value replaces what came; below a lock nothing replaces it any more."""
    found = resolve(
        MANIFEST,
        [
            level("agency", agency, locks=tuple(agency_locks)), level("client", client, locks=tuple(client_locks)),
            level("site", site),
        ],
    )  # fmt: skip
    for name, default in (("title", "Hello"), ("plain", None), ("open", None)):
        expected, source, locked = default, "default", None
        for kind, own, own_locks in (
            ("agency", agency, agency_locks),
            ("client", client, client_locks),
            ("site", site, []),
        ):
            if name in own and locked is None:
                expected, source = own[name], kind
            if name in own_locks and locked is None and name != "open":
                locked = kind
        one = found[name]
        assert (one.value, one.source, one.lock.level if one.lock else None) == (expected, source, locked)
        assert one.aside == (locked is not None and name in site)


def test_a_required_setting_is_satisfied_from_above() -> None:
    with pytest.raises(SettingsInvalid):
        check_settings(MANIFEST, {}, known=Known())
    checked = check_settings(MANIFEST, {}, known=Known(), above=[level("agency", {"needed": "A"})])
    assert (checked.values, checked.in_force["needed"]) == ({}, "A")


def test_a_locked_setting_is_refused_with_who_and_why() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        check_settings(MANIFEST, {"title": "S"}, known=Known(), above=[level("agency", locks=("title",))])
    assert [(one.pointer, one.code, one.detail) for one in refused.value.errors] == [
        ("/title", "locked", "Title is locked: Ada Bright locked it for all sites of the agency: One look everywhere.")
    ]


def test_going_back_leaves_it_to_the_level_above() -> None:
    above = [level("agency", {"needed": "A", "title": "T"})]
    checked = check_settings(
        MANIFEST, {}, known=Known(), before={"title": "S", "needed": "N"}, above=above, inherit=["title"]
    )
    assert (checked.values, checked.in_force["title"]) == ({"needed": "N"}, "T")


@pytest.mark.parametrize(
    ("given_", "code"),
    [
        ({"alone": "x"}, "site_alone"),
        ({"friend": "crm"}, "site_alone"),
        ({"count": 9}, "max"),
        ({"odd": 1}, "unknown_setting"),
    ],
)
def test_what_a_level_may_not_give(given_: dict[str, Any], code: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        check_level(MANIFEST, given_, known=Known())
    assert [one.code for one in refused.value.errors] == [code]
