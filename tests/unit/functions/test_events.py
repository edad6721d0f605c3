"""Functions that hear of events: once per event, after commit, never in a circle."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.events import jobs
from app.events.models import Event
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.runtime.functions import receivers
from app.runtime.functions.run import MAX_DEPTH
from tests.support.modules import Installed, Released, put_on
from tests.support.world import World


def _dispatch(app: Flask) -> None:
    with app.app_context():
        jobs.dispatch()
        db.session.remove()


def _rounds(tools: Installed) -> list[int]:
    return sorted(loop["round"] for loop in tools.records("loops"))


def test_a_function_hears_of_a_committed_event_and_knows_its_id(platform_app: Flask, tools: Installed) -> None:
    tools.data().insert("items", {"name": "listen"})
    assert _rounds(tools) == []
    _dispatch(platform_app)
    assert _rounds(tools) == [100]
    [event] = tools.rows("SELECT id FROM events WHERE install_id = :install AND type = 'item.created'")
    [run] = [run for run in tools.runs() if run["function"] == "heard"]
    assert (run["trigger"], run["cause"], run["outcome"]) == (
        "event",
        f"{encode('evt', event['id'])} item.created",
        "ok",
    )


def test_two_dispatchers_at_once_run_it_once(platform_app: Flask, tools: Installed) -> None:
    tools.data().insert_many("items", [{"name": "listen"} for _ in range(5)])
    threads = [threading.Thread(target=_dispatch, args=(platform_app,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert _rounds(tools) == [100] * 5


def test_handed_over_again_after_a_crash_it_does_nothing_twice(platform_app: Flask, tools: Installed) -> None:
    tools.data().insert("items", {"name": "listen"})
    _dispatch(platform_app)
    # the worker died after the function's transaction and before the delivery was marked: it is due again
    tools.rows(
        "UPDATE event_deliveries d SET status = 'due', due_at = now() FROM events e "
        "WHERE e.id = d.event_id AND e.install_id = :install"
    )
    _dispatch(platform_app)
    assert _rounds(tools) == [100]
    assert [row["status"] for row in tools.rows(
        "SELECT d.status FROM event_deliveries d JOIN events e ON e.id = d.event_id "
        "WHERE e.install_id = :install AND e.type = 'item.created' AND d.subscriber LIKE 'function:%'"
    )] == ["done"]  # fmt: skip


def test_the_same_event_in_two_hands_at_the_same_moment_works_once(platform_app: Flask, tools: Installed) -> None:
    tools.data().insert("items", {"name": "listen"})
    [row] = tools.rows("SELECT id FROM events WHERE install_id = :install AND type = 'item.created'")
    start = threading.Barrier(2)

    def deliver() -> None:
        with platform_app.app_context(), tenant_scope(tools.site.agency_id), transaction(db.session()) as session:
            event = session.get_one(Event, row["id"])
            start.wait(10)
            receivers.deliver(session, event, f"{tools.id}/heard")

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert _rounds(tools) == [100]


def test_a_circle_of_events_ends(platform_app: Flask, tools: Installed) -> None:
    tools.data().insert("loops", {"round": 0})
    _dispatch(platform_app)
    assert _rounds(tools) == list(range(MAX_DEPTH + 1))
    last = tools.runs()[-1]
    assert (last["function"], last["outcome"]) == ("again", "budget")
    assert last["error"].startswith("stopped:")


def test_a_failing_function_is_tried_again_later_and_holds_up_nobody(
    platform_app: Flask, tools: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = receivers.run_function

    def failing(context: Any, name: str, *rest: Any, **how: Any) -> Any:
        if name == "heard":
            raise RuntimeError("not today")
        return real(context, name, *rest, **how)

    monkeypatch.setattr(receivers, "run_function", failing)
    tools.data().insert("items", {"name": "listen"})
    tools.data().insert("loops", {"round": 99})
    _dispatch(platform_app)
    assert _rounds(tools) == [99, 100]
    text = (
        "SELECT d.status, d.attempts, d.due_at, d.last_error FROM event_deliveries d JOIN events e ON e.id = d.event_id "
        "WHERE e.install_id = :install AND e.type = 'item.created' AND d.subscriber LIKE 'function:%'"
    )
    [delivery] = tools.rows(text)
    assert (delivery["status"], delivery["attempts"], delivery["last_error"]) == ("due", 1, "RuntimeError: not today")
    assert delivery["due_at"] > utcnow()


def test_another_install_with_the_same_event_hears_nothing(
    platform_app: Flask, tools: Installed, releases: tuple[Released, Released], world: World, config: Config
) -> None:
    neighbour = put_on(releases[0], world.site(world.agency()), config=config)
    tools.data().insert("items", {"name": "listen"})
    _dispatch(platform_app)
    assert (neighbour.records("loops"), neighbour.runs()) == ([], [])


def test_a_paused_install_hears_nothing(platform_app: Flask, tools: Installed) -> None:
    tools.data().insert("items", {"name": "listen"})
    context_rows = tools.records("loops")
    tools.change(status="paused")
    receivers._known.clear()
    _dispatch(platform_app)
    tools.change(status="active")
    assert tools.records("loops") == context_rows == []
