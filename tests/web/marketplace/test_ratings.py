"""Ratings: who may say something, what the average makes of it, votes, reports, answers, moderation."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import select

from app.access.permissions import Role
from app.config import Config
from app.db.base import db
from app.db.roles import APP, STAFF, role_url
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.marketplace.jobs import survey
from app.marketplace.models import ActiveDays, Listing, Rating
from app.modules.models import Version
from tests.support.packages import notes
from tests.support.publishing import new_slug, released
from tests.support.world import Person, World
from tests.web.conftest import Browse


@pytest.fixture
def publisher(world: World) -> Person:
    return world.person(world.agency("Northbeam"), name="Callum")


@pytest.fixture
def version(publisher: Person) -> Version:
    return released(publisher, notes(new_slug()), tier="public")


@pytest.fixture
def slug(version: Version) -> str:
    return str(version.manifest["slug"])


def used(world: World, version: Version, *, days: int = 7, major: int = 1, agency: Any = None) -> Person:
    """Somebody whose agency has had the module active on that many days."""
    person = world.person(agency or world.agency("Studio Lumen"))
    with platform_scope("test"), transaction(db.session()) as session:
        session.add(
            ActiveDays(
                agency_id=person.agency_id,
                module_id=version.module_id,
                major=major,
                days=days,
                last_day=utcnow().date(),
            )
        )
    return person


def figures(version: Version) -> tuple[Decimal, int]:
    with platform_scope("test"), transaction(db.session()) as session:
        listing = session.get_one(Listing, version.module_id)
        return listing.rating, listing.ratings


def rating_of(person: Person) -> Rating:
    with platform_scope("test"), transaction(db.session()) as session:
        return session.scalars(select(Rating).where(Rating.agency_id == person.agency_id)).one()


def test_after_seven_days_an_agency_says_what_it_thinks(
    world: World, version: Version, slug: str, browse: Browse
) -> None:
    ada = used(world, version)
    browse(ada).post(f"/marketplace/{slug}/rating", {"stars": "5", "text": "Calm.\nGood."})
    page = browse(world.person(world.agency())).get(f"/marketplace/{slug}")
    assert page.texts(".review-head b") == ["Studio Lumen"]
    assert page.texts(".review-text") == ["Calm. Good."]
    assert figures(version) == (Decimal("3.75"), 1)  # (5 × 3.5 + 5) / 6


@pytest.mark.parametrize(("days", "stars"), [(6, "5"), (7, "0"), (7, "6"), (7, ""), (7, "x")])
def test_too_little_use_or_odd_stars_leave_nothing(
    world: World, version: Version, slug: str, browse: Browse, days: int, stars: str
) -> None:
    ada = used(world, version, days=days)
    browse(ada).post(f"/marketplace/{slug}/rating", {"stars": stars})
    assert figures(version) == (Decimal(0), 0)


def test_the_database_itself_asks_for_seven_days(
    world: World, version: Version, publisher: Person, wired: Config
) -> None:
    insert = "INSERT INTO module_ratings (agency_id, module_id, major, author, stars) VALUES (%s, %s, 1, 'x', 5)"
    for person in (used(world, version, days=6), used(world, version, agency=None, major=2), publisher):
        with psycopg.connect(role_url(wired.database_url, wired.secret_keys[0], APP)) as connection:
            connection.execute("SELECT set_config('app.agency_id', %s, true)", [str(person.agency_id)])
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(insert, [person.agency_id, version.module_id])


def test_each_major_version_is_rated_once_and_a_change_replaces(
    world: World, version: Version, slug: str, browse: Browse
) -> None:
    ada = used(world, version)
    browser = browse(ada)
    for stars in ("1", "4"):
        browser.post(f"/marketplace/{slug}/rating", {"stars": stars})
    once = figures(version)
    with platform_scope("test"), transaction(db.session()) as session:
        session.add(
            ActiveDays(agency_id=ada.agency_id, module_id=version.module_id, major=2, days=9, last_day=utcnow().date())
        )
    browser.post(f"/marketplace/{slug}/rating", {"stars": "4"})
    twice = figures(version)
    browser.post(f"/marketplace/{slug}/rating", {"stars": "4", "take_back": "1"})
    assert (once, twice, figures(version)) == (
        (Decimal("3.58"), 1),
        (Decimal("3.64"), 2),
        (Decimal("3.58"), 1),
    )


def test_votes_count_once_per_agency_and_order_the_list(
    world: World, version: Version, slug: str, browse: Browse
) -> None:
    first, second = used(world, version), used(world, version, agency=world.agency("Tidewater"))
    for person in (first, second):
        browse(person).post(f"/marketplace/{slug}/rating", {"stars": "4"})
    said = rating_of(first)
    for voter in (world.person(world.agency()), world.person(world.agency()), first):
        browse(voter).post(f"/marketplace/ratings/{said.public_id}/helpful")
    third = world.person(world.agency())
    for _ in range(2):  # taken back
        browse(third).post(f"/marketplace/ratings/{said.public_id}/helpful")
    page = browse(third).get(f"/marketplace/{slug}")
    assert (rating_of(first).helpful, page.texts(".review-head b")) == (2, ["Studio Lumen", "Tidewater"])


def test_the_publisher_alone_answers(
    world: World, version: Version, slug: str, publisher: Person, browse: Browse
) -> None:
    ada = used(world, version)
    browse(ada).post(f"/marketplace/{slug}/rating", {"stars": "2", "text": "Slow."})
    where = f"/marketplace/ratings/{rating_of(ada).public_id}/answer"
    browse(ada).post(where, {"answer": "I answer myself."})
    assert rating_of(ada).answer == ""
    browse(publisher).post(where, {"answer": "Faster since 1.0.1."})
    assert browse(ada).get(f"/marketplace/{slug}").texts(".review-answer .review-text") == ["Faster since 1.0.1."]


def test_a_reported_review_is_hidden_by_staff_with_a_reason_and_counts_no_more(
    world: World, version: Version, slug: str, browse: Browse
) -> None:
    ada, reporter = used(world, version), world.person(world.agency())
    staff = browse(world.person(world.agency("Dramac"), staff_role="support"))
    word = new_slug("spam")
    browse(ada).post(f"/marketplace/{slug}/rating", {"stars": "1", "text": word})
    said = rating_of(ada)
    for _ in range(2):
        browse(reporter).post(f"/marketplace/ratings/{said.public_id}/report", {"reason": "spam"})
    queued = [text for text in staff.get("/staff/marketplace/ratings").texts(".card .review-text") if text == word]
    where = f"/staff/marketplace/ratings/{said.public_id}"
    staff.post(where, {"do": "hide"})  # without a reason
    unhidden = figures(version)
    staff.post(where, {"do": "hide", "why": "Advertising."})
    seen = browse(reporter).get(f"/marketplace/{slug}").texts(".review-text")
    told = browse(ada).get(f"/marketplace/{slug}").texts("#reviews > p")
    left = [text for text in staff.get("/staff/marketplace/ratings").texts(".card .review-text") if text == word]
    assert (queued, unhidden[1], figures(version), seen, left) == ([word], 1, (Decimal(0), 0), [], [])
    assert told[-1] == "Our staff hid what your agency said: Advertising."
    staff.post(where, {"do": "show"})
    assert figures(version)[1] == 1


def test_one_who_only_looks_says_nothing(world: World, version: Version, slug: str, browse: Browse) -> None:
    agency = world.agency()
    used(world, version, agency=agency)
    vic = world.person(agency, Role.VIEWER)
    assert browse(vic).post(f"/marketplace/{slug}/rating", {"stars": "5"}).status == 403
    assert browse(vic).get(f"/marketplace/{slug}").html.select("#rating-form") == []


def test_days_of_use_are_counted_once_a_day_for_active_installs(world: World, version: Version, wired: Config) -> None:
    agency = world.agency()
    with psycopg.connect(role_url(wired.database_url, wired.secret_keys[0], STAFF), autocommit=True) as staff:
        for status in ("active", "active", "paused"):
            staff.execute(
                "INSERT INTO modules_v2 (id, agency_id, site_id, module_id, version_id, status) VALUES (%s, %s, %s, %s, %s, %s)",
                [uuid7(), agency.id, world.site(agency).id, version.module_id, version.id, status],
            )
        survey()
        survey()
        yesterday = utcnow().date() - timedelta(days=1)
        staff.execute("UPDATE module_active_days SET last_day = %s WHERE agency_id = %s", [yesterday, agency.id])
        survey()
    with tenant_scope(agency.id), transaction(db.session()) as session:
        assert [(row.major, row.days) for row in session.scalars(select(ActiveDays))] == [(1, 2)]
