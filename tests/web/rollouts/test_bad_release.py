"""A release that drops a column with values in it, fails on every third request and asks for more than before.

It is stopped at the plan; who goes there all the same is taken back by the watch, with every record as it was.
"""

from __future__ import annotations

import json

from sqlalchemy import text

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.installs.models import Install
from app.installs.upgrades import upgrade_install
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.models import Version
from app.rollouts.watch import watch
from tests.support.letters import Postbox, words
from tests.support.practice import Practice
from tests.support.world import World
from tests.web.conftest import Browse


def test_it_is_stopped_at_the_plan(practice: Practice, browse: Browse) -> None:
    browser, address = browse(practice.ada), f"/installs/{practice.install.public_id}/upgrade"
    page = browser.get(address)
    assert "2 records with a value" in page.one("#losses").get_text(" ", strip=True)
    assert page.texts("#permissions li") == ["New Asks for sending e-mail"]
    for left in ("agree", "lose"):
        form = {"version": practice.bad.public_id, "agree": "1", "lose": "1"}
        del form[left]
        assert browser.post(address, form).status == 409
    assert practice.stored().version_id == practice.good.id


def test_the_watch_takes_it_back_with_every_record_as_it_was(
    practice: Practice, browse: Browse, postbox: Postbox
) -> None:
    assert set(practice.look(12)) == {200}
    before, browser = practice.hash(), browse(practice.ada)
    browser.post(
        f"/installs/{practice.install.public_id}/upgrade",
        {"version": practice.bad.public_id, "agree": "1", "lose": "1"},
    )
    assert practice.work().version_id == practice.bad.id
    watch()
    watched = browser.get(f"/installs/{practice.install.public_id}/versions")
    assert "Watching 2.0.0" in watched.one("#watch").get_text(" ", strip=True)

    made = practice.call("POST", "/bookings", json={"name": "Dan", "mood": "odd"}).json["data"]
    first = practice.call("GET", "/bookings?name=Ann").json["data"][0]
    practice.call("PATCH", f"/bookings/{first['id']}", json={"name": "Anna"})
    assert practice.look(15).count(500) == 5
    assert practice.hash() != before
    watch()
    assert practice.stored().task == "rollback"
    back = practice.work()
    assert (back.status, back.version_id, practice.hash()) == ("active", practice.good.id, before)
    assert set(practice.look(6)) == {200}

    page = browser.get(f"/installs/{practice.install.public_id}/versions")
    told = page.texts("#history li")[0]
    assert "failed since the upgrade" in told
    assert "1 created, 1 changed, 0 deleted; 1 with something the older version has no place for" in told
    lines = [
        json.loads(line)
        for line in browser.get(page.one('#history li:first-child a[href$="jsonl"]')["href"]).text.splitlines()
    ]
    by_change = {line["change"]: line for line in lines[1:]}
    assert by_change["created"]["id"] == made["id"]
    assert [one["field"] for one in by_change["created"]["not_held"]] == ["mood"]
    assert (by_change["changed"]["before"]["name"], by_change["changed"]["values"]["name"]) == ("Ann", "Anna")
    [letter] = postbox.to(practice.ada.email)
    assert letter["Subject"] == f"Bookings on {practice.site.name} went back to 1.0.0 by itself"
    assert "failed since the upgrade" in words(letter)


def test_one_that_does_well_is_settled_when_its_time_is_over(practice: Practice) -> None:
    with tenant_scope(practice.ada.agency_id, user_id=practice.ada.id), transaction(db.session()) as session:
        upgrade_install(
            session, install=session.get_one(Install, practice.install.id), version=session.get_one(Version, practice.bad.id),
            consent=True, lose=True, by=practice.ada.actor, now=utcnow(),
        )  # fmt: skip
    practice.work()
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text("UPDATE install_moves SET watch_until = now() WHERE install_id = :id"), {"id": practice.install.id}
        )
    watch()
    with platform_scope("test"), transaction(db.session()) as session:
        query = text("SELECT state, figures ->> 'breach' FROM install_moves WHERE install_id = :id")
        assert session.execute(query, {"id": practice.install.id}).all() == [("settled", "")]


def test_files_of_others_are_not_there(practice: Practice, world: World, browse: Browse) -> None:
    stranger = world.person(world.agency())
    move = f"mov_{str(uuid7().hex)[:26]}"
    assert browse(stranger).get(f"/installs/{practice.install.public_id}/versions").status == 404
    assert browse(practice.ada).get(f"/installs/{practice.install.public_id}/moves/{move}/since").status == 404
