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


def test_the_days_of_a_calendar_are_led_by_an_index() -> None:
    files = notes("day-notes", extra="      due: {type: date}", files={"templates/all.html": "<h1>All</h1>"})
    files["module.yaml"] += b"views:\n  all: {type: calendar, table: notes, from: due}\n"
    outcome = check_plans(work(package(files)))
    assert (outcome.problems, outcome.detail) == (
        [], "2 queries planned on 1,000,000 records of each table: each is led by an index.",
    )  # fmt: skip
