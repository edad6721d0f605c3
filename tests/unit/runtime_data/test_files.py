"""Files and records: one file, one record; whoever reads the record reads the file; what no record holds goes."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.access.actors import Actor
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import AppError, Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.lib.storage import storage
from app.runtime.data import Access, Data, Surface
from app.runtime.files import actions, jobs
from app.runtime.files.actions import FileTooLarge, NoFilesHere, StorageFull, store_file
from app.runtime.files.kinds import FileNotAccepted
from app.runtime.files.queries import StoredFile, find_files, object_name, open_bytes, readable_file, upload_fields
from tests.support import files
from tests.support.installed import Installed, put_on_site
from tests.support.world import World


@pytest.fixture
def album(world: World) -> Installed:
    agency = world.agency()
    return put_on_site(agency, world.site(agency), files.ALBUM)


def as_(album: Installed, surface: Surface, kind: str = "person") -> Data:
    return Data(album.data.context, Access(surface, Actor(kind, uuid7() if kind == "person" else None)))  # type: ignore[arg-type]  # one of the kinds


def send(data: Data, content: bytes = files.PDF, name: str = "plan.pdf") -> str:
    fields = upload_fields(data.context, data.access)
    return str(store_file(data.context, data.access, io.BytesIO(content), name=name, fields=fields).id)


def wrong(act: Any, *given: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        act(*given)
    return [(one.pointer, one.code) for one in caught.value.errors]


def state(album: Installed, file_id: str) -> str | None:
    found = find_files(album.data, [UUID(file_id)]).get(UUID(file_id))
    return found.state if found else None


def test_a_record_holds_what_the_platform_knows_of_a_file(album: Installed) -> None:
    photo, plan = send(album.data, files.picture(), "me.png"), send(album.data)
    liar = {"id": plan, "name": "../x.exe", "type": "text/html", "size": 1}
    card = album.add("cards", name="One", photo=photo, papers=[liar])
    kept = storage().read(object_name(album.data.context, UUID(photo)))
    assert card["photo"] == {
        "id": photo, "name": "me.png", "type": "image/png", "size": len(kept), "width": 40, "height": 30,
    }  # fmt: skip
    assert card["papers"] == [{"id": plan, "name": "plan.pdf", "type": "application/pdf", "size": len(files.PDF)}]
    same = album.data.update("cards", UUID(card["id"]), {"photo": card["photo"], "papers": [plan]})
    assert same.version == 1  # what is there already changes nothing
    more = send(album.data, name="more.pdf")
    longer = album.data.update("cards", UUID(card["id"]), {"papers": [plan, more]}).values
    assert [one["id"] for one in longer["papers"]] == [plan, more]


def test_a_file_is_held_by_one_record_and_fits_its_field(album: Installed) -> None:
    plan, photo = send(album.data), send(album.data, files.picture(), "me.png")
    album.add("cards", name="One", papers=[plan])
    insert = album.data.insert
    assert wrong(insert, "cards", {"name": "Two", "papers": [plan]}) == [("/papers", "unknown_file")]
    assert wrong(insert, "cards", {"name": "Two", "photo": str(uuid7())}) == [("/photo", "unknown_file")]
    assert wrong(insert, "cards", {"name": "Two", "papers": [photo, photo]}) == [("/papers", "twice")]
    assert wrong(insert, "cards", {"name": "Two", "papers": [photo]}) == [("/papers", "file_type")]
    heavy = send(album.data, files.PDF + b"\n" * (3 << 20), "heavy.pdf")
    assert wrong(album.data.insert_many, "cards", [{"name": "A"}, {"name": "B", "papers": [heavy]}]) == [
        ("/1/papers", "max")
    ]
    assert [state(album, one) for one in (photo, heavy)] == ["pending", "pending"]


def test_a_file_is_read_with_the_right_to_its_record(album: Installed, world: World) -> None:
    staff, public, api = (as_(album, one) for one in (Surface.STAFF, Surface.PUBLIC, Surface.API))
    photo, inside, scan = (send(staff) if name != "p" else send(staff, files.picture(), "a.png") for name in "pis")
    assert readable_file(staff, UUID(scan)).name == "plan.pdf"  # one's own, before a record holds it
    with pytest.raises(NotFound):
        readable_file(as_(album, Surface.STAFF), UUID(scan))
    card = album.add("cards", name="One", photo=photo, inside=inside)
    album.add("notes", text="Mine", scan=scan)
    can = {
        (surface, name): _reads(data, file_id)
        for surface, data in (("staff", staff), ("public", public), ("api", api))
        for name, file_id in (("photo", photo), ("inside", inside), ("scan", scan))
    }
    assert can == {
        ("staff", "photo"): True, ("staff", "inside"): True, ("staff", "scan"): True,
        ("public", "photo"): True, ("public", "inside"): False, ("public", "scan"): False,
        ("api", "photo"): True, ("api", "inside"): False, ("api", "scan"): False,
    }  # fmt: skip
    other = world.agency()
    elsewhere = put_on_site(other, world.site(other), files.ALBUM)
    assert not _reads(elsewhere.data, photo)
    assert wrong(elsewhere.data.insert, "cards", {"name": "x", "photo": photo}) == [("/photo", "unknown_file")]
    album.data.delete("cards", UUID(card["id"]))
    assert not _reads(staff, photo)


def _reads(data: Data, file_id: str) -> bool:
    try:
        with open_bytes(data.context, readable_file(data, UUID(file_id)))[0] as content:
            return bool(content.read())
    except NotFound:
        return False


def test_the_public_uses_what_came_from_the_public_alone(album: Installed) -> None:
    public = as_(album, Surface.PUBLIC, "visitor")
    staff_file, own = send(album.data, files.picture(), "a.png"), send(public, files.picture(), "b.png")
    assert wrong(public.insert, "cards", {"name": "x", "photo": staff_file}) == [("/photo", "unknown_file")]
    public.insert("cards", {"name": "x", "photo": own})
    assert state(album, own) == "attached"


@pytest.mark.parametrize(
    ("content", "name", "error"),
    [
        (files.SVG, "logo.svg", FileNotAccepted),
        (files.bomb(50_000, 50_000), "bomb.png", FileNotAccepted),
        (b"", "empty.pdf", FileNotAccepted),
        (files.PDF + b" " * (51 << 20), "huge.pdf", FileTooLarge),
    ],
)
def test_what_is_refused_leaves_nothing(album: Installed, content: bytes, name: str, error: type[AppError]) -> None:
    with pytest.raises(error):
        send(album.data, content, name)
    with platform_scope("test"), transaction(db.session()) as session:
        kept = session.scalar(
            text("SELECT count(*) FROM module_files WHERE install_id = :i"), {"i": album.data.context.install_id}
        )
    assert kept == 0


def test_a_site_has_so_much_space_and_a_caller_without_a_field_none(
    album: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoFilesHere):
        store_file(album.data.context, album.data.access, io.BytesIO(files.PDF), name="a.pdf", fields=[])
    monkeypatch.setitem(actions._quota, "bytes", len(files.PDF) * 2)
    send(album.data), send(album.data)
    with pytest.raises(StorageFull):
        send(album.data)


def test_what_no_record_holds_is_swept_after_a_day(album: Installed) -> None:
    old, fresh, held = send(album.data), send(album.data), send(album.data)
    album.add("cards", name="x", papers=[held])
    age(old, 25), age(held, 25)
    jobs.sweep()
    assert [state(album, one) for one in (old, fresh, held)] == [None, "pending", "attached"]
    assert [storage().exists(object_name(album.data.context, UUID(one))) for one in (old, fresh, held)] == [
        False, True, True,
    ]  # fmt: skip


def test_files_of_a_deleted_record_are_let_go_and_come_back_with_it(album: Installed) -> None:
    photo = send(album.data, files.picture(), "a.png")
    card = album.add("cards", name="x", photo=photo)
    batch = album.data.delete("cards", UUID(card["id"]))
    follow(album)
    assert state(album, photo) == "released"
    album.data.restore(batch)
    assert readable_file(album.data, UUID(photo)).name == "a.png"  # its bytes are still there
    follow(album)
    assert state(album, photo) == "attached"
    album.data.update("cards", UUID(card["id"]), {"photo": None})
    follow(album)
    assert state(album, photo) == "released"
    age(photo, 31 * 24)
    jobs.follow()
    assert state(album, photo) is None
    assert not storage().exists(object_name(album.data.context, UUID(photo), size="small"))


def test_bytes_without_a_row_are_found(album: Installed) -> None:
    send(album.data)
    lost = uuid7()
    strays = [object_name(album.data.context, lost, size=size) for size in ("", "small", "medium")]
    for stray in strays:
        storage().write(stray, b"half a transaction")
    follow(album, later=timedelta(hours=25))
    assert not any(storage().exists(stray) for stray in strays)


def test_a_size_that_is_not_kept_is_the_next_smaller_one(album: Installed) -> None:
    large = readable_file(album.data, UUID(send(album.data, files.picture(size=(1200, 600)), "a.png")))
    plan = readable_file(album.data, UUID(send(album.data)))

    def opened(size: str, file: StoredFile = large) -> str:
        content, _, found = open_bytes(album.data.context, file, size=size)
        content.close()
        return found

    assert [opened(size) for size in ("", "small", "medium", "huge")] == ["", "small", "medium", ""]
    storage().delete(object_name(album.data.context, large.id, size="medium"))  # as of pictures that came in earlier
    assert (opened("medium"), opened("medium", plan)) == ("small", "")


def test_a_removed_installs_files_go_with_the_copy_of_its_records(album: Installed) -> None:
    photo = send(album.data, files.picture(), "a.png")
    album.add("cards", name="x", photo=photo)
    for purge_after, left in ((utcnow() + timedelta(days=1), "attached"), (None, None)):
        with platform_scope("test"), transaction(db.session()) as session:
            session.execute(
                text("UPDATE modules_v2 SET status = 'removed', purge_after = :at WHERE id = :i"),
                {"at": purge_after, "i": album.data.context.install_id},
            )
        jobs.sweep()
        assert state(album, photo) == left


def follow(album: Installed, *, later: timedelta = timedelta()) -> None:
    context = album.data.context
    held = jobs.Held(context.install_id, context.agency_id, context.site_id, context.short_id)
    jobs.follow_install(held, now=utcnow() + later)


def age(file_id: str, hours: int) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text(
                "UPDATE module_files SET created_at = created_at - make_interval(hours => :h),"
                " state_at = state_at - make_interval(hours => :h) WHERE id = :i"
            ),
            {"h": hours, "i": file_id},
        )
