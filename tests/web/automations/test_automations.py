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
    assert ada.post(f"{path}/step-drop", {"step": stored(shop)[0].steps[2]["id"]}).status == 303
    assert ada.post(f"{path}/on").status == 303
    shop.deal(amount=5)
    shop.deal(amount=10, name="Cy", email="cy@example.com")
    shop.happen()
    [run] = shop.runs(automation)
    shown = ada.get(path)
    assert page_faults(shown.text, platform_app) == []
    steps = [f"step-{step['id']}" for step in stored(shop)[0].steps]
    assert (shown.ids("#runs tbody tr"), shown.ids("#steps ol > li")) == ([run.public_id], steps)
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


def edit(shop: Automated, automation: Automation, **values: str) -> dict[str, str]:
    """What the form of an automation sends, as somebody sees it now."""
    return {**FORM, "seen": shop.read(automation).seen, **values}


def test_it_is_changed(shop: Automated, browse: Browse) -> None:
    automation = shop.automation(shop.mail())
    page = browse(shop.ada).post(
        f"/automations/{automation.public_id}/edit",
        edit(shop, automation, name="Other", event_type="deal.updated", conditions=""),
    )
    row = shop.read(automation)
    assert (page.status, row.name, row.event_type, row.conditions) == (303, "Other", "deal.updated", "")


def test_who_saves_second_sees_what_the_first_saved_and_keeps_what_they_typed(shop: Automated, browse: Browse) -> None:
    automation, ada = shop.automation(shop.mail()), browse(shop.ada)
    path = f"/automations/{automation.public_id}/edit"
    mine, theirs = (edit(shop, automation, name=name) for name in ("Mine", "Theirs"))
    assert ada.post(path, theirs).status == 303
    page = ada.post(path, mine)
    assert (page.status, shop.read(automation).name) == (409, "Theirs")
    assert page.html.select_one("[name=name]")["value"] == "Mine"
    assert page.texts("[data-error-summary] tbody tr > *") == ["Name", "Theirs", "Mine"]
    again = {**mine, "seen": page.html.select_one("[name=seen]")["value"]}
    assert (ada.post(path, again).status, shop.read(automation).name) == (303, "Mine")


def test_a_new_step_does_not_stand_in_the_way_of_who_edits_the_automation(shop: Automated, browse: Browse) -> None:
    automation, ada = shop.automation(shop.mail()), browse(shop.ada)
    mine = edit(shop, automation, name="Mine")
    assert ada.post(f"/automations/{automation.public_id}/step?kind=mail", LETTER).status == 303
    assert ada.post(f"/automations/{automation.public_id}/edit", mine).status == 303
    assert len(shop.read(automation).steps) == 2


def test_all_of_a_step_is_shown(shop: Automated, browse: Browse) -> None:
    automation = shop.automation(shop.mail(), shop.note(words="Of {record.name}", amount="1,200"), shop.jot())
    page = browse(shop.ada).get(f"/automations/{automation.public_id}")
    assert page.texts("#steps dd") == [
        "record.email", "Thanks, {record.name}", "{record.amount} received.",
        "notes", "Deals on " + shop.site.name, "Makes a new record", "words = Of {record.name} amount = 1,200",
        "jot", "Deals on " + shop.site.name, "The event, its data and its record",
    ]  # fmt: skip


def test_a_step_is_edited_where_it_stands(shop: Automated, browse: Browse) -> None:
    automation, ada = shop.automation(shop.note(words="{record.name}"), shop.mail()), browse(shop.ada)
    at = f"/automations/{automation.public_id}/step-edit?step={automation.steps[0]['id']}"
    page, part = ada.get(at), ada.get(at, htmx=True)
    assert (page_faults(page.text, ada.client.application), part.html.select_one("main")) == ([], None)
    sent = {tag["name"]: tag.text.strip() for tag in part.html.select("textarea")}
    assert sent == {"values": "words = {record.name}"}
    sent |= {"seen": part.html.select_one("[name=seen]")["value"], "act": "create", "path": "record.id",
             "target": f"{shop.deals.public_id}/notes"}  # fmt: skip
    wrong = ada.post(at, {**sent, "values": "words = Hello\namount = many"})
    assert (wrong.status, wrong.errors) == (422, ["amount must be a number such as 1299.50."])
    assert "amount = many" in wrong.html.select_one("textarea").text
    assert ada.post(at, {**sent, "values": "words = Hello"}).status == 303
    assert [step.get("values") for step in shop.read(automation).steps] == [{"words": "Hello"}, None]
    late = ada.post(at, {**sent, "values": "words = Bye"})
    assert (late.status, late.html.select_one("textarea").text.strip()) == (409, "words = Bye")
    assert late.texts("[data-error-summary] tbody tr > *") == ["Fields", "words = Hello", "words = Bye"]
    assert shop.read(automation).steps[0]["values"] == {"words": "Hello"}


def test_a_step_is_moved_and_every_change_is_taken_back(shop: Automated, browse: Browse) -> None:
    automation, ada = shop.automation(shop.mail(), shop.note(), shop.jot()), browse(shop.ada)
    path, (mail, note, jot) = f"/automations/{automation.public_id}", (step["id"] for step in automation.steps)

    def order() -> list[str]:
        return [step["id"] for step in shop.read(automation).steps]

    def undo() -> None:
        [button] = ada.get(path).html.select("#steps form[action*=undo]")
        assert ada.post(button["action"]).status == 303

    part = ada.post(f"{path}/step-move", {"step": jot, "before": note}, htmx=True)
    assert part.ids("ol > li") == [f"step-{one}" for one in (mail, jot, note)]
    ada.post(f"{path}/step-move", {"step": jot, "before": note})  # asked for twice
    assert order() == [mail, jot, note]
    ada.post(f"{path}/step-move", {"step": mail, "before": ""})
    assert order() == [jot, note, mail]
    undo()
    undo()
    assert order() == [mail, note, jot]
    for step in (mail, note, jot):
        ada.post(f"{path}/step-drop", {"step": step})
    assert not shop.read(automation).active
    undo()
    assert (order(), shop.read(automation).active) == ([jot], True)
    ada.post(f"{path}/edit", edit(shop, automation, name="Other"))
    undo()
    assert shop.read(automation).name == "Thank who bought"


def test_undo_is_about_the_change_that_was_seen(shop: Automated, browse: Browse) -> None:
    automation, ada = shop.automation(shop.mail(), shop.note()), browse(shop.ada)
    path = f"/automations/{automation.public_id}"
    [button] = ada.get(path).html.select("#steps form[action*=undo]")
    ada.post(f"{path}/edit", edit(shop, automation, name="Other"))
    ada.post(button["action"])
    assert (shop.read(automation).name, len(shop.read(automation).steps)) == ("Other", 2)


def test_what_is_typed_into_a_step_that_somebody_removed_can_be_added_anew(shop: Automated, browse: Browse) -> None:
    automation, ada = shop.automation(shop.mail()), browse(shop.ada)
    path, step = f"/automations/{automation.public_id}", automation.steps[0]["id"]
    ada.post(f"{path}/step-drop", {"step": step})
    page = ada.post(f"{path}/step-edit?step={step}", {**LETTER, "kind": "mail", "text": "Typed"})
    assert (page.status, page.html.select_one("textarea").text.strip()) == (409, "Typed")
    [form] = page.html.select("#step-form")
    assert ada.post(form["action"], {**LETTER, "text": "Typed"}).status == 303
    assert [one["text"] for one in shop.read(automation).steps] == ["Typed"]


def test_removing_twice_removes_one(shop: Automated, browse: Browse) -> None:
    automation, ada = shop.automation(shop.mail(), shop.note(), shop.jot()), browse(shop.ada)
    first = automation.steps[0]["id"]
    for _ in range(2):
        assert ada.post(f"/automations/{automation.public_id}/step-drop", {"step": first}).status == 303
    assert [step["kind"] for step in shop.read(automation).steps] == ["record", "function"]


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
