"""Diagram, settings, permissions and views without YAML."""

from __future__ import annotations

import pytest

from app.tenancy.models import Agency
from tests.support.browser import Browser, Page
from tests.support.world import World
from tests.web.conftest import Browse

Sent = str | list[str]


@pytest.fixture
def agency(world: World) -> Agency:
    return world.agency()


@pytest.fixture
def browser(world: World, agency: Agency, browse: Browse) -> Browser:
    return browse(world.person(agency, name="Ada Lane"))


def begin(browser: Browser, starter: str = "crud") -> str:
    answer = browser.post("/studio/projects/new", {"name": "My thing", "starter": starter})
    return (answer.where or "").split("?")[0]


def text_of(browser: Browser, project: str) -> str:
    return browser.get(f"{project}?file=module.yaml").one("#source").get_text().removeprefix("\n")


def revision_of(browser: Browser, project: str) -> str:
    return str(browser.get(f"{project}?file=module.yaml").one("#base")["value"])


def act(browser: Browser, project: str, what: str, base: str | None = None, **sent: Sent) -> Page:
    base = revision_of(browser, project) if base is None else base
    named = {key.replace("__", "."): value for key, value in sent.items()}
    return browser.post(f"{project}/{what}", {"base": base, **named}, htmx="builder")


def test_the_diagram_links_to_tables_and_says_the_same_in_words(browser: Browser) -> None:
    project = begin(browser)
    page = browser.get(f"{project}/diagram")
    assert [a["href"] for a in page.html.select(".builder-diagram a")] == [
        f"{project}/tables?table=projects", f"{project}/tables?table=tasks",
    ]  # fmt: skip
    assert page.texts(".builder-words li") == ["Each of tasks refers to exactly one of projects, by project."]
    empty = browser.get(f"{begin(browser, 'blank')}/diagram")
    assert (empty.texts(".empty-state h2"), empty.html.select("svg.d-box")) == (["No tables yet"], [])


def test_settings_are_written_and_shown_as_an_installer_sees_them(browser: Browser) -> None:
    project = begin(browser)
    page = act(browser, project, "settings/groups/add", label="Look", name="Title", type="text")
    assert page.texts(".builder-preview label") == ["Title optional"] or page.texts(".builder-preview label") == [
        "Title"
    ]
    act(browser, project, "settings/add", group="0", name="Mode", type="enum")
    act(
        browser, project, "settings/change", group="0", setting="mode", opened="y", keys="options help", help="How it works.",
        options__value=["quick", ""], options__label=["", "By hand"],
    )  # fmt: skip
    act(
        browser, project, "settings/change", group="0", setting="title", keys="visible_if required default", required="y",
        default="Hello", visible_if__field=["mode", ""], visible_if__op=["eq", "eq"], visible_if__value=["quick", ""],
    )  # fmt: skip
    page = act(browser, project, "settings/change", group="0", setting="mode", name="way", keys="")
    assert page.texts(".builder-preview select option") == ["–", "Quick", "By hand"]
    page = act(browser, project, "settings/add", group="0", name="Size", type="range")
    page = act(browser, project, "settings/move", group="0", setting="size", to="0")
    text = text_of(browser, project)
    assert text[text.index("settings:") :] == (
        "settings:\n"
        "  - label: Look\n"
        "    fields:\n"
        "      size: {type: range, min: 0, max: 100}\n"
        "      title: {type: text, required: true, default: Hello, visible_if: {way: quick}}\n"
        "      way: {type: enum, help: How it works., options: [quick, by_hand]}\n"
    )
    assert page.texts(".studio-ok") == ["Everything is in order"]
    act(browser, project, "settings/groups/change", group="0", label="Looks", help="What people see.")
    act(browser, project, "settings/groups/add", label="More", name="Extra", type="repeater")
    act(
        browser, project, "settings/change", group="1", setting="extra", opened="y", keys="fields",
        fields__name=["Link", "kind", ""], fields__type=["text", "enum", "text"], fields__label=["", "Kind of it", ""],
        fields__options=["", "a, b", ""],
    )  # fmt: skip
    act(browser, project, "settings/groups/move", group="1", to="0")
    text = text_of(browser, project)
    assert (
        "extra: {type: repeater, fields: {link: {type: text}, kind: {type: enum, label: Kind of it, options: [a, b]}}}"
        in text
    )
    assert text.index("label: More") < text.index("label: Looks")
    act(browser, project, "settings/delete", group="0", setting="extra")
    assert "More" not in text_of(browser, project)
    act(browser, project, "settings/groups/delete", group="0")
    assert "settings:" not in text_of(browser, project)


def test_settings_that_cannot_be_are_said_beside_their_control(browser: Browser) -> None:
    project = begin(browser)
    assert act(browser, project, "settings/groups/add", label="", name="Title", type="text").texts(
        "#group-new-label-error"
    ) == ["Enter the heading people read."]
    act(browser, project, "settings/groups/add", label="Look", name="Title", type="text")
    taken = act(browser, project, "settings/add", group="0", name="title", type="text")
    assert (taken.status, taken.texts("#new-setting-error")) == (422, ['"title" is there already.'])
    page = act(browser, project, "settings/change", group="0", setting="title", opened="y", keys="max", max="0")
    assert page.texts("#k-max-error") == ["must be at least 1"]
    assert page.texts(".studio-side .muted") == ["The form shows here once the settings have no errors."]
    assert act(browser, project, "settings/change", group="7", setting="title", keys="").status == 404


def test_permissions_are_told_in_the_words_a_person_is_asked_with(browser: Browser) -> None:
    project = begin(browser)
    act(
        browser,
        project,
        "permissions/hosts",
        host="api.example.com",
        reason="To look things up.",
        methods=["GET", "POST"],
    )
    act(browser, project, "permissions/tables", module="enquiries", table="forms", fields="name, key", access=["read"])
    page = act(browser, project, "permissions", email="y", scopes="site:read\n", optional_scopes="")
    asked = page.texts(".permissions b")
    assert asked[-4:] == ["Read forms of enquiries", "Use site:read", "Send e-mail", "Talk to api.example.com"]
    text = text_of(browser, project)
    assert "  - {module: enquiries}" in text
    assert "    - {host: api.example.com, methods: [GET, POST], reason: To look things up.}" in text
    act(browser, project, "permissions/hosts", index="0", host="api.example.com", reason="To ask.", methods=["GET"])
    assert "{host: api.example.com, methods: [GET], reason: To ask.}" in text_of(browser, project)
    refused = act(browser, project, "permissions/hosts", host="", reason="x")
    assert (refused.status, refused.texts("#host-new-host-error")) == (422, ["Enter a host, such as api.example.com."])
    wrong = act(browser, project, "permissions/hosts", host="http://x", reason="x")
    assert "is not a host name" in wrong.texts("#host-1-host-error")[0]
    act(browser, project, "permissions/remove", kind="network", index="1")
    act(browser, project, "permissions/remove", kind="network", index="0")
    act(browser, project, "permissions/remove", kind="tables", index="0")
    act(browser, project, "permissions", scopes="", optional_scopes="")
    assert "permissions:" not in text_of(browser, project)


def test_views_begin_with_what_fits_and_change_in_place(browser: Browser) -> None:
    project = begin(browser)
    act(browser, project, "fields/add", table="projects", name="Colour", type="color")
    for kind, name in (("board", "By state"), ("calendar", "Days"), ("detail", "One"), ("report", "Figures")):
        page = act(browser, project, "views/add", name=name, type=kind, table="projects", menu="y")
        assert (page.status, page.html.select(".builder-verdict [data-tone=bad]")) == (200, []), kind
    text = text_of(browser, project)
    assert "  by_state: {type: board, table: projects, by: state, card: [name, due, state]}\n" in text
    assert "by_state, days, figures]" in text  # one record has no place in a menu
    none = act(browser, project, "views/add", name="Places", type="map", table="projects")
    assert (none.status, none.texts("#view-new-type-error")) == (
        422, ["Map needs a field of projects that holds: place on a map."],
    )  # fmt: skip
    page = act(
        browser, project, "views/change", view="by_state", name="pipeline", keys="card where sort", card=["name", "", "tasks"],
        where__field=["state", ""], where__op=["in", "eq"], where__value=["planned, running", ""], sort__field=["due", ""],
        sort__way=["down", "up"],
    )  # fmt: skip
    text = text_of(browser, project)
    assert (
        "  pipeline: {type: board, table: projects, by: state, card: [name, tasks], where: {state: {in: [planned, running]}}, "
        "sort: -due}\n"
    ) in text
    assert "pipeline, days, figures]" in text
    wrong = act(browser, project, "views/change", view="pipeline", name="pipeline", keys="by", by="due")
    assert wrong.texts("#k-by-error") == ['"due" is a date field; this needs enum or ref']
    act(browser, project, "views/menu", view="pipeline", menu=["days", "", "tasks"])
    assert "menu: [days, tasks]\n" in text_of(browser, project)
    act(browser, project, "views/move", view="days", to="0")
    act(browser, project, "views/delete", view="pipeline")
    assert "pipeline" not in text_of(browser, project)
    assert page.status == 200


def test_cards_of_a_dashboard_come_change_move_and_go(browser: Browser) -> None:
    project = begin(browser)
    act(browser, project, "views/add", name="Start", type="dashboard", table="tasks", menu="y")
    for kind in ("line", "bar", "list", "table", "funnel"):
        page = act(browser, project, "views/cards/add", view="start", kind=kind, table="tasks")
        assert (page.status, page.html.select(".builder-verdict [data-tone=bad]")) == (200, []), kind
    keys = {"card__keys": "label number where", "card__label": "Hours", "card__number": "sum(hours)"}
    act(browser, project, "views/cards/change", view="start", card="0", **keys)
    act(browser, project, "views/cards/move", view="start", card="5", to="0")
    page = act(browser, project, "views/cards/remove", view="start", card="2")
    text = text_of(browser, project)
    begin_at = text.index("cards:")
    cards = [line.strip() for line in text[begin_at:].splitlines()[1:6]]
    assert cards == [
        "- {funnel: project, of: tasks}",
        "- {number: sum(hours), of: tasks, label: Hours}".replace("sum(hours)", '"sum(hours)"'),
        "- {bar: count, of: tasks, by: project}",
        "- {list: [project, title, who, hours], of: tasks}",
        "- {table: [project, title, who, hours], of: tasks}",
    ]
    wrong = act(
        browser, project, "views/cards/change", view="start", card="1", card__keys="number", card__number="sum(houres)"
    )
    assert "houres" in wrong.one("#card-1 .error").get_text()


def test_an_act_that_was_asked_for_before_the_last_one_was_answered_is_about_what_was_seen(browser: Browser) -> None:
    project = begin(browser)
    act(browser, project, "views/add", name="Start", type="dashboard", table="tasks", menu="y")
    for kind in ("line", "bar", "list"):
        act(browser, project, "views/cards/add", view="start", kind=kind, table="tasks")

    def kinds() -> list[str]:
        text = text_of(browser, project)
        lines = text[text.index("cards:") :].splitlines()[1:]
        return [line.split("{")[1].split(":")[0] for line in lines if line.strip().startswith("- {")]

    assert kinds() == ["number", "line", "bar", "list"]
    seen = revision_of(browser, project)
    first = act(browser, project, "views/cards/remove", seen, view="start", card="1")
    again = act(browser, project, "views/cards/remove", seen, view="start", card="1")
    assert (first.status, again.status, kinds()) == (200, 409, ["number", "bar", "list"])
    assert "taken away a moment ago" in again.headers["HX-Trigger"]
    act(browser, project, "views/cards/move", seen, view="start", card="3", to="0")  # the list, which is the third now
    assert kinds() == ["list", "number", "bar"]
    keys = {"card__keys": "label", "card__label": "Days"}
    for label in ("Day", "Days"):  # the second before the first was answered
        act(browser, project, "views/cards/change", seen, view="start", card="2", **keys | {"card__label": label})
    assert "- {bar: count, of: tasks, by: project, label: Days}" in text_of(browser, project)
