"""Uploading, publishing, withdrawing: what an agency may put into the marketplace, and that it stays as it was."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.marketplace.search import Search, search
from app.modules.actions import (
    AlreadyPublished,
    ChecksFailed,
    SlugTaken,
    VersionTooLow,
    delete_draft,
    publish_version,
    set_tier,
    upload_package,
    yank_version,
)
from app.modules.manifest import Problem
from app.modules.models import Blob, Module, NamingConflict, Version
from app.modules.naming import clash_short_id
from app.modules.queries import files_of, latest_published, versions_of
from tests.support.packages import notes, package
from tests.support.world import Person, World


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def olga(world: World) -> Person:
    return world.person(world.agency("Elsewhere"), name="Olga")


def slug() -> str:
    return f"notes-{uuid7().hex[-10:]}"


def upload(person: Person, files: dict[str, bytes]) -> Version:
    with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
        return upload_package(
            session, package=package(files), agency_id=person.agency_id, by=person.actor, now=utcnow()
        )


def release(person: Person, files: dict[str, bytes], *, tier: str = "internal", check: object = None) -> Version:
    version = upload(person, files)
    with tenant_scope(person.agency_id, user_id=person.id), transaction(db.session()) as session:
        row = session.get_one(Version, version.id)
        publish_version(session, version=row, package=package(files), by=person.actor, now=utcnow(), check=check)  # type: ignore[arg-type]
        set_tier(session, module=session.get_one(Module, row.module_id), tier=tier, by=person.actor, now=utcnow())
        return row


def module_of(version: Version) -> Module:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.get_one(Module, version.module_id)


def test_an_upload_is_a_draft_with_its_files(ada: Person) -> None:
    files = notes(slug())
    version = upload(ada, files)
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        assert (version.status, files_of(session, version_id=version.id)) == ("draft", files)


def test_the_same_draft_again_takes_its_place(ada: Person) -> None:
    name = slug()
    first, second = upload(ada, notes(name)), upload(ada, notes(name, extra="      more: {type: text}"))
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        found = versions_of(session, module_id=second.module_id, drafts=True)
    assert ([version.id for version in found], first.module_id) == ([second.id], second.module_id)


def test_equal_contents_are_kept_once(ada: Person, olga: Person) -> None:
    readme = f"# {uuid7()}"
    for person in (ada, olga):
        upload(person, notes(slug(), files={"README.md": readme}))
    with platform_scope("test"), transaction(db.session()) as session:
        assert len(session.scalars(select(Blob).where(Blob.content == readme.encode())).all()) == 1


def test_a_slug_belongs_to_who_took_it_first(ada: Person, olga: Person) -> None:
    name = slug()
    upload(ada, notes(name))
    with pytest.raises(SlugTaken):
        upload(olga, notes(name))


def test_a_published_version_is_refused_a_second_upload(ada: Person) -> None:
    files = notes(slug())
    release(ada, files)
    with pytest.raises(AlreadyPublished):
        upload(ada, files)


@pytest.mark.parametrize(
    "change", ["manifest = '{}'", "digest = repeat('0', 64)", "version = '9.9.9'", "status = 'draft'"]
)
def test_a_published_version_cannot_be_changed_by_any_statement(ada: Person, change: str) -> None:
    version = release(ada, notes(slug()))
    with (
        pytest.raises(DBAPIError, match="is published and cannot"),
        platform_scope("test"),
        transaction(db.session()) as session,
    ):
        session.execute(text(f"UPDATE module_versions SET {change} WHERE id = :id"), {"id": version.id})


def test_removing_a_field_needs_a_major_version(ada: Person) -> None:
    name = slug()
    release(ada, notes(name, extra="      extra: {type: text}"))
    with pytest.raises(VersionTooLow, match=r"must be at least 2\.0\.0"):
        release(ada, notes(name, version="1.1.0"))
    assert release(ada, notes(name, version="2.0.0")).status == "published"


def test_a_failed_check_leaves_the_draft_a_draft(ada: Person) -> None:
    files = notes(slug())
    with pytest.raises(ChecksFailed):
        release(ada, files, check=lambda package: [Problem("", "a test is red")])
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        found = session.scalars(select(Version).where(Version.agency_id == ada.agency_id)).all()
        assert [(version.status, version.published_at) for version in found] == [("draft", None)]


def test_internal_modules_are_in_the_publishers_marketplace_only(ada: Person, olga: Person) -> None:
    name = slug()
    version = release(ada, notes(name))
    assert (shelf(ada, name), shelf(olga, name)) == ([module_of(version).slug], [])


def test_public_modules_are_in_everybodys_marketplace_with_their_publishers_name(ada: Person, olga: Person) -> None:
    name = slug()
    release(ada, notes(name), tier="public")
    with tenant_scope(olga.agency_id), transaction(db.session()) as session:
        cards = search(session, Search(words=tuple(name.split("-")))).items
    assert [(card.slug, card.publisher, card.version) for card in cards] == [(name, "Studio Lumen", "1.0.0")]


def test_drafts_are_in_no_marketplace(ada: Person) -> None:
    name = slug()
    upload(ada, notes(name))
    assert shelf(ada, name) == []


def shelf(person: Person, name: str) -> list[str]:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return [card.slug for card in search(session, Search(words=tuple(name.split("-")))).items]


def test_withdrawing_the_latest_brings_the_one_before_forward(ada: Person) -> None:
    name = slug()
    first = release(ada, notes(name))
    second = release(ada, notes(name, version="1.0.1"))
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        yank_version(session, version=session.get_one(Version, second.id), by=ada.actor, now=utcnow())
    assert module_of(first).latest_version_id == first.id


def test_a_prerelease_is_never_the_latest_while_there_is_a_release(ada: Person) -> None:
    name = slug()
    stable = release(ada, notes(name))
    release(ada, notes(name, version="2.0.0-rc.1"))
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        latest = latest_published(session, module_id=stable.module_id)
        assert latest is not None
        assert latest.version == "1.0.0"


def test_a_draft_can_be_deleted_and_a_release_cannot(ada: Person) -> None:
    draft, released = upload(ada, notes(slug())), release(ada, notes(slug()))
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        delete_draft(session, version=session.get_one(Version, draft.id), by=ada.actor)
        with pytest.raises(AlreadyPublished):
            delete_draft(session, version=session.get_one(Version, released.id), by=ada.actor)


def test_another_agencys_drafts_and_their_contents_are_not_there(ada: Person, olga: Person) -> None:
    version = upload(ada, notes(slug(), files={"README.md": f"# {uuid7()}"}))
    with tenant_scope(olga.agency_id), transaction(db.session()) as session:
        assert (session.get(Version, version.id), files_of(session, version_id=version.id)) == (None, {})


def test_a_clash_of_short_ids_is_settled_and_noted(ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    name = slug()
    taken = module_of(upload(ada, notes(slug())))
    same = UUID(taken.short_id + "0000" + "4000" + "8000" + uuid7().hex[-12:])
    monkeypatch.setattr("app.modules.actions.uuid4", lambda: same)
    module = module_of(upload(ada, notes(name)))
    with platform_scope("test"), transaction(db.session()) as session:
        noted = session.scalars(select(NamingConflict).where(NamingConflict.module_id == module.id)).one()
    assert (module.short_id, noted.wanted_short_id) == (clash_short_id(str(ada.agency_id), name), taken.short_id)
