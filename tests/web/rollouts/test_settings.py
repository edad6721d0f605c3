"""Settings through the plan, the rehearsal, the fleet, and the pages a visitor sees."""

from __future__ import annotations

import pytest

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.fleet.planning import plan_upgrade
from app.fleet.queries import chosen_cells
from app.installs.jobs import provision
from app.installs.models import Install, ModuleSettings
from app.lib.clock import utcnow
from app.lib.ids import decode
from app.rollouts import rehearsing
from app.rollouts.models import Rehearsal
from app.runtime.context import forget_install, load_install
from tests.support.fleet import Fleet, new_fleet
from tests.support.world import World
from tests.web.conftest import Browse

FIELDS = "settings: [{{label: Look, fields: {{mode: {{type: enum, options: [{options}]{required}}}, size: {{type: {size}}}}}}}]\n"
OLD = FIELDS.format(options="a, b, c", required="", size="number")
NEW = FIELDS.format(options="x, y", required=", default: y", size="text")


@pytest.fixture
def fleet(world: World, config: Config) -> Fleet:
    made = new_fleet(world, config)
    made.release("1.1.0", more=OLD)
    return made


def put_on(fleet: Fleet) -> Install:
    return fleet.put_on("Alder", "1.1.0", mode="b", size=5)  # type: ignore[arg-type]


def work(fleet: Fleet, install: Install) -> dict[str, object]:
    with tenant_scope(fleet.agency.id):
        provision(str(install.id))
        db.session.remove()
    forget_install(install.id)
    return dict(load_install(install.id).settings)


def test_the_plan_says_which_values_cannot_stay_and_asks_for_others(fleet: Fleet, browse: Browse) -> None:
    install, browser = put_on(fleet), browse(fleet.ada)
    version, address = fleet.release("2.0.0", more=NEW), f"/installs/{install.public_id}"
    page = browser.get(f"{address}/upgrade")
    assert page.texts("#settings-diff li div") == [
        "The setting \"mode\" is narrower: the options a, b, c are gone, there are now x, y"
        " This site has “b”, which 2.0.0 cannot have. · needs a value, see the form",
        "The setting \"size\" was number and is text This site has 5, which 2.0.0 cannot have. · needs a value, see the form",
    ]  # fmt: skip
    assert [one["value"] for one in page.html.select("#upgrade [name=mode] option[selected]")] == ["y"]
    assert page.one("#upgrade [name=size]").get("value", "") == ""
    refused = browser.post(f"{address}/upgrade", {"version": version.public_id})
    assert refused.status == 422
    assert "this site has “b”, which the other version cannot have" in refused.text
    sent = {"version": version.public_id, "has.mode": "1", "mode": "x", "has.size": "1", "size": "large"}
    assert browser.post(f"{address}/upgrade", sent).status == 303
    assert work(fleet, install) == {"mode": "x", "size": "large"}
    browser.post(f"{address}/rollback", {"records": "put_back"})
    assert work(fleet, install) == {"mode": "b", "size": 5}
    page = browser.get(f"{address}/versions")
    assert "the values of mode, size since then are in the file: CSV · JSON Lines" in page.texts("#history li")[0]
    form = browser.get(f"{address}/settings")
    assert [one["value"] for one in form.html.select("[name=mode] option[selected]")] == ["b"]
    assert form.one("[name=size]")["value"] == "5"


def test_what_is_locked_above_has_to_be_changed_there(fleet: Fleet, browse: Browse) -> None:
    install, browser = put_on(fleet), browse(fleet.ada)
    version = fleet.release("2.0.0", more=NEW)
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        session.add(
            ModuleSettings(
                agency_id=fleet.agency.id, module_id=version.module_id, settings={"mode": "c"},
                locks={"mode": {"by": "", "name": "Ada", "at": "2026-01-01T00:00:00Z", "reason": ""}},
            )
        )  # fmt: skip
    page = browser.get(f"/installs/{install.public_id}/upgrade")
    assert (
        "Mode: the agency gives “c”, which the other version cannot have. It is locked there"
        in page.texts(".callout")[0]
    )
    assert page.html.select("#upgrade [name=mode]") == []
    assert page.one("#upgrade .btn").has_attr("disabled")


def test_the_fleet_leaves_out_what_somebody_has_to_choose_for(fleet: Fleet) -> None:
    install = put_on(fleet)
    fleet.release("2.0.0", more=NEW)
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        cells = chosen_cells(session, agency_id=fleet.agency.id, installs=(install.id,), now=utcnow())
        [step] = plan_upgrade(session, cells=cells).steps
    assert step.ready == ()
    [refused] = step.refused
    assert "Mode: this site has “b”, which the other version cannot have." in refused.reason
    assert "Size: this site has 5" in refused.reason


def test_the_rehearsal_names_them(fleet: Fleet, browse: Browse) -> None:
    install, browser = put_on(fleet), browse(fleet.ada)
    version = fleet.release("2.0.0", more=NEW)
    answer = browser.post(f"/installs/{install.public_id}/rehearse", {"version": version.public_id})
    rehearsal_id = decode("reh", (answer.where or "").rpartition("/")[2])
    with tenant_scope(fleet.agency.id):
        rehearsing.rehearse(str(rehearsal_id))
        db.session.remove()
    with tenant_scope(fleet.agency.id), transaction(db.session()) as session:
        result = session.get_one(Rehearsal, rehearsal_id).result
    assert (result["verdict"], result["settings"]) == (
        "look",
        [
            {"label": "Mode", "has": "This site has “b”", "then": "“y”"},
            {"label": "Size", "has": "This site has 5", "then": "nothing"},
        ],
    )
    page = browser.get(answer.where or "")
    assert "Nothing is another" not in page.text
    assert page.texts("#to-know li div")[0] == (
        "Mode: This site has “b”, which 2.0.0 cannot have. It was rehearsed with “y”; the plan asks what it is to be."
    )
