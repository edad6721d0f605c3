"""The screens of one setting over many sites."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.config import Config
from tests.support.fleet import Fleet, new_fleet
from tests.support.statements import Statements
from tests.support.world import World
from tests.web.conftest import Browse

SETTINGS = """settings:
  - label: All
    fields:
      tint: {type: text, default: plain}
      value.name: {type: number, min: 1, max: 9, default: 5}
      key: {type: secret}
""".replace("value.name", "ids")  # a setting may be called as a part of the form is


@pytest.fixture
def fleet(world: World, config: Config) -> Fleet:
    made = new_fleet(world, config)
    made.release("1.1.0", more=SETTINGS)
    return made


def test_a_setting_is_chosen_looked_at_set_and_undone(fleet: Fleet, browse: Browse) -> None:
    alder, birch = fleet.put_on("Alder", "1.1.0"), fleet.put_on("Birch", "1.1.0")
    old = fleet.put_on("Cedar", "1.0.0")
    ada, where = browse(fleet.ada), f"/fleet/modules/{fleet.slug}/set"
    ids = {"ids": [alder.public_id, birch.public_id, old.public_id]}
    first = ada.post(where, ids)
    assert [option["value"] for option in first.html.select("select[name=setting] option")] == ["", "tint", "ids"]
    chosen = ada.post(where, {**ids, "setting": "tint"})
    assert chosen.html.select_one("input[name='value.tint']")["value"] == "plain"
    assert chosen.html.select("#moving") == []
    looked = ada.post(
        where, {**ids, "setting": "tint", "shown": "tint", "how": "value", "value.tint": "red <b>", "look": "1"}
    )
    rows = [row.get_text(" ", strip=True) for row in looked.html.select("#moving tbody tr")]
    assert [row.split()[0] for row in rows] == ["Alder", "Birch"]
    assert all(row.endswith("plain red <b>") for row in rows)
    assert looked.texts("#refused li") == ["Cedar Its version, 1.0.0, has no such setting."]
    assert fleet.runs() == []
    reviewed = looked.html.select_one("input[name=reviewed]")["value"]
    begun = ada.post(
        f"{where}/start", {**ids, "setting": "tint", "value.tint": "never looked at", "reviewed": reviewed}
    )
    [run] = fleet.runs()
    assert (begun.status, begun.where) == (303, f"/fleet/runs/{run.public_id}")
    fleet.work(run)
    assert [fleet.now(one).settings.get("tint") for one in (alder, birch, old)] == ["red <b>", "red <b>", None]
    page = ada.get(f"/fleet/runs/{run.public_id}")
    assert "Tint: red &lt;b&gt;" in page.text
    ada.post(f"/fleet/runs/{run.public_id}/undo", {})
    fleet.work(fleet.runs()[-1])
    assert [fleet.now(one).settings for one in (alder, birch)] == [{}, {}]
    assert ada.get("/fleet/runs").texts("tbody small") == ["Tint: red <b>", "Tint: red <b>"]


def test_a_setting_may_be_called_as_a_part_of_the_form_is(fleet: Fleet, browse: Browse) -> None:
    alder = fleet.put_on("Alder", "1.1.0")
    ada, where = browse(fleet.ada), f"/fleet/modules/{fleet.slug}/set"
    sent = {"ids": alder.public_id, "setting": "ids", "shown": "ids", "value.ids": "7", "look": "1"}
    looked = ada.post(where, sent)
    assert [row.get_text(" ", strip=True).endswith("5 7") for row in looked.html.select("#moving tbody tr")] == [True]
    wrong = ada.post(where, {**sent, "value.ids": "12"})
    assert (wrong.html.select("#moving"), len(wrong.html.select("#refused li"))) == ([], 1)


@pytest.mark.parametrize("reviewed", ["", "{}", "[1]", "x", '{"name": "key", "value": "s3cret", "back": false}'])
def test_what_nobody_was_shown_does_not_run(fleet: Fleet, browse: Browse, reviewed: str) -> None:
    alder = fleet.put_on("Alder", "1.1.0")
    answer = browse(fleet.ada).post(
        f"/fleet/modules/{fleet.slug}/set/start", {"ids": alder.public_id, "reviewed": reviewed}
    )
    assert answer.status == (422 if "s3cret" in reviewed else 404)
    assert (fleet.runs(), fleet.now(alder).secrets) == ([], {})


def test_it_is_for_those_who_configure_and_for_the_own_agency(fleet: Fleet, world: World, browse: Browse) -> None:
    alder, where = fleet.put_on("Alder", "1.1.0"), f"/fleet/modules/{fleet.slug}/set"
    vic = browse(world.person(fleet.agency, Role.VIEWER))
    olga = browse(world.person(world.agency("Other Place"), Role.OWNER))
    for path in (where, f"{where}/start"):
        assert vic.post(path, {"ids": alder.public_id}).status == 403
        assert olga.post(path, {"ids": alder.public_id}).status == 404


def test_the_preview_costs_the_same_for_any_number_of_sites(
    fleet: Fleet, browse: Browse, statements: Statements
) -> None:
    ada, ids, cost = browse(fleet.ada), list[str](), list[int]()
    for more in (1, 3):
        ids += [fleet.put_on(f"Site {more}-{number}", "1.1.0").public_id for number in range(more)]
        sent = {"ids": ids, "setting": "tint", "shown": "tint", "value.tint": "red", "look": "1"}
        ada.post(f"/fleet/modules/{fleet.slug}/set", sent)
        with statements.counted() as told:
            assert ada.post(f"/fleet/modules/{fleet.slug}/set", sent).status == 200
        cost.append(len([one for one in told if "modules_v2" in one or "module_" in one]))
    assert cost[0] == cost[1]
