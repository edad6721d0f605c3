"""Fixed values of record steps: written as people write them, read as the field's type, refused when they are saved."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.automations.doing import would
from app.automations.models import Automation
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.errors import AppError, Invalid
from app.events.models import Event
from tests.support.automated import Automated


def said_by_trial(shop: Automated, automation: Automation, number: int = 0) -> str:
    """What Try it says of a step for the newest deal."""
    with tenant_scope(shop.agency.id, user_id=shop.ada.id), transaction(db.session()) as session:
        query = session.query(Event).filter_by(agency_id=shop.agency.id, type="deal.created")
        event = query.order_by(Event.sequence.desc()).first()
        assert event is not None
        return would(session, automation, automation.steps[number], event)


def made(shop: Automated, **values: str) -> dict[str, Any]:
    """The order a step with these texts makes."""
    shop.automation(shop.order(**values))
    shop.deal()
    shop.happen()
    [order] = shop.deals.records("orders")
    return order


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        ("price", "1200", 1200), ("price", "1,200", 1200), ("price", "{record.amount}", 0), ("price", "", None),
        ("total", "1,299.50", 129950), ("total", "€12.5", 1250), ("total", "12 EUR", 1200),
        ("total", "{record.amount}.5", 50),
        ("weight", "1,5", "1.5"), ("weight", "{record.amount}", "0"),
        ("shown", "true", True), ("shown", "No", False),
        ("day", "2026-03-14", "2026-03-14"),
        ("at", "2026-03-14 09:30", "2026-03-14T09:30:00.000000Z"), ("at", "2026-03-14", "2026-03-14T00:00:00.000000Z"),
        ("stage", "paid", "paid"), ("stage", "brand new", "new_one"),
        ("tags", "a, b", ["a", "b"]),
        ("name", "12", "12"),
    ],
)  # fmt: skip
def test_a_fixed_value_takes_the_fields_type(shop: Automated, field: str, text: str, kept: Any) -> None:
    value = made(shop, **{field: text})[field]
    assert (float(value), float(kept)) == (float(kept),) * 2 if field == "weight" else value == kept


def test_a_moment_of_the_event_becomes_the_day_it_falls_on(shop: Automated) -> None:
    assert made(shop, day="{event.at}")["day"] == f"{datetime.now(UTC):%Y-%m-%d}"


def test_records_and_people_are_named_as_people_call_them(shop: Automated) -> None:
    deal = shop.deal(name="The big one")
    step = shop.order(deal="The big one", owner=shop.ada.email)
    automation = shop.automation(step)
    assert automation.steps[0]["known"] == {
        "deal": {"The big one": deal["id"]}, "owner": {shop.ada.email: str(shop.ada.id)},
    }  # fmt: skip
    shop.deal()
    shop.happen()
    assert {(one["deal"], one["owner"]) for one in shop.deals.records("orders")} == {(deal["id"], str(shop.ada.id))}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"price": "many"}, ["price must be a number such as 1299.50."]),
        ({"price": "1.5"}, ["price must be a whole number."]),
        ({"total": "1.005"}, ["total must have at most 2 digits after the point."]),
        ({"total": "$5"}, ["total must be a number such as 1299.50."]),
        ({"shown": "maybe"}, ["shown must be yes or no."]),
        ({"day": "14.03.2026"}, ["day must be a day such as 2026-03-14."]),
        ({"at": "soon"}, ["at must be a day and time such as 2026-03-14 09:30."]),
        ({"stage": "lost"}, ["stage must be one of new_one, paid."]),
        ({"deal": "Nobody's"}, ['deal no record is called "Nobody\'s".']),
        ({"owner": "Nobody"}, ['owner nobody here is called "Nobody".']),
        ({"number": "3"}, ["number is set by the server."]),
        ({"name": ""}, ["name is required."]),
        ({"price": "many", "shown": "maybe"}, ["price must be a number such as 1299.50.", "shown must be yes or no."]),
    ],
)
def test_a_fixed_value_that_does_not_fit_is_refused_when_it_is_saved(
    shop: Automated, values: dict[str, str], said: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        shop.automation(shop.order(**values))
    assert [(one.pointer, one.detail) for one in refused.value.errors] == [("/values", detail) for detail in said]


def test_a_step_that_fails_says_each_thing_once(shop: Automated) -> None:
    automation = shop.automation(shop.order(price="{record.name}"))
    shop.deal()
    shop.happen()
    [run] = shop.runs(automation)
    assert run.steps[0]["detail"] == "price: must be a number such as 1299.50"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"price": "{record.name}"}, "price: must be a number such as 1299.50"),
        ({"deal": "{event.id}"}, "deal: must be an id"),
        ({"code": "taken"}, "code: is taken already"),
    ],
)
def test_trying_says_what_the_run_would_say(shop: Automated, values: dict[str, str], said: str) -> None:
    shop.deals.data().insert("orders", {"name": "First", "code": "taken"})
    automation = shop.automation(shop.order(**values))
    shop.deal()
    with pytest.raises(AppError) as tried:
        said_by_trial(shop, automation)
    shop.happen()
    [run] = shop.runs(automation)
    assert (tried.value.message, run.steps[0]["detail"]) == (run.steps[0]["detail"],) * 2
    assert said in run.steps[0]["detail"]


def test_trying_keeps_nothing(shop: Automated) -> None:
    automation = shop.automation(shop.order(price="1,200", shown="yes"))
    shop.deal()
    assert said_by_trial(shop, automation).splitlines()[1:] == ["name = Bo", "price = 1,200", "shown = yes"]
    assert shop.deals.records("orders") == []
