"""Around the text: previews of staff's screens, what tests reached, words to complete, search, and a zip over the project."""

from __future__ import annotations

import io
import json

import pytest
from flask import Flask

from app.modules.package import check_folder, write_package
from app.studio.editor.starters import starter_files
from app.studio.editor.words import words_of
from tests.support.browser import Browser
from tests.support.world import Person
from tests.web.studio.test_editor import begin, done, previewed, save, text_of


def zip_of(files: dict[str, bytes]) -> tuple[io.BytesIO, str]:
    return io.BytesIO(write_package(files)), "module.zip"


@pytest.mark.parametrize(
    ("asked", "seen", "unseen"),
    [
        ({"what": "list:projects"}, ["New website", "Spring campaign", "New project"], []),
        ({"what": "record:projects", "record": "2"}, ["Spring campaign", "Choose a date"], ["Collect texts"]),
        ({"what": "form:projects", "record": "1"}, ["Edit New website", "Save project"], []),
        ({"what": "form:tasks"}, ["New task", "Assigned to"], []),
        ({"what": "list:projects", "role": "helper"}, ["New website"], ["New project"]),
    ],
)
def test_screens_for_staff_are_drawn_on_the_sample_and_cannot_be_used(
    asked: dict[str, str],
    seen: list[str],
    unseen: list[str],
    browser: Browser,
    ada: Person,
    runtime_app: Flask,
) -> None:
    address = previewed(browser, ada, begin(browser), **asked)
    answer = runtime_app.test_client().get(f"{address}?theme=dark")
    assert [text for text in seen if text not in answer.text] == []
    assert [text for text in unseen if text in answer.text] == []
    assert ('class="dark"' in answer.text, "inert>" in answer.text, "icons." in answer.text) == (True, True, False)
    assert 'name="csrf_token" value=""' in answer.text or "csrf_token" not in answer.text


def test_the_dashboard_of_the_starter_is_drawn_on_its_sample(browser: Browser, ada: Person, runtime_app: Flask) -> None:
    address = previewed(browser, ada, begin(browser, "dashboard"), what="dashboard:home")
    page = runtime_app.test_client().get(address)
    assert [
        text
        for text in ("Overview", "Month by month", "How far each goal is", "Trees planted")
        if text not in page.text
    ] == []
    assert 'svg class="chart"' in page.text


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"what": "list:nothing"}, "no such page, screen or role"),
        ({"what": "record:projects", "record": "9"}, "holds no such record"),
        ({"what": "form:projects", "role": "helper"}, "does not allow"),
        ({"what": "page:nothing"}, "no such page, screen or role"),
        ({"what": "list:projects", "role": "nobody"}, "no such page, screen or role"),
    ],
)
def test_what_cannot_be_drawn_says_why(asked: dict[str, str], reason: str, browser: Browser, ada: Person) -> None:
    page = done(browser.post(f"{begin(browser)}/preview", asked, htmx="preview-result"), browser, ada)
    assert reason in page.text


def test_what_the_tests_reached_stays_beside_the_text_until_it_changes(browser: Browser, ada: Person) -> None:
    project = begin(browser)
    result = done(browser.post(f"{project}/tests", htmx="tests-result"), browser, ada)
    lines = json.loads(str(result.one("[data-coverage]")["data-coverage"]))
    assert lines == {"functions/finish.js": {"3": "ran", "4": "ran", "6": "ran"}}
    assert result.texts(".studio-reach-head span") == ["100 %"]
    page = browser.get(f"{project}?file=functions/finish.js")
    assert page.one("#tests-result [data-coverage]")["data-revision"] == "1"
    text, base = text_of(browser, project, "functions/finish.js")
    panes = save(browser, project, "functions/finish.js", text + "\nexport const more = () => 1;\n", base)
    assert "As it was at change 1" in panes.text
    result = done(browser.post(f"{project}/tests", htmx="tests-result"), browser, ada)
    assert "never called: more in line" in " ".join(result.text.split())


def test_words_of_a_file_come_with_the_checks(browser: Browser) -> None:
    project = begin(browser, "shop")
    words = {
        one["label"]: one
        for one in json.loads(str(browser.get(f"{project}?file=templates/shop.html").one("#panes")["data-words"]))
    }
    assert (words["data.products[].price"]["kind"], words["settings.heading"]["kind"]) == ("money", "text")
    assert {"|money", "site.name", "w-card"} <= set(words)
    assert "data.products[].sold" not in words  # the page does not ask for it
    page = browser.get(f"{project}?file=functions/place.js")
    labels = {one["label"] for one in json.loads(str(page.one("#panes")["data-words"]))}
    assert {"ctx.db.products.lock", "ctx.settings.notify_to", "input.new.amount", "ctx.invalid"} <= labels


@pytest.mark.parametrize("key", ["blank", "form", "integration", "crm"])
def test_every_file_of_a_package_has_words_or_none(key: str) -> None:
    package = check_folder(starter_files(key).items()).package
    assert package is not None
    for path in package.files:
        words = words_of(package.manifest, path)
        assert all(one["label"] and one["text"] for one in words), path
        assert len({one["label"] for one in words}) == len(words), path


def test_files_are_found_by_name_and_by_what_they_say(browser: Browser) -> None:
    project = begin(browser)
    page = browser.get(f"{project}/search?q=FINISH", htmx="studio-found")
    found = [a["href"].split("file=")[1] for a in page.html.select("a")]
    assert found[0] == "functions/finish.js"
    assert "functions/finish.js#L3" in found
    assert {one.get_text().lower() for one in page.html.select("mark")} == {"finish"}
    assert browser.get(f"{project}/search?q=zzz", htmx="studio-found").texts("p") == ["Nothing found."]
    assert browser.get(f"{project}/search?q=", htmx="studio-found").text.strip() == ""
    assert "<script" not in browser.get(f"{project}/search?q=<script>", htmx="studio-found").text


def test_a_zip_over_a_project_is_compared_first_and_is_one_change(browser: Browser) -> None:
    project = begin(browser)
    files = dict(starter_files("crud"))
    files["functions/finish.js"] = files["functions/finish.js"].replace(b"still open", b"not done")
    files["README.md"] = b"# Projects\n"
    del files["tests/projects.yaml"]
    files["module.yaml"] = text_of(browser, project, "module.yaml")[0].encode()
    where = browser.post(f"{project}/replace", {"package": zip_of(files)}).where or ""
    page = browser.get(where)
    assert page.texts(".replace-file h2 code") == ["README.md", "functions/finish.js", "tests/projects.yaml"]
    assert page.texts(".replace-file .badge") == ["New", "Changed", "Deleted"]
    assert browser.get(project).html.select("#project-files a[href*=README]") == []  # nothing has happened yet
    assert browser.post(where, {"revision": "7"}).status == 303
    assert browser.get(project).html.select("#project-files a[href*=README]") == []  # not what was looked at
    assert browser.post(where, {"revision": "1"}).status == 303
    assert text_of(browser, project, "README.md")[0] == "# Projects\n"
    history = browser.get(f"{project}/history")
    assert [one.get_text() for one in history.html.select("td[data-label=Change]")][:3] == ["2", "2", "2"]
    assert browser.get(where).status == 404
    browser.post(f"{project}/restore", {"revision": "1"})
    assert browser.get(project).html.select("#project-files a[href*=README]") == []
    assert browser.post(f"{project}/replace", {"package": (io.BytesIO(b"no zip"), "x.zip")}).status == 303


def test_a_file_keeps_its_line_ends_and_a_zip_the_order_of_its_files(browser: Browser) -> None:
    files = {**starter_files("crud"), "README.md": b"# One\r\n\r\nTwo\r\n"}
    answer = browser.post("/studio/projects/import", {"package": zip_of(files)})
    project = (answer.where or "").split("?")[0]
    text, base = text_of(browser, project, "README.md")
    save(browser, project, "README.md", text.replace("Two", "Three"), base)
    first = browser.client.get(f"{project}/export.zip").data
    second = browser.client.get(f"{project}/export.zip").data
    assert first == second == write_package({**files, "README.md": b"# One\r\n\r\nThree\r\n"})
