"""The checks that need a database: each refuses what it is for and lets a good package pass; nothing stays behind."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from app.db.pools import owner_connection
from app.lib.clock import utcnow
from app.modules.package import Package
from app.studio.publishing import footprint, migrations
from app.studio.publishing.footprint import check_footprint
from app.studio.publishing.migrations import check_migrations
from app.studio.publishing.pipeline import CHECKS
from app.studio.publishing.plans import check_plans
from app.studio.publishing.work import Work
from tests.support.packages import notes, package

pytestmark = pytest.mark.usefixtures("wired", "app_context")
SAMPLE = {"sample/notes.yaml": "- {title: Anchor, body: Iron, state: open}\n- {title: Boat}\n"}
PAGE = "pages:\n  all: {{template: all.html, data: {{notes: {{table: notes{how}}}}}}}\n"


def work(after: Package, before: Package | None = None) -> Work:
    return Work(after, utcnow(), before, before.manifest.version if before else "")


def version(number: str, extra: str = "") -> Package:
    return package(notes("check-notes", version=number, extra=extra, files=SAMPLE))


def with_page(how: str, indexes: str = "") -> Package:
    files = notes("plan-notes", extra=indexes, files={"templates/all.html": "<h1>All</h1>"})
    files["module.yaml"] += PAGE.format(how=how).encode()
    return package(files)


def test_values_are_the_same_up_down_and_up() -> None:
    more = "      more: {type: text, default: new}"
    assert check_migrations(work(version("1.1.0", more), version("1.0.0"))).detail == (
        "Up from 1.0.0, back and up again: the values of 2 sample records are the same each time."
    )
    lost = check_migrations(work(version("2.0.0"), version("1.1.0", more)))
    assert (lost.errors, lost.notes) == (
        [], ['Hidden on the way up, kept 30 days and back with a rollback: the field "notes.more" and its values would go.'],
    )  # fmt: skip


def test_a_value_that_changes_on_the_way_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(plain: psycopg.Connection, *, schema: str, **_: object) -> None:
        plain.execute(sql.SQL("UPDATE {} SET body = 'spoilt'").format(sql.Identifier(schema, "notes")))

    monkeypatch.setattr(migrations, "fill_defaults", spoil)
    found = check_migrations(work(version("1.1.0"), version("1.0.0")))
    assert {one.message for one in found.errors} == {
        f"values of notes.body were not the same after {way}" for way in ("going up from 1.0.0", "going back to 1.0.0")
    }
    assert all("notes.body" in one.remedy for one in found.errors)


def test_a_removed_module_leaves_nothing() -> None:
    found = check_footprint(work(version("1.0.0")))
    assert (found.errors, "2 records kept, 1 of them deleted, and all of it gone again" in found.detail) == ([], True)
    with owner_connection() as owner:
        row = owner.execute("SELECT count(*) FROM agencies WHERE slug LIKE 'scratch-%'").fetchone()
        assert row == (0,)


def test_what_stays_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = footprint._remove

    def forgetful(scratch: object) -> None:
        real(scratch)  # type: ignore[arg-type]
        with scratch.owner() as plain:  # type: ignore[attr-defined]
            plain.execute("CREATE TABLE public.left_behind (a integer)")

    monkeypatch.setattr(footprint, "_remove", forgetful)
    messages = [one.message for one in check_footprint(work(version("1.0.0"))).errors]
    assert "after it was removed, pg_class still has left_behind" in messages


def test_a_scan_of_the_whole_table_refuses_and_names_the_index_that_helps() -> None:
    [found] = check_plans(work(with_page(", where: {body: Iron}"))).errors
    assert (found.code, found.path, found.message, found.remedy, found.index) == (
        "no_index", "pages.all.data.notes",
        "the data of the page all would go through all 1,000,000 records of notes",
        "Add [body] to the indexes of tables.notes.", ("notes", "body"),
    )  # fmt: skip
    mended = check_plans(work(with_page(", where: {body: Iron}", "    indexes: [[body]]")))
    assert (mended.problems, mended.detail) == (
        [], "1 query planned on 1,000,000 records of each table: each is led by an index.",
    )  # fmt: skip


@pytest.mark.parametrize("how", ["", ", where: {state: open}", ", sort: -created_at, where: {state: open}"])
def test_what_an_index_leads_passes(how: str) -> None:
    assert check_plans(work(with_page(how))).problems == []


def with_card(card: str, indexes: str = "") -> Package:
    files = notes("card-notes", extra=f"      amount: {{type: integer}}\n      grade: {{type: integer}}\n{indexes}")
    files["module.yaml"] += f"views:\n  all: {{type: dashboard, cards: [{card}]}}\n".encode()
    return package(files)


@pytest.mark.parametrize(
    "card",
    [
        "{of: notes, number: sum(amount), where: {grade: 5}}",
        "{of: notes, bar: count(), by: state, where: {grade: 5}}",
        "{of: notes, list: [title], where: {grade: 5}, sort: amount}",
    ],
)
def test_what_a_card_is_narrowed_to_is_judged_like_a_filter(card: str) -> None:
    [found] = check_plans(work(with_card(card))).errors
    assert (found.path, found.message, found.index[:2]) == (
        "views.all.cards[0]", "card 1 of the dashboard all would go through all 1,000,000 records of notes", ("notes", "grade"),
    )  # fmt: skip
    assert check_plans(work(with_card(card, "    indexes: [[grade], [grade, amount]]"))).problems == []


def test_a_report_is_judged_by_what_narrows_it() -> None:
    files = notes("report-notes", extra="      amount: {type: integer}")
    files["module.yaml"] += (
        b"views:\n  all: {type: report, table: notes, group: [state], metrics: [count()], where: {amount: 5}}\n"
    )
    assert [(one.path, one.index) for one in check_plans(work(package(files))).errors] == [
        ("views.all.where", ("notes", "amount"))
    ]


@pytest.mark.parametrize(
    "card", ["{of: notes, number: sum(amount)}", "{of: notes, number: count(), where: {state: open}}"]
)
def test_figures_over_most_records_stay_allowed(card: str) -> None:
    found = check_plans(work(with_card(card)))
    told = [note for note in found.notes if "over all records" in note]
    assert (list(found.problems), len(told)) == ([], 0 if "where" in card else 1)


def asks(call: str) -> Work:
    """After its acceptance tests, one of which has a function ask."""
    files = notes(
        "asking-notes", extra="      amount: {type: integer}",
        files={
            "functions/look.js": f"export default (ctx) => {{ {call}; return {{n: 1}}; }}\n",
            "functions/silent.js": "export default (ctx) => ctx.db.notes.find({where: {amount: 1}});\n",
            "tests/look.yaml": "- name: it looks\n  when: {call: look, input: {}}\n  then: {answer: {n: 1}}\n",
        },
    )  # fmt: skip
    files["module.yaml"] += b"functions: {look: {file: look.js}, silent: {file: silent.js}}\n"
    made = work(package(files))
    outcome = CHECKS["tests"](made)
    assert list(outcome.problems) == []
    return made


@pytest.mark.parametrize(
    ("call", "what"),
    [
        ("ctx.db.notes.find({where: {amount: 5}, sort: 'amount'})", "find"),
        ("ctx.db.notes.count({amount: 5})", "count"),
        ("ctx.db.notes.sum('amount', {amount: 5})", "sum"),
    ],
)
def test_what_functions_ask_in_the_tests_is_planned(call: str, what: str) -> None:
    found = check_plans(asks(call))
    assert [(one.path, one.message, one.index) for one in found.errors] == [
        ("functions.look", f"a {what} of the function look would go through all 1,000,000 records of notes", ("notes", "amount"))
    ]  # fmt: skip


def test_what_functions_were_not_heard_to_ask_is_told() -> None:
    found = check_plans(asks("ctx.db.notes.find({sort: '-created_at', limit: 1}); ctx.db.notes.count({})"))
    silent = [note for note in found.notes if note.endswith("since no acceptance test has them ask: silent.")]
    assert len(silent) == 1


def test_the_days_of_a_calendar_are_led_by_an_index() -> None:
    files = notes("day-notes", extra="      due: {type: date}", files={"templates/all.html": "<h1>All</h1>"})
    files["module.yaml"] += b"views:\n  all: {type: calendar, table: notes, from: due}\n"
    outcome = check_plans(work(package(files)))
    assert (outcome.problems, outcome.detail) == (
        [], "2 queries planned on 1,000,000 records of each table: each is led by an index.",
    )  # fmt: skip
