"""Records below each other: no record is ever above itself, and what a caller finds of a tree."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest

from app.access.actors import member
from app.access.permissions import Role
from app.errors import Invalid
from app.modules import conditions
from app.modules.kinds import Kind
from app.runtime.data import Access, Data, Surface
from app.runtime.data.restore import ChangedSince
from app.runtime.query import Query, Sort
from tests.support.installed import Installed, put_on_site
from tests.support.world import World

PAGES = """
manifest: 1
slug: leaves
name: Pages
summary: Pages below each other.
version: 1.0.0
type: app
tables:
  pages:
    title: name
    fields:
      name:  {type: text, required: true}
      above: {type: ref, to: pages, on_delete: set_null}
      other: {type: ref, to: pages, on_delete: set_null}
      state: {type: enum, options: [open, hidden], default: open}
    access: {public: [], staff: [read, create, update, delete], api: []}
    audit: true
views:
  tree: {type: tree, table: pages, parent: above, sort: name}
roles:
  writer: {label: Writer, tables: {pages: [read, create, update]}, rows: {pages: own}}
"""
IN_ORDER = Query(sort=(Sort("name"),))
OPEN = Query(sort=(Sort("name"),), where=conditions.Test("state", "ne", "hidden", Kind.TEXT))


@pytest.fixture
def pages(world: World, wired: Any) -> Installed:
    agency = world.agency()
    return put_on_site(agency, world.site(agency), PAGES)


def chain(pages: Installed, *names: str) -> list[UUID]:
    """Records of which each is below the one before."""
    made: list[UUID] = []
    for name in names:
        made.append(pages.data.insert("pages", {"name": name, "above": str(made[-1]) if made else None}).id)
    return made


def under(pages: Installed, one: UUID, above: UUID | None) -> None:
    pages.data.update("pages", one, {"above": str(above) if above else None})


def names(page: Any) -> list[str]:
    return [row["name"] for row in page.records]


def test_a_record_is_put_neither_below_itself_nor_below_what_is_below_it(pages: Installed) -> None:
    a, b, c = chain(pages, "a", "b", "c")
    for above in (a, b, c):
        with pytest.raises(Invalid) as refused:
            under(pages, a, above)
        assert [(one.pointer, one.code) for one in refused.value.errors] == [("/above", "circle")]
    under(pages, c, a)
    under(pages, b, c)
    assert names(pages.data.lineage("pages", IN_ORDER, "above", [b])) == ["a", "b", "c"]


def test_only_fields_that_make_a_tree_are_held_to_it(pages: Installed) -> None:
    a, b = chain(pages, "a", "b")
    pages.data.update("pages", a, {"other": str(a)})
    pages.data.update("pages", a, {"other": str(b)})
    pages.data.update("pages", b, {"other": str(a)})


def test_two_moves_at_once_make_no_circle(pages: Installed) -> None:
    a, b = (pages.data.insert("pages", {"name": name}).id for name in "ab")
    told: list[str] = []

    def move() -> None:
        try:
            under(pages, b, a)
        except Invalid as error:
            told.append(error.errors[0].code)

    other = threading.Thread(target=move)
    with pages.data.transaction() as tx:
        tx.update("pages", a, {"above": str(b)})
        other.start()
        other.join(0.3)
        assert other.is_alive()  # it waits for what is not decided yet
    other.join()
    assert told == ["circle"]


def test_an_undo_makes_no_circle_either(pages: Installed) -> None:
    a, b = chain(pages, "a", "b")
    with pages.data.transaction() as tx:
        tx.update("pages", b, {"above": None})
        batch = tx.batch
    under(pages, a, b)
    with pytest.raises(ChangedSince):
        pages.data.restore(batch)
    assert pages.data.get("pages", b).values["above"] is None
    under(pages, a, None)
    pages.data.restore(batch)
    assert pages.data.get("pages", b).values["above"] == str(a)


def test_what_is_left_out_leaves_what_is_below_it_at_the_top(pages: Installed) -> None:
    _, b, _, d = chain(pages, "a", "b", "c", "d")
    pages.data.update("pages", b, {"state": "hidden"})
    assert names(pages.data.tops("pages", IN_ORDER, "above")) == ["a"]
    assert names(pages.data.tops("pages", OPEN, "above")) == ["a", "c"]
    assert names(pages.data.lineage("pages", OPEN, "above", [d, b])) == ["c", "d"]
    assert names(pages.data.lineage("pages", IN_ORDER, "above", [d])) == ["a", "b", "c", "d"]


def test_the_way_up_is_as_long_as_is_said(pages: Installed) -> None:
    made = chain(pages, *(f"{number:02}" for number in range(60)))
    assert len(pages.data.lineage("pages", IN_ORDER, "above", [made[-1]]).texts) == 51


def test_who_sees_only_their_own_finds_them_at_the_top(pages: Installed, world: World) -> None:
    [a] = chain(pages, "a")
    agency_id = pages.install.agency_id
    actor = member(user_id=UUID(int=7), name="Mel", agency_id=agency_id, role=Role.MEMBER, request_id="req_test")
    own = Data(pages.data.context, Access(Surface.STAFF, actor, role="writer"))
    mine = own.insert("pages", {"name": "mine", "above": str(a)}).id
    own.insert("pages", {"name": "below", "above": str(mine)})
    assert names(own.tops("pages", IN_ORDER, "above")) == ["mine"]
    assert names(own.lineage("pages", IN_ORDER, "above", [mine, a])) == ["mine"]


def test_nothing_of_another_site_is_found(pages: Installed, world: World) -> None:
    [a] = chain(pages, "a")
    agency = world.agency()
    there = put_on_site(agency, world.site(agency), PAGES)
    assert names(there.data.tops("pages", IN_ORDER, "above")) == []
    assert names(there.data.lineage("pages", IN_ORDER, "above", [a])) == []
