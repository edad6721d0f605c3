"""Routes of a module: found by method and path, open to those they name, counted, answered within bounds."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from app.access.actors import Actor
from app.errors import Forbidden, NotFound, RateLimited
from app.runtime.functions import process
from app.runtime.functions.errors import FunctionFailed
from app.runtime.functions.routes import RouteAnswer, run_route
from tests.support.modules import Installed

VISITOR = Actor("visitor", ip="203.0.113.9")


def _call(
    tools: Installed, method: str = "POST", path: str = "/quote", auth: Any = "public", **how: Any
) -> RouteAnswer:
    given = {"query": {"a": "1"}, "body": None, "headers": {}, "actor": VISITOR, **how}
    return run_route(tools.context, method, path, auth_kind=auth, **given)


def test_plain_json_is_the_answer(tools: Installed) -> None:
    answer = _call(tools, body={"plain": True})
    assert (answer.status, answer.headers, answer.body) == (200, {"content-type": "application/json"}, b'{"total": 3}')


def test_status_and_headers_are_answered_but_never_a_cookie(tools: Installed) -> None:
    answer = _call(tools)
    assert (answer.status, answer.headers, answer.body) == (201, {"content-type": "text/plain"}, b"made 1")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/quote"), ("POST", "/nothing"), ("POST", "/quote/"), ("DELETE", "/inside")]
)
def test_what_is_no_route_is_not_there(tools: Installed, method: str, path: str) -> None:
    with pytest.raises(NotFound):
        _call(tools, method, path, auth="api")


@pytest.mark.parametrize(
    ("path", "auth", "error"),
    [
        ("/inside", "public", NotFound),
        ("/inside", "staff", Forbidden),
        ("/desk", "api", Forbidden),
        ("/desk", "public", NotFound),
    ],
)
def test_a_route_is_for_those_it_names(tools: Installed, path: str, auth: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _call(tools, "GET", path, auth=auth)
    assert tools.runs() == []


def test_the_rate_is_kept_per_caller(tools: Installed) -> None:
    for _ in range(2):  # a minute may begin in between
        answers = [_try(tools, "a") for _ in range(4)]
        if answers[-1] == 429:
            break
    assert answers == [201, 201, 201, 429]
    assert _try(tools, "b") == 201


def _try(tools: Installed, caller: str) -> int:
    try:
        return _call(tools, caller=caller).status
    except RateLimited as error:
        return 429 if 0 < error.retry_after_s <= 60 else 0


def test_a_killed_worker_is_a_failure_of_that_call_alone(tools: Installed) -> None:
    """kill -9 while a function runs: the caller gets a clean failure, the next call works."""
    pool = process.sandbox()
    _call(tools, caller="warm")
    killed = threading.Event()

    def kill() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until and not pool._busy:
            time.sleep(0.001)
        for worker in list(pool._busy):
            os.kill(worker.pid, signal.SIGKILL)
            killed.set()

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(FunctionFailed):
        _call(tools, "GET", "/inside", auth="api", body={"steps": [["spin"]]})
    thread.join(30)
    assert killed.is_set()
    assert tools.runs()[-1]["outcome"] == "error"  # not the timeout that would have come later
    assert _call(tools, caller="after").status == 201
