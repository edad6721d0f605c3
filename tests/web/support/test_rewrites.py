"""Replay of writes: bodies recorded for an hour, a recorded write made once more, what it would change, and nothing of it kept."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.gateway.actions import create_key
from app.gateway.jobs import forget_answers
from app.gateway.requestlog import MOST_RECORDED
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.package import read_folder
from app.runtime.context import forget_install
from app.tenancy.models import Agency, Site
from tests.support.browser import Browser, Page
from tests.support.modules import Installed, put_on, release
from tests.support.world import Person, World
from tests.web.conftest import Browse, new_address

MANIFEST = """
manifest: 1
slug: {slug}
name: Deliveries
summary: What is sent where.
version: 1.0.0
type: app
permissions:
  email: true
  network: [{{host: api.example.com, methods: [GET], reason: "To look things up."}}]
tables:
  things:
    label: {{one: Thing, many: Things}}
    fields:
      name: {{type: text, required: true, max: 80}}
      token: {{type: text, max: 80}}
      number: {{type: number}}
    access: {{public: [], staff: [read], api: [read, create, update, delete]}}
  notes:
    label: {{one: Note, many: Notes}}
    fields: {{text: {{type: text, max: 80}}}}
    access: {{public: [], staff: [read], api: [read]}}
functions:
  check: {{file: check.js, on: {{table: things, event: before_create}}}}
  order: {{file: order.js, route: {{method: POST, path: /orders/new, auth: api}}}}
  stock: {{file: stock.js, route: {{method: GET, path: /stock, auth: public}}}}
"""
CHECK = """
export default function (ctx, input) {
  if (input.new.name === "refused") ctx.invalid("name", "Not this one.");
  if (input.new.name === "calls") {
    try { ctx.http.get("https://api.example.com/x"); } catch (error) { ctx.db.notes.insert({ text: error.code }); }
  }
  ctx.db.notes.insert({ text: input.new.name });
  return input.new;
}
"""


ORDER = """
export default function (ctx, input) {
  ctx.log.info("asked for " + input.body.name, { token: "abcdef123" });
  if (input.body.name === "throws") throw new Error("out of rope");
  if (input.body.name === "calls") ctx.http.get("https://api.example.com/x");
  const made = ctx.db.things.insert({ name: input.body.name });
  ctx.mail({ to: "a@example.com", subject: "Ordered", text: made.name });
  return { status: 202, body: { name: made.name, times: input.query.times } };
}
"""
STOCK = """
export default function (ctx, input) {
  return { found: ctx.db.things.count({ name: input.query.name }) };
}
"""


@dataclass
class Desk:
    """An install, a program that writes to it, and Ada who reads its logs."""

    api: Flask
    install: Installed
    ada: Browser
    token: str

    @property
    def logs(self) -> str:
        return f"/installs/{self.install.public_id}/logs"

    def call(self, method: str, rest: str = "things", body: Any = None, **headers: str) -> TestResponse:
        path = f"/api/modules/{self.install.released.package.manifest.slug}/{rest}"
        given = {"json": body} if body is not None else {}
        answer = self.api.test_client().open(
            path, method=method, headers={"Authorization": f"Bearer {self.token}", **headers},
            environ_overrides={"REMOTE_ADDR": new_address()}, **given,
        )  # fmt: skip
        self.api.extensions["gateway"].log.flush()
        return answer

    def record(self) -> None:
        assert self.ada.post(f"/installs/{self.install.public_id}/recording").status == 303
        forget_install(self.install.id)  # what other processes are told of through Valkey

    def recorded(self) -> list[dict[str, Any]]:
        return self.install.rows("SELECT * FROM recorded_bodies WHERE install_id = :install ORDER BY at")

    def replayable(self) -> list[str]:
        """The titles of the calls that can be made again."""
        rows = self.ada.get(f"{self.logs}?kind=request").html.select("details, li")
        return [row.select_one(".log-title").get_text(strip=True) for row in rows if row.select("[name=line]")]  # type: ignore[union-attr]

    def line(self, answer: TestResponse) -> str:
        page = self.ada.get(f"/logs?kind=request&request={answer.headers['X-Request-Id']}")
        return str(page.html.select(".log-acts [name=line]")[0]["value"])

    def replayed(self, answer: TestResponse) -> Page:
        return self.ada.post("/logs/replay", {"line": self.line(answer)})

    def names(self, table: str = "things", field: str = "name") -> list[str]:
        return sorted(row[field] for row in self.install.records(table))

    def letters(self) -> int:
        return len(self.install.rows("SELECT FROM mails WHERE install_id = :install"))

    def told(self) -> int:
        return len(self.install.events())


def now_of(page: Page) -> list[str]:
    return [cell.get_text(strip=True) for cell in page.html.select("#answers tbody tr")[1].select("td")][:2]


def touched(page: Page) -> list[list[str]]:
    return [
        [cell.get_text(strip=True) for cell in row.select("th, td")] for row in page.html.select("#touched tbody tr")
    ]


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright")


@pytest.fixture
def desk(api_app: Flask, config: Config, world: World, browse: Browse, agency: Agency, ada: Person) -> Desk:
    files = {
        "module.yaml": MANIFEST.format(slug=f"deliveries-{uuid7().hex[-10:]}"),
        "functions/check.js": CHECK,
        "functions/order.js": ORDER,
        "functions/stock.js": STOCK,
    }
    released = release(read_folder((path, content.encode()) for path, content in files.items()), agency)
    site = world.site(agency)
    install = put_on(released, site, config=config)
    with tenant_scope(agency.id, user_id=ada.id), transaction(db.session()) as session:
        made = create_key(
            session, site=session.get_one(Site, site.id), install_id=None, name="Till", kind="secret",
            scopes=["read", "write", "delete", "functions"], by=ada.actor, now=utcnow(),
        )  # fmt: skip
        token = made.token
    return Desk(api_app, install, browse(ada), token)


# -- recording


def test_without_anybody_asking_no_body_is_kept(desk: Desk) -> None:
    assert desk.call("POST", body={"name": "Anchor"}).status_code == 201
    assert (desk.recorded(), desk.replayable()) == ([], [])


def test_bodies_of_writes_are_kept_sealed_for_the_hour_that_somebody_asked_for(desk: Desk) -> None:
    desk.record()
    assert "The bodies of writes are being recorded" in desk.ada.get(desk.logs).text
    answer = desk.call("POST", body={"name": "Quux of Zanzibar"})
    desk.call("GET")
    [row] = desk.recorded()
    assert (row["request_id"], "Quux" in str(row)) == (answer.headers["X-Request-Id"], False)
    with tenant_scope(desk.install.site.agency_id), transaction(db.session()) as session:
        past = text("UPDATE body_recordings SET until = now() - interval '1 s' WHERE install_id = :install")
        session.execute(past, {"install": desk.install.id})
    forget_install(desk.install.id)  # nothing announces the end: processes read an install anew every five seconds
    desk.call("POST", body={"name": "Later"})
    assert [row["request_id"] for row in desk.recorded()] == [answer.headers["X-Request-Id"]]
    assert "The bodies of writes are being recorded" not in desk.ada.get(desk.logs).text


def test_it_ends_by_itself_after_an_hour_and_before_when_somebody_ends_it(desk: Desk) -> None:
    desk.record()
    [kept] = desk.install.rows("SELECT until - started_at AS lasts FROM body_recordings WHERE install_id = :install")
    assert kept["lasts"] == timedelta(hours=1)
    assert desk.ada.post(f"/installs/{desk.install.public_id}/recording/end").status == 303
    forget_install(desk.install.id)
    desk.call("POST", body={"name": "Anchor"})
    assert desk.recorded() == []
    assert desk.install.rows(
        f"SELECT action FROM audit_log WHERE action LIKE 'install.bodies%' AND target = '{desk.install.public_id}' ORDER BY number"
    ) == [{"action": "install.bodies_recorded"}, {"action": "install.bodies_not_recorded"}]


def test_a_large_body_and_what_is_no_write_of_records_is_not_kept(desk: Desk) -> None:
    desk.record()
    desk.call("POST", body={"name": "x" * MOST_RECORDED})
    desk.call("POST", "files?name=a.txt", body={})
    assert desk.recorded() == []


def test_bodies_go_after_a_day(desk: Desk) -> None:
    desk.record()
    desk.call("POST", body={"name": "Anchor"})
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(text("DELETE FROM recorded_bodies WHERE at < now() - interval '1 day'"))
    assert len(desk.recorded()) == 1
    answer = desk.call("POST", body={"name": "Old"})
    line = desk.line(answer)
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(
            text("DELETE FROM recorded_bodies WHERE request_id = :id"), {"id": answer.headers["X-Request-Id"]}
        )
    forget_answers()
    assert desk.ada.post("/logs/replay", {"line": line}).status == 404
    assert len(desk.recorded()) == 1


# -- made once more


def test_a_create_is_made_once_more_and_undone(desk: Desk) -> None:
    desk.record()
    answer = desk.call("POST", body={"name": "Anchor", "token": "sk_live_abcdefgh1234"})
    number = answer.get_json()["data"]["number"]
    before, told = desk.names("notes", "text"), desk.told()
    page = desk.replayed(answer)
    assert (page.status, now_of(page)) == (200, ["201", "–"])
    assert touched(page) == [["notes", "1", "0", "0"], ["things", "1", "0", "0"]]
    assert "thing.created" in page.text
    assert "sk_live_abcdefgh1234" not in page.text.partition("The recorded body")[2]
    assert (desk.names(), desk.names("notes", "text"), desk.told()) == (["Anchor"], before, told)
    following = desk.call("POST", body={"name": "Buoy"}).get_json()["data"]["number"]
    assert int(str(following)) == int(str(number)) + 1  # the number that was taken meanwhile is free again


def test_a_change_shows_what_it_would_change_now(desk: Desk) -> None:
    desk.record()
    made = desk.call("POST", body={"name": "Anchor"}).get_json()["data"]
    answer = desk.call("PATCH", f"things/{made['id']}", {"name": "Buoy"})
    assert touched(desk.replayed(answer)) == []  # it is so already
    desk.call("PATCH", f"things/{made['id']}", {"name": "Chain"})
    page = desk.replayed(answer)
    assert (now_of(page), ["things", "0", "1", "0"] in touched(page)) == (["200", "–"], True)
    assert '"name": "Buoy"' in html.unescape(page.text).replace('":"', '": "')
    assert desk.names() == ["Chain"]


def test_a_deletion_is_undone_too(desk: Desk) -> None:
    desk.record()
    made = desk.call("POST", body={"name": "Anchor"}).get_json()["data"]
    answer = desk.call("DELETE", f"things/{made['id']}")
    assert now_of(desk.replayed(answer)) == ["404", "not_found"]  # it is gone
    kept = desk.call("POST", body={"name": "Buoy"}).get_json()["data"]
    moved = text("UPDATE external_api_requests SET path = replace(path, :old, :new) WHERE request_id = :id")
    with platform_scope("test"), transaction(db.session()) as session:
        session.execute(moved, {"old": made["id"], "new": kept["id"], "id": answer.headers["X-Request-Id"]})
    page = desk.replayed(answer)
    assert (now_of(page), ["things", "0", "0", "1"] in touched(page)) == (["204", "–"], True)
    assert desk.names() == ["Buoy"]


def test_a_condition_on_the_version_holds_again(desk: Desk) -> None:
    desk.record()
    made = desk.call("POST", body={"name": "Anchor"}).get_json()["data"]
    answer = desk.call("PATCH", f"things/{made['id']}", {"name": "Buoy"}, **{"If-Match": '"1"'})
    assert answer.status_code == 200
    assert now_of(desk.replayed(answer)) == ["412", "version_mismatch"]


def test_what_was_refused_is_refused_again_and_shows_why(desk: Desk) -> None:
    desk.record()
    answer = desk.call("POST", body={"name": "refused"})
    assert answer.status_code == 422
    page = desk.replayed(answer)
    assert (now_of(page), page.html.select("#changed")) == (["422", "invalid"], [])
    assert "Not this one." in page.text


def test_functions_reach_nothing_outside_meanwhile(desk: Desk) -> None:
    desk.record()
    answer = desk.call("POST", body={"name": "calls"})
    runs = len(desk.install.runs())
    page = desk.replayed(answer)
    assert now_of(page) == ["201", "–"]
    assert ["notes", "2", "0", "0"] in touched(page)
    assert len(desk.install.runs()) == runs  # it stands in nobody's account
    assert "on_trial" not in desk.names("notes", "text")


def test_a_call_of_module_code_is_made_once_more_and_undone(desk: Desk) -> None:
    desk.record()
    answer = desk.call("POST", "fn/orders/new?times=3", {"name": "Rope"})
    assert (answer.status_code, answer.get_json()) == (202, {"name": "Rope", "times": "3"})
    before = desk.told(), len(desk.install.runs()), desk.names(), desk.letters()
    page = desk.replayed(answer)
    assert now_of(page) == ["202", "–"]
    assert touched(page) == [["notes", "1", "0", "0"], ["things", "1", "0", "0"]]
    assert '"name":"Rope","times":"3"' in html.unescape(page.one("#body").get_text()).replace(" ", "")
    assert page.texts("#runs code") == ["check", "order"]
    assert "asked for Rope" in page.one("#runs").get_text()
    assert "abcdef123" not in page.text
    assert (desk.told(), len(desk.install.runs()), desk.names(), desk.letters()) == before


def test_a_call_of_code_that_failed_says_where(desk: Desk) -> None:
    desk.record()
    answer = desk.call("POST", "fn/orders/new", {"name": "throws"})
    page = desk.replayed(answer)
    assert (now_of(page), page.html.select("#changed")) == (["500", "function_failed"], [])
    assert "order.js:4: out of rope" in page.one("#runs pre").get_text()
    outside = desk.call("POST", "fn/orders/new", {"name": "calls"})
    assert "tried out calls no other servers" in desk.replayed(outside).one("#runs pre").get_text()


def test_a_read_of_code_is_asked_again_with_its_query_and_no_recording(desk: Desk) -> None:
    desk.call("POST", body={"name": "Rope"})
    answer = desk.call("GET", "fn/stock?name=Rope")
    desk.call("POST", "fn/orders/new", {"name": "Rope"})  # not recorded, so it is not made again
    assert {title.rpartition("/")[2] for title in desk.replayable()} == {"stock"}
    desk.call("POST", body={"name": "Rope"})
    page = desk.replayed(answer)
    assert (now_of(page), '"found":3' in html.unescape(page.one("#body").get_text()).replace(" ", "")) == (
        ["200", "–"],
        True,
    )
    line = desk.line(answer)
    desk.install.rows(
        "UPDATE api_keys SET scopes = '{read}' WHERE site_id = (SELECT site_id FROM modules_v2 WHERE id = :install)"
    )
    assert desk.ada.post("/logs/replay", {"line": line}).status == 409


def test_a_key_that_may_not_write_any_more_writes_nothing_here(desk: Desk) -> None:
    desk.record()
    answer = desk.call("POST", body={"name": "Anchor"})
    line = desk.line(answer)
    desk.install.rows(
        "UPDATE api_keys SET scopes = '{read}' WHERE site_id = (SELECT site_id FROM modules_v2 WHERE id = :install)"
    )
    assert desk.ada.post("/logs/replay", {"line": line}).status == 409


# -- who


def test_who_may_record_and_replay(desk: Desk, browse: Browse, world: World, agency: Agency) -> None:
    vic, olga = browse(world.person(agency, Role.VIEWER)), browse(world.person(world.agency(), Role.OWNER))
    path = f"/installs/{desk.install.public_id}/recording"
    assert [(one.post(path).status, one.post(f"{path}/end").status) for one in (vic, olga)] == [(403, 403), (404, 404)]
    desk.record()
    line = desk.line(desk.call("POST", body={"name": "Anchor"}))
    member = browse(world.person(agency, Role.MEMBER))
    assert [one.post("/logs/replay", {"line": line}).status for one in (member, olga)] == [403, 404]
    shown = desk.ada.get("/logs.jsonl?kind=request").text
    assert json.loads(shown.splitlines()[0])["detail"]["body_recorded"] is True
