"""One setting over many installs: what it would change, the run, and its undo."""

from __future__ import annotations

from typing import Any

import pytest

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.fleet import jobs
from app.fleet.actions import NothingToDo, start_setting_run, undo_run
from app.fleet.models import Run
from app.fleet.queries import chosen_cells
from app.fleet.settings import Change, SettingPlan, plan_setting, settable
from app.installs.actions import configure_install, pause_install
from app.installs.level_actions import LevelChange, save_level
from app.installs.models import Install
from app.lib.clock import utcnow
from app.modules.manifest import Manifest
from app.modules.models import Module
from tests.support.fleet import Fleet, new_fleet
from tests.support.world import World
from tests.unit.fleet.test_runs import do, states

SETTINGS = """settings:
  - label: All
    fields:
      tint: {type: text, default: plain}
      most: {type: number, min: 1, max: 9, required: true, default: 5}
      open: {type: boolean, default: true}
      key: {type: secret}
      feed: {type: module}
"""


@pytest.fixture
def fleet(world: World, config: Config, wired: Config) -> Fleet:
    made = new_fleet(world, config)
    made.release("1.1.0", more=SETTINGS)
    return made


def manifest(fleet: Fleet) -> Manifest:
    return Manifest.from_dict(fleet.versions["1.1.0"].manifest)


def plan(fleet: Fleet, installs: list[Install], change: Change) -> SettingPlan:
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        ids = tuple(one.id for one in installs)
        cells = chosen_cells(session, agency_id=fleet.agency.id, installs=ids, now=utcnow())
        return plan_setting(session, agency_id=fleet.agency.id, cells=cells, change=change)


def start(fleet: Fleet, installs: list[Install], change: Change) -> Run:
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        ids = tuple(one.id for one in installs)
        cells = chosen_cells(session, agency_id=fleet.agency.id, installs=ids, now=utcnow())
        return start_setting_run(
            session, agency_id=fleet.agency.id, cells=cells, change=change, manifest=manifest(fleet), by=fleet.ada.actor,
            now=utcnow(),
        )  # fmt: skip


def own(fleet: Fleet, *installs: Install) -> list[dict[str, Any]]:
    return [dict(fleet.now(one).settings) for one in installs]


def configure(fleet: Fleet, install: Install, **settings: Any) -> None:
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        found = session.get_one(Install, install.id)
        configure_install(session, install=found, settings=settings, keys=(), by=fleet.ada.actor, now=utcnow())


def lock_for_all(fleet: Fleet, name: str, value: Any) -> None:
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        save_level(
            session, module=session.get_one(Module, fleet.versions["1.1.0"].module_id), manifest=manifest(fleet),
            agency_id=fleet.agency.id, client=None, change=LevelChange({name: value}, lock={name: "Ours"}),
            keys=fleet.config.secret_keys, by=fleet.ada.actor, now=utcnow(),
        )  # fmt: skip


def test_what_names_one_site_or_is_secret_is_not_offered(fleet: Fleet) -> None:
    assert settable(manifest(fleet)) == [("tint", "Tint"), ("most", "Most"), ("open", "Open")]
    for name in ("key", "feed", "nothing"):
        with pytest.raises(NothingToDo):
            start(fleet, [fleet.put_on(name, "1.1.0")], Change(name, "x"))
    assert fleet.runs() == []


def test_the_plan_says_what_each_would_have_and_who_cannot(fleet: Fleet) -> None:
    alder, birch, cedar = (fleet.put_on(name, "1.1.0") for name in ("Alder", "Birch", "Cedar"))
    old = fleet.put_on("Dogwood", "1.0.0")
    configure(fleet, birch, tint="red")
    configure(fleet, cedar, tint="blue")
    found = plan(fleet, [alder, birch, cedar, old], Change("tint", "red"))
    assert [(one.cell.site_name, one.was, one.will) for one in found.moving] == [
        ("Alder", "plain", "red"), ("Cedar", "blue", "red"),
    ]  # fmt: skip
    assert [one.site_name for one in found.same] == ["Birch"]
    assert [(one.cell.site_name, one.reason) for one in found.refused] == [
        ("Dogwood", "Its version, 1.0.0, has no such setting.")
    ]
    back = plan(fleet, [alder, birch], Change("tint", back=True))
    assert [(one.cell.site_name, one.was, one.will) for one in back.moving] == [("Birch", "red", "plain")]
    wrong = plan(fleet, [alder], Change("most", 12))
    assert (wrong.moving, [one.cell.site_name for one in wrong.refused]) == ((), ["Alder"])
    lock_for_all(fleet, "tint", "gold")
    locked = plan(fleet, [alder, birch], Change("tint", "red"))
    assert [one.reason.startswith("Tint is locked") for one in locked.refused] == [True, True]


def test_a_run_sets_it_and_the_undo_puts_back_what_was_each_sites_own(fleet: Fleet) -> None:
    alder, birch, cedar = (fleet.put_on(name, "1.1.0") for name in ("Alder", "Birch", "Cedar"))
    configure(fleet, birch, tint="blue", most=3)
    configure(fleet, cedar, tint=None)  # the site says "empty"
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        pause_install(session, install=session.get_one(Install, cedar.id), by=fleet.ada.actor, now=utcnow())
    before = own(fleet, alder, birch, cedar)
    run = fleet.work(start(fleet, [alder, birch, cedar], Change("tint", "red")))
    assert (run.status, states(fleet, run)) == ("done", ["done"] * 3)
    assert run.change == {"name": "tint", "value": "red", "back": False, "said": "Tint: red"}
    assert own(fleet, alder, birch, cedar) == [{**one, "tint": "red"} for one in before]
    back = fleet.work(do(fleet, run, undo_run))
    assert (back.status, states(fleet, back)) == ("done", ["done"] * 3)
    assert own(fleet, alder, birch, cedar) == before


def test_taking_the_own_value_away_is_undone_too(fleet: Fleet) -> None:
    alder = fleet.put_on("Alder", "1.1.0")
    configure(fleet, alder, most=3)
    run = fleet.work(start(fleet, [alder], Change("most", back=True)))
    assert own(fleet, alder) == [{}]
    fleet.work(do(fleet, run, undo_run))
    assert own(fleet, alder) == [{"most": 3}]


def test_the_undo_leaves_out_what_was_set_since(fleet: Fleet) -> None:
    alder, birch, cedar = (fleet.put_on(name, "1.1.0") for name in ("Alder", "Birch", "Cedar"))
    run = fleet.work(start(fleet, [alder, birch, cedar], Change("tint", "red")))
    configure(fleet, birch, tint="green")
    back = do(fleet, run, undo_run)
    configure(fleet, cedar, tint="gold")  # between the order of the undo and its turn
    back = fleet.work(back)
    told = {item.install_id: (item.state, item.detail) for item in fleet.items(back.id)}
    assert told == {
        alder.id: ("done", ""), birch.id: ("skipped", "It was set to something else since."),
        cedar.id: ("failed", "It was set to something else since."),
    }  # fmt: skip
    assert [one.get("tint") for one in own(fleet, alder, birch, cedar)] == [None, "green", "gold"]


def test_a_lock_that_came_in_between_fails_that_install_and_stops(fleet: Fleet) -> None:
    alder, birch = (fleet.put_on(name, "1.1.0") for name in ("Alder", "Birch"))
    run = start(fleet, [alder, birch], Change("tint", "red"))
    lock_for_all(fleet, "tint", "gold")
    run = fleet.work(run)
    assert (run.status, states(fleet, run)) == ("stopped", ["failed", "waiting"])
    assert "Tint is locked" in fleet.items(run.id)[0].detail
    assert own(fleet, alder, birch) == [{}, {}]


def test_a_worker_killed_before_it_could_say_so_sets_nothing_twice(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    alder = fleet.put_on("Alder", "1.1.0")
    configure(fleet, alder, tint="blue")
    run = start(fleet, [alder], Change("tint", "red"))
    through = jobs._act

    class Killed(BaseException):
        """As good as SIGKILL: nothing that catches errors sees it."""

    def dies(*given: Any) -> str | None:
        through(*given)
        raise Killed

    for what in (run, None):
        with monkeypatch.context() as broken:
            broken.setattr(jobs, "_act", dies)
            at = what or do(fleet, run, undo_run)
            with pytest.raises(Killed):
                fleet.work(at)
        db.session.remove()
        assert states(fleet, at) == ["running"]
        assert fleet.work(at).status == "done"
        assert own(fleet, alder) == [{"tint": "red" if what else "blue"}]
