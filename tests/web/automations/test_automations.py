"""The automation screens: make one, add steps, try it on a past event, switch it on, see its runs."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from app.access.permissions import Role
from app.automations.models import Automation
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.events.models import AuditRow
from app.webhooks.models import Delivery
from tests.support.automated import Automated, deals_module
from tests.support.modules import Released
from tests.support.pages import page_faults
from tests.support.world import World
from tests.web.conftest import Browse

FORM = {
    "name": "Thank who bought", "site": "agency", "event_type": "deal.created", "conditions": "amount >= 10",
    "retries": "2", "off_after": "5",
}  # fmt: skip
LETTER = {
    "to": "event",
    "path": "record.email",
    "subject": "Thanks, {record.name}",
    "text": "You paid {record.amount}.",
}


@pytest.fixture(scope="module")
def deals(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        return deals_module(World(config).agency("Publisher"))


@pytest.fixture
def shop(config: Config, world: World, deals: Released) -> Automated:
    return Automated.make(config, world, deals)


def stored(shop: Automated) -> list[Automation]:
    with platform_scope("test"), transaction(db.session()) as session:
        return list(session.scalars(select(Automation).where(Automation.agency_id == shop.agency.id)))


def audited(shop: Automated) -> list[str]:
    with platform_scope("test"), transaction(db.session()) as session:
        query = select(AuditRow.action).where(AuditRow.agency_id == shop.agency.id).order_by(AuditRow.number)
        return [action for action in session.scalars(query) if action.startswith("automation.")]


def test_from_nothing_to_a_run(shop: Automated, browse: Browse, platform_app: Flask) -> None:
    ada = browse(shop.ada)
    assert ada.get("/automations").texts("main h2") == ["No automations yet"]
    form = ada.get("/automations/new")
    assert page_faults(form.text, platform_app) == []
    made = ada.post("/automations", FORM)
    [automation] = stored(shop)
    path = f"/automations/{automation.public_id}"
    assert (made.status, made.where) == (303, path)
    assert (automation.active, automation.conditions, automation.retries) == (False, "amount >= 10", 2)
    assert ada.post(f"{path}/on").status == 409  # nothing to do yet
    for kind in ("mail", "webhook", "function", "record"):
        page = ada.get(f"{path}/step?kind={kind}")
        assert (page.status, page_faults(page.text, platform_app)) == (200, [])
    assert ada.post(f"{path}/step?kind=mail", LETTER).status == 303
    target = ada.get(f"{path}/step?kind=record").html.select("[name=target] option")
    assert [one.text.split(": ")[1] for one in target] == ["deals", "notes", "orders"]
    note = {"target": target[1]["value"], "act": "create", "path": "", "values": "words = {record.name}"}
    assert ada.post(f"{path}/step?kind=record", note).status == 303
    jot = ada.get(f"{path}/step?kind=function").html.select("[name=target] option")
    assert ada.post(f"{path}/step?kind=function", {"target": jot[0]["value"]}).status == 303
    assert ada.post(f"{path}/step-drop", {"number": "2"}).status == 303
    assert ada.post(f"{path}/on").status == 303
    shop.deal(amount=5)
    shop.deal(amount=10, name="Cy", email="cy@example.com")
    shop.happen()
    [run] = shop.runs(automation)
    shown = ada.get(path)
    assert page_faults(shown.text, platform_app) == []
    assert (shown.ids("#runs tbody tr"), shown.ids("#steps tbody tr")) == ([run.public_id], ["step-1", "step-2"])
    page = ada.get(f"/automation-runs/{run.public_id}")
    assert page_faults(page.text, platform_app) == []
    assert [page.texts(f"#step-{number} td")[3] for number in (1, 2)] == ["Done", "Done"]
    assert page.texts("#step-1 td")[4] == "to cy@example.com"
    assert (shop.letters(), shop.words()) == ([("cy@example.com", "Thanks, Cy", "You paid 10.")], ["Cy"])
    listed = ada.get("/automations")
    assert (listed.ids("#automations tbody tr"), listed.texts("#automations tbody td")[3:5]) == (
        [automation.public_id], ["1", "On"],
    )  # fmt: skip
    assert ada.post(f"{path}/remove").where == "/automations"
    assert stored(shop) == []
    assert audited(shop) == [
        "automation.created", *["automation.changed"] * 4, "automation.switched_on", "automation.deleted",
    ]  # fmt: skip


def test_a_trial_shows_what_would_happen_and_does_nothing(shop: Automated, browse: Browse) -> None:
    automation = shop.automation(shop.mail(), shop.note(), shop.jot(), conditions="amount > 3", on=False)
    shop.deal(amount=4)
    shop.deal(amount=1, name="Cy")
    ada, path = browse(shop.ada), f"/automations/{automation.public_id}"
    events = [tag["value"] for tag in ada.get(path).html.select("#trial-event option")]
    assert len(events) == 2
    newest, oldest = (ada.get(f"{path}/trial?event={event}") for event in events)
    assert newest.texts("#tried tbody td") == ["Conditions", "Failed", "They do not hold, so nothing would happen."]
    said = oldest.texts("#tried tbody td")
    assert said[2::3][0] == "They hold."
    assert said[2::3][1].split() == ["To", "bo@example.com", "Thanks,", "Bo", "4", "received."]
    assert said[2::3][3] == "Deals: jot"
    assert (shop.runs(automation), shop.letters(), shop.words()) == ([], [], [])
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.scalar(select(Delivery.id).where(Delivery.agency_id == shop.agency.id)) is None
    assert ada.get(f"{path}/trial?event=evt_00000000000000000000000000").status == 404


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": ""}, "Enter a name."),
        ({"event_type": "deal.stolen"}, "Not a valid choice."),
        ({"conditions": "amount"}, '"amount" is no condition. Write: status = won, amount >= 10000, name contains bo.'),
        ({"conditions": "colour = red"}, 'no field "colour"'),
        ({"retries": "6"}, "Number must be between 0 and 5."),
        ({"site": "ste_00000000000000000000000000"}, "Not a valid choice."),
    ],
)
def test_an_automation_that_makes_no_sense_is_not_made(
    shop: Automated, browse: Browse, wrong: dict[str, str], error: str
) -> None:
    page = browse(shop.ada).post("/automations", {**FORM, **wrong})
    assert (page.status, page.errors, stored(shop)) == (422, [error], [])


def test_it_is_changed(shop: Automated, browse: Browse) -> None:
    automation = shop.automation(shop.mail())
    page = browse(shop.ada).post(
        f"/automations/{automation.public_id}/edit", {**FORM, "name": "Other", "event_type": "deal.updated", "conditions": ""}
    )  # fmt: skip
    row = shop.read(automation)
    assert (page.status, row.name, row.event_type, row.conditions) == (303, "Other", "deal.updated", "")


@pytest.mark.parametrize(
    ("kind", "wrong", "error"),
    [
        ("mail", {**LETTER, "path": "record email"}, "Name a value of the event, such as record.email."),
        ("mail", {**LETTER, "subject": ""}, "Enter a subject."),
        ("record", {"act": "create", "values": "colour = red"},
         "notes has no field colour; it has words, amount."),
        ("record", {"act": "create", "values": "words = Hello\namount = many"},
         "amount must be a number such as 1299.50."),
        ("record", {"act": "create", "values": "amount = 3"}, "words is required."),
        ("record", {"act": "create", "values": "words"}, '"words" sets no field. Write: status = {record.status}.'),
    ],
)  # fmt: skip
def test_a_step_that_makes_no_sense_is_not_added(
    shop: Automated, browse: Browse, kind: str, wrong: dict[str, str], error: str
) -> None:
    automation = shop.automation(on=False)
    given = {"target": f"{shop.deals.public_id}/notes", **wrong}
    page = browse(shop.ada).post(f"/automations/{automation.public_id}/step?kind={kind}", given)
    assert (page.status, page.errors, shop.read(automation).steps) == (422, [error], [])


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.MEMBER, 403), (Role.DEVELOPER, 200)])
def test_who_may_see_automations(shop: Automated, browse: Browse, role: Role, status: int) -> None:
    automation = shop.automation(shop.mail())
    person = browse(shop.world.person(shop.agency, role))
    paths = ["/automations", "/automations/new", f"/automations/{automation.public_id}"]
    assert [person.get(path).status for path in paths] == [status] * 3


def test_another_agencys_automations_do_not_exist(shop: Automated, browse: Browse, world: World) -> None:
    automation = shop.automation(shop.mail())
    olga = browse(world.person(world.agency("Other Place")))
    assert [olga.get(f"/automations/{automation.public_id}{rest}").status for rest in ("", "/edit", "/step")] == [
        404
    ] * 3
    assert olga.post(f"/automations/{automation.public_id}/off").status == 404
    assert shop.read(automation).active
