"""The probe from another site and the check of pages: each can fail, and a good module passes both."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.lib.clock import utcnow
from app.modules.package import Package
from app.runtime.acceptance.scratch import Scratch
from app.studio.publishing.embeds import check_embeds, contrast, structure
from app.studio.publishing.isolation import check_isolation
from app.studio.publishing.work import Work
from tests.support.packages import first_party, notes, package

pytestmark = pytest.mark.usefixtures("wired", "app_context")
PAGE = """pages:
  all: {template: all.html, title: All, data: {notes: {table: notes}}}
functions:
  every: {file: every.js, route: {method: GET, path: /every, auth: public, rate: 60/min}}
"""
FILES = {
    "sample/notes.yaml": "- {title: Anchor, body: Iron, state: open}\n- {title: Boat}\n",
    "templates/all.html": '<h1>All</h1>{% for note in data.notes %}<p id="n-{{ note.id }}">{{ note.title }}</p>{% endfor %}',
    "functions/every.js": "export default (ctx) => ctx.db.notes.find({}).map((note) => note.id);\n",
}


def work(**files: str) -> Work:
    given = {path.replace("__", "/").replace("_dot_", "."): text for path, text in files.items()}
    made = notes("probe-notes", files={**FILES, **given})
    made["module.yaml"] += PAGE.encode()
    return Work(package(made), utcnow())


def test_another_site_gets_no_answer_by_any_route() -> None:
    found = check_isolation(work())
    assert found.errors == []
    for route in ("lists", "counts", "figures", "single records", "filters", "changes", "deletions", "pages and embeds",
                  "calls of routes", "readings of the event stream"):  # fmt: skip
        assert route in found.detail, found.detail


def test_the_probe_sees_it_where_the_wall_is_down() -> None:
    def same_site(first: Scratch) -> Scratch:
        return replace(first, context=replace(first.context))

    said = " ".join(problem.message for problem in check_isolation(work(), same_site).errors)
    whats = [
        "the list of notes", "the count of notes", "the figures of notes", "notes by its id", "a filter of notes",
        "a change in notes", "a deletion in notes", "the page all", "the route GET /every", "the event stream",
    ]  # fmt: skip
    for what in whats:
        assert what in said


def test_a_route_that_never_answers_refuses() -> None:
    found = check_isolation(work(functions__every_dot_js="export default () => { for (;;) {} }\n"))
    assert [(one.code, one.path, one.message) for one in found.errors] == [
        ("no_answer", "functions.every", "the route GET /every took longer than it may each time it was asked")
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "throw new Error('Not today');",
            "The route GET /every gave no answer on the sample: functions/every.js:1: Not today. ",
        ),
        ("ctx.invalid('day', 'Name a day.');", "The route GET /every was not asked: it needs input that the sample "),
    ],
)
def test_a_route_that_the_sample_does_not_reach_is_told(body: str, told: str) -> None:
    found = check_isolation(work(functions__every_dot_js=f"export default (ctx) => {{ {body} }}\n"))
    assert (found.errors, [note.startswith(told) for note in found.notes], "calls of routes" in found.detail) == (
        [], [True], False,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["_example", "enquiries"])
def test_first_party_modules_pass_both(name: str) -> None:
    one: Package = package(first_party(name))
    assert (check_isolation(Work(one, utcnow())).errors, check_embeds(Work(one, utcnow())).errors) == ([], [])


def test_a_good_page_passes_and_the_log_says_what_was_checked() -> None:
    found = check_embeds(work())
    assert (found.problems, "no cookie, held by its policy" in found.detail, "by axe" in found.notes[0]) == (
        [],
        True,
        True,
    )


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ('<input name="email">', 'the input "email" has no label'),
        ("<button></button>", "has a button without a name"),
        ('<a href="/x"></a>', "has a link without a name"),
        ('<img src="assets/a.png">', "has a picture without alt"),
        ('<b id="a"></b><b id="a"></b>', 'has the id "a" twice'),
        ("<h1>A</h1><h3>B</h3>", "goes from h1 to h3"),
    ],
)
def test_pages_that_keep_people_out_are_named(html: str, message: str) -> None:
    found = check_embeds(work(templates__all_dot_html=html))
    assert [(one.message, one.file, bool(one.remedy)) for one in found.problems] == [
        (message, "templates/all.html", True)
    ]


def test_what_has_a_name_by_other_means_passes() -> None:
    html = (
        '<html lang="en"><title>T</title><label>Name <input name="a"></label><label for="b">B</label><input id="b">'
        '<input aria-label="C"><input type="hidden"><a href="/"><img alt="Home" src="a.png"></a></html>'
    )
    assert list(structure(html)) == []


def test_colours_that_cannot_be_told_apart_are_refused() -> None:
    page = '<link rel="stylesheet" href="assets/a.css"><h1>All</h1>'
    bad = check_embeds(
        work(
            templates__all_dot_html=page,
            assets__a_dot_css="b { color: #888; background: #fff }\ni { color: #ccc; background-color: white }\n",
        )
    )
    assert [(one.severity, one.file, one.line) for one in bad.problems] == [
        ("warning", "assets/a.css", 1),
        ("error", "assets/a.css", 2),
    ]
    assert round(contrast((0, 0, 0), (1, 1, 1)), 1) == 21.0
