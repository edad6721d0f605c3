"""The marketplace of the demo world: modules of two publishers, some with a price, what agencies say of them and ask for.

The modules are starters of the Studio under names of their own, released like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.config import Config
from app.db.base import db
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.marketplace import jobs
from app.marketplace.actions import put_on_shelf, verify_publisher
from app.marketplace.models import Collection, CollectionItem, Rating, Request
from app.marketplace.ratings import answer, rate, vote
from app.marketplace.wishes import ask_for, want_too
from app.modules.models import Module
from app.seeds.publishing import installed, owner_of, publish
from app.studio.editor.starters import starter_files


@dataclass(frozen=True, slots=True)
class Offer:
    """A module to find. starter: what it is; price: per month in minor units of EUR, 0 for free."""

    starter: str
    publisher: str
    slug: str
    name: str
    days_ago: int
    price: int = 0


OFFERS = (
    Offer("booking", "dramac", "rooms-and-desks", "Rooms & desks", 170),
    Offer("helpdesk", "dramac", "answer-desk", "Answer desk", 140),
    Offer("invoicing", "dramac", "clear-invoice", "Clear invoice", 120, 1900),
    Offer("crm", "northbeam-web", "northbeam-pipeline", "Northbeam Pipeline", 95, 2900),
    Offer("shop", "northbeam-web", "corner-shop", "Corner shop", 80),
    Offer("directory", "northbeam-web", "who-is-where", "Who is where", 60),
    Offer("education", "dramac", "course-shelf", "Course shelf", 45, 1200),
    Offer("realestate", "northbeam-web", "viewings", "Viewings", 20, 3900),
    Offer("dashboard", "dramac", "goals-on-the-wall", "Goals on the wall", 9),
)
# module, site: only who uses a module may rate it
USED = (
    ("rooms-and-desks", "quinta-da-oliveira"),
    ("answer-desk", "casa-verde-porto"),
    ("rooms-and-desks", "pennine-cycles"),
)
# agency, module, stars, words
SAID = (
    (
        "studio-lumen",
        "enquiries",
        5,
        "Every client has it by now. The inbox is the first screen our members open in the morning.",
    ),
    (
        "northbeam-web",
        "enquiries",
        4,
        "Set up in ten minutes, and the reminders work. Merging two enquiries of one person is missing.",
    ),
    ("studio-lumen", "rooms-and-desks", 5, "The winery takes tastings with it. Nothing was booked twice since."),
    ("northbeam-web", "rooms-and-desks", 4, "Does what it says. Opening hours per room would make it five."),
    ("studio-lumen", "answer-desk", 4, "Clear and quick. Answers from the mailbox land where they belong."),
    ("studio-lumen", "call-to-action", 5, "Small, and that is the point."),
    ("studio-lumen", "price-list", 3, "Good for short lists. Ours has four hundred wines, and we wish for groups."),
)
ANSWER = ("price-list", "Groups are what we are working on: version 2 has the column for them already.")
WANTED = (
    ("studio-lumen", "Loyalty card", "Stamps for regulars of a café by telephone number, with a reward after ten.", "marketing"),
    ("northbeam-web", "Workshop calendar", "Repairs of bicycles by mechanic and stand, with a letter when one is done.", "booking"),
)  # fmt: skip
SHELVES = {
    "featured": ("enquiries", "rooms-and-desks", "clear-invoice", "northbeam-pipeline"),
    "enterprise-suite": ("northbeam-pipeline", "clear-invoice", "answer-desk"),
}
DAYS_USED = 40


def fill_shelves(config: Config, *, now: datetime) -> None:
    """Publish, install, rate and arrange what is not there yet; then what listings say is measured."""
    for offer in OFFERS:
        publish(_files(offer), slug=offer.publisher, now=now - timedelta(days=offer.days_ago))
    for module, site in USED:
        installed(module, site, config, now=now - timedelta(days=DAYS_USED))
    _days(now=now)
    for slug, module, stars, text in SAID:
        _rate(slug, module, stars, text, now=now)
    _others_agree(now=now)
    _wanted(now=now)
    _arrange(now=now)
    jobs.measure()
    jobs.survey()


def _files(offer: Offer) -> list[tuple[str, bytes]]:
    files = dict(starter_files(offer.starter))
    text = files["module.yaml"].decode()
    for key, value in (("slug", offer.slug), ("name", offer.name), ("version", "1.0.0")):
        text = re.sub(rf"(?m)^{key}: .*$", f"{key}: {value}", text, count=1)
    if offer.price:
        plan = f"{{id: monthly, label: Monthly, amount: {offer.price}, currency: EUR, per: month, trial_days: 30}}"
        text = f"{text.rstrip()}\npricing: [{plan}]\n"
    return list((files | {"module.yaml": text.encode()}).items())


def _days(*, now: datetime) -> None:
    """What the hourly survey would have noted of these weeks: only who used a module for some days may rate it."""
    with platform_scope("the demo world was used"), transaction(db.session()) as session:
        for back in range(DAYS_USED, 0, -1):
            session.execute(jobs.ACTIVE_DAYS, {"today": (now - timedelta(days=back)).date()})


def _rate(slug: str, module_slug: str, stars: int, text: str, *, now: datetime) -> None:
    agency_id, by = owner_of(slug)
    with tenant_scope(agency_id), transaction(db.session()) as session:
        module = session.scalars(select(Module).where(Module.slug == module_slug)).one()
        rate(session, module=module, stars=stars, text=text, by=by, now=now - timedelta(days=len(text) % 25 + 1))


def _others_agree(*, now: datetime) -> None:
    """The other agency finds the first words of each module helpful; the publisher answers one."""
    agency_id, by = owner_of("northbeam-web")
    with tenant_scope(agency_id), transaction(db.session()) as session:
        theirs = select(Rating).where(Rating.agency_id != agency_id, Rating.helpful == 0, Rating.stars >= 4)
        for rating in session.scalars(theirs).all():
            vote(session, rating=rating, by=by)
    agency_id, by = owner_of("dramac")
    slug, text = ANSWER
    with tenant_scope(agency_id), transaction(db.session()) as session:
        module = session.scalars(select(Module).where(Module.slug == slug)).one()
        for rating in session.scalars(select(Rating).where(Rating.module_id == module.id)).all():
            answer(session, rating=rating, text=text, now=now)


def _wanted(*, now: datetime) -> None:
    for slug, title, text, category in WANTED:
        agency_id, by = owner_of(slug)
        with tenant_scope(agency_id), transaction(db.session()) as session:
            if session.scalar(select(Request.id).where(Request.title == title)) is None:
                ask_for(session, title=title, text=text, category=category, by=by, now=now - timedelta(days=12))
    agency_id, by = owner_of("studio-lumen")
    with tenant_scope(agency_id), transaction(db.session()) as session:
        for request in session.scalars(select(Request).where(Request.agency_id != agency_id, Request.votes == 1)).all():
            want_too(session, request_id=request.id, by=by)


def _arrange(*, now: datetime) -> None:
    agency_id, by = owner_of("dramac")
    with platform_scope("arrange the demo marketplace"), transaction(db.session()) as session:
        verify_publisher(session, agency_id=agency_id, verified=True, by=by, now=now)
        for slug, modules in SHELVES.items():
            collection = session.scalars(select(Collection).where(Collection.slug == slug)).one()
            there = set(
                session.scalars(select(CollectionItem.module_id).where(CollectionItem.collection_id == collection.id))
            )
            for module_slug in modules:
                module = session.scalars(select(Module).where(Module.slug == module_slug)).one()
                if module.id not in there:
                    put_on_shelf(session, collection=collection, slug=module_slug, by=by, now=now)
