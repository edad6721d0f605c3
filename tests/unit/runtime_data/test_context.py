"""Finding an install, keeping it for a moment, dropping it when it changes."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import NotFound
from app.queue.enqueue import redis
from app.runtime import context as contexts
from app.runtime.context import CHANNEL, InstallNotReady, find_install, forget_install, load_install, version_files
from tests.unit.runtime_data.conftest import install


def change(install_id, values):
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text(f"UPDATE modules_v2 SET {values} WHERE id = :id"), {"id": install_id})


def test_an_install_is_found_by_every_name_of_its_module(here, modules):
    module = modules[0]
    for reference in (module.slug, module.short_id, str(module.id)):
        found = find_install(here.context.site_id, reference)
        assert (found.install_id, found.module_slug, found.schema) == (
            here.context.install_id, module.slug, f"mod_{module.short_id}",
        )  # fmt: skip
    assert found.site.time_zone == here.context.site.time_zone
    assert found.manifest == module.manifest


@pytest.mark.parametrize(
    "reference", ["nope", "", "x" * 100, "a\x00b", "' OR 1=1 --", "6fcd8cf2-2b9c-44cd-87f1-7b93a94e4882"]
)
def test_a_module_that_is_not_on_the_site_is_not_found(here, reference):
    with pytest.raises(NotFound):
        find_install(here.context.site_id, reference)


def test_a_module_of_another_site_is_not_found(here, there, modules):
    with pytest.raises(NotFound):
        find_install(here.context.site_id, modules[1].slug)
    with pytest.raises(NotFound):
        find_install(uuid4(), modules[0].slug)
    with pytest.raises(NotFound):
        load_install(uuid4())


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("provisioning", InstallNotReady),
        ("failed", InstallNotReady),
        ("paused", InstallNotReady),
        ("removing", NotFound),
        ("removed", NotFound),
    ],
)
def test_only_active_installs_serve(world, modules, status, refusal):
    install_id = install(modules[0], world.site(world.agency()), status=status)
    with pytest.raises(refusal):
        load_install(install_id)


def test_an_archived_site_does_not_serve(here):
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("UPDATE sites SET archived_at = now() WHERE id = :id"), {"id": here.context.site_id})
    forget_install(here.context.install_id)
    with pytest.raises(InstallNotReady):
        load_install(here.context.install_id)


def test_a_context_is_kept_until_news_of_a_change_comes(here):
    install_id = here.context.install_id
    first = load_install(install_id)
    assert load_install(install_id) is first
    change(install_id, "status = 'paused'")
    assert load_install(install_id) is first
    deadline = time.monotonic() + 4
    while install_id in contexts._contexts and time.monotonic() < deadline:
        redis().publish(CHANNEL, str(install_id))
        time.sleep(0.02)
    with pytest.raises(InstallNotReady):
        load_install(install_id)


def test_a_context_is_not_kept_for_longer_than_its_time(here, monkeypatch):
    install_id = here.context.install_id
    load_install(install_id)
    change(install_id, "status = 'paused'")
    now = time.monotonic
    monkeypatch.setattr(contexts.time, "monotonic", lambda: now() + contexts.TTL_S + 0.1)
    with pytest.raises(InstallNotReady):
        load_install(install_id)


def test_secrets_of_the_settings_stay_sealed_and_out_of_sight(here):
    change(here.context.install_id, 'settings = \'{"title": "x", "gone": 1}\', secrets = \'{"key": "v1.sealed"}\'')
    forget_install()
    found = load_install(here.context.install_id)
    assert dict(found.settings) == {"title": "x"}  # "gone" is of another version
    assert {name: one.text for name, one in found.sealed.items()} == {"key": "v1.sealed"}
    assert "v1.sealed" not in repr(found)


def test_the_files_of_a_version(here):
    assert dict(version_files(here.context)) == {}
    assert version_files(here.context) is version_files(here.context)
