"""The page of what was written between an upgrade and the way back: looking through it, putting rows back, the result, undo."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import text

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.ids import decode
from app.rollouts.putback import jobs as put_back_jobs
from app.rollouts.putback import views
from app.tenancy.models import Agency
from tests.support.world import Person, World
from tests.unit.installs.conftest import Desk
from tests.unit.rollouts.gone_back import Stage
from tests.web.conftest import Browse


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def stage(world: World, config: Config, wired: Config, ada: Person) -> Stage:
    agency = Agency(id=ada.agency_id)
    return Stage(Desk(world, config, agency, ada.actor, world.site(agency, time_zone="Europe/Lisbon")))


def written(stage: Stage) -> str:
    return f"/installs/{stage.install.public_id}/moves/{stage.move().public_id}/written"


def some(stage: Stage) -> str:
    """Ann was renamed, Old deleted, Bea and her job made; returns Ann's id."""
    ann, old = (stage.insert("people", name=name) for name in ("Ann", "Old"))
    stage.upgrade()
    stage.data().update("people", UUID(ann), {"name": "Anna", "note": "hello"})
    stage.data().delete("people", UUID(old))
    bea = stage.insert("people", name="Bea", mood="odd", token="hidden")
    stage.insert("jobs", title="Paint", person=bea)
    stage.back()
    return ann


def test_the_rollbacks_line_leads_to_what_was_written(stage: Stage, ada: Person, browse: Browse) -> None:
    some(stage)
    browser = browse(ada)
    versions = browser.get(f"/installs/{stage.install.public_id}/versions")
    page = browser.get(versions.one('#history li:first-child a[href$="written"]')["href"])
    assert page.heading
    rows = [" ".join(one.split()) for one in page.texts("#written tbody tr")]
    assert len(rows) == 4
    [anna] = [one for one in rows if one.startswith("Anna")]
    assert anna.startswith("Anna Person Changed Name Ann → Anna")
    assert "note “hello”: the older version has no such field" in anna
    [bea] = [one for one in rows if one.startswith("Bea")]
    assert "mood “odd”: an option the older version does not know" in bea
    assert "Token: a secret, which is not in the file" in bea
    assert "Secrets are not in the file" in page.one("main").get_text(" ", strip=True)
    assert len(page.ids("#written tbody tr")) == len(page.html.select("#written input[name=ids]")) == 4


def test_it_is_filtered_by_table_and_by_kind_of_change_fifty_to_a_page(
    stage: Stage, ada: Person, browse: Browse
) -> None:
    stage.insert("people", name="Old")
    stage.upgrade()
    stage.data().insert_many("people", [{"name": f"P{n:03}"} for n in range(60)])
    stage.insert("jobs", title="Paint", person=stage.data().list("people").records[0]["id"])
    stage.back()
    browser, here = browse(ada), written(stage)
    assert len(browser.get(here).ids("#written tbody tr")) == 50
    assert len(browser.get(f"{here}?page=2").ids("#written tbody tr")) == 11
    assert len(browser.get(f"{here}?table=jobs").ids("#written tbody tr")) == 1
    assert browser.get(f"{here}?change=deleted").html.select("#written tbody tr") == []
    assert len(browser.get(f"{here}?table=jobs", htmx="results").ids("#written tbody tr")) == 1


def test_the_chosen_are_put_back_and_the_result_names_what_was_refused_then_it_is_undone(
    stage: Stage, ada: Person, browse: Browse
) -> None:
    ann = some(stage)
    browser, here = browse(ada), written(stage)
    ids = [one["value"] for one in browser.get(here).html.select("#written input[name=ids]")]
    sent = browser.post(here, {"ids": ids})
    assert sent.status == 303
    result = browser.get(sent.headers["Location"])
    assert stage.get("people", ann)["name"] == "Anna"
    told = sorted(" ".join(one.split()) for one in result.texts("#told tbody tr"))
    assert told == [
        "Bea Refused Mood: must be one of good, bad",
        "Paint Refused Person: names a record that is not there",
    ]
    states = browser.get(here).texts("#written tbody tr td:last-child")
    assert sum("Put back already" in one for one in states) == 2
    with platform_scope("test"), transaction(db.session()) as session:
        query = text(
            "SELECT data -> 'put_back', data -> 'refused' FROM events WHERE install_id = :id AND type = 'install.records_put_back'"
        )
        assert session.execute(query, {"id": stage.install.id}).all() == [(2, 2)]
        trail = text("SELECT count(*) FROM audit_log WHERE agency_id = :id AND action = 'install.records_put_back'")
        assert session.scalar(trail, {"id": ada.agency_id}) == 1
    undone = browser.post(result.one('form[action$="undo"]')["action"])
    assert "Undone" in browser.get(undone.headers["Location"]).one("#put-back").get_text(" ", strip=True)
    assert stage.get("people", ann)["name"] == "Ann"


def test_one_that_was_changed_since_has_no_box_and_a_button_of_its_own(
    stage: Stage, ada: Person, browse: Browse
) -> None:
    ann = some(stage)
    stage.data().update("people", UUID(ann), {"mood": "bad"})
    browser, here = browse(ada), written(stage)
    page = browser.get(here)
    assert len(page.html.select("#written input[name=ids]")) == 3
    [over] = page.html.select("#written input[name=over]")
    browser.post(here, {"all": "1"})
    assert stage.get("people", ann)["name"] == "Ann"
    browser.post(here, {"over": over["value"]})
    assert (stage.get("people", ann)["name"], stage.get("people", ann)["mood"]) == ("Anna", "bad")


def test_the_button_for_all_takes_those_of_the_filter(stage: Stage, ada: Person, browse: Browse) -> None:
    ann = some(stage)
    browser, here = browse(ada), written(stage)

    def press(address: str) -> None:
        form = browser.get(address).one("form:has(input[name=all])")
        sent = browser.post(form["action"], {one["name"]: one["value"] for one in form.select("input[name]")})
        assert "/put-backs/" in sent.headers["Location"]

    press(f"{here}?table=people&change=deleted")
    assert stage.get("people", ann)["name"] == "Ann"
    assert stage.data().count("people") == 1
    press(here)
    assert stage.get("people", ann)["name"] == "Anna"


def test_many_are_a_jobs_whose_page_shows_how_far_it_is(
    stage: Stage, ada: Person, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    some(stage)
    monkeypatch.setattr(views, "MOST_WHILE_WAITING", 1)
    browser, here = browse(ada), written(stage)
    sent = browser.post(here, {"all": "1"})
    running = browser.get(sent.headers["Location"])
    assert running.one("#put-back")["data-state"] == "running"
    assert browser.post(here, {"all": "1"}).headers["Location"] == here  # one at a time
    run = decode("pbk", sent.headers["Location"].rpartition("/")[2])
    with tenant_scope(ada.agency_id):
        put_back_jobs.put_back(str(run))
    done = browser.get(sent.headers["Location"], htmx="put-back")
    assert "2 rows put back" in done.one("#put-back").get_text(" ", strip=True)


def test_it_needs_the_right_to_roll_back_and_rights_on_records(
    stage: Stage, ada: Person, world: World, browse: Browse
) -> None:
    some(stage)
    here = written(stage)
    agency = Agency(id=ada.agency_id)
    for role in (Role.MEMBER, Role.VIEWER):
        vic = browse(world.person(agency, role=role))
        assert vic.get(here).status == 403
        assert vic.post(here, {"all": "1"}).status == 403
        assert "written" not in str(vic.get(f"/installs/{stage.install.public_id}/versions").html.select("#history a"))
    assert stage.marks() == {}


def test_a_file_of_another_install_or_agency_is_not_there(
    stage: Stage, ada: Person, world: World, config: Config, browse: Browse
) -> None:
    some(stage)
    here = written(stage)
    other = Stage(Desk(world, config, Agency(id=ada.agency_id), ada.actor, world.site(Agency(id=ada.agency_id))))
    foreign = f"/installs/{other.install.public_id}/moves/{stage.move().public_id}/written"
    assert browse(ada).get(foreign).status == 404
    assert browse(ada).post(foreign, {"all": "1"}).status == 404
    stranger = browse(world.person(world.agency()))
    assert stranger.get(here).status == 404
    assert stranger.post(here, {"all": "1"}).status == 404
    run = stage.put_back([1])
    assert browse(ada).get(f"/installs/{other.install.public_id}/put-backs/{run.public_id}").status == 404


def test_records_that_stayed_have_no_such_page(stage: Stage, ada: Person, browse: Browse) -> None:
    stage.upgrade()
    stage.insert("people", name="Bea")
    stage.back(records="keep")
    assert browse(ada).get(written(stage)).status == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_for_any_number_of_rows(
    stage: Stage, ada: Person, browse: Browse, rows: int, statements: object
) -> None:
    boss = stage.insert("people", name="Boss")
    stage.upgrade()
    stage.data().insert_many("people", [{"name": f"P{n}", "boss": boss} for n in range(rows)])
    stage.back()
    browser, here = browse(ada), written(stage)
    browser.get(here)
    with statements.of_modules() as sent:  # type: ignore[attr-defined]
        page = browser.get(here)
    assert len(page.ids("#written tbody tr")) == rows
    assert len(sent) == 2  # the records as they are, and the names of those they refer to
    with statements.counted() as all_sent:  # type: ignore[attr-defined]
        browser.get(here)
    assert len(all_sent) == COST


COST = 12
