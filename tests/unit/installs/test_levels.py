"""What agencies and clients give to their installs: what a change touches, what runs with it, who can see it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.installs.actions import configure_install
from app.installs.level_actions import LevelChange, LevelPlan, plan_level, save_level
from app.installs.models import Install, ModuleSettings
from app.installs.settings import SettingsInvalid
from app.installs.upgrades import upgrade_install
from app.lib.clock import utcnow
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.runtime.context import forget_install, load_install
from app.runtime.functions.ctx import settings_with_secrets
from app.tenancy.models import Client, Site
from tests.unit.installs.conftest import Desk

SETTINGS = """settings:
  - label: All
    fields:
      title: {type: text, default: Hello, max: 20}
      tint: {type: color}
      token: {type: secret}
      needed: {type: text, required: true}
"""


def give(
    desk: Desk, version: Version, client: Client | None = None, *, only_plan: bool = False, **change: Any
) -> LevelPlan:
    with desk.scope() as session:
        module = session.get_one(Module, version.module_id)
        manifest = Manifest.from_dict(session.get_one(Version, version.id).manifest)
        place: dict[str, Any] = {"manifest": manifest, "agency_id": desk.agency.id, "client": client}
        if only_plan:
            return plan_level(session, module_id=module.id, change=LevelChange(**change), **place)
        return save_level(
            session, module=module, change=LevelChange(**change), keys=desk.config.secret_keys, by=desk.actor,
            now=utcnow(), **place,
        )  # fmt: skip


def running(install: Install) -> dict[str, Any]:
    """What pages and functions of the install work with now."""
    forget_install()
    return dict(settings_with_secrets(load_install(install.id)))


@pytest.fixture
def version(desk: Desk) -> Version:
    return desk.publish(head=SETTINGS)


def other_site(desk: Desk) -> Site:
    return desk.world.site(desk.agency, name="Quinta")


def client_of(desk: Desk, site: Site) -> Client:
    with desk.scope() as session:
        client = session.get_one(Client, site.client_id)
        session.expunge(client)
        return client


def test_values_and_secrets_reach_the_installs_below(desk: Desk, version: Version) -> None:
    here, there = (
        desk.install(version, needed="n"),
        desk.install(version, site=other_site(desk), needed="n", title="Own"),
    )
    give(desk, version, give={"title": "Agency", "token": "s3cret"})
    give(desk, version, client_of(desk, desk.site), give={"title": "Client"})
    assert [(found["title"], found["token"]) for found in (running(here), running(there))] == [
        ("Client", "s3cret"), ("Own", "s3cret"),
    ]  # fmt: skip
    with desk.scope() as session:
        kept = session.scalars(select(ModuleSettings).where(ModuleSettings.client_id.is_(None))).one()
    assert "s3cret" not in str(kept.secrets)


def test_what_a_change_would_touch_is_counted_before_it_is_made(desk: Desk, version: Version) -> None:
    desk.install(version, needed="n", title="Own")
    for _ in range(2):
        desk.install(version, site=other_site(desk), needed="n")
    plan = give(desk, version, give={"title": "Agency"}, lock={"tint": ""}, only_plan=True)
    assert [(one.name, one.before, one.after, one.sites, one.aside) for one in plan.touches] == [
        ("tint", "empty", "empty", 3, 0), ("title", "Hello", "Agency", 2, 0),
    ]  # fmt: skip
    assert (len(plan.sites), plan.installs) == (3, 3)
    locked = give(desk, version, give={"title": "Agency"}, lock={"title": "Same everywhere"}, only_plan=True)
    assert [(one.name, one.sites, one.aside) for one in locked.touches] == [("title", 3, 1)]


def test_a_lock_sets_the_sites_value_aside_until_it_is_taken_away(desk: Desk, version: Version) -> None:
    install = desk.install(version, needed="n", title="Own")
    give(desk, version, give={"title": "Agency"}, lock={"title": "Same everywhere"})
    assert running(install)["title"] == "Agency"
    with pytest.raises(SettingsInvalid) as refused:
        desk.do(configure_install, install, settings={"title": "Mine"}, keys=desk.config.secret_keys, now=utcnow())
    assert [(one.pointer, one.code) for one in refused.value.errors] == [("/title", "locked")]
    with pytest.raises(SettingsInvalid):
        give(desk, version, client_of(desk, desk.site), give={"title": "Client"})
    give(desk, version, unlock=frozenset({"title"}))
    assert running(install)["title"] == "Own"


def test_what_a_site_lives_on_cannot_be_taken_away(desk: Desk, version: Version) -> None:
    give(desk, version, give={"needed": "from us"})
    install = desk.install(version)
    assert (install.status, running(install)["needed"]) == ("active", "from us")
    with pytest.raises(SettingsInvalid) as refused:
        give(desk, version, take=frozenset({"needed"}))
    assert "Harbour Dental would have no value left" in refused.value.message
    assert running(install)["needed"] == "from us"


def test_versions_side_by_side_each_take_what_they_can_have(desk: Desk, version: Version) -> None:
    old = desk.install(version, needed="n")
    changed = SETTINGS.replace("title: {type: text, default: Hello, max: 20}", "title: {type: number, default: 1}")
    newer = desk.publish(desk.slug(version), version="2.0.0", head=changed)
    new = desk.install(newer, site=other_site(desk), needed="n")
    plan = give(desk, newer, give={"title": 7})
    assert [(one.name, one.sites, one.unlike) for one in plan.touches] == [("title", 1, 1)]
    assert (running(old)["title"], running(new)["title"]) == ("Hello", 7)


def test_an_upgrade_is_satisfied_by_what_the_agency_gives(desk: Desk, version: Version) -> None:
    install = desk.install(version, needed="n")
    more = SETTINGS + "      extra: {type: text, required: true}\n"
    newer = desk.publish(desk.slug(version), version="2.0.0", head=more)
    with pytest.raises(SettingsInvalid):
        desk.do(upgrade_install, install, version=newer, now=utcnow())
    give(desk, newer, give={"extra": "from us"})
    assert desk.do(upgrade_install, install, version=newer, now=utcnow()).version_id == newer.id


def test_a_change_is_written_down_without_secrets(desk: Desk, version: Version) -> None:
    give(desk, version, give={"title": "One", "token": "s3cret"}, lock={"title": "Why not"})
    give(desk, version, give={"title": "Two"}, unlock=frozenset({"title"}))
    with desk.scope() as session:
        rows = session.execute(
            text("SELECT changes FROM audit_log WHERE action = 'module.settings_changed' ORDER BY at, id")
        ).scalars()
        assert list(rows) == [
            {"title": [None, "One"], "token": [None, "••••"], "lock of title": [None, "Why not"]},
            {"title": ["One", "Two"], "lock of title": ["Why not", None]},
        ]


def test_all_touched_installs_are_announced_in_one_message(
    desk: Desk, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    installs = [desk.install(version, needed="n"), desk.install(version, site=other_site(desk), needed="n")]
    monkeypatch.setattr(
        "app.installs.actions.redis", lambda: type("Said", (), {"publish": lambda _, *one: said.append(one)})()
    )
    give(desk, version, give={"title": "Agency"})
    assert [set(message.split(",")) for channel, message in said if channel == "dramac:install-changed"] == [
        {str(one.id) for one in installs}
    ]


def test_levels_of_another_agency_are_not_to_be_seen(desk: Desk, version: Version) -> None:
    give(desk, version, give={"title": "Agency"})
    stranger = desk.world.agency("Elsewhere")
    with desk.scope(stranger) as session:
        assert session.scalars(select(ModuleSettings)).all() == []
    with desk.scope() as session:
        assert len(session.scalars(select(ModuleSettings)).all()) == 1


def test_a_level_cannot_be_written_for_another_agency(desk: Desk, version: Version) -> None:
    stranger = desk.world.agency("Elsewhere")
    with (
        tenant_scope(stranger.id),
        pytest.raises(Exception, match="row-level security"),
        desk.scope(stranger) as session,
    ):
        session.add(ModuleSettings(agency_id=desk.agency.id, module_id=version.module_id))


def test_a_clients_level_cannot_point_at_another_agencys_client(desk: Desk, version: Version) -> None:
    theirs = desk.world.client(desk.world.agency("Elsewhere"))
    with (
        pytest.raises(IntegrityError, match="foreign key"),
        platform_scope("test"),
        transaction(db.session()) as session,
    ):
        session.add(ModuleSettings(agency_id=desk.agency.id, client_id=theirs.id, module_id=version.module_id))
