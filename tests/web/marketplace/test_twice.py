"""Two clicks at once on what an agency does once: both are answered, and it is done once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.base import Base, db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.marketplace.actions import verify_publisher
from app.marketplace.models import Publisher, Rating, Report, Request, RequestVote, Vote, Wish
from app.marketplace.ratings import report, vote
from app.marketplace.wishes import want_too, wish
from tests.support.packages import notes
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World

Act = Callable[[Session, Person, Any], object]


def twice(app: Flask, act: Callable[[Session], object], scope: Callable[[], Any]) -> None:
    """Do it, and before that is committed do it again elsewhere, which then waits for it. Raises what either raised."""
    failed: list[BaseException] = []

    def second() -> None:
        try:
            with app.app_context(), scope(), transaction(db.session()) as session:
                act(session)
        except BaseException as error:  # told by the test, not by the thread
            failed.append(error)

    other = threading.Thread(target=second)
    with app.app_context(), scope(), transaction(db.session()) as session:
        act(session)
        session.flush()
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()  # it waits
    other.join(timeout=20)
    assert failed == []


@pytest.fixture
def publisher(world: World) -> Person:
    return world.person(world.agency("Northbeam"))


@pytest.fixture
def things(world: World, publisher: Person) -> dict[str, Any]:
    """A module that others say something of, and a request for one."""
    version, author = released(publisher, notes(new_slug()), tier="public"), world.agency("Tidewater")
    now, whose = utcnow(), {"agency_id": author.id, "author": "Tidewater"}
    rating = Rating(
        id=uuid7(), module_id=version.module_id, major=1, stars=4, text="", created_at=now, changed_at=now, **whose
    )
    wanted = Request(id=uuid7(), title="Planner", text="", category="hr", created_at=now, **whose)
    with platform_scope("test world"), transaction(db.session()) as session:
        session.add_all([rating, wanted])
        return {"module": version.module_id, "rating": rating.id, "request": wanted.id}


def find_helpful(session: Session, ada: Person, things: dict[str, Any]) -> None:
    vote(session, rating=session.get_one(Rating, things["rating"]), by=ada.actor)


def complain(session: Session, ada: Person, things: dict[str, Any]) -> None:
    report(session, rating=session.get_one(Rating, things["rating"]), reason="spam", by=ada.actor, now=utcnow())


def keep(session: Session, ada: Person, things: dict[str, Any]) -> None:
    wish(session, module_id=things["module"], by=ada.actor, now=utcnow())


def ask_too(session: Session, ada: Person, things: dict[str, Any]) -> None:
    want_too(session, request_id=things["request"], by=ada.actor)


@pytest.mark.parametrize(
    ("act", "kept"), [(keep, Wish), (ask_too, RequestVote), (find_helpful, Vote), (complain, Report)]
)
def test_an_agency_does_it_once(
    platform_app: Flask, world: World, things: dict[str, Any], act: Act, kept: type[Base]
) -> None:
    ada = world.person(world.agency())
    twice(platform_app, lambda session: act(session, ada, things), lambda: tenant_scope(ada.agency_id, user_id=ada.id))
    with platform_scope("test"), transaction(db.session()) as session:
        rows = select(func.count()).select_from(kept).where(kept.agency_id == ada.agency_id)  # type: ignore[attr-defined]  # all four have it
        assert session.scalar(rows) == 1


def test_staff_verify_once(platform_app: Flask, world: World, publisher: Person) -> None:
    sam = world.person(world.agency("Dramac"), staff_role="administrator")

    def verify(session: Session) -> None:
        verify_publisher(session, agency_id=publisher.agency_id, verified=True, by=sam.actor, now=utcnow())

    twice(platform_app, verify, lambda: platform_scope("test"))
    with platform_scope("test"), transaction(db.session()) as session:
        assert session.get(Publisher, publisher.agency_id) is not None
