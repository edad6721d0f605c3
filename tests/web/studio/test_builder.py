"""The visual editors: every act is one change of module.yaml, with its comments; problems stand beside what they name."""

from __future__ import annotations

import pytest

from app.access.permissions import Role
from app.tenancy.models import Agency
from tests.support.browser import Browser, Page
from tests.support.publishing import released
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency()


@pytest.fixture
def ada(world: World, agency: Agency) -> Person:
    return world.person(agency, name="Ada Lane")


@pytest.fixture
def browser(ada: Person, browse: Browse) -> Browser:
    return browse(ada)


def begin(browser: Browser, starter: str = "crud") -> str:
    answer = browser.post("/studio/projects/new", {"name": "My thing", "starter": starter})
    return (answer.where or "").split("?")[0]


def text_of(browser: Browser, project: str) -> tuple[str, str]:
    """(text, revision) of module.yaml."""
    page = browser.get(f"{project}?file=module.yaml")
    return page.one("#source").get_text().removeprefix("\n"), str(page.one("#base")["value"])


def save(browser: Browser, project: str, text: str) -> None:
    base = text_of(browser, project)[1]
    assert browser.post(f"{project}/save", {"path": "module.yaml", "content": text, "base": base}).status == 303


def act(browser: Browser, project: str, what: str, base: str | None = None, **sent: object) -> Page:
    data = {"base": text_of(browser, project)[1] if base is None else base, **sent}
    return browser.post(f"{project}/{what}", data, htmx="builder")


def lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """(lines that went, lines that came)."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


def test_tables_and_fields_are_written_into_the_text_and_everything_else_stays(browser: Browser) -> None:
    project = begin(browser)
    before, _ = text_of(browser, project)
    page = act(browser, project, "tables/add", name="Opening Hours")
    assert (page.status, page.texts(".studio-files [aria-current] span:first-of-type")) == (200, ["opening_hours"])
    assert page.headers["HX-Replace-Url"] == f"{project}/tables?table=opening_hours"
    act(browser, project, "fields/add", table="opening_hours", name="Full name", type="text")
    opened = act(browser, project, "fields/add", table="opening_hours", name="Mood", type="enum")
    assert opened.texts("#row-mood .error") == ["options: is required"]
    act(
        browser, project, "fields/change", table="opening_hours", field="mood", keys="required options", required="y",
        **{"options.value": ["open", "", ""], "options.label": ["Open", "Shut down", ""], "options.color": ["", "red", ""]},
    )  # fmt: skip
    page = act(browser, project, "fields/move", table="opening_hours", field="mood", to="0")
    after, _ = text_of(browser, project)
    assert lines(before, after) == (
        [],
        [
            "  opening_hours:",
            "    label: {one: Opening hour, many: Opening hours}",
            "      mood: {type: enum, required: true, options: [open, shut_down], colors: {shut_down: red}}",
            "      name: {type: text, required: true, max: 120, search: true}",
            "      full_name: {type: text}",
        ],
    )
    assert page.texts(".studio-ok") == ["Everything is in order"]
    history = browser.get(f"{project}/history?file=module.yaml").texts("td[data-label=What]")
    assert history[:3] == [
        "Field opening_hours.mood moved", "Field opening_hours.mood changed", "Field opening_hours.mood added",
    ]  # fmt: skip


def test_a_rename_reaches_every_place_and_says_was_once_it_was_released(browser: Browser, ada: Person) -> None:
    project = begin(browser)
    act(browser, project, "fields/change", table="tasks", field="hours", name="effort", keys="")
    text, _ = text_of(browser, project)
    assert ("was:" in text, "sum(hours)" in text) == (False, False)
    files = {link.split(":")[0] for link in browser.get(f"{project}/tables").texts(".builder-verdict .link")}
    assert files == {"sample/tasks.yaml"}  # the manifest is as good as before; only the sample still says hours
    released(ada, {"module.yaml": text.encode(), "functions/finish.js": b"export default function () {}\n"})
    page = act(browser, project, "tables/change", table="tasks", name="jobs", one="Task", many="Tasks", title="title")
    assert page.texts(".builder-head h2") == ["jobs"]
    act(browser, project, "fields/change", table="jobs", field="who", name="person", keys="")
    text, _ = text_of(browser, project)
    assert "  jobs:\n" in text
    assert "    was: tasks\n" in text
    assert "person: {type: user, label: Assigned to, was: who}" in text.replace("person:     {", "person: {")
    assert "{type: rollup, of: jobs, fn: count}" in text
    assert act(browser, project, "fields/change", table="jobs", field="person", name="who", keys="").status == 200
    assert "was: who" not in text_of(browser, project)[0]


def test_what_cannot_be_done_is_said_beside_its_control_and_nothing_is_saved(browser: Browser) -> None:
    project = begin(browser)
    before = text_of(browser, project)
    refused = [
        act(browser, project, "tables/add", name="7"),
        act(browser, project, "tables/add", name="tasks"),
        act(browser, project, "fields/add", table="tasks", name="who", type="text"),
        act(browser, project, "fields/change", table="tasks", field="who", name="hours", keys=""),
        act(browser, project, "tables/change", table="tasks", name="tasks", one="Task", many=""),
        act(browser, project, "indexes/add", table="tasks", kind="unique", fields=["", ""]),
    ]
    assert [page.status for page in refused] == [422] * 6
    assert refused[0].texts("#new-table-error") == ["Begin with a letter; use letters, digits and _, at most 41."]
    assert refused[2].texts("#new-field-error") == ['"who" is there already.']
    assert refused[3].texts("#row-who .error") == ['"hours" is there already.']
    assert refused[5].texts("#builder > section .builder-said") == ["Choose at least one field."]
    assert text_of(browser, project) == before
    assert act(browser, project, "fields/change", table="tasks", field="gone", keys="").status == 404
    assert act(browser, project, "fields/add", table="gone", name="a", type="text").status == 404


def test_a_number_that_is_none_is_kept_and_the_checks_say_so_beside_it(browser: Browser) -> None:
    project = begin(browser)
    page = act(
        browser,
        project,
        "fields/change",
        table="tasks",
        field="hours",
        keys="min scale",
        min="few",
        scale="1",
        opened="y",
    )
    assert page.texts("#k-min-error") == ["must be a number"]
    assert str(page.one("#k-min")["value"]) == "few"


def test_deleting_says_what_breaks_and_undo_brings_it_back(browser: Browser) -> None:
    project = begin(browser)
    before, _ = text_of(browser, project)
    page = browser.get(f"{project}/tables?table=projects")
    assert 'the view "projects" (columns)' in page.texts("#delete-state .builder-uses li")
    page = act(browser, project, "fields/delete", table="projects", field="state")
    assert page.texts("#builder .builder-verdict summary")[0].endswith("errors")
    toast = page.headers["HX-Trigger"]
    undo = toast.split('"undo": "')[1].split('"')[0]
    assert browser.post(undo).where == f"{project}/tables?table=projects"
    assert text_of(browser, project)[0] == before
    late = browser.post(undo)
    assert late.status == 409
    assert text_of(browser, project)[0] == before


def test_two_people_at_once_lose_nothing(browser: Browser, browse: Browse, world: World, agency: Agency) -> None:
    bo = browse(world.person(agency, role=Role.DEVELOPER, name="Bo Kim"))
    project = begin(browser)
    base = text_of(browser, project)[1]
    assert act(bo, project, "fields/change", base, table="tasks", field="who", keys="help", help="Bo").status == 200
    # another field: it fits the newer text
    assert (
        act(browser, project, "fields/change", base, table="tasks", field="hours", keys="help", help="Ada").status
        == 200
    )
    # the same field: both are shown, and nothing is saved
    clash = act(browser, project, "fields/change", base, table="tasks", field="who", keys="help", help="Ada")
    assert (clash.status, "Bo Kim changed this part" in clash.text) == (409, True)
    assert [
        line.strip().split("help: ")[1] for line in clash.texts(".diff [data-kind=added] code") if "who" in line
    ] == ["Ada}"]
    again = {str(one["name"]): str(one["value"]) for one in clash.html.select("form:has(#again) input[name]")}
    assert browser.post(str(clash.html.select("form:has(#again)")[0]["action"]), again).status == 303
    text, _ = text_of(browser, project)
    assert ("help: Ada}" in text, text.count("help: Ada"), "help: Bo" in text) == (True, 2, False)


def test_a_formula_is_told_what_it_is_before_it_is_saved(browser: Browser) -> None:
    project = begin(browser)
    act(browser, project, "fields/add", table="tasks", name="cost", type="formula")
    sent = {"table": "tasks", "field": "cost", "keys": "expr as"}
    good = act(browser, project, "fields/try", **sent, expr="hours * 2")
    bad = act(browser, project, "fields/try", **sent, expr="hourz * 2")
    assert good.texts(".builder-told") == ["The result is a number with decimals."]
    assert "hourz" in bad.one(".builder-told[data-tone=bad]").get_text()


def test_a_text_that_does_not_read_leads_to_its_line(browser: Browser) -> None:
    project = begin(browser)
    save(browser, project, text_of(browser, project)[0].replace("tables:\n", "tables: &all\n"))
    page = browser.get(f"{project}/tables")
    assert page.texts(".empty-state h2") == ["module.yaml does not read"]
    assert str(page.one(".empty-act a")["href"]).endswith("#L12")
    assert act(browser, project, "tables/add", name="more").status in (409, 422)


def test_indexes_and_unique_lists_come_and_go(browser: Browser) -> None:
    project = begin(browser)
    act(browser, project, "indexes/add", table="tasks", kind="unique", fields=["title", "project", ""])
    assert "    unique: [[title, project]]\n" in text_of(browser, project)[0]
    act(browser, project, "indexes/remove", table="tasks", kind="unique", index="0")
    act(browser, project, "indexes/remove", table="tasks", kind="indexes", index="0")
    text, _ = text_of(browser, project)
    assert ("unique: [[" in text, "indexes:" in text) == (False, False)


def test_it_is_for_those_who_write_modules(browse: Browse, browser: Browser, world: World, agency: Agency) -> None:
    vic = browse(world.person(agency, role=Role.VIEWER, name="Vic"))
    project = begin(browser)
    assert vic.get(f"{project}/tables").status == 403
    assert act(vic, project, "tables/add", "1", name="more").status == 403


def test_without_scripts_an_act_leads_back_to_the_page(browser: Browser) -> None:
    project = begin(browser)
    sent = {
        "base": text_of(browser, project)[1],
        "table": "tasks",
        "field": "done",
        "keys": "required",
        "required": "y",
    }
    answer = browser.post(f"{project}/fields/change", sent)
    assert (answer.status, answer.where) == (303, f"{project}/tables?table=tasks")
    assert browser.get(answer.where or "").one("#field-done-required").has_attr("checked")
