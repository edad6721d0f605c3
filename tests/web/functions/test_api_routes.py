"""Routes of a module as programs call them: with a key, over HTTP, also when a worker dies in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.access.actors import member
from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.gateway.actions import create_key
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.package import read_folder
from app.runtime.functions import process
from tests.support.modules import Installed, Released, put_on, release
from tests.support.world import World
from tests.web.conftest import new_address

MANIFEST = """
manifest: 1
slug: {slug}
name: Routes
summary: Answers.
version: 1.0.0
type: app
tables:
  items:
    label: {{one: Item, many: Items}}
    fields: {{name: {{type: text, required: true, max: 5}}}}
functions:
  add:  {{file: add.js, route: {{method: POST, path: /add, auth: api}}}}
  spin: {{file: spin.js, limits: {{ms: 5000}}, route: {{method: GET, path: /spin, auth: api}}}}
  open: {{file: open.js, route: {{method: GET, path: /open, auth: public, rate: 2/day}}}}
"""
FILES = {
    "functions/add.js": """export default function (ctx, input) {
  const made = ctx.db.items.insert({ name: input.body.name });
  if (input.body.fail) ctx.invalid("name", "Not now.");
  if (input.body.broken) throw new Error("secret details");
  return { status: 201, body: { name: made.name, by: ctx.actor.kind } };
}""",
    "functions/spin.js": "export default function () { for (;;) {} }",
    "functions/open.js": "export default (ctx, input) => ({ hello: input.query.name })",
}


@pytest.fixture(scope="session")
def routes_release(platform_app: Flask, config: Config) -> Released:
    with platform_app.app_context():
        files = {**FILES, "module.yaml": MANIFEST.format(slug=f"routes-{uuid7().hex[-10:]}")}
        package = read_folder((path, text.encode()) for path, text in files.items())
        return release(package, World(config).agency("Publisher"))


class Program:
    """A program with a key of the site."""

    def __init__(self, app: Flask, install: Installed, token: str) -> None:
        self.app, self.install, self.token, self.address = app, install, token, new_address()

    def call(self, method: str, path: str, **given: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **given.pop("headers", {})}
        return self.app.test_client(use_cookies=False).open(
            f"/api/modules/{self.install.context.module_slug}/fn{path}", method=method, headers=headers,
            environ_overrides={"REMOTE_ADDR": self.address}, **given,
        )  # fmt: skip


@pytest.fixture
def install(world: World, config: Config, routes_release: Released) -> Installed:
    return put_on(routes_release, world.site(world.agency()), config=config)


@pytest.fixture
def program(api_app: Flask, install: Installed, world: World) -> Program:
    ada = world.person(type("Agency", (), {"id": install.site.agency_id}))
    by = member(user_id=ada.id, name="Ada", agency_id=install.site.agency_id, role=Role.OWNER)
    with tenant_scope(install.site.agency_id), transaction(db.session()) as session:
        made = create_key(
            session,
            site=install.site,
            install_id=None,
            name="Till",
            kind="secret",
            scopes=["read", "functions"],
            by=by,
            now=utcnow(),
        )
        token = made.token
    return Program(api_app, install, token)


def test_a_function_answers_over_http(program: Program) -> None:
    answer = program.call("POST", "/add", json={"name": "a"})
    assert (answer.status_code, answer.json) == (201, {"name": "a", "by": "key"})
    assert [item["name"] for item in program.install.records("items")] == ["a"]
    [run] = program.install.runs()
    assert (run["trigger"], run["cause"], run["request_id"]) == ("route", "POST /add", answer.headers["X-Request-Id"])


@pytest.mark.parametrize(
    ("body", "status", "code", "pointers"),
    [
        ({"name": "a", "fail": True}, 422, "invalid", ["/name"]),
        ({"name": "toolong"}, 422, "invalid", ["/name"]),
        ({"name": "a", "broken": True}, 500, "function_failed", []),
    ],
)
def test_failures_are_problems_and_nothing_is_kept(
    program: Program, body: dict[str, Any], status: int, code: str, pointers: list[str]
) -> None:
    answer = program.call("POST", "/add", json=body)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json is not None
    assert (answer.json["code"], [error["pointer"] for error in answer.json["errors"]]) == (code, pointers)
    assert "secret details" not in answer.text
    assert program.install.records("items") == []
    assert len(program.install.runs()) == 1


def test_a_repeated_call_with_a_key_works_once(program: Program) -> None:
    how: dict[str, Any] = {"json": {"name": "a"}, "headers": {"Idempotency-Key": str(uuid7())}}
    first, second = program.call("POST", "/add", **how), program.call("POST", "/add", **how)
    assert (first.status_code, second.status_code, first.json == second.json) == (201, 201, True)
    assert len(program.install.records("items")) == 1


def test_a_refused_call_with_a_key_keeps_nothing_of_it(program: Program) -> None:
    how: dict[str, Any] = {"json": {"name": "a", "fail": True}, "headers": {"Idempotency-Key": str(uuid7())}}
    assert [program.call("POST", "/add", **how).status_code for _ in range(2)] == [422, 422]
    assert program.install.records("items") == []


@pytest.mark.parametrize(("method", "path"), [("GET", "/add"), ("POST", "/nothing"), ("GET", "/open/more")])
def test_what_is_no_route_is_not_there(program: Program, method: str, path: str) -> None:
    assert program.call(method, path).status_code == 404


def test_the_rate_of_a_route_is_kept(program: Program) -> None:
    codes = [program.call("GET", "/open?name=x").status_code for _ in range(3)]
    assert codes == [200, 200, 429]


def test_a_body_that_is_no_json(program: Program) -> None:
    answer = program.call("POST", "/add", data="{", content_type="application/json")
    assert answer.status_code == 400


def test_a_worker_killed_in_the_middle_is_a_clean_failure_and_the_next_call_works(program: Program) -> None:
    pool = process.sandbox()
    killed = threading.Event()

    def kill() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until and not pool._busy:
            time.sleep(0.005)
        time.sleep(0.2)
        for worker in list(pool._busy):
            os.kill(worker.pid, signal.SIGKILL)
            killed.set()

    thread = threading.Thread(target=kill)
    thread.start()
    answer = program.call("GET", "/spin")
    thread.join(30)
    assert killed.is_set()
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert answer.json is not None
    assert answer.json["code"] == "function_failed"
    assert program.install.runs()[-1]["outcome"] == "error"
    assert program.call("POST", "/add", json={"name": "b"}).status_code == 201
