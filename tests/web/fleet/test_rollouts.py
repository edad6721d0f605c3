"""Screens of rollouts: what sites take by themselves, a release on its way, decisions once it stopped."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.fleet.models import Rollout, RolloutSite
from app.fleet.rings import drive
from app.lib.ids import encode
from app.tenancy.models import Site
from tests.support.fleet import Fleet, new_fleet
from tests.support.world import World
from tests.web.conftest import Browse


@pytest.fixture
def fleet(world: World, config: Config) -> Fleet:
    return new_fleet(world, config)


def rollout_of(fleet: Fleet) -> str:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.query(Rollout).filter_by(agency_id=fleet.agency.id).one().public_id


def test_a_release_on_its_way_and_what_its_publisher_sees(fleet: Fleet, browse: Browse) -> None:
    install, browser = fleet.put_on("Alder"), browse(fleet.ada)
    browser.post("/fleet/automatic", {"mode": "minor"})
    version = fleet.release("1.1.0")
    drive()
    page = browser.get(f"/fleet/rollouts/{rollout_of(fleet)}")
    figures = browser.get(f"/fleet/releases/{version.public_id}")
    assert page.ids("tbody tr") == [install.public_id]
    assert page.texts(".fleet-ring")[0] == "Own sites first 1 site Under way 1"
    assert figures.texts(".fleet-ring")[0] == "Own sites first 1 site Under way 1"
    assert browser.get("/fleet/rollouts").ids("tbody tr") == [rollout_of(fleet)]


def test_a_stopped_rollout_says_why_and_goes_on_without_the_site(fleet: Fleet, browse: Browse) -> None:
    install, browser = fleet.put_on("Alder"), browse(fleet.ada)
    browser.post("/fleet/automatic", {"mode": "minor"})
    fleet.release("1.1.0")
    drive()
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            update(RolloutSite)
            .where(RolloutSite.install_id == install.id)
            .values(state="unhealthy", detail="It failed.")
        )
        session.execute(
            update(Rollout)
            .where(Rollout.agency_id == fleet.agency.id)
            .values(status="stopped", reason="Alder: It failed.")
        )
    path = f"/fleet/rollouts/{rollout_of(fleet)}"
    assert "Alder: It failed." in browser.get(path).texts(".callout")[0]
    viewer = browse(fleet.world.person(fleet.agency, Role.DEVELOPER))
    assert viewer.post(f"{path}/skip", {"install": install.public_id}).status == 403
    browser.post(f"{path}/skip", {"install": install.public_id})
    assert browser.get(path).texts(".page-meta .status") == ["Rolling out"]
    browser.post(f"{path}/cancel")
    assert browser.get(path).texts(".page-meta .status") == ["Called off"]


def test_a_site_chooses_for_itself(fleet: Fleet, browse: Browse) -> None:
    install, browser = fleet.put_on("Alder"), browse(fleet.ada)
    with platform_scope("test"), transaction(db.session()) as session:
        site = session.get_one(Site, install.site_id).public_id
    browser.post(f"/fleet/automatic/{site}", {"mode": "patch", "internal": "1"})
    row = browser.get("/fleet/automatic").one(f"#{site}")
    assert (row.select_one("option[selected]")["value"], row.select_one("[name=internal]").has_attr("checked")) == (
        "patch",
        True,
    )
    assert browser.post(f"/fleet/automatic/{site}", {"mode": "major"}).status == 422


def test_nothing_of_others_is_there(fleet: Fleet, world: World, browse: Browse) -> None:
    fleet.put_on("Alder")
    browse(fleet.ada).post("/fleet/automatic", {"mode": "minor"})
    version = fleet.release("1.1.0")
    drive()
    olga = browse(world.person(world.agency("Elsewhere")))
    assert [
        olga.get(path).status
        for path in (f"/fleet/rollouts/{rollout_of(fleet)}", f"/fleet/releases/{version.public_id}", "/fleet/rollouts")
    ] == [404, 404, 200]
    assert olga.post(f"/fleet/automatic/{encode('ste', fleet.agency.id)}", {"mode": "off"}).status == 404
