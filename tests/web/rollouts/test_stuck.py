"""Upgrades that do worse and cannot go back: they say so, to people, on the screens and to what rolls releases out."""

from __future__ import annotations

import pytest
from sqlalchemy import text, update

from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Conflict
from app.installs.actions import pause_install
from app.installs.models import Install, Move
from app.installs.outcomes import fail
from app.lib.clock import utcnow
from app.rollouts import watch as watching
from app.rollouts.watch import watch
from tests.support.letters import Postbox, words
from tests.support.practice import Practice
from tests.web.conftest import Browse, Browser


def moved(practice: Practice, browse: Browse) -> Browser:
    """On the bad version, with calls that fail."""
    assert set(practice.look(12)) == {200}
    browser = browse(practice.ada)
    sent = {"version": practice.bad.public_id, "agree": "1", "lose": "1"}
    browser.post(f"/installs/{practice.install.public_id}/upgrade", sent)
    assert practice.work().version_id == practice.bad.id
    assert practice.look(15).count(500) == 5
    return browser


def upgrade_of(practice: Practice) -> tuple[str, str]:
    with platform_scope("test"), transaction(db.session()) as session:
        query = text("SELECT state, reason FROM install_moves WHERE install_id = :id AND kind = 'upgrade'")
        state, reason = session.execute(query, {"id": practice.install.id}).one()
    return state, reason


def stuck(practice: Practice, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The way back was refused."""
    browser = moved(practice, browse)

    def refused(*_: object, **__: object) -> None:
        raise Conflict("The module it needs is gone.")

    monkeypatch.setattr(watching, "rollback_install", refused)
    watch()
    return browser


def test_a_way_back_that_is_refused_leaves_it_unhealthy_and_people_hear_of_it(
    practice: Practice, browse: Browse, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = stuck(practice, browse, monkeypatch)
    watch()  # looks again, and says nothing twice
    state, reason = upgrade_of(practice)
    assert state == "unhealthy"
    assert reason.endswith("It could not go back: The module it needs is gone.")
    [letter] = postbox.to(practice.ada.email)
    assert (
        letter["Subject"].strip() == f"Bookings on {practice.site.name} does worse since 2.0.0, and could not go back"
    )
    assert "The module it needs is gone." in words(letter)
    address = f"/installs/{practice.install.public_id}"
    for path in (address, f"{address}/versions"):
        assert "2.0.0 does worse, and could not go back to 1.0.0" in browser.get(path).texts(".callout")[0]
    assert browser.get("/fleet?health=stuck").texts("tbody tr .status")[0] == "Could not go back"
    assert browser.get(f"{address}/versions").one("#rollback")
    browser.post(f"{address}/watch/stop")
    assert upgrade_of(practice)[0] == "settled"
    assert browser.get(address).texts(".callout") == []


def test_going_back_by_hand_afterwards_ends_it(
    practice: Practice, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = stuck(practice, browse, monkeypatch)
    browser.post(f"/installs/{practice.install.public_id}/rollback", {"records": "put_back"})
    assert practice.work().version_id == practice.good.id
    assert upgrade_of(practice)[0] == "undone"


def test_a_way_back_whose_job_fails_leaves_it_unhealthy_too(
    practice: Practice, browse: Browse, postbox: Postbox
) -> None:
    moved(practice, browse)
    watch()
    assert practice.stored().task == "rollback"
    with tenant_scope(practice.ada.agency_id):
        fail(db.session(), practice.install.id, "The disk is full.", now=utcnow())
        db.session.remove()
    state, reason = upgrade_of(practice)
    assert (state, practice.stored().version_id) == ("unhealthy", practice.bad.id)
    assert reason.endswith("It could not go back: The disk is full.")
    watch()
    watch()
    assert [one["Subject"].partition(practice.site.name)[2] for one in postbox.to(practice.ada.email)] == [
        " went back to 1.0.0 by itself", " does worse since 2.0.0, and could not go back",
    ]  # fmt: skip


def test_one_that_does_worse_while_it_is_paused_is_no_good_upgrade(
    practice: Practice, browse: Browse, postbox: Postbox
) -> None:
    moved(practice, browse)
    with tenant_scope(practice.ada.agency_id), transaction(db.session()) as session:
        install = session.get_one(Install, practice.install.id)
        pause_install(session, install=install, by=practice.ada.actor, now=utcnow())
    watch()
    assert upgrade_of(practice)[0] == "watching"  # it may be resumed before the time is over
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(update(Move).where(Move.install_id == practice.install.id).values(watch_until=utcnow()))
    watch()
    state, reason = upgrade_of(practice)
    assert (state, reason.endswith("It is paused, so it could not go back.")) == ("unhealthy", True)
    assert len(postbox.to(practice.ada.email)) == 1
