"""Studio: a package goes in, a precise report or a draft comes out, and publishing makes it a release."""

from __future__ import annotations

import io

import pytest

from app.access.permissions import Role
from app.db.base import db
from app.db.scope import tenant_scope
from app.lib.ids import decode
from app.studio.jobs import publish
from tests.support.packages import notes, zipped
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


def part(content: bytes, name: str = "package.zip") -> dict[str, object]:
    return {"package": (io.BytesIO(content), name)}


def test_uploading_a_zip_makes_a_draft_with_its_own_page(ada: Person, browse: Browse) -> None:
    browser = browse(ada)
    answer = browser.post("/studio/upload", part(zipped(notes(new_slug()))))
    page = browser.get(answer.where or "")
    assert (answer.status, page.heading, "Draft" in page.text) == (303, "Notes 1.0.0", True)


def test_uploading_a_folder_takes_its_files_by_their_paths(ada: Person, browse: Browse) -> None:
    browser = browse(ada)
    files = notes(new_slug(), files={"README.md": "# Notes"})
    parts = [(io.BytesIO(content), f"notes/{path}") for path, content in files.items()]
    answer = browser.post("/studio/upload", {"package": parts})
    assert (answer.status, "README.md" in browser.get(answer.where or "").text) == (303, True)


def test_errors_are_listed_by_file_and_line_and_nothing_is_stored(ada: Person, browse: Browse) -> None:
    browser = browse(ada)
    slug = new_slug()
    files = notes(slug, extra="      stage: {type: ref, to: stagess}")
    answer = browser.post("/studio/upload", part(zipped(files)))
    assert (answer.status, answer.texts(".report code"), answer.texts(".report-line")) == (
        422,
        ["tables.notes.fields.stage.to"],
        ["16:30"],
    )
    assert slug not in browser.get("/studio/").text


def test_syntax_of_functions_and_templates_is_checked_where_they_would_run(ada: Person, browse: Browse) -> None:
    extra = "functions: {go: {file: go.js}}\npages: {hello: {template: hello.html}}"
    files = notes(
        new_slug(), files={"functions/go.js": "export default function (", "templates/hello.html": "{% if %}"}
    )
    files["module.yaml"] += b"\n" + extra.encode()
    answer = browse(ada).post("/studio/upload", part(zipped(files)))
    assert (answer.status, answer.texts(".report h3")) == (422, ["functions/go.js", "templates/hello.html"])


def test_a_module_for_another_platform_version_is_refused(ada: Person, browse: Browse) -> None:
    files = notes(new_slug())
    files["module.yaml"] += b'platform: ">=9"\n'
    answer = browse(ada).post("/studio/upload", part(zipped(files)))
    assert (answer.status, answer.texts(".report code")) == (422, ["platform"])


def test_nothing_chosen_is_said_plainly(ada: Person, browse: Browse) -> None:
    answer = browse(ada).post("/studio/upload", part(b"", ""))
    assert (answer.status, "Choose a .zip file" in answer.text) == (422, True)


def test_a_slug_of_another_publisher_is_refused(world: World, ada: Person, browse: Browse) -> None:
    olga, slug = world.person(world.agency("Elsewhere")), new_slug()
    released(olga, notes(slug))
    answer = browse(ada).post("/studio/upload", part(zipped(notes(slug))))
    assert (answer.status, "Another publisher has a module with this slug" in answer.text) == (409, True)


FAILING = b"""
- {name: it is kept, when: {create: notes, set: {title: Boat}}, then: {record: {title: Boat}}}
- {name: it is a ship, when: {create: notes, set: {title: Boat}}, then: {record: {title: Ship}}}
"""


def publish_now(person: Person, where: str) -> None:
    """Run the job of a publication."""
    with tenant_scope(person.agency_id):
        publish(str(decode("pub", where.rpartition("/")[2])))
        db.session.remove()


def test_publishing_puts_it_into_the_marketplace(ada: Person, browse: Browse) -> None:
    browser, slug = browse(ada), new_slug()
    draft = browser.post("/studio/upload", part(zipped(notes(slug)))).where or ""
    answer = browser.post(f"{draft}/publish", {"tier": "internal"})
    waiting = browser.get(str(answer.where))
    assert (answer.status, waiting.one("#publication")["data-state"]) == (303, "running")
    assert "Watch it" in browser.get(draft).text
    publish_now(ada, str(answer.where))
    done = browser.get(str(answer.where), htmx="publication")
    assert (done.one("#publication")["data-state"], done.html.select("[hx-trigger]")) == ("done", [])
    page = browser.get(f"/marketplace/{slug}")
    assert (page.status, page.heading) == (200, "Notes")
    late = browser.post(f"{draft}/publish", {"tier": "internal"})  # on a page that was open since before
    assert (late.status, late.where) == (303, answer.where)


def test_a_too_low_version_shows_why_and_stays_a_draft(ada: Person, browse: Browse) -> None:
    browser, slug = browse(ada), new_slug()
    released(ada, notes(slug, extra="      more: {type: text}"))
    draft = browser.post("/studio/upload", part(zipped(notes(slug, version="1.1.0")))).where or ""
    answer = browser.post(f"{draft}/publish", {"tier": "internal"})
    publish_now(ada, str(answer.where))
    told = browser.get(str(answer.where))
    assert told.texts(".report li")[0].endswith("must be at least 2.0.0") or "must be at least 2.0.0" in told.text
    assert "Draft" in browser.get(draft).text


def test_a_failing_acceptance_test_is_named_and_nothing_is_published(ada: Person, browse: Browse) -> None:
    browser, slug = browse(ada), new_slug()
    files = {**notes(slug), "tests/notes.yaml": FAILING}
    draft = browser.post("/studio/upload", part(zipped(files))).where or ""
    answer = browser.post(f"{draft}/publish", {"tier": "internal"})
    second = browser.post(f"{draft}/publish", {"tier": "internal"})
    assert (second.status, second.where) == (303, answer.where)  # the same one, which is running
    publish_now(ada, str(answer.where))
    told = browser.get(str(answer.where))
    assert told.texts("#publication .publication-tests > li[data-state=done] > span:not(.job-dot)") == [
        "it is kept , passed"
    ]
    assert told.texts(".publication-failures li") == ["the record.title is 'Boat', expected 'Ship'"]
    assert (browser.get(f"/marketplace/{slug}").status, "Run the checks again" in told.text) == (404, True)
    again = browser.post(f"{draft}/publish", {"tier": "internal"})
    assert (again.status, again.where == answer.where) == (303, False)


def test_a_release_shows_what_changed_since_the_one_below_it(ada: Person, browse: Browse) -> None:
    browser, slug = browse(ada), new_slug()
    first = released(ada, notes(slug))
    second = released(ada, notes(slug, version="1.1.0", extra="      more: {type: text}"))
    released(ada, notes(slug, version="1.1.1", extra="      more: {type: text}"))
    page = browser.get(f"/studio/versions/{second.public_id}")
    assert "Changes since 1.0.0" in page.texts("h2")
    assert page.texts(".change-list .badge") == ["Minor"]
    assert "Changes since" not in browser.get(f"/studio/versions/{first.public_id}").text


def test_withdrawing_takes_it_out_of_the_marketplace(ada: Person, browse: Browse) -> None:
    slug = new_slug()
    version = released(ada, notes(slug))
    browser, where = browse(ada), f"/studio/versions/{version.public_id}/yank"
    assert browser.post(where).status == 422
    browser.post(where, {"reason": "Confirmations were sent twice."})
    assert browser.get(f"/marketplace/{slug}").status == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
def test_uploading_is_refused_to_who_may_not_author(world: World, role: Role, browse: Browse) -> None:
    agency = world.agency()
    assert browse(world.person(agency, role)).post("/studio/upload", part(zipped(notes(new_slug())))).status == 403


def test_anothers_public_module_is_not_in_ones_own_studio(world: World, ada: Person, browse: Browse) -> None:
    version = released(world.person(world.agency("Elsewhere")), notes(new_slug()), tier="public")
    browser = browse(ada)
    assert [
        browser.get(f"/studio/versions/{version.public_id}").status,
        browser.post(f"/studio/versions/{version.public_id}/yank").status,
    ] == [404, 404]


@pytest.mark.parametrize("modules", [1, 3])
def test_the_list_costs_the_same_for_any_number(world: World, browse: Browse, modules: int, statements: object) -> None:
    ada = world.person(world.agency())
    for _ in range(modules):
        released(ada, notes(new_slug()))
    browser = browse(ada)
    browser.get("/studio/")
    with statements.exactly(7):  # type: ignore[attr-defined]
        page = browser.get("/studio/")
    assert len(page.html.select("tbody tr")) == modules
