"""Drafts, versions, publishing, planning, undoing, addresses, redirects, views: what is kept, and who is told."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text, update

from app.db.base import db
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import Conflict, Invalid
from app.events.models import AuditRow, Event
from app.lib.clock import utcnow
from app.pages import actions, jobs, structure
from app.pages.content import read_content
from app.pages.counting import keep_views
from app.pages.models import Look, PageStep, PageVersion, Redirect, SitePage
from app.pages.queries import views_of
from app.tenancy.models import Site
from tests.support.pagedesk import Desk, open_desk
from tests.support.world import World


@pytest.fixture
def desk(world: World) -> Desk:
    return open_desk(world)


def told(desk: Desk) -> list[tuple[str, str]]:
    """(type, path) of what was published about the site's pages, in order."""
    with desk.session() as session:
        query = select(Event.type, Event.data["path"].astext).where(Event.site_id == desk.site.id)
        return [(row[0], row[1] or "") for row in session.execute(query.order_by(Event.id))]


def redirects(desk: Desk) -> dict[str, tuple[str, bool]]:
    with desk.session() as session:
        rows = session.scalars(select(Redirect).where(Redirect.site_id == desk.site.id))
        return {row.source: (row.target, row.automatic) for row in rows}


def generation(desk: Desk) -> int:
    with desk.session() as session:
        return session.scalars(select(Look.generation).where(Look.site_id == desk.site.id)).one()


def test_a_draft_changes_nothing_that_visitors_see_until_it_is_published(desk: Desk) -> None:
    page = desk.page()
    before = generation(desk)
    page = desk.save(page, 1, lead="Soon")
    assert (page.revision, page.status, generation(desk)) == (2, "draft", before)
    with desk.session() as session:
        version = actions.publish_page(
            session, page=session.get_one(SitePage, page.id), by=desk.ada.actor, now=utcnow()
        )
    page = desk.now(page)
    assert (page.status, page.live_version_id, generation(desk)) == ("published", version.id, before + 1)
    assert (version.number, version.reason, version.made_by, version.made_by_name) == (
        1, "published", desk.ada.id, "Ada Bright",
    )  # fmt: skip
    assert version.content["lead"] == "Soon"
    assert told(desk) == [("page.created", "/"), ("page.published", "/")]
    with desk.session() as session:
        audited = session.scalars(
            select(AuditRow.action).where(AuditRow.target == page.public_id).order_by(AuditRow.id)
        )
        assert list(audited) == ["page.created", "page.published"]


def test_of_two_editors_the_second_is_told_who_was_first_and_nothing_is_lost(desk: Desk) -> None:
    page = desk.page()
    desk.save(page, 1, lead="Mine")
    with pytest.raises(actions.DraftChanged, match="Ada Bright saved this page after you opened it"):
        desk.save(page, 1, lead="Theirs")
    assert desk.now(page).draft["lead"] == "Mine"


def test_changes_are_undone_one_by_one_and_typing_in_one_go_is_one_step(desk: Desk) -> None:
    page, start = desk.page(), utcnow()
    for number, (lead, seconds) in enumerate([("a", 0), ("ab", 5), ("abc", 10), ("later", 60)], 1):
        desk.save(page, number, now=start + timedelta(seconds=seconds), lead=lead)
    undone = []
    with desk.session() as session:
        own = session.get_one(SitePage, page.id)
        for _ in range(2):
            actions.undo(session, page=own, revision=own.revision, by=desk.ada.actor, now=utcnow())
            undone.append(own.draft["lead"])
        with pytest.raises(actions.NothingToUndo):
            actions.undo(session, page=own, revision=own.revision, by=desk.ada.actor, now=utcnow())
        with pytest.raises(actions.DraftChanged):
            actions.undo(session, page=own, revision=1, by=desk.ada.actor, now=utcnow())
    assert undone == ["abc", ""]


def test_the_last_thirty_changes_can_be_undone(desk: Desk) -> None:
    page = desk.page()
    with desk.session() as session:
        own = session.get_one(SitePage, page.id)
        for number in range(1, 36):
            content = read_content({"title": "Home", "lead": str(number)})
            actions.save_draft(
                session, page=own, content=content, revision=number, by=desk.ada.actor, now=utcnow(), said="Text added"
            )
        kept = session.scalars(select(PageStep.revision).where(PageStep.page_id == page.id).order_by(PageStep.revision))
        assert list(kept) == list(range(6, 36))


def test_a_page_that_is_not_ready_does_not_go_live_and_says_all_that_is_wanting(desk: Desk) -> None:
    page = desk.page(blocks=[{"kind": "heading"}, {"kind": "button", "label": "Go"}])
    with pytest.raises(actions.NotReady) as refused, desk.session() as session:
        actions.publish_page(session, page=session.get_one(SitePage, page.id), by=desk.ada.actor, now=utcnow())
    assert [error.pointer for error in refused.value.errors] == ["/blocks/0/text", "/blocks/1/link"]
    assert desk.now(page).status == "draft"


def test_a_planned_page_goes_live_as_it_was_planned_not_as_it_was_written_on(desk: Desk) -> None:
    page, now = desk.page(lead="Planned"), utcnow()
    with desk.session() as session:
        own = session.get_one(SitePage, page.id)
        actions.plan_page(session, page=own, at=now + timedelta(hours=1), by=desk.ada.actor, now=now)
    desk.save(page, 1, lead="Half an idea")
    jobs.publish_due()
    assert desk.now(page).status == "scheduled"
    with desk.session() as session:
        past = update(SitePage).where(SitePage.id == page.id).values(publish_at=now - timedelta(seconds=1))
        session.execute(past)
    jobs.publish_due()
    page = desk.now(page)
    with desk.session() as session:
        live = session.get_one(PageVersion, page.live_version_id)
        published = session.scalars(
            select(Event.actor).where(Event.subject == page.public_id, Event.type == "page.published")
        )
        assert (page.status, live.content["lead"], page.draft["lead"]) == ("published", "Planned", "Half an idea")
        assert list(published) == ["job:pages.publish_due"]


@pytest.mark.parametrize("off", [timedelta(seconds=-1), timedelta(days=800)])
def test_a_time_that_is_over_or_far_off_is_no_plan(desk: Desk, off: timedelta) -> None:
    page, now = desk.page(), utcnow()
    with desk.session() as session:
        own = session.get_one(SitePage, page.id)
        with pytest.raises(Invalid, match="still to come"):
            actions.plan_page(session, page=own, at=now + off, by=desk.ada.actor, now=now)


def test_an_older_version_is_restored_into_the_draft_and_the_draft_is_kept(desk: Desk) -> None:
    page = desk.page(lead="First", live=True)
    desk.save(page, 1, lead="Never published")
    with desk.session() as session:
        own = session.get_one(SitePage, page.id)
        first = session.get_one(PageVersion, own.live_version_id)
        kept = actions.restore_version(session, page=own, version=first, by=desk.ada.actor, now=utcnow())
        again = actions.restore_version(session, page=own, version=first, by=desk.ada.actor, now=utcnow())
        assert kept is not None
        assert (kept.number, kept.reason, kept.content["lead"], again) == (2, "kept", "Never published", None)
        assert own.draft["lead"] == "First"
        assert actions.undo(session, page=own, revision=own.revision, by=desk.ada.actor, now=utcnow())
    assert desk.now(page).published_at is not None


def test_a_page_that_moves_leaves_one_step_to_where_it_is_now(desk: Desk) -> None:
    page = desk.page("/a", live=True)

    def move(path: str) -> None:
        with desk.session() as session:
            own = session.get_one(SitePage, page.id)
            structure.place_page(
                session, page=own, path=path, parent=None, in_menu=True, menu_label="", by=desk.ada.actor
            )

    move("/b")
    move("/c")
    assert redirects(desk) == {"/a": ("/c", True), "/b": ("/c", True)}
    move("/a")  # back home: nothing may lead away from a page
    assert redirects(desk) == {"/b": ("/a", True), "/c": ("/a", True)}


def test_a_draft_that_moves_leaves_nothing_and_a_taken_address_is_refused(desk: Desk) -> None:
    page, other = desk.page("/a"), desk.page("/b", title="Other")
    with desk.session() as session:
        own, parent = session.get_one(SitePage, page.id), session.get_one(SitePage, other.id)
        where = {"in_menu": True, "menu_label": "", "by": desk.ada.actor}
        structure.place_page(session, page=own, path="/c", parent=parent, **where)
        with pytest.raises(actions.PathTaken):
            structure.place_page(session, page=own, path="/b", parent=None, **where)
        with pytest.raises(Invalid, match="below itself"):
            structure.place_page(session, page=parent, path="/b", parent=own, **where)
    assert (redirects(desk), desk.now(page).path) == ({}, "/c")


def test_redirects_that_lead_in_a_circle_or_away_from_a_page_are_refused(desk: Desk) -> None:
    desk.page("/here", live=True)

    def add(source: str, target: str) -> None:
        with desk.session() as session:
            site = session.get_one(Site, desk.site.id)
            structure.add_redirect(session, site=site, source=source, target=target, by=desk.ada.actor)

    add("/one", "/two")
    add("/two", "/three/")
    add("/old.html", "https://www.example.com/new")
    for source, target in (("/three", "/one"), ("/x", "/x"), ("/three", "/two")):
        with pytest.raises(Invalid, match="circle"):
            add(source, target)
    for source in ("/here", "/one"):
        with pytest.raises(Conflict):
            add(source, "/two")
    assert redirects(desk) == {
        "/one": ("/two", False), "/two": ("/three", False), "/old.html": ("https://www.example.com/new", False),
    }  # fmt: skip


def test_a_deleted_page_gives_its_address_free_and_comes_back_only_to_a_free_one(desk: Desk) -> None:
    page = desk.page("/about", live=True)
    with desk.session() as session:
        actions.delete_page(session, page=session.get_one(SitePage, page.id), by=desk.ada.actor, now=utcnow())
    other = desk.page("/about", title="New one")
    with pytest.raises(actions.PathTaken), desk.session() as session:
        actions.restore_page(session, page=session.get_one(SitePage, page.id), by=desk.ada.actor)
    with desk.session() as session:
        actions.delete_page(session, page=session.get_one(SitePage, other.id), by=desk.ada.actor, now=utcnow())
        actions.restore_page(session, page=session.get_one(SitePage, page.id), by=desk.ada.actor)
    assert (desk.now(page).status, desk.now(other).status) == ("published", "deleted")
    with desk.session() as session:
        session.execute(
            update(SitePage).where(SitePage.id == other.id).values(deleted_at=utcnow() - timedelta(days=31))
        )
    jobs.forget_old()
    with desk.session() as session:
        left = session.scalars(select(SitePage.id).where(SitePage.site_id == desk.site.id))
        assert list(left) == [page.id]


def test_pictures_and_modules_of_another_site_are_refused(desk: Desk, world: World) -> None:
    theirs = open_desk(world).image()
    mine, page = desk.image(), desk.page()
    block = {"id": "00000001", "kind": "image", "source": mine.public_id, "alt": "A"}
    kept = desk.save(page, 1, blocks=[block]).draft["blocks"][0]
    assert (kept["width"], kept["height"]) == (1600, 900)
    with pytest.raises(Invalid, match="not of this site"):
        desk.save(page, 2, blocks=[{**block, "source": theirs.public_id}])
    module = {"id": "00000002", "kind": "module", "install": f"ins_{theirs.public_id[4:]}", "page": "contact"}
    with pytest.raises(Invalid, match="not on this site"):
        desk.save(page, 2, blocks=[module])


def test_views_are_counted_by_page_and_day_and_nothing_else_is_kept(desk: Desk) -> None:
    page, other = desk.page(live=True), desk.page("/b", live=True)
    first = date(2026, 3, 2)
    with platform_scope("test"), transaction(db.session()) as session:
        for day, views in ((0, {page.id: 3}), (1, {page.id: 2, other.id: 1}), (0, {page.id: 4, uuid4(): 9}), (2, {})):
            keep_views(session, desk.site.agency_id, desk.site.id, first + timedelta(days=day), views)
        keep_views(session, uuid4(), desk.site.id, first, {page.id: 50})  # of another agency
    with desk.session() as session:
        views = views_of(session, site_id=desk.site.id, today=first + timedelta(days=1))
        columns = session.scalars(
            text("SELECT attname FROM pg_attribute WHERE attrelid = 'site_page_views'::regclass AND attnum > 0")
        )
        assert sorted(columns) == ["agency_id", "day", "page_id", "views"]
    assert (views.of(page.id)[-2:], views.of(other.id)[-2:], views.site[-2:], len(views.days)) == (
        [4, 2],
        [0, 1],
        [4, 3],
        30,
    )


def test_two_pages_are_not_put_at_one_address_by_two_people_at_once(desk: Desk) -> None:
    desk.page("/a")
    with pytest.raises(actions.PathTaken):
        desk.page("/a")
    with platform_scope("test"), transaction(db.session()) as session:
        count = session.scalar(select(func.count()).select_from(SitePage).where(SitePage.site_id == desk.site.id))
    assert count == 1
