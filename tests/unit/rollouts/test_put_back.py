"""What the file of a rollback holds is put back: with its old ids, once, in the order of references, never over later changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.installs.models import Install, MemberRole
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.rollouts.putback import jobs as put_back_jobs
from app.rollouts.putback import working
from app.rollouts.putback.actions import (
    NothingToPutBack,
    PutBackRunning,
    try_again,
    undo_put_back,
)
from app.rollouts.putback.file import Line
from app.rollouts.putback.models import PutBack
from app.rollouts.putback.ordering import in_order
from app.rollouts.putback.showing import Shown
from app.rollouts.runs import STALLED
from app.workspace.desk import open_desk
from tests.unit.installs.conftest import Desk
from tests.unit.rollouts.gone_back import Stage


@pytest.fixture
def stage(desk: Desk) -> Stage:
    return Stage(desk)


def states(shown: dict[str, Shown]) -> dict[str, str]:
    return {name: one.state for name, one in shown.items()}


def test_created_records_come_back_with_their_ids_numbers_and_references(stage: Stage) -> None:
    ann = stage.insert("people", name="Ann")
    stage.upgrade()
    bea = stage.insert("people", name="Bea", boss=ann, note="hello", token="hidden")
    job = stage.insert("jobs", title="Paint", person=bea, helpers=[ann, bea])
    number = stage.get("jobs", job)["no"]
    stage.back()
    shown = stage.rows()
    assert states(shown) == {"created Bea": "open", "created Paint": "open"}
    assert shown["created Bea"].held == (("note", "the older version has no such field", "hello"),)
    assert shown["created Bea"].secrets == ("Token",)
    assert {one.label: one.after for one in shown["created Paint"].values}["Person"] == "Bea"

    run = stage.put_back()
    assert {state for state, _ in stage.marks().values()} == {"put_back"}
    assert (stage.get("people", bea)["boss"], stage.get("people", bea)["token"]) == (ann, {"set": False})
    put = stage.get("jobs", job)
    assert (put["no"], put["person"], put["helpers"]) == (number, bea, [ann, bea])
    assert stage.history(bea)[-1] == ("insert", str(run.batch))
    assert stage.data().insert("jobs", {"title": "Next", "person": ann}).values["no"] != number
    with platform_scope("test"), transaction(db.session()) as session:
        query = text("SELECT type, data -> 'record' ->> 'name' FROM events WHERE subject = :id ORDER BY id")
        told = [tuple(row) for row in session.execute(query, {"id": bea})]
    assert told[-1] == ("person.created", "Bea")
    assert len(told) == 2  # once by the newer version, once now


def test_changed_ones_get_the_values_of_the_file_and_deleted_ones_are_deleted_again(stage: Stage) -> None:
    ann, bea = (stage.insert("people", name=name) for name in ("Ann", "Bea"))
    job = stage.insert("jobs", title="Paint", person=bea)
    stage.upgrade()
    stage.data().update("people", UUID(ann), {"name": "Anna", "note": "new"})
    stage.data().delete("jobs", UUID(job))
    stage.data().delete("people", UUID(bea))
    stage.back()
    shown = stage.rows()
    assert states(shown) == {"changed Anna": "open", "deleted Bea": "open", "deleted Paint": "open"}
    assert [(one.label, one.before, one.after) for one in shown["changed Anna"].values] == [("Name", "Ann", "Anna")]
    stage.put_back()
    assert stage.get("people", ann)["name"] == "Anna"
    assert stage.data().count("people") == 1
    assert stage.data().count("jobs") == 0
    assert set(states(stage.rows()).values()) == {"done"}


def test_a_row_is_put_back_once(stage: Stage) -> None:
    stage.upgrade()
    bea = stage.insert("people", name="Bea")
    stage.back()
    stage.put_back()
    assert states(stage.rows()) == {"created Bea": "done"}
    with pytest.raises(NothingToPutBack):
        stage.put_back()
    stage.data().delete("people", UUID(bea))  # by hand, later: it does not come again unless one says so
    assert states(stage.rows()) == {"created Bea": "since"}
    with pytest.raises(NothingToPutBack):
        stage.put_back([1])
    stage.put_back([], over=[1])
    assert stage.get("people", bea)["name"] == "Bea"


def test_what_was_changed_since_is_left_unless_one_says_so(stage: Stage) -> None:
    ann, bea = (stage.insert("people", name=name) for name in ("Ann", "Bea"))
    stage.upgrade()
    stage.data().update("people", UUID(ann), {"name": "Anna"})
    stage.data().delete("people", UUID(bea))
    stage.back()
    stage.data().update("people", UUID(ann), {"name": "Annabel"})
    stage.data().update("people", UUID(bea), {"mood": "bad"})
    shown = stage.rows()
    assert states(shown) == {"changed Anna": "since", "deleted Bea": "since"}
    stage.put_back()
    assert stage.get("people", ann)["name"] == "Annabel"
    assert stage.get("people", bea)["mood"] == "bad"
    assert {state for state, _ in stage.marks().values()} == {"left"}
    stage.put_back([], over=[shown["changed Anna"].position])
    assert stage.get("people", ann)["name"] == "Anna"
    assert stage.get("people", bea)["mood"] == "bad"


def test_refused_rows_are_told_with_field_and_reason_and_the_others_go_on(stage: Stage) -> None:
    stage.upgrade()
    odd = stage.insert("people", name="Odd", mood="odd")
    stage.insert("people", name="A name that is far too long for it")
    bea = stage.insert("people", name="Bea")
    stage.insert("people", name="Twin")
    stage.insert("jobs", title="Of odd", person=odd)
    stage.back()
    stage.insert("people", name="Twin")
    stage.put_back()
    told = {
        name: [(reason["field"], reason["why"]) for reason in stage.marks()[one.position][1]]
        for name, one in stage.rows().items()
    }
    assert told == {
        "created Odd": [("mood", "must be one of good, bad")],
        "created A name that is far too long for it": [("name", "must have at most 20 characters")],
        "created Bea": [],
        "created Twin": [("name", "is taken already")],
        "created Of odd": [("person", "names a record that is not there")],
    }
    assert stage.get("people", bea)["name"] == "Bea"


def test_a_name_that_a_later_row_frees_is_taken_after_it(stage: Stage) -> None:
    ann = stage.insert("people", name="Ann")
    stage.upgrade()
    stage.data().delete("people", UUID(ann))
    other = stage.insert("people", name="Ann")
    stage.back()
    stage.put_back()
    assert [row["id"] for row in stage.data().list("people").records] == [other]
    assert {state for state, _ in stage.marks().values()} == {"put_back"}


def test_records_that_refer_to_each_other_in_a_circle_come_back_together(stage: Stage) -> None:
    stage.upgrade()
    ann = stage.insert("people", name="Ann")
    bea = stage.insert("people", name="Bea", boss=ann)
    stage.data().update("people", UUID(ann), {"boss": bea})
    stage.back()
    stage.put_back()
    assert (stage.get("people", ann)["boss"], stage.get("people", bea)["boss"]) == (bea, ann)


def test_a_run_is_undone_as_one_and_can_be_put_back_again(stage: Stage) -> None:
    ann, old = (stage.insert("people", name=name) for name in ("Ann", "Old"))
    stage.upgrade()
    stage.data().update("people", UUID(ann), {"name": "Anna"})
    stage.data().delete("people", UUID(old))
    bea = stage.insert("people", name="Bea")
    stage.back()
    run = stage.put_back()
    assert run.can_undo
    with stage.desk.scope() as session:
        again = session.get_one(PutBack, run.id)
        opened = open_desk(session, install=session.get_one(Install, stage.install.id), actor=stage.desk.actor)
        undo_put_back(session, run=again, desk=opened, by=stage.desk.actor, now=utcnow())
    assert sorted(row["name"] for row in stage.data().list("people").records) == ["Ann", "Old"]
    assert set(states(stage.rows()).values()) == {"open"}
    stage.put_back()
    assert sorted(row["name"] for row in stage.data().list("people").records) == ["Anna", "Bea"]
    assert stage.get("people", bea)["name"] == "Bea"


def test_roles_of_the_module_decide_what_is_seen_and_put_back(stage: Stage) -> None:
    stage.upgrade()
    stage.insert("people", name="Bea")
    stage.back()

    def as_role(role: str) -> None:
        with stage.desk.scope() as session:
            kept = session.get(MemberRole, (stage.install.id, stage.desk.actor.id))
            if kept:
                kept.role = role
            else:
                session.add(
                    MemberRole(
                        agency_id=stage.desk.agency.id,
                        install_id=stage.install.id,
                        user_id=stage.desk.actor.id,
                        role=role,
                    )
                )

    as_role("own")  # others' records are in the file, so none of that table is shown
    assert stage.rows() == {}
    as_role("reader")
    assert states(stage.rows()) == {"created Bea": "open"}
    stage.put_back()
    assert stage.marks()[1] == ("refused", [{"field": "", "why": "you may not change these records"}])
    assert stage.data().count("people") == 0


def test_a_long_run_is_a_jobs_and_goes_on_where_it_was_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.upgrade()
    stage.data().insert_many("people", [{"name": f"P{n}"} for n in range(240)])
    stage.back()
    run = stage.order(range(1, 241))
    with pytest.raises(PutBackRunning):
        stage.order([1])

    class Killed(BaseException):
        pass

    real, calls = working._put_back, []

    def killed(task: Any, parts: Any) -> None:
        if len(calls) == 2:
            raise Killed
        calls.append(len(parts))
        real(task, parts)

    with monkeypatch.context() as patch:
        patch.setattr(working, "_put_back", killed)
        with pytest.raises(Killed), tenant_scope(stage.desk.agency.id):
            put_back_jobs.put_back(str(run.id))
    assert stage.data().count("people") == 100
    with tenant_scope(stage.desk.agency.id):
        put_back_jobs.put_back(str(run.id))
    assert stage.data().count("people") == 240
    with stage.desk.scope() as session:
        ended = session.get_one(PutBack, run.id)
        assert (ended.status, ended.can_undo) == ("done", True)
    batches = stage.desk.rows(stage.old, "SELECT DISTINCT batch::text FROM _history WHERE op = 'insert'")
    assert (str(run.batch),) in batches


def test_a_run_of_somebody_who_left_stops_and_says_so(stage: Stage) -> None:
    stage.upgrade()
    stage.insert("people", name="Bea")
    stage.back()
    other = stage.desk.world.person(stage.desk.world.agency())
    run = stage.order([1], by=other.actor)
    with tenant_scope(stage.desk.agency.id):
        put_back_jobs.put_back(str(run.id))
    with stage.desk.scope() as session:
        ended = session.get_one(PutBack, run.id)
        assert (ended.status, ended.failure) == ("failed", "Who ordered it is no longer a member of the agency.")
    assert stage.data().count("people") == 0


def line(name: str, change: str = "created", **values: Any) -> Line:
    given = {"name": name, **values}
    return Line(1, "people", UUID(name), change, False, given if change != "deleted" else None, given, ())


def test_what_is_referred_to_comes_first_and_a_long_chain_needs_no_stack() -> None:
    ids = [str(uuid7()) for _ in range(5000)]
    chain = [line(one, boss=after) for one, after in zip(ids, [*ids[1:], None], strict=True)]
    parts = in_order(chain, lambda one: None)
    assert [str(part[0].record_id) for part in parts] == list(reversed(ids))
    gone = in_order(
        [line(one, "deleted", boss=after) for one, after in zip(ids, [*ids[1:], None], strict=True)], lambda one: None
    )
    assert [str(part[0].record_id) for part in gone] == ids


def test_rows_of_one_entry_are_one_part() -> None:
    a, b, c = (str(uuid7()) for _ in range(3))
    lines = [line(a, entry="1"), line(b, entry="2"), line(c, entry="1")]
    parts = in_order(lines, lambda one: ("lines", (one.values or {})["entry"]))
    assert sorted(sorted(str(one.record_id) for one in part) for part in parts) == sorted([sorted([a, c]), [b]])


def test_a_run_that_stands_still_is_ordered_again_and_given_up_after_three_times(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.upgrade()
    bea = stage.insert("people", name="Bea")
    stage.back()
    run = stage.order([1])
    ordered: list[UUID] = []
    monkeypatch.setattr(put_back_jobs, "enqueue", lambda session, name, run_id: ordered.append(run_id))

    def stand_still(attempts: int) -> None:
        with stage.desk.scope() as session:
            again = session.get_one(PutBack, run.id)
            again.changed_at, again.attempts = utcnow() - 2 * STALLED, attempts
        put_back_jobs.sweep()

    stand_still(1)
    assert run.id in ordered
    stand_still(3)
    with stage.desk.scope() as session:
        stopped = session.get_one(PutBack, run.id)
        assert stopped.status == "failed"
        try_again(session, run=stopped, now=utcnow())
    with tenant_scope(stage.desk.agency.id):
        put_back_jobs.put_back(str(run.id))
    assert stage.get("people", bea)["name"] == "Bea"
