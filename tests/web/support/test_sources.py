"""What else stands in the logs: webhook calls, jobs, sign-ins, error pages, letters with their request; saved searches."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.access.permissions import Role
from app.accounts.passwords import hash_password
from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import Invalid
from app.events.catalog import CLIENT_CREATED
from app.lib.ids import encode
from app.queue import registry
from app.queue.registry import Job
from app.queue.worker import perform
from app.support.actions import save_search
from app.tenancy.models import Agency
from tests.support.browser import Browser, Page
from tests.support.hooks import Hooks, receiving
from tests.support.installed import put_on_site
from tests.support.pagedesk import open_desk
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.support.test_logs import MODULE, summaries, titles

PASSWORD = "copper lantern drifts quietly"


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency("Studio Lumen")


@pytest.fixture
def ada_person(world: World, agency: Agency) -> Person:
    return world.person(agency, Role.OWNER, name="Ada Bright", password_hash=hash_password(PASSWORD))


@pytest.fixture
def ada(browse: Browse, ada_person: Person) -> Browser:
    return browse(ada_person)


def details(browser: Browser, query: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in browser.get(f"/logs.jsonl{query}").text.splitlines()]


# -- webhook calls


def test_each_call_of_an_endpoint_is_a_line_without_the_path_of_its_address(
    platform_app: Flask, config: Config, world: World, browse: Browse, agency: Agency, ada_person: Person
) -> None:
    hooks = Hooks(platform_app, config, world, agency, ada_person, world.site(agency))
    with receiving(status=500, body=b"token=abcdef") as receiver:
        hooks.endpoint(f"{receiver.url}/s3cr3t-path")
        hooks.publish(CLIENT_CREATED)
        hooks.deliver()
    ada = browse(ada_person)
    [line] = details(ada, "?kind=attempt")
    assert (line["title"], line["level"], line["outcome"]) == (
        f"client.created → 127.0.0.1:{receiver.port}",
        "warn",
        "500",
    )
    assert (line["detail"]["attempt"], line["detail"]["answer"]) == (1, "token=[redacted]")
    assert titles(ada, "?kind=attempt&outcome=5xx") == [line["title"]]
    assert "s3cr3t-path" not in ada.get("/logs?kind=attempt").text


# -- jobs


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Any:
    """job(what): a job whose work is to call it."""

    def make(run: Any) -> Job:
        made = Job("test.work", run, timeout_s=10)
        monkeypatch.setitem(registry.JOBS, made.name, made)
        return made

    return make


def fails(**_: str) -> None:
    raise ValueError("no such thing, password=hunter22")


def test_runs_of_jobs_are_lines_with_their_request_and_their_failure(
    ada: Browser, agency: Agency, world: World, job: Any
) -> None:
    ours = put_on_site(agency, world.site(agency), MODULE)
    ids = {"install_id": str(ours.install.id)}
    job(lambda **_: None)
    perform("test.work", str(agency.id), {}, "req_ordered")
    job(fails)
    with pytest.raises(ValueError, match="no such thing"):
        perform("test.work", None, ids, "req_ordered")
    failed, done = details(ada, "?request=req_ordered")
    assert [(line["outcome"], line["level"]) for line in (failed, done)] == [("failed", "error"), ("done", "ok")]
    assert failed["install"] == {"id": ours.public_id, "module": "Logged"}
    assert failed["detail"]["error"] == "ValueError: no such thing, password=[redacted]"
    assert "trace" not in failed["detail"]
    assert titles(ada, path=f"/installs/{ours.public_id}/logs") == ["test.work"]


def test_a_timed_job_of_the_platform_is_kept_only_when_it_fails_and_is_no_agencys(
    ada: Browser, job: Any, browse: Browse
) -> None:
    job(lambda: None)
    perform("test.work", None, {}, "req_timed")
    job(fails)
    with pytest.raises(ValueError, match="no such thing"):
        perform("test.work", None, {}, "req_timed")
    with platform_scope("test look"), transaction(db.session()) as session:
        rows = session.execute(
            text("SELECT status, agency_id, trace FROM job_runs WHERE request_id = 'req_timed'")
        ).all()
    [(status, agency_id, trace)] = rows
    assert (status, agency_id, "hunter22" in trace, "in fails" in trace) == ("failed", None, False, True)
    assert titles(ada, "?request=req_timed") == []


def test_a_job_that_was_killed_is_lost(ada: Browser, agency: Agency) -> None:
    with platform_scope("test line"), transaction(db.session()) as session:
        session.execute(
            text(
                "INSERT INTO job_runs (agency_id, name, status, started_at, gives_up_at) "
                "VALUES (:agency, 'installs.provision', 'running', now() - interval '1 h', now() - interval '50 min'), "
                "(:agency, 'installs.deprovision', 'running', now() - interval '10 s', now() + interval '1 min')"
            ),
            {"agency": agency.id},
        )
    assert summaries(ada, "?kind=job") == [
        ["Info", "Job", "running", "installs.deprovision"],
        ["Error", "Job", "lost", "installs.provision"],
    ]
    assert titles(ada, "?outcome=lost") == ["installs.provision"]


# -- sign-ins


def sign_in(browse: Browse, person: Person, password: str) -> Page:
    return browse().post("/sign-in", {"email": person.email, "password": password})


def test_sign_ins_of_members_are_seen_by_who_reads_the_audit_trail(
    browse: Browse, world: World, agency: Agency, ada_person: Person
) -> None:
    sign_in(browse, ada_person, PASSWORD)
    refused = sign_in(browse, ada_person, "something else entirely").headers["X-Request-Id"]
    olga = world.person(world.agency(), name="Olga", password_hash=hash_password(PASSWORD))
    sign_in(browse, olga, PASSWORD)
    ada = browse(ada_person)
    assert summaries(ada, "?kind=sign_in") == [
        ["Warning", "Sign-in", "wrong", "Ada Bright"],
        ["OK", "Sign-in", "signed in", "Ada Bright"],
    ]
    assert titles(ada, f"?request={refused}") == ["Ada Bright"]
    developer = browse(world.person(agency, Role.DEVELOPER))
    assert (titles(developer), titles(developer, "?kind=sign_in")) == ([], [])
    assert titles(browse(olga), "?kind=sign_in") == ["Olga"]


def test_what_somebody_did_before_they_joined_is_not_the_agencys_business(
    browse: Browse, world: World, agency: Agency, ada: Browser
) -> None:
    tom = world.person(world.agency(), name="Tom", password_hash=hash_password(PASSWORD))
    sign_in(browse, tom, PASSWORD)
    with platform_scope("test world"), transaction(db.session()) as session:
        session.execute(
            text("INSERT INTO memberships (agency_id, user_id, role) VALUES (:agency, :user, 'member')"),
            {"agency": agency.id, "user": tom.id},
        )
    assert titles(ada, "?kind=sign_in") == []
    sign_in(browse, tom, "wrong wrong wrong wrong")
    assert titles(ada, "?kind=sign_in") == ["Tom"]


# -- letters and error pages


def test_a_letter_is_found_by_the_request_that_caused_it(ada: Browser) -> None:
    invited = ada.post("/members/invite", {"email": "lena@example.test", "role": "member"})
    assert invited.status == 303
    lines = details(ada, f"?request={invited.headers['X-Request-Id']}")
    assert {line["kind"] for line in lines} == {"mail", "audit"}


def test_the_request_id_of_an_error_page_is_found_by_pasting_it(
    ada: Browser, world: World, agency: Agency, browse: Browse
) -> None:
    theirs = put_on_site(other := world.agency(), world.site(other), MODULE)
    page = ada.get(f"/installs/{theirs.public_id}")
    request_id = page.texts(".error-id code")[0]
    assert page.status == 404
    [line] = details(ada, f"?q={request_id}")
    assert (line["kind"], line["outcome"], line["title"]) == ("page", "404", f"GET /installs/{theirs.public_id}")
    assert (line["site"], line["install"]) == (None, None)  # nothing of another agency's stands here
    found = ada.get(f"/palette?q={request_id}", htmx="palette-found")
    assert f"/logs?request={request_id}" in found.text
    assert titles(browse(world.person(other)), f"?q={request_id}") == []


def test_a_failure_of_ours_is_kept_with_its_trace_for_staff_only(
    ada: Browser, platform_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(platform_app.view_functions, "accounts.theme", lambda **_: fails())
    page = ada.post("/theme", {"theme": "dark"})
    assert page.status == 500
    with platform_scope("test look"), transaction(db.session()) as session:
        row = session.execute(
            text("SELECT status, agency_id, error, trace FROM failed_requests WHERE request_id = :id"),
            {"id": page.headers["X-Request-Id"]},
        ).one()
    assert (row.status, row.agency_id, row.error, "in fails" in row.trace) == (
        500,
        None,
        "ValueError: no such thing, password=[redacted]",
        True,
    )


def test_an_error_page_of_a_visitor_is_the_agencys_to_find(
    ada: Browser, runtime_app: Flask, world: World, agency: Agency
) -> None:
    ours = put_on_site(agency, world.site(agency), MODULE)
    answer = runtime_app.test_client().get(f"/embed/{ours.public_id}/nothing", base_url="http://127.0.0.1:8001")
    assert answer.status_code == 404
    [line] = details(ada, f"?request={answer.headers['X-Request-Id']}")
    assert (line["detail"]["surface"], line["install"]["id"], line["site"]["id"]) == (
        "runtime",
        ours.public_id,
        encode("ste", ours.install.site_id),
    )


@pytest.mark.parametrize(
    ("method", "path", "status", "headers"),
    [
        ("GET", "/nowhere/at-all", 404, {}),
        ("GET", "/logs/searches", 405, {}),
        ("POST", "/logs/searches", 403, {"Sec-Fetch-Site": "cross-site"}),
        ("POST", "/nowhere", 404, {}),
    ],
)
def test_a_page_that_no_guard_came_to_is_found_by_its_request_too(
    ada: Browser, method: str, path: str, status: int, headers: dict[str, str]
) -> None:
    page = (ada.post if method == "POST" else ada.get)(path, headers=headers)
    assert page.status == status
    request_id = page.headers["X-Request-Id"]
    assert page.one(".error-id a")["href"] == f"/logs?request={request_id}"
    [line] = details(ada, f"?request={request_id}")
    assert (line["kind"], line["outcome"], line["title"]) == ("page", str(status), f"{method} {path}")


def test_a_page_of_ours_that_says_422_is_found_and_a_form_that_does_is_none(
    ada: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any, **__: Any) -> None:
        raise Invalid("No.")

    monkeypatch.setattr("app.tenancy.queries.clients", refuses)
    page = ada.get("/clients")
    assert page.status == 422
    [line] = details(ada, f"?request={page.texts('.error-id code')[0]}")
    assert line["outcome"] == "422"
    form = ada.post("/clients/new", {"name": ""})
    assert (form.status, form.html.select(".error-id")) == (422, [])
    assert details(ada, f"?request={form.headers['X-Request-Id']}") == []


def test_a_page_that_is_told_of_nowhere_promises_nothing(
    ada: Browser, browse: Browse, runtime_app: Flask, world: World
) -> None:
    for page in (browse().get("/nowhere"), ada.post("/join/nobody-knows-this-one")):
        assert (page.status, page.html.select(".error-id")) == (404, [])
        assert details(ada, f"?request={page.headers['X-Request-Id']}") == []
    strange = runtime_app.test_client().get("/embed/ins_bad/x", base_url="http://127.0.0.1:8001")
    assert (strange.status_code, "Request req_" in strange.text) == (404, False)


def test_a_mistyped_link_with_a_key_in_it_is_not_shown_to_colleagues(ada: Browser) -> None:
    page = ada.get("/nowhere/Zm9vYmFyYmF6cXV4cXV1eGNvcmdl/short")
    [line] = details(ada, f"?request={page.headers['X-Request-Id']}")
    assert line["title"] == "GET /nowhere/[redacted]/short"


def test_a_lost_page_of_a_site_says_its_request_and_the_agency_finds_it(
    browse: Browse, runtime_app: Flask, world: World
) -> None:
    desk = open_desk(world)
    desk.page(live=True)
    site, ada = desk.site, browse(desk.ada)
    answer = runtime_app.test_client().get(f"/s/{site.slug}/nope", base_url="http://127.0.0.1:8001")
    request_id = answer.headers["X-Request-Id"]
    assert (answer.status_code, f"Request {request_id}" in answer.text) == (404, True)
    [line] = details(ada, f"?request={request_id}")
    assert (line["detail"]["surface"], line["site"]["id"], line["title"]) == (
        "runtime",
        site.public_id,
        f"GET /s/{site.slug}/nope",
    )


# -- saved searches


def test_a_search_is_saved_under_a_name_shared_and_deleted(
    ada: Browser, browse: Browse, world: World, agency: Agency
) -> None:
    page = ada.get("/logs?kind=run&level=error&q=beta&live=1&cursor=1.")
    query = str(page.one("#save-search [name=query]")["value"])
    assert query == "kind=run&level=error&q=beta"
    saved = ada.post("/logs/searches", {"name": " Failing  runs ", "query": query})
    assert (saved.status, saved.where) == (303, f"/logs?{query}")
    tom = browse(world.person(agency, Role.DEVELOPER, name="Tom"))
    assert tom.get("/logs").texts("#saved-searches li") == []
    ada.post("/logs/searches", {"name": "Failing runs", "query": "kind=run", "shared": "y"})
    mine, toms = ada.get("/logs"), tom.get("/logs")
    assert [str(link["href"]) for link in mine.html.select("#saved-searches li a")] == ["/logs?kind=run"]
    assert toms.texts("#saved-searches li") == ["Failing runs Shared by Ada Bright"]
    delete = str(mine.one("#saved-searches form[method=post]")["action"])
    assert tom.post(delete).status == 404
    assert ada.post(delete).status == 303
    assert tom.get("/logs").texts("#saved-searches li") == []


@pytest.mark.parametrize(
    "form",
    [{"name": " ", "query": "kind=run"}, {"name": "x", "query": ""}, {"name": "x", "query": "cursor=1.&evil=1"},
     {"name": "x", "query": "q=" + "x" * 2001}],
)  # fmt: skip
def test_a_search_without_a_name_or_a_filter_is_none(ada: Browser, form: dict[str, str]) -> None:
    assert ada.post("/logs/searches", form).status == 422
    assert ada.get("/logs").texts("#saved-searches li") == []


def test_a_search_without_a_name_is_answered_where_it_stands_and_loses_nothing(ada: Browser) -> None:
    given = {"name": " ", "query": "kind=run&q=shop", "shared": "y"}
    part = ada.post("/logs/searches", given, htmx="save-search-form")
    alone = ada.post("/logs/searches", given)
    assert (part.html.select_one("html"), alone.heading) == (None, "Save this search")
    for page in (part, alone):
        assert (page.status, page.errors) == (422, ["Give the search a name."])
        form = page.one("#save-search-form")
        assert form.select("[name=query]")[0]["value"] == "kind=run&q=shop"
        assert form.select("[name=shared]")[0].has_attr("checked")
    assert alone.one(".form-actions a")["href"] == "/logs?kind=run&q=shop"
    filled = ada.post("/logs/searches", {**given, "name": "Shop"}, htmx="save-search-form")
    assert filled.where == "/logs?kind=run&q=shop"


def test_a_search_is_saved_from_an_installs_own_logs_too(ada: Browser, world: World, agency: Agency) -> None:
    ours = put_on_site(agency, world.site(agency), MODULE)
    page = ada.get(f"/installs/{ours.public_id}/logs?level=error")
    query = str(page.one("#save-search [name=query]")["value"])
    assert query == f"level=error&install={ours.public_id}"
    ada.post("/logs/searches", {"name": "Errors of it", "query": query})
    assert ada.get(f"/installs/{ours.public_id}/logs").texts("#saved-searches li a") == ["Errors of it"]


def test_one_person_keeps_at_most_fifty_searches(ada: Browser, ada_person: Person) -> None:
    with tenant_scope(ada_person.agency_id, user_id=ada_person.id), transaction(db.session()) as session:
        for number in range(50):
            save_search(
                session, agency_id=ada_person.agency_id, name=f"S{number}", query="kind=run", shared=False,
                by=ada_person.actor,
            )  # fmt: skip
    assert ada.post("/logs/searches", {"name": "one more", "query": "kind=run"}).status == 409
    assert ada.post("/logs/searches", {"name": "S7", "query": "kind=mail"}).status == 303
