"""The public status page: only what was measured, by the real job, kept by day; nothing of anybody in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.serving import make_server

from app.config import Config
from app.db.base import db
from app.db.scope import identity_scope, platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.queue.enqueue import redis
from app.support.status import measure as measuring
from app.support.status.measure import Sample, configure_status, measure, note
from app.support.status.queries import read_parts
from tests.web.conftest import Browse


@pytest.fixture(autouse=True)
def blank(app_context: None, config: Config) -> Iterator[None]:
    """Of the whole installation: every test here begins with nothing measured."""
    before = dict(measuring._own)
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(text("DELETE FROM status_days"))
    redis().delete("dramac:status")
    yield
    measuring._own.update(before)
    redis().delete("dramac:status")


@pytest.fixture
def answering(api_app: Flask, runtime_app: Flask) -> Iterator[None]:
    """Both origins on real ports."""
    servers = [make_server("127.0.0.1", 0, app, threaded=True) for app in (api_app, runtime_app)]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    web, runtime = (f"http://localhost:{server.server_port}" for server in servers)
    configure_status(platform_url=web, runtime_url=runtime)
    yield
    for server in servers:
        server.shutdown()


def states() -> dict[str, str]:
    with identity_scope(), transaction(db.session()) as session:
        return {part.name: part.state for part in read_parts(session, now=utcnow())}


def test_what_answers_is_good_and_what_does_not_is_in_trouble(answering: None) -> None:
    assert set(states().values()) == {"unknown"}
    measure()
    found = states()
    assert (found["web"], found["runtime"], found["queue"]) == ("good", "good", "good")
    configure_status(platform_url="http://localhost:9", runtime_url="http://127.0.0.1:9")
    measure()
    found = states()
    assert (found["web"], found["runtime"]) == ("failing", "failing")
    with identity_scope(), transaction(db.session()) as session:
        web = read_parts(session, now=utcnow())[0]
    assert (web.checks, web.share, len(web.days)) == (2, 50.0, 90)


@pytest.mark.parametrize(("late", "state"), [("10 seconds", "good"), ("10 minutes", "failing")])
def test_letters_that_wait_too_long_are_trouble(answering: None, late: str, state: str) -> None:
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(text("UPDATE mails SET status = 'given_up' WHERE status = 'due'"))
        session.execute(
            text(
                "INSERT INTO mails (kind, recipient, subject, due_at) VALUES ('x', 'x', 'x', now() - CAST(:late AS interval))"
            ),
            {"late": late},
        )
    measure()
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(text("DELETE FROM mails WHERE kind = 'x'"))
    assert states()["mail"] == state


def test_days_are_counted_kept_for_ninety_and_nothing_is_made_up(answering: None) -> None:
    now = utcnow()
    with platform_scope("test world"), transaction(db.session()) as session:
        for days, good in ((95, True), (89, True), (2, True), (2, False), (0, True)):
            note(session, [Sample("web", good, 20.0)], at=now - timedelta(days=days))
    with identity_scope(), transaction(db.session()) as session:
        web = read_parts(session, now=now)[0]
        later = read_parts(session, now=now + timedelta(minutes=6))[0]
    assert [(day.checks, day.good) for day in web.days if day.checks] == [(1, 1), (2, 1), (1, 1)]
    assert (web.share, web.state, later.state, later.value) == (75.0, "good", "unknown", None)
    measure()
    with platform_scope("test look"), transaction(db.session()) as session:
        oldest = session.scalar(text("SELECT min(day) FROM status_days"))
    assert oldest == (now - timedelta(days=89)).date()


def test_everybody_reads_the_page_which_is_kept_for_a_moment(browse: Browse) -> None:
    page = browse().get("/status")
    assert (page.status, page.heading) == (200, "Status")
    with platform_scope("test world"), transaction(db.session()) as session:
        note(session, [Sample("web", False, 20.0)], at=utcnow())
    assert "Something does not work" not in browse().get("/status").text  # still the page of a moment ago
    redis().delete("dramac:status")
    page = browse().get("/status")
    assert "Something does not work as it should" in page.texts(".callout")[0]
    assert page.one("#part-web").get_text() == "Screens and API"
    assert "0.00 % of 1 checks found it well" in str(page.html.select("svg.status-days")[0]["aria-label"])
