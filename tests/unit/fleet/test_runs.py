"""Runs: stopping at the first that is not well, holding, trying again, and a worker that dies in the middle."""

from __future__ import annotations

from typing import Any

import pytest

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.fleet import jobs
from app.fleet.actions import (
    NothingToDo,
    RunIsOver,
    cancel_run,
    hold_run,
    resume_run,
    retry_failed,
    start_run,
    undo_run,
)
from app.fleet.models import Run
from app.fleet.queries import chosen_cells
from app.installs.models import Install, Move
from app.lib.clock import utcnow
from tests.support.fleet import Fleet, new_fleet
from tests.support.world import World


@pytest.fixture
def fleet(world: World, config: Config, wired: Config) -> Fleet:
    return new_fleet(world, config)


def start(fleet: Fleet, installs: list[Install], *, kind: Any = "upgrade", stop: bool = True) -> Run:
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        cells = chosen_cells(
            session, agency_id=fleet.agency.id, installs=tuple(one.id for one in installs), now=utcnow()
        )
        return start_run(
            session,
            agency_id=fleet.agency.id,
            kind=kind,
            cells=cells,
            stop_at_first=stop,
            by=fleet.ada.actor,
            now=utcnow(),
        )


def do(fleet: Fleet, run: Run, action: Any) -> Any:
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        return action(session, run=session.get_one(Run, run.id), by=fleet.ada.actor, now=utcnow())


def states(fleet: Fleet, run: Run) -> list[str]:
    return [item.state for item in fleet.items(run.id)]


def fail_on(monkeypatch: pytest.MonkeyPatch, install: Install) -> None:
    """The upgrade of this install fails in its job, as when its tables are busy."""
    through = jobs.provision

    def provision(install_id: str) -> None:
        if install_id != str(install.id):
            return through(install_id)
        from app.installs.outcomes import fail

        return fail(db.session(), install.id, "Its tables were busy", now=utcnow())

    monkeypatch.setattr(jobs, "provision", provision)


def test_a_run_stops_at_the_first_that_fails_and_can_be_tried_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch", "Cedar")]
    fleet.release("1.1.0")
    with monkeypatch.context() as broken:
        fail_on(broken, installs[1])
        run = fleet.work(start(fleet, installs))
    assert (run.status, states(fleet, run)) == ("stopped", ["done", "failed", "waiting"])
    assert run.reason.startswith("Notes on Birch failed: Its tables were busy.")
    assert [fleet.version_of(one) for one in installs] == ["1.1.0", "1.0.0", "1.0.0"]
    do(fleet, run, retry_failed)
    run = fleet.work(run)
    assert (run.status, states(fleet, run), run.reason) == ("done", ["done"] * 3, "")


def test_a_run_that_does_not_stop_goes_on_after_a_failure(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch")]
    fleet.release("1.1.0")
    fail_on(monkeypatch, installs[0])
    run = fleet.work(start(fleet, installs, stop=False))
    assert (run.status, states(fleet, run)) == ("done", ["failed", "done"])


def test_a_worker_killed_in_the_middle_leaves_nothing_in_between(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends after an upgrade was ordered and before its job: the next job sees it through, once."""
    installs = [fleet.put_on(name) for name in ("Alder", "Birch")]
    fleet.release("1.1.0")
    run = start(fleet, installs)

    class Killed(BaseException):
        """As good as SIGKILL: nothing that catches errors sees it."""

    def dies(install_id: str) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(jobs, "provision", dies)
        with pytest.raises(Killed):
            fleet.work(run)
    db.session.remove()
    assert (states(fleet, run), fleet.now(installs[0]).status) == (["running", "waiting"], "provisioning")
    run = fleet.work(run)
    assert (run.status, states(fleet, run)) == ("done", ["done", "done"])
    assert [(fleet.version_of(one), fleet.now(one).status) for one in installs] == [("1.1.0", "active")] * 2


def test_a_held_run_does_nothing_until_it_is_resumed(fleet: Fleet) -> None:
    installs = [fleet.put_on("Alder")]
    fleet.release("1.1.0")
    run = start(fleet, installs)
    do(fleet, run, hold_run)
    assert (fleet.work(run).status, states(fleet, run)) == ("paused", ["waiting"])
    do(fleet, run, resume_run)
    assert fleet.work(run).status == "done"
    with pytest.raises(RunIsOver):
        do(fleet, run, hold_run)


def test_what_is_called_off_stays_as_it_is(fleet: Fleet) -> None:
    install = fleet.put_on("Alder")
    fleet.release("1.1.0")
    run = start(fleet, [install])
    do(fleet, run, cancel_run)
    fleet.work(run)
    assert (states(fleet, run), fleet.version_of(install)) == (["skipped"], "1.0.0")
    with pytest.raises(NothingToDo):
        do(fleet, run, retry_failed)


def test_undo_leaves_out_what_has_gone_on_since(fleet: Fleet) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch")]
    fleet.release("1.1.0")
    run = fleet.work(start(fleet, installs))
    fleet.release("1.2.0")
    fleet.work(start(fleet, installs[:1]))
    back = do(fleet, run, undo_run)
    fleet.work(back)
    assert [(item.state, item.detail) for item in fleet.items(back.id)] == [
        ("done", ""), ("skipped", "It is on another version by now."),
    ]  # fmt: skip
    assert [fleet.version_of(one) for one in installs] == ["1.2.0", "1.0.0"]


def test_an_undo_goes_on_past_what_fails_and_can_be_tried_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch", "Cedar")]
    fleet.release("1.1.0")
    run = fleet.work(start(fleet, installs))
    back = do(fleet, run, undo_run)
    with monkeypatch.context() as broken:
        fail_on(broken, installs[1])
        back = fleet.work(back)
    assert back.status == "done"
    assert states(fleet, back) == ["done", "failed", "done"]
    assert fleet.items(back.id)[1].detail.startswith("Its tables were busy. The version before is in use again")
    assert [fleet.version_of(one) for one in installs] == ["1.0.0", "1.1.0", "1.0.0"]
    assert fleet.now(installs[1]).status == "active"  # on the version it was to leave, and serving
    do(fleet, back, retry_failed)
    back = fleet.work(back)
    assert (back.status, states(fleet, back)) == ("done", ["done"] * 3)
    assert [fleet.version_of(one) for one in installs] == ["1.0.0"] * 3


def test_a_run_with_nothing_to_do_does_not_begin(fleet: Fleet) -> None:
    with pytest.raises(NothingToDo):
        start(fleet, [fleet.put_on("Alder")])
    assert fleet.runs() == []


@pytest.mark.parametrize("state", ["unhealthy", "undone"])
def test_a_run_stops_when_one_of_it_does_worse(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    first, second = fleet.put_on("Alder"), fleet.put_on("Birch")
    fleet.release("1.1.0")
    through = jobs.provision

    def provision(install_id: str) -> None:
        through(install_id)
        with transaction(db.session()) as session:
            move = session.query(Move).filter_by(install_id=first.id).one()
            move.state, move.reason = state, "5 of 20 calls failed. It could not go back: no."
            if state == "undone":
                session.add(
                    Move(
                        agency_id=move.agency_id, site_id=move.site_id, install_id=move.install_id, kind="rollback",
                        from_version_id=move.to_version_id, to_version_id=move.from_version_id, undoes_id=move.id,
                        by_itself=True, reason="5 of 20 calls failed", ordered_at=utcnow(), state="settled",
                    )
                )  # fmt: skip

    monkeypatch.setattr(jobs, "provision", provision)
    run = fleet.work(start(fleet, [first, second]))
    assert (run.status, states(fleet, run)) == ("stopped", ["done", "waiting"])
    assert (
        run.reason
        == {
            "unhealthy": "Alder does worse since its upgrade: 5 of 20 calls failed. It could not go back: no.",
            "undone": "The upgrade of Alder was taken back: 5 of 20 calls failed",
        }[state]
    )
