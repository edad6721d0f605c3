"""The fleet's screens: what stands in a cell, what filters leave, what a selection comes to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.fleet.views import CSV
from app.installs.models import Install, ModuleSettings, Move
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.models import Version
from app.runtime.trials import jobs as trial_jobs
from app.runtime.trials.actions import start_trial
from app.runtime.trials.models import Trial
from tests.support.browser import Page
from tests.support.fleet import Fleet, new_fleet
from tests.support.statements import Statements
from tests.support.world import World
from tests.web.conftest import Browse

SETTINGS = "settings: [{label: All, fields: {tint: {type: text, default: plain}}}]\n"


@pytest.fixture
def fleet(world: World, config: Config) -> Fleet:
    return new_fleet(world, config)


def change(model: type, where: object, **values: object) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(update(model).where(where).values(**values))  # type: ignore[arg-type]


def cells(page: Page) -> dict[str, str]:
    """{site: what its cell says}."""
    return {
        row.select_one(".row-link").get_text(strip=True): " ".join(row.select_one(".fleet-cell").get_text(" ").split())
        for row in page.html.select("tbody tr")
    }


def test_a_cell_says_version_health_and_drift(fleet: Fleet, browse: Browse) -> None:
    fine, old, paused = fleet.put_on("Alder"), fleet.put_on("Birch"), fleet.put_on("Cedar")
    fleet.release("1.1.0")
    change(Install, Install.id == fine.id, version_id=fleet.versions["1.1.0"].id)
    change(Install, Install.id == paused.id, status="paused")
    watched = fleet.put_on("Dogwood", "1.1.0")
    with platform_scope("test"), transaction(db.session()) as session:
        session.add(
            Move(
                id=uuid7(), agency_id=fleet.agency.id, site_id=watched.site_id, install_id=watched.id, kind="upgrade",
                from_version_id=fleet.versions["1.0.0"].id, to_version_id=watched.version_id, state="watching",
                ordered_at=utcnow(), watch_until=utcnow() + timedelta(minutes=30),
            )
        )  # fmt: skip
    browser = browse(fleet.ada)
    assert cells(browser.get("/fleet")) == {
        "Alder": "1.1.0 OK", "Birch": "1.0.0 OK 1.1.0 available", "Cedar": "1.0.0 Paused 1.1.0 available",
        "Dogwood": "1.1.0 Watching",
    }  # fmt: skip
    assert list(cells(browser.get("/fleet?state=paused"))) == ["Cedar"]
    assert list(cells(browser.get("/fleet?drift=behind"))) == ["Birch", "Cedar"]
    assert list(cells(browser.get("/fleet?drift=behind&state=ok&q=bir"))) == ["Birch"]
    link = browser.get("/fleet?q=birch").one(".fleet-cell a")
    assert link["href"] == f"/installs/{old.public_id}"


def test_drift_knows_majors_withdrawn_versions_and_own_settings(fleet: Fleet, browse: Browse) -> None:
    fleet.release("1.1.0", more=SETTINGS)
    own, same = fleet.put_on("Alder", "1.1.0", tint="mine"), fleet.put_on("Birch", "1.1.0")
    with platform_scope("test"), transaction(db.session()) as session:
        session.add(ModuleSettings(agency_id=fleet.agency.id, module_id=same.module_id, settings={"tint": "ours"}))
    browser = browse(fleet.ada)
    assert list(cells(browser.get("/fleet?drift=settings"))) == ["Alder"]
    fleet.release("2.0.0", more=SETTINGS)
    change(Version, Version.id == own.version_id, status="yanked", yanked_at=utcnow())
    assert cells(browser.get("/fleet?drift=yanked"))["Birch"] == "1.1.0 OK 2.0.0 available Withdrawn version"
    assert list(cells(browser.get("/fleet?drift=major_behind"))) == ["Alder", "Birch"]
    assert cells(browser.get("/fleet?drift=behind")) == {}


def test_an_empty_fleet_says_what_to_do(world: World, browse: Browse) -> None:
    page = browse(world.person(world.agency())).get("/fleet")
    assert page.texts(".empty-state h2") == ["No modules on any site yet"]


def test_the_page_of_a_module_and_the_csv_show_the_same(fleet: Fleet, browse: Browse) -> None:
    install = fleet.put_on("=Alder")
    browser = browse(fleet.ada)
    page = browser.get(f"/fleet/modules/{fleet.slug}")
    lines = browser.get(f"/fleet.csv?of_module={fleet.slug}").text.splitlines()
    assert (page.ids("tbody tr"), lines[1].split(",")[0], lines[1].split(",")[-1]) == (
        [install.public_id], "'=Alder", install.public_id,
    )  # fmt: skip


def test_pages_follow_each_other_by_site(fleet: Fleet, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.fleet.queries.fleet_page.__kwdefaults__", {"after": None, "limit": 2})
    for name in ("Cedar", "alder", "Birch"):
        fleet.put_on(name)
    browser = browse(fleet.ada)
    first = browser.get("/fleet")
    second = browser.get(str(first.html.select(".pages a")[-1]["href"]))
    assert (list(cells(first)), list(cells(second))) == (["alder", "Birch"], ["Cedar"])


def test_the_cost_does_not_grow_with_the_installs(fleet: Fleet, browse: Browse, statements: Statements) -> None:
    browser, cost = browse(fleet.ada), []
    for names in (["Alder"], ["Birch", "Cedar"]):
        for name in names:
            fleet.put_on(name)
        browser.get("/fleet")
        with statements.counted() as sent:
            browser.get("/fleet")
        cost.append(len(sent))
    assert cost[0] == cost[1] <= 12


@pytest.mark.parametrize("path", ["/fleet", "/fleet.csv", "/fleet/runs"])
def test_nobody_sees_the_fleet_of_others(fleet: Fleet, world: World, browse: Browse, path: str) -> None:
    fleet.put_on("Alder")
    olga = browse(world.person(world.agency("Elsewhere")))
    assert "Alder" not in olga.get(path).text
    assert olga.get(f"/fleet/modules/{fleet.slug}").status == 404


def test_the_plan_says_who_goes_and_who_cannot_and_why(fleet: Fleet, browse: Browse) -> None:
    ready, paused = fleet.put_on("Alder"), fleet.put_on("Birch")
    fleet.release("1.1.0", extra="      more: {type: text}")
    newest = fleet.put_on("Cedar", "1.1.0")
    change(Install, Install.id == paused.id, status="paused")
    page = browse(fleet.ada).post(
        "/fleet/plan", {"kind": "upgrade", "ids": [one.public_id for one in (ready, paused, newest)]}
    )
    assert page.texts("#step-1 h2") == ["Notes 1.0.0 → 1.1.0"]
    assert page.texts("#step-1 .fleet-refused li") == ["Birch It is paused. Resume it first."]
    assert page.texts("#idle .fleet-refused li") == ["Cedar 1.1.0 is the newest version."]
    assert page.texts("#run button")[-1] == "Upgrade 1 install"


def test_rows_and_all_that_is_shown_are_selections(fleet: Fleet, browse: Browse) -> None:
    first, _ = fleet.put_on("Alder"), fleet.put_on("Birch")
    fleet.release("1.1.0")
    browser = browse(fleet.ada)
    row = browser.get("/fleet").one(f"input[name=sites][aria-label='Select all of {'Alder'}']")["value"]
    by_row = browser.post("/fleet/plan", {"kind": "upgrade", "sites": str(row)})
    everything = browser.post("/fleet/plan", {"kind": "upgrade", "all": "1", "query": "q=bir"})
    assert [len(page.html.select("#run input[name=ids]")) for page in (by_row, everything)] == [1, 1]
    assert by_row.one("#run input[name=ids]")["value"] == first.public_id


def test_new_permissions_are_agreed_to_for_the_whole_step(fleet: Fleet, browse: Browse) -> None:
    install = fleet.put_on("Alder")
    fleet.release("2.0.0", more="permissions: {email: true}\n")
    browser, chosen = browse(fleet.ada), {"kind": "upgrade", "ids": install.public_id}
    plan = browser.post("/fleet/plan", chosen)
    key = plan.one("input[name=agree]")["value"]
    refused = browser.post("/fleet/runs", chosen)
    started = browser.post("/fleet/runs", {**chosen, "agree": str(key)})
    assert (refused.status, started.status) == (422, 303)
    fleet.work(fleet.runs()[0])
    assert fleet.version_of(install) == "2.0.0"


@pytest.mark.parametrize("path", ["/fleet/plan", "/fleet/runs"])
def test_running_is_refused_to_a_viewer(fleet: Fleet, world: World, browse: Browse, path: str) -> None:
    install = fleet.put_on("Alder")
    viewer = browse(world.person(fleet.agency, Role.VIEWER))
    assert viewer.post(path, {"kind": "pause", "ids": install.public_id}).status == 403
    assert "Plan upgrade" not in viewer.get("/fleet").text


def test_a_run_goes_its_way_and_is_taken_back(fleet: Fleet, browse: Browse) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch")]
    fleet.release("1.1.0", extra="      more: {type: text}")
    browser = browse(fleet.ada)
    started = browser.post("/fleet/runs", {"kind": "upgrade", "stop": "1", "ids": [one.public_id for one in installs]})
    run = fleet.work(fleet.runs()[0])
    page = browser.get(started.where or "")
    assert (run.status, [fleet.version_of(one) for one in installs]) == ("done", ["1.1.0", "1.1.0"])
    assert page.texts("#run tbody .status") == ["Done", "Done"]
    undone = browser.post(f"/fleet/runs/{run.public_id}/undo")
    fleet.work(fleet.runs()[1])
    assert undone.where == f"/fleet/runs/{fleet.runs()[1].public_id}"
    assert [fleet.version_of(one) for one in installs] == ["1.0.0", "1.0.0"]


def test_pausing_many_and_undoing_it(fleet: Fleet, browse: Browse) -> None:
    installs = [fleet.put_on(name) for name in ("Alder", "Birch")]
    change(Install, Install.id == installs[1].id, status="paused")
    browser = browse(fleet.ada)
    browser.post("/fleet/runs", {"kind": "pause", "ids": [one.public_id for one in installs]})
    run = fleet.work(fleet.runs()[0])
    assert [(one.state, one.detail) for one in fleet.items(run.id)] == [("done", ""), ("skipped", "It is paused.")]
    browser.post(f"/fleet/runs/{run.public_id}/undo")
    fleet.work(fleet.runs()[1])
    assert [fleet.now(one).status for one in installs] == ["active", "paused"]


def test_a_module_on_trial_is_no_part_of_the_fleet(fleet: Fleet, browse: Browse) -> None:
    with tenant_scope(fleet.agency.id, user_id=fleet.ada.id), transaction(db.session()) as session:
        trial = start_trial(session, version=fleet.versions["1.0.0"], by=fleet.ada.actor, now=utcnow())
    with tenant_scope(fleet.agency.id):
        trial_jobs.make(str(trial.id))
        db.session.remove()
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.get_one(Trial, trial.id).status == "ready"
    ada = browse(fleet.ada)
    assert ada.get("/fleet").texts(".empty-state h2") != []
    assert ada.get("/fleet.csv").text.splitlines() == [",".join(CSV)]
    install = fleet.put_on("Alder")
    assert [line.split(",")[-1] for line in ada.get("/fleet.csv").text.splitlines()[1:]] == [install.public_id]
