"""When something happens, then the steps: once per event, in order, tried again, never in a circle."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import current_app

from app.automations import actions, doing
from app.automations.matching import MAX_DEPTH
from app.automations.models import Automation, Run
from app.automations.running import run_one
from app.automations.steps import filled, found_in
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Invalid
from app.lib.clock import utcnow
from tests.support.automated import Automated
from tests.support.hooks import Hooks, receiving


def test_a_letter_a_record_and_a_function_follow_an_event_in_order(shop: Automated) -> None:
    automation = shop.automation(
        shop.mail(), shop.note(words="{record.name} of {event.type}", amount="{record.amount}"), shop.jot()
    )
    shop.deal(amount=900)
    shop.happen()
    [run] = shop.runs(automation)
    assert (run.status, [step["outcome"] for step in run.steps]) == ("done", ["done"] * 3)
    assert shop.letters() == [("bo@example.com", "Thanks, Bo", "900 received.")]
    assert shop.words() == ["Bo of deal.created", "deal.created Bo"]
    assert {note["amount"] for note in shop.deals.records("notes")} == {900, None}  # a number stays a number


def test_the_owners_get_a_letter(shop: Automated) -> None:
    shop.automation(shop.mail(to="owners", subject="A deal", text="{record.gone}{record.name}"))
    shop.deal()
    shop.happen()
    assert shop.letters() == [(shop.ada.email, "A deal", "Bo")]


def test_a_record_of_the_event_is_changed(shop: Automated) -> None:
    change = {**shop.note(stage="won"), "table": "deals", "act": "change"}
    shop.automation(change)
    deal = shop.deal()
    shop.happen()
    assert [(one["id"], one["stage"]) for one in shop.deals.records("deals")] == [(deal["id"], "won")]


def test_a_webhook_gets_the_event_whatever_its_patterns(shop: Automated, platform_app: Any) -> None:
    hooks = Hooks(platform_app, shop.config, shop.world, shop.agency, shop.ada, shop.site)
    with receiving() as receiver:
        webhook = hooks.endpoint(receiver.url, patterns=("nothing.*",))
        shop.automation({"kind": "webhook", "webhook": str(webhook.id)})
        shop.deal()
        shop.happen()
        hooks.pump()
        assert len(receiver.calls) == 1
    hooks.leave()


@pytest.mark.parametrize(
    ("conditions", "happens"),
    [
        ("", True),
        ("amount >= 1000", True),
        ("amount > 1000", False),
        ("stage = open\nname contains bo", True),
        ("stage in won,open\nemail is null", False),
        ("stage != open", False),
    ],
)
def test_it_runs_only_when_all_conditions_hold(shop: Automated, conditions: str, happens: bool) -> None:
    automation = shop.automation(shop.note(), conditions=conditions)
    shop.deal(amount=1000)
    shop.happen()
    assert (len(shop.runs(automation)), shop.words()) == ((1, ["Bo"]) if happens else (0, []))


def test_it_hears_of_its_site_and_its_agency_alone(shop: Automated) -> None:
    elsewhere = shop.world.site(shop.agency)
    other = Automated.make(shop.config, shop.world, shop.deals.released)
    mine = shop.automation(shop.mail(), site=shop.site)
    not_mine = shop.automation(shop.mail(), site=elsewhere)
    theirs = other.automation(other.mail())
    off = shop.automation(shop.mail(), on=False)
    shop.deal()
    shop.happen()
    assert [len(shop.runs(one)) for one in (mine, not_mine, theirs, off)] == [1, 0, 0, 0]


def test_an_event_that_is_handed_over_twice_and_a_run_that_is_taken_up_again_do_nothing_twice(shop: Automated) -> None:
    automation = shop.automation(shop.mail(), shop.note(), shop.jot())
    shop.deal()
    shop.happen()
    shop.deals.rows(
        "UPDATE event_deliveries d SET status = 'due', due_at = now() FROM events e "
        "WHERE e.id = d.event_id AND e.install_id = :install AND d.subscriber LIKE 'automation:%'"
    )
    shop.happen()
    [run] = shop.runs(automation)
    with platform_scope("test"), transaction(db.session()) as session:  # the worker died before it noted its last steps
        row = session.get_one(Run, run.id)
        row.status, row.due_at = "running", utcnow()
        row.steps = [row.steps[0], *({**step, "outcome": ""} for step in row.steps[1:])]
    shop.happen()
    [run] = shop.runs(automation)
    assert (run.status, [step["detail"] for step in run.steps[1:]]) == ("done", ["was done before"] * 2)
    assert (len(shop.letters()), shop.words()) == (1, ["Bo", "deal.created Bo"])


def test_a_step_that_fails_is_tried_again_and_those_before_it_stay_done(shop: Automated) -> None:
    automation = shop.automation(shop.note(), shop.mail(), retries=1)
    shop.deal(email=None)
    shop.happen()
    [run] = shop.runs(automation)
    assert (run.status, run.attempts) == ("due", 1)
    assert [(step["outcome"], step["detail"]) for step in run.steps][1] == (
        "failed", "The event has no address at record.email.",
    )  # fmt: skip
    assert timedelta(seconds=5) < run.due_at - utcnow() <= timedelta(seconds=10)
    shop.make_due(automation)
    shop.happen()
    [run] = shop.runs(automation)
    assert (run.status, run.attempts, shop.words()) == ("failed", 2, ["Bo"])


def test_it_is_switched_off_after_so_many_failed_runs_and_success_begins_anew(shop: Automated) -> None:
    automation = shop.automation(shop.jot(), off_after=2)
    for name in ("broken", "fine", "broken"):
        shop.deal(name=name)
        shop.happen()
    assert (shop.read(automation).active, shop.read(automation).failures) == (True, 1)
    shop.deal(name="broken")
    shop.happen()
    row = shop.read(automation)
    assert (row.active, row.off_reason, row.failures) == (False, "failing", 2)
    assert [run.status for run in shop.runs(automation)] == ["failed", "done", "failed", "failed"]
    shop.deal(name="fine")
    shop.happen()
    assert len(shop.runs(automation)) == 4  # it is off


def test_what_it_does_itself_does_not_set_it_off_again(shop: Automated) -> None:
    again = {**shop.note(name="{record.name}!"), "table": "deals"}
    automation = shop.automation(again)
    shop.deal()
    shop.happen()
    assert (len(shop.runs(automation)), len(shop.deals.records("deals"))) == (1, 2)


def test_two_that_set_each_other_off_end(shop: Automated) -> None:
    ping = shop.automation({**shop.note(name="ping"), "table": "deals"})
    pong = shop.automation({**shop.note(name="pong"), "table": "deals"})
    shop.deal()
    shop.happen()
    assert 0 < len(shop.runs(ping)) + len(shop.runs(pong)) <= 2 * MAX_DEPTH
    before = len(shop.deals.records("deals"))
    shop.happen()
    assert len(shop.deals.records("deals")) == before


def test_a_failed_run_goes_on_where_it_failed(shop: Automated, monkeypatch: pytest.MonkeyPatch) -> None:
    automation = shop.automation(shop.note(), shop.mail(to="owners"))
    monkeypatch.setattr(doing, "DAILY_LETTERS", 0)
    shop.deal()
    shop.happen()
    [run] = shop.runs(automation)
    assert run.steps[1]["detail"] == "Automations of this agency have sent their 500 letters of the last 24 hours."
    monkeypatch.undo()
    with tenant_scope(shop.agency.id), transaction(db.session()) as session:
        actions.run_again(session, run=session.get_one(Run, run.id), now=utcnow())
    shop.happen()
    assert ([one.status for one in shop.runs(automation)], len(shop.letters()), shop.words()) == (["done"], 1, ["Bo"])


def test_what_waits_when_it_is_switched_off_is_not_done(shop: Automated) -> None:
    automation = shop.automation(shop.mail(), retries=3)
    shop.deal(email=None)
    shop.happen()
    with tenant_scope(shop.agency.id, user_id=shop.ada.id), transaction(db.session()) as session:
        row = session.get_one(Automation, automation.id)
        actions.switch(session, automation=row, on=False, by=shop.ada.actor)
    [run] = shop.runs(automation)
    run_one(db.session(), run_id=run.id, agency_id=shop.agency.id)
    [run] = shop.runs(automation)
    assert (run.status, run.steps[0]["detail"]) == ("failed", "The automation was switched off.")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"event": "deal.stolen"}, "event_type"),
        ({"conditions": "nothing = 1"}, "conditions"),
        ({"conditions": "amount ~ 3"}, "conditions"),
        ({"conditions": "amount = many"}, "conditions"),
        ({"steps": [{"kind": "webhook", "webhook": "00000000-0000-0000-0000-000000000000"}]}, "webhook"),
        ({"steps": [{"kind": "function", "install": "00000000-0000-0000-0000-000000000000", "function": "jot"}]}, "target"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(shop: Automated, wrong: dict[str, Any], field: str) -> None:
    given = dict(wrong)
    with pytest.raises(Invalid) as refused:
        shop.automation(*given.pop("steps", []), **given)
    assert [one.pointer for one in refused.value.errors] == [f"/{field}"]


def test_steps_added_at_once_are_all_there(shop: Automated) -> None:
    automation = shop.automation(on=False)
    app, ready = current_app._get_current_object(), Barrier(5)

    def add(number: int) -> None:
        with app.app_context(), tenant_scope(shop.agency.id, user_id=shop.ada.id), transaction(db.session()) as session:
            row = session.get_one(Automation, automation.id)
            ready.wait(10)
            actions.add_step(session, automation=row, step=shop.mail(subject=str(number)), by=shop.ada.actor)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(add, range(5)))
    row = shop.read(automation)
    assert sorted(step["subject"] for step in row.steps) == ["0", "1", "2", "3", "4"]
    assert (len({step["id"] for step in row.steps}), row.revision) == (5, 6)


def test_another_agencys_install_is_no_place_to_act(shop: Automated) -> None:
    other = Automated.make(shop.config, shop.world, shop.deals.released)
    for step in (other.note(), other.jot()):
        with pytest.raises(Invalid):
            shop.automation(step)


def test_words_with_places() -> None:
    values = {"record": {"name": "Bo", "amount": 3, "tags": ["a", "b"], "on": True, "deep": {"x": 1}}}
    assert filled("{record.name}: {record.amount}, {record.tags} {record.on}{record.deep} {gone.at}", values) == (
        "Bo: 3, a, b yes "
    )
    assert [found_in(text, values) for text in ("{record.amount}", " {record.tags} ", "n {record.amount}", "{gone}")] == [
        3, ["a", "b"], "n 3", None,
    ]  # fmt: skip
