"""Searching the marketplace: what is found, in which order, what filters count, and who may find it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from random import Random
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.marketplace.jobs import measure
from app.marketplace.models import Listing, Publisher
from app.marketplace.search import Found, Search, search
from app.modules.models import Module, Version
from app.tenancy.models import Agency
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse

FACETS = ("category", "type", "price", "capability", "rating", "verified", "beta")


@pytest.fixture
def ada(world: World) -> Person:
    return world.person(world.agency())


@pytest.fixture
def olga(world: World) -> Person:
    return world.person(world.agency("Elsewhere"), name="Olga")


def find(person: Person, words: str = "", **asked: Any) -> Found:
    with tenant_scope(person.agency_id), transaction(db.session()) as session:
        return search(session, Search(words=tuple(words.lower().split()), **asked))


def shelf(person: Person, words: str, **asked: Any) -> list[str]:
    return [card.name for card in find(person, words, **asked).items]


def list_modules(agency_id: UUID, rows: list[dict[str, Any]]) -> None:
    """Released modules with just what the marketplace looks at: name, summary, category, type, tier, tags, readme, pricing."""
    with platform_scope("test modules"), transaction(db.session()) as session:
        for row in rows:
            put(session, agency_id, row)


def put(session: Session, agency_id: UUID, row: dict[str, Any]) -> None:
    module, version = uuid4(), uuid7()
    own = {"category": "other", "type": "app", "tier": "internal", "summary": ""} | row
    session.execute(
        insert(Module).values(
            id=module, agency_id=agency_id, slug=f"m-{module.hex[:20]}", short_id=module.hex[:8], name=own["name"],
            summary=own["summary"], category=own["category"], type=own["type"], tier=own["tier"],
        )
    )  # fmt: skip
    session.execute(
        insert(Version).values(
            id=version, module_id=module, agency_id=agency_id, version="1.0.0", major=1, minor=0, patch=0, status="published",
            manifest={"pricing": row.get("pricing", [])}, listing={"tags": row.get("tags", [])}, readme=row.get("readme", ""),
            capabilities=row.get("capabilities", []), digest=module.hex * 2, size_bytes=1,
            published_at=row.get("published_at", utcnow()),
        )
    )  # fmt: skip
    session.execute(update(Module).where(Module.id == module).values(latest_version_id=version))
    figures = {name: row[name] for name in ("rating", "ratings", "installs") if name in row}
    if figures:
        session.execute(update(Listing).where(Listing.module_id == module).values(**figures))


def test_words_are_found_in_the_name_the_tags_the_summary_and_the_readme_in_this_order(ada: Person) -> None:
    word = f"q{uuid7().hex[-9:]}"
    list_modules(
        ada.agency_id,
        [
            {"name": "Deep", "readme": f"It can do {word}, too."},
            {"name": "Tagged", "tags": [word]},
            {"name": f"{word.title()} desk"},
            {"name": "Said", "summary": f"A {word} for everybody."},
        ],
    )
    assert shelf(ada, word, sort="relevance") == [f"{word.title()} desk", "Tagged", "Said", "Deep"]


@pytest.mark.parametrize(
    "typed", ["Calendar Pro", "cal", "calendars", "calender", "pro calendar", "the calendar", "Calendár"]
)
def test_beginnings_stems_misspellings_and_accents_are_forgiven(ada: Person, typed: str) -> None:
    list_modules(ada.agency_id, [{"name": "Calendar Pro", "summary": "Zzyzx."}, {"name": "Ledger"}])
    assert "Calendar Pro" in shelf(ada, typed, sort="relevance")


def test_a_misspelt_search_says_what_it_looked_for(ada: Person, browse: Browse) -> None:
    list_modules(ada.agency_id, [{"name": "Quibblewick"}])
    page = browse(ada).get("/marketplace/?q=quibbelwick")
    assert (page.texts(".module-card h2"), page.texts(".respelt")) == (
        ["Quibblewick"],
        ["Nothing has “quibbelwick” in it, so you see what has “quibblewick”."],
    )


def test_nobody_elses_unpublished_words_are_suggested(ada: Person, olga: Person) -> None:
    list_modules(olga.agency_id, [{"name": "Frobnicator"}])
    assert (find(ada, "frobnicater").respelt, find(olga, "frobnicater").respelt) == ((), ("frobnicator",))


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("popular", ["B", "C", "A"]),
        ("newest", ["C", "B", "A"]),
        ("rating", ["A", "C", "B"]),
        ("price", ["B", "C", "A"]),
        ("-price", ["A", "C", "B"]),
    ],
)
def test_orders(ada: Person, sort: str, expected: list[str]) -> None:
    yearly = [{"amount": 2400, "currency": "EUR", "per": "year"}]
    monthly = [{"amount": 900, "currency": "EUR", "per": "month"}]
    a = {"name": "A", "rating": 4.8, "ratings": 9, "published_at": "2026-01-01T00:00Z", "pricing": monthly}
    b = {"name": "B", "rating": 2, "ratings": 1, "published_at": "2026-02-01T00:00Z", "installs": 7}
    c = {"name": "C", "rating": 4, "ratings": 2, "published_at": "2026-03-01T00:00Z", "pricing": yearly, "installs": 3}
    list_modules(ada.agency_id, [row | {"tags": ["sorted"]} for row in (a, b, c)])
    mine = {"A", "B", "C"}
    assert [name for name in shelf(ada, "sorted", sort=sort) if name in mine] == expected


def test_a_listing_follows_its_module_in_the_same_transaction(ada: Person, olga: Person) -> None:
    slug = new_slug()
    word = slug.rpartition("-")[2]
    version = released(ada, notes(slug), tier="public")
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        module = session.get_one(Module, version.module_id)
        module.name = "Renamed"
        session.flush()
        inside = [card.name for card in search(session, Search(words=(word,))).items]
        module.tier = "internal"
        session.flush()
        hidden = session.scalars(select(Listing.tier).where(Listing.module_id == module.id)).one()
    assert (inside, hidden, shelf(ada, word), shelf(olga, word)) == (["Renamed"], "internal", ["Renamed"], [])


def test_verified_publishers_are_marked_and_found_by_it(ada: Person) -> None:
    word = f"v{uuid7().hex[-9:]}"
    list_modules(ada.agency_id, [{"name": word}])
    before = find(ada, word, chosen={"verified": ("true",)}).total
    with platform_scope("test"), transaction(db.session()) as session:
        session.add(Publisher(agency_id=ada.agency_id, verified_at=utcnow()))
    found = find(ada, word, chosen={"verified": ("true",)})
    assert (before, found.total, found.items[0].verified) == (0, 1, True)


def test_installs_are_counted_by_the_clock(world: World, ada: Person, config: Config) -> None:
    slug = new_slug()
    version = released(ada, notes(slug))
    sites = world.site(Agency(id=ada.agency_id)), world.site(Agency(id=ada.agency_id))
    for site in sites:
        installed(config, ada, site, version)
    measure()
    assert [card.installs for card in find(ada, slug.rpartition("-")[2]).items] == [2]


# -- counts: right at every combination of filters, whether the bits are new, old or missing


def values_of(row: Listing) -> dict[str, set[str]]:
    """What the filters see in a listing, said again without the database's help."""
    return {
        "category": {row.category},
        "type": {row.type},
        "price": {row.price},
        "capability": set(row.capabilities),
        "rating": {str(stars) for stars in range(1, 5) if row.rating >= stars},
        "verified": {"true"} if row.verified else set(),
        "beta": {"true"} if row.tier not in ("internal", "public") else set(),
    }


def plain_counts(rows: list[dict[str, set[str]]], chosen: dict[str, tuple[str, ...]]) -> dict[str, dict[str, int]]:
    """Every filter's counts, by looking at every listing for each filter."""
    counts: dict[str, dict[str, int]] = {}
    for facet in FACETS:
        others = [(name, set(values)) for name, values in chosen.items() if name != facet]
        passing = [row for row in rows if all(row[name] & values for name, values in others)]
        counted = Counter(value for row in passing for value in row[facet])
        if counted:
            counts[facet] = dict(counted)
    return counts


@pytest.fixture(scope="module")
def many(platform_app: Any, config: Config) -> Iterator[tuple[Person, Random]]:
    """An agency that sees its own modules of every kind, others' public ones, and none of a third's."""
    random = Random(20261123)
    with platform_app.app_context():
        world = World(config)
        ada, other = world.person(world.agency()), world.person(world.agency())
        with platform_scope("test"), transaction(db.session()) as session:
            session.add(Publisher(agency_id=ada.agency_id, verified_at=utcnow()))
        list_modules(ada.agency_id, [_random_module(random, ("internal", "public", "beta")) for _ in range(50)])
        list_modules(other.agency_id, [_random_module(random, ("internal", "public")) for _ in range(40)])
        yield ada, random
        db.session.remove()


def _random_module(random: Random, tiers: tuple[str, ...]) -> dict[str, Any]:
    plans = ([], [{"amount": 500, "currency": "EUR", "per": "month"}],
             [{"amount": 500, "currency": "EUR", "per": "month", "trial_days": 7}])  # fmt: skip
    rating = random.choice((0, 1.5, 2.25, 3, 4.75, 5))
    return {
        "name": random.choice(("Alpha", "Beta", "Gamma")) + random.choice((" marmalade", "", " desk")),
        "category": random.choice(("crm", "seo", "forms")),
        "type": random.choice(("app", "widget")),
        "tier": random.choice(tiers),
        "pricing": random.choice(plans),
        "capabilities": random.sample(("data", "pages", "email", "jobs"), random.randint(0, 3)),
        "rating": rating,
        "ratings": 3 if rating else 0,
    }


@pytest.fixture
def common(config: Config) -> Iterator[Callable[..., None]]:
    """Sets from how many modules on a word is a common one, and how many of the most installed are judged then."""

    def say(many: int, judged: int = 300) -> None:
        with psycopg.connect(config.database_url) as owner:
            for name, value in {"many": many, "judged": judged}.items():
                owner.execute(
                    f"CREATE OR REPLACE FUNCTION marketplace_{name}() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT {value}'"
                )

    yield say
    say(1000)


@pytest.mark.parametrize("state", ["none in the bits", "all in the bits", "some in the bits, some gone"])
@pytest.mark.parametrize(
    ("words", "many_from"), [("", 1000), ("marmalade", 1000), ("marmalade", 2), ("a marmal", 2), ("marmalade", 30)]
)
def test_counts_are_right_at_every_combination_of_filters(
    many: tuple[Person, Random], state: str, words: str, many_from: int, common: Callable[..., None]
) -> None:
    ada, random = many
    _bring_about(state, ada, random)
    common(many_from)
    with tenant_scope(ada.agency_id), transaction(db.session()) as session:
        listings = session.scalars(select(Listing)).all()  # row-level security alone decides which
        rows = [values_of(row) for row in listings if words.removeprefix("a ") in row.plain_name]
        for used in product((False, True), repeat=len(FACETS)):
            chosen = {facet: _some(facet, rows, random) for facet, use in zip(FACETS, used, strict=True) if use}
            found = search(session, Search(words=tuple(words.split()), chosen=chosen))
            passing = [row for row in rows if all(row[name] & set(values) for name, values in chosen.items())]
            assert (found.total, len(found.items)) == (len(passing), min(24, len(passing))), chosen
            assert found.facets == plain_counts(rows, chosen), chosen
        found = search(session, Search(words=tuple(words.split())))
        assert found.facets == plain_counts(rows, {})
    assert len(rows) >= 20


@pytest.mark.parametrize("state", ["all in the bits", "some in the bits, some gone"])
@pytest.mark.parametrize("chosen", [{}, {"type": ("app",)}])
@pytest.mark.parametrize("words", ["marmalade", "gamma marm"])
def test_common_words_find_the_same_in_the_same_order_page_by_page(
    many: tuple[Person, Random], state: str, chosen: dict[str, tuple[str, ...]], words: str, common: Callable[..., None]
) -> None:
    ada, random = many
    _bring_about(state, ada, random)

    def pages(sort: str) -> list[UUID]:
        with tenant_scope(ada.agency_id), transaction(db.session()) as session:
            asked = [
                Search(words=tuple(words.split()), chosen=chosen, sort=sort, page=number) for number in (1, 2, 3, 4)
            ]
            return [card.id for one in asked for card in search(session, one).items]

    sorts = ("relevance", "popular", "newest", "rating", "price", "-price")
    by_index = {sort: pages(sort) for sort in sorts}
    assert len(by_index["relevance"]) > 3
    common(2)
    assert {sort: pages(sort) for sort in sorts} == by_index
    common(2, judged=3)  # the others follow those that are judged, none twice
    assert sorted(pages("relevance")) == sorted(by_index["relevance"])
    assert {sort: pages(sort) for sort in sorts[1:]} == {sort: by_index[sort] for sort in sorts[1:]}


def test_a_name_that_is_a_common_word_is_above_those_more_used(ada: Person, common: Callable[..., None]) -> None:
    word = f"c{uuid7().hex[-9:]}"
    rows = [{"name": f"Big {number}", "readme": word, "installs": 50 + number} for number in range(8)]
    named = [{"name": f"The {word}", "installs": 1}, {"name": f"{word} desk", "installs": 2}, {"name": word}]
    list_modules(ada.agency_id, [*rows, *named])
    with platform_scope("test"), transaction(db.session()) as session:
        session.scalar(select(func.marketplace_index(1)))
    common(2, judged=2)
    assert shelf(ada, word, sort="relevance")[:4] == [word, f"{word} desk", f"The {word}", "Big 7"]
    common(5, judged=3)
    found = shelf(ada, word, sort="relevance")
    assert (found[:3], found[3:]) == ([word, f"{word} desk", f"The {word}"], [f"Big {n}" for n in range(7, -1, -1)])


def test_a_changed_text_is_found_by_its_new_words_alone(ada: Person, common: Callable[..., None]) -> None:
    old, new = (f"{letter}{uuid7().hex[-9:]}" for letter in "xy")
    list_modules(ada.agency_id, [{"name": f"{old} {number}"} for number in range(4)])
    with platform_scope("test"), transaction(db.session()) as session:
        session.scalar(select(func.marketplace_index(1)))
        changed = session.scalars(select(Module.id).where(Module.name == f"{old} 1")).one()
        session.execute(update(Module).where(Module.id == changed).values(name=new))
    common(1)
    assert (sorted(shelf(ada, old)), shelf(ada, new)) == ([f"{old} 0", f"{old} 2", f"{old} 3"], [new])


def _some(facet: str, rows: list[dict[str, set[str]]], random: Random) -> tuple[str, ...]:
    values = sorted({value for row in rows for value in row[facet]}) or ["true"]
    return tuple(random.sample(values, 1 if facet in ("rating", "verified", "beta") else min(2, len(values))))


def _bring_about(state: str, ada: Person, random: Random) -> None:
    if state == "none in the bits":
        return
    with platform_scope("test"), transaction(db.session()) as session:
        session.scalar(select(func.marketplace_index(1)))
        if state == "all in the bits":
            assert session.scalar(select(func.count()).where(Listing.fresh)) == 0
            return
        own = session.scalars(select(Listing.module_id).where(Listing.agency_id == ada.agency_id)).all()
        for module in random.sample(own, 5):
            session.execute(update(Listing).where(Listing.module_id == module).values(rating=3.5, ratings=1))
        for module in random.sample(own, 4):
            session.execute(update(Module).where(Module.id == module).values(category="seo", tier="public"))
        session.execute(
            text("UPDATE module_source SET latest_version_id = NULL WHERE id = ANY (:gone)"),
            {"gone": random.sample(own, 3)},
        )
    list_modules(ada.agency_id, [_random_module(random, ("internal", "public")) for _ in range(5)])


def test_filters_are_in_the_address_with_counts_and_chips(ada: Person, browse: Browse) -> None:
    word = f"w{uuid7().hex[-9:]}"
    list_modules(
        ada.agency_id,
        [{"name": f"{word} one", "category": "crm"}, {"name": f"{word} two", "category": "seo", "type": "widget"}],
    )
    page = browse(ada).get(f"/marketplace/?q={word}&category=crm&type=nonsense")
    boxes = {str(box["value"]): box.has_attr("checked") for box in page.html.select("input[name=category]")}
    counts = page.texts(".facet-line:has([name=category]) .cnt")
    assert (page.texts(".module-card h2"), boxes, counts) == ([f"{word} one"], {"crm": True, "seo": False}, ["1", "1"])
    assert page.texts(".facet-line:has([name=type]) .cnt") == ["1"]
    assert [chip["href"] for chip in page.html.select(".chip")] == [f"/marketplace/?q={word}&type=nonsense"]


def test_the_answer_to_htmx_brings_the_filters_along(ada: Person, browse: Browse) -> None:
    page = browse(ada).get("/marketplace/?category=crm", htmx="results")
    assert ("<html" in page.text, len(page.html.select("hx-partial input[name=category]")) > 0) == (False, True)


@pytest.mark.parametrize(
    "path", ["?page=0", "?page=99999", "?page=x", "?rating=9&sort=nothing", "?q=%00%27%22:*&!", "?q=" + "a+" * 60]
)
def test_odd_addresses_are_answered(ada: Person, browse: Browse, path: str) -> None:
    assert browse(ada).get(f"/marketplace/{path}").status == 200
