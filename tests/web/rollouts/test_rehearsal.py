"""Rehearsals: on a copy that nobody sees, with the questions that were asked, and nothing left of it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.lib.ids import decode
from app.modules.models import Version
from app.rollouts import rehearsing, scene
from app.rollouts.files import changed_files
from app.rollouts.models import Rehearsal
from app.tenancy.models import Agency
from tests.support.practice import GOOD, WELL, Practice, files
from tests.support.publishing import installed, released
from tests.support.world import World
from tests.web.conftest import Browse


def rehearsed(practice: Practice, browse: Browse, version: Version) -> Rehearsal:
    """Ordered from the plan and worked off."""
    browser = browse(practice.ada)
    answer = browser.post(f"/installs/{practice.install.public_id}/rehearse", {"version": version.public_id})
    assert answer.status == 303
    where = answer.where or ""
    waiting = browser.get(where)
    assert waiting.one("#rehearsal")["data-state"] == "running"
    rehearsal_id = decode("reh", where.rpartition("/")[2])
    with tenant_scope(practice.ada.agency_id):
        rehearsing.rehearse(str(rehearsal_id))
        db.session.remove()
    with tenant_scope(practice.ada.agency_id), transaction(db.session()) as session:
        found = session.get_one(Rehearsal, rehearsal_id)
        session.expunge(found)
    return found


def schemas(practice: Practice) -> list[str]:
    with psycopg.connect(practice.config.database_url) as owner:
        return [row[0] for row in owner.execute("SELECT nspname FROM pg_namespace ORDER BY 1").fetchall()]


def asked(result: dict[str, Any], fields: str) -> dict[str, Any]:
    return next(one for one in result["requests"] if one["fields"] == fields)


def test_a_bad_release_is_shown_for_what_it_is_and_nothing_is_left(practice: Practice, browse: Browse) -> None:
    for query in ("?name=Ann", "?phone=%2B351210000001", "?sort=-seats&limit=2", "/aggregate?metrics=count"):
        assert practice.call("GET", f"/bookings{query}").status_code == 200, query
    first = practice.call("GET", "/bookings?name=Ann").json["data"][0]
    practice.call("GET", f"/bookings/{first['id']}")
    practice.api.extensions["gateway"].log.flush()
    before, there = practice.hash(), schemas(practice)

    found = rehearsed(practice, browse, practice.bad)
    assert (found.status, found.failure) == ("done", "")
    result = found.result
    assert (result["verdict"], result["rows"]) == ("bad", 3)
    assert result["tables"] == [
        {"table": "bookings", "before": 3, "after": 3, "changed": 0, "lost": 0, "filled": 0},
    ]  # fmt: skip
    assert result["hidden"] == [{"table": "bookings", "field": "phone", "what": "", "rows": 2}]
    by_phone = asked(result, "phone")
    assert (by_phone["worse"], by_phone["old_status"], by_phone["new_status"]) == (True, 200, 422)
    assert "data[].phone is gone or empty" in asked(result, "name")["differences"]
    assert asked(result, "sort&limit")["differences"]
    assert {step["state"] for step in found.steps} == {"done"}

    assert (practice.hash(), schemas(practice)) == (before, there)
    assert practice.stored().version_id == practice.good.id
    page = browse(practice.ada).get(f"/installs/{practice.install.public_id}/rehearsals/{found.public_id}")
    assert "1 question that worked and would fail or lose something" in page.text
    assert "%2B351210000001" not in page.text
    assert "Ann" not in page.one("#questions").get_text()
    plan = browse(practice.ada).get(f"/installs/{practice.install.public_id}/upgrade")
    assert plan.one(f'a[href$="{found.public_id}"]').get_text() == "see what came of it"


def test_one_that_changes_nothing_is_found_well(practice: Practice, browse: Browse) -> None:
    practice.call("GET", "/bookings?name=Ann")
    practice.api.extensions["gateway"].log.flush()
    same = practice.release("3.0.0")
    result = rehearsed(practice, browse, same).result
    assert (result["verdict"], result["requests"][0]["differences"]) == ("well", [])


def test_defaults_in_columns_that_another_site_has_brought_are_no_changed_records(
    practice: Practice, world: World, browse: Browse
) -> None:
    text = GOOD.replace("1.0.0", "3.1.0").replace(
        "seats: {{type: integer", "room: {{type: text, default: A}}\n      seats: {{type: integer"
    )
    more = released(practice.ada, files(text, practice.slug, WELL))
    installed(practice.config, practice.ada, world.site(Agency(id=practice.ada.agency_id)), more)
    [table] = rehearsed(practice, browse, more).result["tables"]
    assert (table["changed"], table["filled"]) == (0, 3)


def test_a_failure_in_the_middle_leaves_nothing_and_is_said(
    practice: Practice, browse: Browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = schemas(practice)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(scene.Scene, "move", broken)
    found = rehearsed(practice, browse, practice.bad)
    assert (found.status, schemas(practice)) == ("failed", there)
    assert "unexpected error" in found.failure
    assert [step["state"] for step in found.steps][:3] == ["done", "done", "failed"]


def test_too_many_records_are_said(practice: Practice, browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "MOST_ROWS", 2)
    found = rehearsed(practice, browse, practice.bad)
    assert (found.status, "at most" in found.failure) == ("failed", True)


def test_one_at_a_time_and_only_for_those_who_configure(practice: Practice, world: World, browse: Browse) -> None:
    address = f"/installs/{practice.install.public_id}/rehearse"
    form = {"version": practice.bad.public_id}
    first = browse(practice.ada).post(address, form).where or ""
    assert "/upgrade" in (browse(practice.ada).post(address, form).where or "")
    stranger = world.person(world.agency())
    assert browse(stranger).get(first).status == 404
    assert browse(stranger).post(address, form).status == 404


PAGES = "pages:\n  book: {{title: Book, template: book.html}}\n  about: {{title: About, template: about.html}}\n"
ABOUT = b"<h1>About us</h1><p>A practice by the sea.</p>"


def paged(practice: Practice, number: str, book: str) -> Version:
    """The good version with two pages."""
    made = files(GOOD.replace("1.0.0", number) + PAGES, practice.slug, WELL)
    return released(practice.ada, {**made, "templates/book.html": book.encode(), "templates/about.html": ABOUT})


def test_the_code_of_others_functions_is_counted_and_not_shown(practice: Practice) -> None:
    with tenant_scope(practice.ada.agency_id), transaction(db.session()) as session:
        old, new = (session.get_one(Version, one.id) for one in (practice.good, practice.bad))
        own, others = (changed_files(session, old=old, new=new, own=own) for own in (True, False))
    code = [(mine, theirs) for mine, theirs in zip(own, others, strict=True) if mine.what == "Function"]
    assert code
    for mine, theirs in code:
        assert (bool(mine.lines), theirs.lines, theirs.withheld) == (True, None, True)
        assert (mine.added, mine.removed) == (theirs.added, theirs.removed) != (None, None)
    assert not any(one.withheld for one in others if one.what != "Function")


def test_pages_are_compared_as_visitors_read_them(practice: Practice, browse: Browse, world: World) -> None:
    old = paged(practice, "3.0.0", "<h1>Book</h1><p>Open every day of the week.</p>")
    install = installed(practice.config, practice.ada, world.site(Agency(id=practice.ada.agency_id)), old)
    practice.install = install
    other = paged(practice, "3.0.1", "<h1>Something else</h1><p>Closed on Mondays, and every day of March.</p>")
    plan = browse(practice.ada).get(f"/installs/{install.public_id}/upgrade")
    assert plan.texts("#files summary") == ["Changed templates/book.html Page · +1 −1"]
    assert plan.texts("#files .diff [data-kind=removed] code") == ["<h1>Book</h1><p>Open every day of the week.</p>"]
    found = rehearsed(practice, browse, other)
    pages = {one["what"]: one for one in found.result["pages"]}
    assert (found.result["verdict"], pages["about"]["differences"], pages["book"]["worse"]) == ("look", [], False)
    assert pages["book"]["differences"] == ["70 % of its words are others"]
    page = browse(practice.ada).get(f"/installs/{install.public_id}/rehearsals/{found.public_id}")
    assert page.texts("#page-texts summary") == ["book 70 % of its words are others"]
    assert page.texts("#page-texts .diff [data-kind=added] code") == [
        "Something else", "Closed on Mondays, and every day of March.",
    ]  # fmt: skip
    empty = rehearsed(practice, browse, paged(practice, "3.0.2", "{# nothing yet #}"))
    assert (empty.result["verdict"], empty.result["pages"][0]["differences"]) == ("bad", ["the page is empty"])
