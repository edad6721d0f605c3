"""The editor: a project begins, its files change one state after the other, checks and trials tell, a draft comes out."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from flask import Flask

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import tenant_scope
from app.lib.ids import decode
from app.queue.enqueue import redis
from app.studio.editor.jobs import attempt
from app.studio.editor.starters import STARTERS, starter_files
from app.studio.jobs import publish
from app.tenancy.models import Agency
from tests.support.browser import Browser, Page
from tests.support.packages import notes, zipped
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse

BROKEN = "export default function ("


def begin(browser: Browser, starter: str = "crud", name: str = "My thing") -> str:
    """The address of a new project."""
    answer = browser.post("/studio/projects/new", {"name": name, "starter": starter})
    assert (answer.status, answer.errors) == (303, [])
    return (answer.where or "").split("?")[0]


def text_of(browser: Browser, project: str, path: str) -> tuple[str, str]:
    """(text, revision) of a file as the editor shows it."""
    page = browser.get(f"{project}?file={path}")
    area = page.one("#source")
    return area.get_text().removeprefix("\n"), str(page.one("#base")["value"])


def save(browser: Browser, project: str, path: str, text: str, base: str) -> Page:
    return browser.post(f"{project}/save", {"path": path, "content": text, "base": base}, htmx="panes")


def done(page: Page, browser: Browser, ada: Person) -> Page:
    """The trial that was ordered, once the worker has done it."""
    where = str(page.one("[hx-get]")["hx-get"])
    with tenant_scope(ada.agency_id):
        attempt(str(decode("trl", where.rsplit("/", 1)[1])))
        db.session.remove()
    return browser.get(where, htmx="tests-result")


@pytest.mark.parametrize("starter", [starter.key for starter in STARTERS])
def test_every_starter_begins_a_project_without_a_fault_and_its_tests_pass(
    starter: str, browser: Browser, ada: Person
) -> None:
    project = begin(browser, starter, name=f"Shop {starter}")
    page = browser.get(project)
    assert (page.texts(".studio-ok"), page.texts(".studio-checks li")) == (["Everything is in order"], [])
    assert f'slug: shop-{starter}\nname: "Shop {starter}"' in text_of(browser, project, "module.yaml")[0]
    if any(path.startswith(("tests/", "sample/")) for path in starter_files(starter)):
        result = done(browser.post(f"{project}/tests", htmx="tests-result"), browser, ada)
        assert (result.texts(".badge")[1:], result.texts(".studio-checks [data-tone=bad]")) == ([], [])


@pytest.mark.parametrize(
    ("starter", "page", "seen"),
    [
        ("list", "prices", "Cleaning"),
        ("booking", "book", "Garden room, 30 seats"),
        ("widget", "banner", "Ready to begin?"),
    ],
)
def test_a_page_is_previewed_on_sample_records_at_the_runtime_origin(
    starter: str, page: str, seen: str, browser: Browser, ada: Person, runtime_app: Flask
) -> None:
    project = begin(browser, starter)
    address = previewed(browser, ada, project, what=f"page:{page}")
    answer = runtime_app.test_client().get(address)
    assert (answer.status_code, seen in answer.text, "Not offered" in answer.text) == (200, True, False)
    assert "frame-ancestors http://localhost" in answer.headers["Content-Security-Policy"]
    assert browser.get(project).one("#preview-frame")["sandbox"] == ["allow-scripts", "allow-forms"]
    if starter == "widget":
        sheet = address.replace("/page", "/assets/css/banner.css")
        assert runtime_app.test_client().get(sheet).text == ".banner { text-align: center; }\n"
    sent = runtime_app.test_client().post(address, data={"name": "x"})
    assert (sent.status_code, "keeps nothing" in sent.text) == (200, True)
    redis().delete(f"dramac:preview:{address.split('/')[2]}")
    assert runtime_app.test_client().get(address).status_code == 404


def previewed(browser: Browser, ada: Person, project: str, **asked: str) -> str:
    """The address, on the runtime origin, of what was asked for."""
    shown = done(browser.post(f"{project}/preview", asked, htmx="preview-result"), browser, ada)
    return re.sub(r"^https?://[^/]+", "", str(shown.one("[data-frame]")["data-frame"]))


def test_a_save_is_one_change_and_the_checks_answer_at_once(browser: Browser) -> None:
    project = begin(browser)
    text, base = text_of(browser, project, "module.yaml")
    panes = save(browser, project, "module.yaml", text.replace("type: decimal", "type: decimall"), base)
    assert (panes.status, panes.texts(".studio-checks code")) == (200, ["tables.tasks.fields.hours"])
    problems = json.loads(str(panes.one("#panes")["data-problems"]))
    assert [(one["line"], one["severity"], one["message"]) for one in problems] == [
        (32, "error", 'no type "decimall"; did you mean "decimal"?')
    ]
    assert panes.texts("[hx-post$=tests] button[disabled]") == ["Run tests"]
    assert str(panes.one("#panes")["data-base"]) == "2"
    again = save(browser, project, "module.yaml", text, "2")
    assert (again.texts(".studio-ok"), str(again.one("#panes")["data-base"])) == (["Everything is in order"], "3")


def test_two_people_saving_the_same_file_lose_nothing(
    browser: Browser, browse: Browse, world: World, agency: Agency
) -> None:
    bo = browse(world.person(agency, role=Role.DEVELOPER, name="Bo Kim"))
    project = begin(browser)
    text, base = text_of(browser, project, "functions/finish.js")
    assert save(bo, project, "functions/finish.js", "// Bo\n" + text, base).status == 200
    clash = save(browser, project, "functions/finish.js", "// Ada\n" + text, base)
    assert (clash.status, clash.texts(".diff [data-kind=added] code"), clash.texts(".diff [data-kind=removed] code")) == (
        409, ["// Ada"], ["// Bo"],
    )  # fmt: skip
    assert "Bo Kim saved it" in clash.text
    over = str(clash.one("#over")["value"])
    assert save(browser, project, "functions/finish.js", "// Ada\n" + text, over).status == 200
    assert text_of(browser, project, "functions/finish.js")[0].startswith("// Ada")
    plain = browser.post(f"{project}/save", {"path": "functions/finish.js", "content": "late", "base": base})
    assert (plain.status, plain.one("#source").get_text().strip()) == (409, "late")


def test_others_with_a_file_open_are_named(browser: Browser, browse: Browse, world: World, agency: Agency) -> None:
    bo = browse(world.person(agency, role=Role.DEVELOPER, name="Bo Kim"))
    project = begin(browser)
    assert bo.post(f"{project}/open", {"path": "module.yaml"}, htmx="others").texts(".studio-other") == []
    seen = browser.post(f"{project}/open", {"path": "module.yaml"}, htmx="others")
    assert seen.texts(".studio-other") == ["Bo Kim has this file open"]


def test_a_missing_file_is_created_and_an_unused_one_deleted_by_one_click(browser: Browser) -> None:
    project = begin(browser, "form")
    text, base = text_of(browser, project, "module.yaml")
    panes = save(browser, project, "module.yaml", text.replace("notify.js", "tell.js"), base)
    fixes = [
        (form.button.get_text().strip(), form.select_one("[name=path]")["value"])
        for form in panes.html.select(".studio-checks form")
    ]
    assert fixes == [("Create functions/tell.js", "functions/tell.js")]
    browser.post(f"{project}/files", {"path": "functions/tell.js"})
    page = browser.get(project)
    assert [
        (form["action"].rsplit("/", 1)[1], form.select_one("[name=path]")["value"])
        for form in page.html.select(".studio-checks form")
    ] == [("delete-file", "functions/notify.js")]
    browser.post(f"{project}/delete-file", {"path": "functions/notify.js"})
    assert browser.get(project).texts(".studio-ok") == ["Everything is in order"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("menu:", "menus:"),
        ("search: true, sort:", "serch: true, sort:"),
        ("{table: projects, event:", "{table: projcts, event:"),
        ("columns: [name, state, due", "columns: [name, stete, due"),
    ],
)
def test_what_is_mistyped_is_mended_with_one_click(browser: Browser, right: str, wrong: str) -> None:
    project = begin(browser)
    text, base = text_of(browser, project, "module.yaml")
    assert right in text
    save(browser, project, "module.yaml", text.replace(right, wrong, 1), base)
    form = browser.get(project).one(f'#panes form[action="{project}/word"]')
    label, fields = (
        form.get_text(strip=True),
        {str(one["name"]): str(one["value"]) for one in form.select("input[name]")},
    )
    assert label == f"Change to {fields['right']}"
    assert browser.post(f"{project}/word", fields).status == 303
    assert text_of(browser, project, "module.yaml")[0] == text
    assert browser.get(project).texts(".studio-ok") == ["Everything is in order"]
    browser.post(f"{project}/word", fields)  # on a page of before: nothing to mend any more
    assert text_of(browser, project, "module.yaml")[0] == text


def test_history_shows_what_changed_and_brings_it_back(browser: Browser) -> None:
    project = begin(browser)
    text, base = text_of(browser, project, "functions/finish.js")
    save(browser, project, "functions/finish.js", text.replace("still open", "not done"), base)
    browser.post(f"{project}/rename", {"path": "functions/finish.js", "to": "functions/end.js"})
    page = browser.get(f"{project}/history?file=functions/finish.js")
    assert page.texts("td[data-label=What]") == ["Renamed to functions/end.js", "Saved", "First"]
    change = browser.get(f"{project}/change?file=functions/finish.js&revision=2")
    assert [line.strip() for line in change.texts(".diff [data-kind=added] code")] == [
        'ctx.invalid("state", "Some tasks are not done.");'
    ]
    browser.post(f"{project}/restore", {"path": "functions/finish.js", "revision": "1"})
    assert text_of(browser, project, "functions/finish.js")[0] == text
    browser.post(f"{project}/restore", {"revision": "1"})
    page = browser.get(project)
    assert "functions/end.js" not in [a["href"].split("file=")[1] for a in page.html.select("#project-files a")]
    assert page.texts(".studio-ok") == ["Everything is in order"]


@pytest.mark.parametrize("revision", ["", "0", "abc", "-1", "99", "9" * 30])
@pytest.mark.parametrize("path", ["", "functions/finish.js"])
def test_bringing_back_what_never_was_changes_nothing(browser: Browser, path: str, revision: str) -> None:
    project = begin(browser)
    before = browser.get(project).texts("#project-files a")
    assert browser.post(f"{project}/restore", {"path": path, "revision": revision}).status == 404
    assert (browser.get(project).texts("#project-files a"), len(before) > 3) == (before, True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('{"a": "\\u0000"}', "has a character that no text here can hold"),
        ('{"\\ud800": 1}', "has a character that no text here can hold"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("{", "is not JSON"),
    ],
)
def test_an_input_that_cannot_be_kept_is_told(browser: Browser, given: str, told: str) -> None:
    answer = browser.post(f"{begin(browser)}/call", {"function": "finish", "input": given})
    assert (answer.status, told in answer.text) == (422, True)


def test_failing_tests_say_what_was_expected(browser: Browser, ada: Person) -> None:
    project = begin(browser)
    text, base = text_of(browser, project, "tests/projects.yaml")
    save(browser, project, "tests/projects.yaml", text.replace("open: 0", "open: 7"), base)
    result = done(browser.post(f"{project}/tests", htmx="tests-result"), browser, ada)
    assert result.texts(".badge") == ["4 passed", "1 failed"]
    assert result.texts(".studio-checks [data-tone=bad] p") == ["projects/p.open is 0, expected 7"]
    assert result.texts(".studio-checks .diff code") == ["7", "0"]


def test_the_console_calls_a_function_on_the_sample_and_shows_its_log(browser: Browser, ada: Person) -> None:
    project = begin(browser, "integration")
    given = {"function": "receive", "input": '{"order": "orders/o1", "remote": "X-9"}'}
    result = done(browser.post(f"{project}/call", given, htmx="call-result"), browser, ada)
    assert (result.texts(".badge"), json.loads(result.one("pre").get_text())) == (["Done"], {"ok": True})
    given = {"function": "forward", "input": '{"record": {"id": "orders/o1"}, "event": {"id": "evt_1"}}'}
    result = done(browser.post(f"{project}/call", given, htmx="call-result"), browser, ada)
    assert result.texts(".studio-log") == ["warn no key yet, nothing is sent"]
    result = done(
        browser.post(f"{project}/call", {"function": "receive", "input": "{}"}, htmx="call-result"), browser, ada
    )
    assert (result.texts(".badge"), "Send order and remote." in result.text) == (["Refused or failed"], True)
    assert browser.post(f"{project}/call", {"function": "receive", "input": "{"}, htmx="call-result").status == 422


def test_a_draft_is_a_version_like_any_other(browser: Browser) -> None:
    project = begin(browser, name=f"Small {new_slug('x')[-8:]}")
    answer = browser.post(f"{project}/draft")
    page = browser.get(answer.where or "")
    assert (answer.status, page.heading.endswith("0.1.0"), "Draft" in page.text) == (303, True, True)
    text, base = text_of(browser, project, "module.yaml")
    save(browser, project, "module.yaml", text.replace("tables:", "tabels:"), base)
    assert "/studio/projects/" in (browser.post(f"{project}/draft").where or "")


def test_changes_since_the_last_release_decide_the_next_number_and_one_click_sets_it(
    browser: Browser, ada: Person
) -> None:
    version = released(ada, notes(new_slug()))
    project = (browser.post(f"/studio/projects/of/{version.public_id}").where or "").split("?")[0]
    assert browser.get(project).texts(".studio-pane form[action$=version] button") == ["Set the version to 1.0.1"]
    text, base = text_of(browser, project, "module.yaml")
    panes = save(
        browser,
        project,
        "module.yaml",
        text.replace("    fields:\n", "    fields:\n      extra: {type: text}\n", 1),
        base,
    )
    assert panes.texts(".change-list div") == ['The field "extra" of notes is new']
    assert panes.html.select("form[action$=draft]") == []
    browser.post(f"{project}/version")
    page = browser.get(project)
    assert "version: 1.1.0" in text_of(browser, project, "module.yaml")[0]
    assert page.texts("form[action$=draft] button") == ["Make draft 1.1.0"]
    assert browser.post(f"{project}/version").status == 303


def test_an_index_that_publishing_asked_for_is_added_by_one_click(browser: Browser, ada: Person) -> None:
    files = notes(new_slug(), files={"templates/all.html": "<h1>All</h1>"})
    files["module.yaml"] += b"pages:\n  all: {template: all.html, data: {notes: {table: notes, where: {body: Iron}}}}\n"
    answer = browser.post("/studio/projects/import", {"package": (io.BytesIO(zipped(files)), "notes.zip")})
    project = (answer.where or "").split("?")[0]
    assert "Everything is in order" in browser.get(project).text
    draft = browser.post(f"{project}/draft").where or ""
    where = str(browser.post(f"{draft}/publish", {"tier": "internal"}).where)
    with tenant_scope(ada.agency_id):
        publish(str(decode("pub", where.rpartition("/")[2])))
        db.session.remove()
    assert "would go through all 1,000,000 records" in browser.get(where).text

    page = browser.get(project)
    assert "(found when it was last published)" in page.text
    form = page.one("form[action$='/indexes/mend']")
    assert form.get_text(strip=True) == "Add an index over body"
    sent = {str(one["name"]): str(one["value"]) for one in form.select("input")}
    assert browser.post(str(form["action"]), sent).status == 303
    assert "indexes: [[body]]" in text_of(browser, project, "module.yaml")[0].replace("\n", " ")
    assert "Everything is in order" in browser.get(project).text
    assert browser.post(str(form["action"]), sent).status == 303  # a second click finds it there and changes nothing
    assert text_of(browser, project, "module.yaml")[0].count("[body]") == 1


def test_a_project_travels_as_a_zip_and_a_version_opens_as_a_project(browser: Browser, ada: Person) -> None:
    files = notes(new_slug(), files={"README.md": "# Notes"})
    answer = browser.post("/studio/projects/import", {"package": (io.BytesIO(zipped(files)), "notes.zip")})
    project = (answer.where or "").split("?")[0]
    exported = zipfile.ZipFile(io.BytesIO(browser.client.get(f"{project}/export.zip").data))
    assert {name: exported.read(name) for name in exported.namelist()} == files
    version = released(ada, files)
    opened = browser.post(f"/studio/projects/of/{version.public_id}")
    assert text_of(browser, (opened.where or "").split("?")[0], "README.md")[0] == "# Notes"
    refused = browser.post("/studio/projects/import", {"package": (io.BytesIO(b"no zip"), "x.zip")})
    assert refused.status == 422


@pytest.mark.parametrize(
    "path",
    [
        "../evil.js",
        "functions/../../x.js",
        "/etc/passwd",
        "functions/x.py",
        "other/x.js",
        "functions/con.js",
        "",
        "a\x00b",
    ],
)
def test_a_file_without_a_place_in_a_package_is_not_made(path: str, browser: Browser) -> None:
    project = begin(browser, "blank")
    browser.post(f"{project}/files", {"path": path})
    assert browser.post(f"{project}/save", {"path": path, "content": "x", "base": ""}, htmx="panes").status == 422
    assert [a["href"].split("file=")[1] for a in browser.get(project).html.select("#project-files a")] == [
        "module.yaml",
        "README.md",
    ]


def test_broken_code_is_marked_where_it_is(browser: Browser) -> None:
    project = begin(browser)
    _, base = text_of(browser, project, "functions/finish.js")
    panes = save(browser, project, "functions/finish.js", BROKEN, base)
    assert [item.get_text() for item in panes.html.select(".studio-checks a")] == ["functions/finish.js:1"]


def test_a_viewer_reads_and_another_agency_finds_nothing(
    browser: Browser, browse: Browse, world: World, agency: Agency
) -> None:
    project = begin(browser)
    vic = browse(world.person(agency, role=Role.VIEWER))
    eve = browse(world.person(world.agency()))
    assert [vic.get(project).status, vic.post(f"{project}/save", {"path": "README.md"}).status] in (
        [403, 403],
        [200, 403],
    )
    assert [eve.get(project).status, eve.post(f"{project}/tests").status, eve.get(f"{project}/export.zip").status] == [
        404
    ] * 3


def test_a_deleted_project_is_gone_until_it_is_brought_back(browser: Browser) -> None:
    project = begin(browser, name="Short lived")
    browser.post(f"{project}/delete")
    assert (browser.get(project).heading, browser.get("/studio/").texts("#projects tbody a")) == (
        "Short lived was deleted",
        [],
    )
    assert browser.post(f"{project}/save", {"path": "README.md", "content": "x", "base": ""}).status == 409
    browser.post(f"{project}/bring-back")
    assert browser.get("/studio/").texts("#projects tbody a") == ["Short lived"]
