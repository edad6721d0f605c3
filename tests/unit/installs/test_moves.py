"""Copies before an upgrade, files after it, rows put back: an install's records through versions and back."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.installs import jobs
from app.installs.actions import NotNow
from app.installs.models import Install, Move
from app.installs.since import csv_of, file_name
from app.installs.snapshots import snapshot_name
from app.installs.upgrades import TooLate, rollback_install, stop_watching, upgrade_install
from app.lib.clock import utcnow
from app.lib.storage import storage
from app.modules.models import Version
from tests.unit.installs.conftest import Desk

OLD = "mood: {type: enum, options: [good, bad], required: true, default: good}\n      phone: {type: phone}"
NEW = "mood: {type: enum, options: [good, bad, odd]}\n      note: {type: text}"
WRITE = "INSERT INTO guests (site_id, name, mood) VALUES (current_site_id(), %s, %s)"
TOUCH = "UPDATE guests SET {} , version = version + 1, updated_at = now() WHERE name = %s"


def moves(desk: Desk, install: Install) -> list[Move]:
    with desk.scope() as session:
        found = list(session.scalars(select(Move).where(Move.install_id == install.id).order_by(Move.id)))
        session.expunge_all()
    return found


def content(desk: Desk, version: Version) -> str:
    """A hash of everything the site has in the tables the older version sees."""
    rows = desk.rows(
        version, "SELECT to_jsonb(g) - 'note' FROM guests g UNION ALL SELECT to_jsonb(v) FROM visits v"
        " UNION ALL SELECT to_jsonb(l) FROM visits__friends l",
    )  # fmt: skip
    return hashlib.sha256(json.dumps(sorted(map(json.dumps, rows))).encode()).hexdigest()


def lines(desk: Desk, move: Move) -> list[dict[str, Any]]:
    return [json.loads(line) for line in storage().read(file_name(move.agency_id, move.id)).splitlines()]


def stage(desk: Desk) -> tuple[Version, Version, Install]:
    """Two guests, one of whom has visited, on the first version; the second is there and moved to."""
    old = desk.publish(fields=OLD)
    install = desk.install(old)
    for name in ("Ann", "Bea"):
        desk.rows(old, WRITE, name, "good")
    desk.rows(old, "UPDATE guests SET phone = '+351210000001' WHERE name = 'Ann'")
    desk.rows(old, "INSERT INTO visits (site_id, guest, cost) SELECT site_id, id, 1.250 FROM guests WHERE name = 'Ann'")
    desk.rows(
        old, "INSERT INTO visits__friends (site_id, record_id, target_id)"
        " SELECT v.site_id, v.id, g.id FROM visits v, guests g WHERE g.name = 'Bea'",
    )  # fmt: skip
    return old, desk.publish(desk.slug(old), version="2.0.0", fields=NEW), install


def upgraded(desk: Desk, install: Install, version: Version) -> Install:
    ordered = desk.do(upgrade_install, install, version=version, lose=True, now=utcnow())
    return desk.run(jobs.provision, ordered)


def test_an_upgrade_copies_the_tables_it_touches_and_is_watched(desk: Desk) -> None:
    _, new, install = stage(desk)
    upgraded(desk, install, new)
    [move] = moves(desk, install)
    assert (move.state, sorted(move.copied_tables), move.copied_rows) == ("watching", ["guests", "visits"], 4)
    assert move.watch_until is not None
    assert move.moved_at is not None
    assert move.watch_until - move.moved_at == timedelta(minutes=30)
    assert storage().exists(snapshot_name(move.agency_id, move.id))


def test_putting_back_makes_the_records_what_they_were_and_the_file_has_what_was_written_since(desk: Desk) -> None:
    old, new, install = stage(desk)
    before = content(desk, old)
    moved = upgraded(desk, install, new)
    desk.rows(old, "INSERT INTO guests (site_id, name, mood, note) VALUES (current_site_id(), 'Cem', 'odd', 'hello')")
    desk.rows(old, TOUCH.format("name = 'Beatriz'"), "Bea")
    desk.rows(old, "DELETE FROM guests WHERE name = 'Ann'")  # her visit goes with her, and the link of that
    assert content(desk, old) != before
    back = desk.run(jobs.provision, desk.do(rollback_install, moved, records="put_back", now=utcnow()))
    assert (back.status, back.version_id, content(desk, old)) == ("active", old.id, before)
    undone, move = moves(desk, install)
    assert (undone.state, move.state) == ("undone", "settled")
    assert move.file_rows == {"created": 1, "changed": 1, "deleted": 2, "not_held": 1, "settings_left": []}
    head, *rows = lines(desk, move)
    assert (head["from"], head["to"], head["records"]) == ("2.0.0", "1.0.0", "put_back")
    told = {(one["table"], one["change"]): one for one in rows}
    created = told["guests", "created"]
    assert (created["values"]["name"], created["values"]["note"], created["stays"]) == ("Cem", "hello", False)
    assert {one["field"]: one["why"] for one in created["not_held"]} == {
        "note": "the older version has no such field", "mood": "an option the older version does not know",
    }  # fmt: skip
    changed = told["guests", "changed"]
    assert (changed["before"]["name"], changed["values"]["name"]) == ("Bea", "Beatriz")
    assert told["guests", "deleted"]["before"]["phone"] == "+351210000001"
    assert told["visits", "deleted"]["values"] is None


def test_going_back_by_hand_keeps_what_was_written_since_and_says_what_the_older_version_cannot_hold(
    desk: Desk,
) -> None:
    old, new, install = stage(desk)
    moved = upgraded(desk, install, new)
    desk.rows(old, "INSERT INTO guests (site_id, name, mood, note) VALUES (current_site_id(), 'Cem', NULL, 'hello')")
    back = desk.run(jobs.provision, desk.do(rollback_install, moved, now=utcnow()))
    assert back.version_id == old.id
    assert desk.rows(old, "SELECT name, phone FROM guests ORDER BY name") == [
        ("Ann", "+351210000001"), ("Bea", None), ("Cem", None),
    ]  # fmt: skip
    [line] = lines(desk, moves(desk, install)[-1])[1:]
    assert (line["stays"], [one["field"] for one in line["not_held"]]) == (True, ["note", "mood"])


def test_the_file_as_csv(desk: Desk) -> None:
    old, new, install = stage(desk)
    moved = upgraded(desk, install, new)
    desk.rows(old, WRITE, "=1+1", "good")
    desk.run(jobs.provision, desk.do(rollback_install, moved, now=utcnow()))
    name = file_name(install.agency_id, moves(desk, install)[-1].id)
    head, row = b"".join(csv_of(iter(storage().read(name).splitlines()))).decode("utf-8-sig").splitlines()
    assert head == "table,id,change,stays,not_held,values,before"
    assert row.startswith("guests,")
    assert not any(part.startswith(("=", "+", "-", "@")) for part in row.split(","))


def test_after_thirty_days_there_is_no_way_back_and_the_copy_is_gone(desk: Desk) -> None:
    _, new, install = stage(desk)
    moved = upgraded(desk, install, new)
    [move] = moves(desk, install)
    with pytest.raises(TooLate):
        desk.do(rollback_install, moved, now=utcnow() + timedelta(days=30))
    with desk.scope() as session:
        session.get_one(Move, move.id).keep_until = utcnow()
    jobs.purge()
    assert not storage().exists(snapshot_name(move.agency_id, move.id))
    assert moves(desk, install)[0].keep_until is None


def test_only_an_upgrade_can_be_taken_back_one_after_the_other(desk: Desk) -> None:
    one = desk.publish()
    install = desk.install(one)
    with pytest.raises(NotNow):
        desk.do(rollback_install, install, now=utcnow())
    two, three = (desk.publish(desk.slug(one), version=number) for number in ("1.0.1", "1.0.2"))
    for version in (two, three):
        upgraded(desk, install, version)
    assert [move.state for move in moves(desk, install)] == ["settled", "watching"]
    for wanted in (two, one):
        back = desk.run(jobs.provision, desk.do(rollback_install, install, now=utcnow()))
        assert back.version_id == wanted.id
    with pytest.raises(NotNow):
        desk.do(rollback_install, install, now=utcnow())


def test_a_person_can_end_the_watch(desk: Desk) -> None:
    _, new, install = stage(desk)
    upgraded(desk, install, new)
    desk.do(stop_watching, install, now=utcnow())
    assert [move.state for move in moves(desk, install)] == ["settled"]
    with pytest.raises(NotNow):
        desk.do(stop_watching, install, now=utcnow())


def test_a_failed_upgrade_is_a_failed_move_and_keeps_no_copy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, install = stage(desk)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(jobs, "set_schedules", broken)
    failed = upgraded(desk, install, new)
    [move] = moves(desk, install)
    assert (failed.version_id, failed.status, move.state) == (old.id, "active", "failed")
    jobs.purge()
    assert not storage().exists(snapshot_name(move.agency_id, move.id))


def test_a_run_killed_after_the_copy_goes_on_with_that_copy(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new, install = stage(desk)
    before = content(desk, old)
    ordered = desk.do(upgrade_install, install, version=new, lose=True, now=utcnow())

    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("app.installs.moving.rows_of_copy", killed)
        with pytest.raises(Killed):
            desk.run(jobs.provision, ordered)
    desk.rows(old, WRITE, "Late", "good")  # the copy is from before
    moved = desk.run(jobs.provision, ordered)
    assert moves(desk, install)[0].copied_rows == 4
    desk.run(jobs.provision, desk.do(rollback_install, moved, records="put_back", now=utcnow()))
    assert content(desk, old) == before
