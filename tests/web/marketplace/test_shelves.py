"""Collections, publishers and what goes with a module; and what platform staff arrange."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from app.config import Config
from app.db.base import db
from app.db.roles import STAFF, role_url
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import encode, uuid7
from app.marketplace.facts import facts_of
from app.marketplace.jobs import survey
from app.marketplace.models import Collection, Listing, Measures
from app.marketplace.queries import Shelf, related, shelf
from app.marketplace.search import PER_PAGE
from app.marketplace.views.find import worth_showing
from tests.support.browser import Browser
from tests.support.packages import notes
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse
from tests.web.marketplace.test_search import list_modules


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def sam(world: World) -> Person:
    """Of the platform's own people."""
    return world.person(world.agency("Dramac"), name="Sam", staff_role="administrator")


def words() -> str:
    return f"z{uuid7().hex[-10:]}"


def publish(person: Person, *names: str, **more: Any) -> list[Listing]:
    list_modules(person.agency_id, [{"name": name, "tier": "public"} | more for name in names])
    with platform_scope("test"), transaction(db.session()) as session:
        return [session.scalars(select(Listing).where(Listing.name == name)).one() for name in names]


def names_on(person: Person, slug: str) -> list[str]:
    """[] also while it is not shown."""
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        found = shelf(session, slug, now=utcnow())
        return [card.name for card in found.items] if found else []


def new_collection(browser: Browser, slug: str) -> str:
    """Its page's address."""
    made = browser.post("/staff/marketplace", {"slug": slug, "name": "Spring picks", "summary": "For the season."})
    assert (made.status, made.where is not None) == (303, True)
    return str(made.where)


def test_staff_make_a_collection_fill_order_and_show_it(ada: Person, sam: Person, browse: Browse) -> None:
    one, two = publish(ada, words(), words())
    slug, browser = words(), browse(sam)
    where = new_collection(browser, slug)
    for listing in (one, two):
        browser.post(f"{where}/modules", {"do": "add", "module": listing.slug})
    browser.post(f"{where}/modules", {"do": "up", "module": encode("mod", two.module_id)})
    hidden, preview = names_on(ada, slug), browser.get(where).texts(".module-card h4")
    browser.post(where, {"name": "Spring picks", "shown": "y"})
    assert (hidden, preview, names_on(ada, slug)) == ([], [two.name, one.name], [two.name, one.name])
    browser.post(f"{where}/modules", {"do": "off", "module": encode("mod", two.module_id)})
    assert browse(ada).get(f"/collections?name={slug}").texts(".module-card h2") == [one.name]
    browser.post(f"{where}/delete")
    assert browse(ada).get(f"/collections?name={slug}").status == 404


@pytest.mark.parametrize(
    ("begins", "ends", "seen"), [(-1, 1, True), (1, 2, False), (-2, -1, False), (None, None, True)]
)
def test_a_collection_keeps_to_its_schedule(
    ada: Person, sam: Person, browse: Browse, begins: int | None, ends: int | None, seen: bool
) -> None:
    slug, browser = words(), browse(sam)
    where = new_collection(browser, slug)

    def at(hours: int | None) -> str:
        return f"{utcnow() + timedelta(hours=hours):%Y-%m-%dT%H:%M}" if hours is not None else ""

    browser.post(where, {"name": "S", "shown": "y", "starts_at": at(begins), "ends_at": at(ends)})
    browser.post(f"{where}/modules", {"do": "add", "module": publish(ada, words())[0].slug})
    assert (names_on(ada, slug) != []) == seen


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", {"name": ""}),
        ("", {"name": "S", "starts_at": "2026-05-02T00:00", "ends_at": "2026-05-01T00:00"}),
        ("/modules", {"do": "add", "module": "no-such-module"}),
        ("/modules", {"do": "off", "module": encode("mod", uuid7())}),
    ],
)
def test_what_makes_no_sense_is_refused(sam: Person, browse: Browse, path: str, body: dict[str, str]) -> None:
    browser = browse(sam)
    where = new_collection(browser, words())
    assert browser.post(f"{where}{path}", body).status == 422


def test_an_agencys_own_module_is_put_on_no_shelf(ada: Person, sam: Person, browse: Browse) -> None:
    listing = publish(ada, words(), tier="internal")[0]
    browser = browse(sam)
    where = new_collection(browser, words())
    assert browser.post(f"{where}/modules", {"do": "add", "module": listing.slug}).status == 422


def test_short_names_are_taken_once(sam: Person, browse: Browse) -> None:
    slug, browser = words(), browse(sam)
    new_collection(browser, slug)
    assert browser.post("/staff/marketplace", {"slug": slug, "name": "Again"}).status == 422


def test_computed_collections_cannot_be_deleted_or_filled(sam: Person, browse: Browse) -> None:
    with platform_scope("test"), transaction(db.session()) as session:
        popular = session.scalars(select(Collection).where(Collection.slug == "popular")).one()
    browser = browse(sam)
    where = f"/staff/marketplace/{popular.public_id}"
    answers = [
        browser.post(f"{where}/delete").status,
        browser.post(f"{where}/modules", {"do": "add", "module": "enquiries"}).status,
    ]
    assert (answers, browser.get(where).status) == ([409, 422], 200)


def test_to_everybody_else_the_staffs_screens_do_not_exist(ada: Person, browse: Browse) -> None:
    browser = browse(ada)
    assert [browser.get("/staff/marketplace").status, browser.post("/staff/marketplace", {"slug": "x"}).status] == [
        404
    ] * 2


def test_the_computed_shelves_hold_what_their_names_say(ada: Person) -> None:
    """Figures that no other test comes near put these on top."""
    many, best = publish(ada, words(), installs=2_000_000)[0], publish(ada, words(), rating=5, ratings=900_000)[0]
    costly = publish(ada, words(), installs=1_999_999, pricing=[{"amount": 1, "currency": "EUR", "per": "once"}])[0]
    popular, rated, free = names_on(ada, "popular"), names_on(ada, "top-rated"), names_on(ada, "free-essentials")
    assert (popular[:2], rated[0], free[0]) == ([many.name, costly.name], best.name, many.name)
    assert costly.name not in free
    assert {many.name, best.name} <= set(names_on(ada, "new"))
    with platform_scope("test"), transaction(db.session()) as session:
        for listing in session.scalars(select(Listing).where(Listing.agency_id == ada.agency_id)):
            listing.installs, listing.ratings, listing.rating = 0, 0, 0  # type: ignore[assignment]  # a number of the column


def on_shelves(total: int, **found: str) -> list[tuple[str, str, bool]]:
    """What the first page shows of shelves whose modules are letters: (shelf, its modules, whether there are more)."""

    def shelf_of(kind: str, letters: str) -> Shelf:
        cards: Any = [SimpleNamespace(id=UUID(int=ord(letter)), name=letter) for letter in letters]
        return Shelf(kind, kind, "", kind, cards, False)

    kept = worth_showing([shelf_of(kind, letters) for kind, letters in found.items()], total)
    return [(one.slug, "".join(card.name for card in one.items), one.more) for one in kept]


def test_the_first_page_does_not_say_the_same_twice() -> None:
    assert on_shelves(4, popular="abc", new="abc", free="abc") == []  # the list below has all four
    assert on_shelves(30, popular="abc", new="abc", free="abcd") == [("popular", "abc", False)]
    assert on_shelves(30, popular="abcdef", new="abcghi") == [("popular", "abcdef", False), ("new", "ghi", True)]
    assert on_shelves(4, curated="ab", popular="abcd") == [("curated", "ab", False)]  # staff have chosen it


def test_a_publisher_with_many_modules_has_pages(ada: Person, browse: Browse) -> None:
    word = words()
    publish(ada, *(f"{word} {number}" for number in range(PER_PAGE + 2)))
    where = f"/marketplace/by/{encode('agc', ada.agency_id)}"
    first, second = browse(ada).get(where), browse(ada).get(f"{where}?page=2")
    assert [len(page.html.select(".module-card")) for page in (first, second)] == [PER_PAGE, 2]
    assert f"{PER_PAGE + 2} modules" in second.text
    assert browse(ada).get(f"{where}?page=3").status == 404


def test_older_releases_are_reached_from_the_modules_page(ada: Person, browse: Browse) -> None:
    slug = new_slug()
    for number in range(12):
        released(ada, notes(slug, version=f"1.{number}.0", files={"CHANGELOG.md": f"What is new in {number}."}))
    first = browse(ada).get(f"/marketplace/{slug}")
    older = browse(ada).get(
        str(next(one["href"] for one in first.html.select(".pages a") if "releases=2" in one["href"]))
    )
    assert (first.texts(".versions b")[0], older.texts(".versions b")) == ("1.11.0", ["1.1.0", "1.0.0"])


def test_prices_of_several_currencies_are_said_not_to_be_converted(ada: Person, browse: Browse) -> None:
    word, told = words(), []
    for currency in ("EUR", "JPY"):
        publish(ada, f"{word} {currency}", pricing=[{"amount": 900, "currency": currency, "per": "month"}])
        told.append("not converted" in browse(ada).get(f"/marketplace/?q={word}&sort=price").text)
    assert told == [False, True]


def test_a_publishers_page_shows_what_one_may_find(world: World, ada: Person, browse: Browse) -> None:
    olga = world.person(world.agency("Elsewhere"))
    public, own = publish(ada, words())[0], publish(ada, words(), tier="internal")[0]
    where = f"/marketplace/by/{encode('agc', ada.agency_id)}"
    assert browse(olga).get(where).texts(".module-card h2") == [public.name]
    assert sorted(browse(ada).get(where).texts(".module-card h2")) == sorted([public.name, own.name])
    assert browse(ada).get(f"/marketplace/by/{encode('agc', uuid7())}").status == 404


def test_staff_verify_a_publisher_and_take_it_back(ada: Person, sam: Person, browse: Browse) -> None:
    slug = new_slug()
    released(ada, notes(slug), tier="public")
    browser, marks = browse(sam), []
    for verified in ("1", ""):
        browser.post("/staff/marketplace/publishers", {"agency": encode("agc", ada.agency_id), "verified": verified})
        marks.append(len(browse(ada).get(f"/marketplace/{slug}").html.select(".page-meta .verified")))
    assert marks == [1, 0]


@pytest.mark.parametrize("agency", ["agc_01k00000000000000000000000", "agc_x", ""])
def test_an_agency_that_is_not_there_is_not_verified(sam: Person, browse: Browse, agency: str) -> None:
    page = browse(sam).post("/staff/marketplace/publishers", {"agency": agency, "verified": "1"})
    assert (page.status, page.texts(".callout p:not(.callout-title)")) == (422, ["There is no such agency any more."])


def test_a_category_alone_is_a_page_of_its_own(ada: Person, browse: Browse) -> None:
    publish(ada, words(), category="real-estate")
    page = browse(ada).get("/marketplace/?category=real-estate")
    assert (page.heading, page.title) == ("Real estate", "Real estate · Dramac")


# -- what the hourly survey finds


def put_on(owner: psycopg.Connection, world: World, listing: Listing, agency: Any, site: Any, **more: Any) -> Any:
    install, now = uuid7(), utcnow()
    values = {"status": "active", "installed_at": now - timedelta(days=30), "removed_at": None} | more
    owner.execute(
        "INSERT INTO modules_v2 (id, agency_id, site_id, module_id, version_id, status, installed_at, removed_at) "
        "SELECT %s, %s, %s, id, latest_version_id, %s, %s, %s FROM module_source WHERE id = %s",
        [install, agency.id, site.id, *values.values(), listing.module_id],
    )
    return install


@pytest.fixture
def staff_rows(wired: Config) -> Any:
    """The rows of all agencies, for what no test could wait for."""
    with psycopg.connect(role_url(wired.database_url, wired.secret_keys[0], STAFF), autocommit=True) as one:
        yield one


def test_what_three_agencies_have_together_is_said_to_go_together(
    world: World, ada: Person, staff_rows: psycopg.Connection
) -> None:
    this, often, seldom = publish(ada, words(), words(), words(), category="fitness", summary="Moves.")
    for number in range(3):
        agency = world.agency()
        site = world.site(agency)
        for listing in (this, often) + ((seldom,) if number < 2 else ()):
            put_on(staff_rows, world, listing, agency, site)
    survey()
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        assert next(card.name for card in related(session, module_id=this.module_id)) == often.name
        assert [card.name for card in related(session, module_id=this.module_id, most=50)].count(seldom.name) == 1
    with platform_scope("test"), transaction(db.session()) as session:
        pairs = session.connection().exec_driver_sql(
            "SELECT other_id FROM marketplace_related WHERE module_id = %s", (this.module_id,)
        )
        assert [row[0] for row in pairs] == [often.module_id]


def test_measures_come_from_calls_runs_upgrades_and_removals(
    world: World, ada: Person, staff_rows: psycopg.Connection
) -> None:
    listing, agency, now = publish(ada, words())[0], world.agency(), utcnow()
    site = world.site(agency)
    install = put_on(staff_rows, world, listing, agency, site)
    soon = {"status": "removed", "installed_at": now - timedelta(days=40), "removed_at": now - timedelta(days=39)}
    put_on(staff_rows, world, listing, agency, world.site(agency), **soon)
    for number in range(40):
        staff_rows.execute(
            "INSERT INTO external_api_requests (at, request_id, agency_id, site_id, install_id, method, path, status, duration_us) "
            "VALUES (%s, %s, %s, %s, %s, 'GET', '/x', %s, %s)",
            [now, f"req_{uuid7()}", agency.id, site.id, install, 500 if number < 4 else 200, 1000 * (number + 1)],
        )
    for state in ("settled", "settled", "settled", "undone", "failed", "unhealthy", "watching", "ordered"):
        staff_rows.execute(
            "INSERT INTO install_moves (agency_id, site_id, install_id, kind, from_version_id, to_version_id, state, ordered_at)"
            " SELECT agency_id, site_id, id, 'upgrade', version_id, version_id, %s, %s FROM modules_v2 WHERE id = %s",
            [state, now, install],
        )
    survey()
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        measured = session.get_one(Measures, listing.module_id)
        facts = {fact.label: fact.share if fact.share is not None else fact.text for fact in facts_of(None, measured)}
    assert (measured.tried, measured.left_soon, measured.upgrades, measured.upgrade_failures) == (2, 1, 6, 3)
    assert facts == {"Error rate": 0.1, "API answers within": "38 ms", "Upgrades that went well": 0.5}
