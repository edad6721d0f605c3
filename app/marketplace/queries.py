"""Reads around the search: shelves, publishers, what goes with a module, what was measured of it, who has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select, text
from sqlalchemy.orm import Session

from app.installs.models import Install
from app.lib.ids import encode
from app.lib.sql import load_sql
from app.marketplace.models import Collection, CollectionItem, Listing, Measures, Publisher
from app.marketplace.search import PER_PAGE, Card, card_from, card_of
from app.modules.models import Version
from app.tenancy.models import Site


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """A site one could install on. install_id: of the module there already, None when it is free."""

    id: UUID
    name: str
    url: str
    install_id: UUID | None
    version: str | None

    @property
    def public_id(self) -> str:
        return encode("ste", self.id)

    @property
    def install_public_id(self) -> str:
        return encode("ins", self.install_id) if self.install_id else ""


def sites_with_module(db: Session, *, module_id: UUID, limit: int = 500) -> list[SiteChoice]:
    """The agency's live sites by name, each with its install of the module if it has one."""
    query = (
        select(Site.id, Site.name, Site.url, Install.id.label("install_id"), Version.version)
        .outerjoin(
            Install, and_(Install.site_id == Site.id, Install.module_id == module_id, Install.status != "removed")
        )
        .outerjoin(Version, Version.id == Install.version_id)
        .where(Site.archived_at.is_(None))
        .order_by(func.lower(Site.name), Site.id)
        .limit(limit)
    )
    return [SiteChoice(*row) for row in db.execute(query)]


@dataclass(frozen=True, slots=True)
class Shelf:
    """A collection with the first of its modules. more: whether there are others."""

    slug: str
    name: str
    summary: str
    kind: str
    items: list[Card]
    more: bool


def shelves(db: Session, *, now: datetime, most: int = 6) -> list[Shelf]:
    """The shown collections in order; those with nothing on them are left out. One statement."""
    return [shelf for shelf in _shelves(db, None, most, 0, now) if shelf.items]


def shelf(db: Session, slug: str, *, now: datetime, page: int = 1) -> Shelf | None:
    """One shown collection and one page of its modules."""
    return next(iter(_shelves(db, slug, PER_PAGE, (page - 1) * PER_PAGE, now)), None)


def _shelves(db: Session, only: str | None, most: int, skip: int, now: datetime) -> list[Shelf]:
    values = {"only": only, "most": most + 1, "skip": skip, "now": now}
    return [
        Shelf(
            row.slug,
            row.name,
            row.summary,
            row.kind,
            [card_of(item) for item in row.items[:most]],
            len(row.items) > most,
        )
        for row in db.execute(text(load_sql("marketplace/shelves")), values)
    ]


def related(db: Session, *, module_id: UUID, most: int = 4) -> list[Card]:
    """Modules that go with one: what sites have together with it, then what is most like it."""
    rows = db.execute(text(load_sql("marketplace/related")), {"module": module_id, "most": most}).mappings()
    return [card_from(dict(row)) for row in rows]


def measures_of(db: Session, *, module_id: UUID) -> Measures | None:
    return db.get(Measures, module_id)


@dataclass(frozen=True, slots=True)
class PublisherPage:
    """A publisher as its page shows it: of what the agency may find of it one page, most installed first; the rest of all."""

    id: str
    name: str
    verified: bool
    installs: int
    since: datetime
    modules: int
    items: list[Card]

    @property
    def pages(self) -> int:
        return max(1, -(-self.modules // PER_PAGE))


def publisher_page(db: Session, *, agency_id: UUID, page: int = 1) -> PublisherPage | None:
    """None when the agency may find nothing of this publisher, or nothing on this page."""
    every = select(
        Listing,
        func.count().over().label("modules"),
        func.sum(Listing.installs).over().label("installed"),
        func.min(Listing.published_at).over().label("since"),
    ).where(Listing.agency_id == agency_id)
    order = (Listing.installs.desc(), Listing.module_id)
    rows = db.execute(every.order_by(*order).limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()
    if not rows:
        return None
    first = rows[0]
    return PublisherPage(
        id=encode("agc", agency_id),
        name=first.Listing.publisher,
        verified=first.Listing.verified,
        installs=int(first.installed),
        since=first.since,
        modules=first.modules,
        items=[card_from(vars(row.Listing)) for row in rows],
    )


def listing_of(db: Session, *, module_id: UUID) -> Listing | None:
    return db.get(Listing, module_id)


def items_of(db: Session, *, collection_id: UUID) -> list[Card]:
    """What is on a curated shelf, in order, whether it is shown or not; for staff. Only what everybody may find."""
    query = (
        select(Listing)
        .join(CollectionItem, CollectionItem.module_id == Listing.module_id)
        .where(CollectionItem.collection_id == collection_id, Listing.tier == "public")
        .order_by(CollectionItem.place)
    )
    return [card_from(vars(row)) for row in db.scalars(query)]


def collections(db: Session) -> list[tuple[Collection, int]]:
    """Every collection in order with how many modules staff put on it; for staff."""
    count = (
        select(func.count())
        .where(CollectionItem.collection_id == Collection.id)
        .correlate(Collection)
        .scalar_subquery()
    )
    rows = db.execute(select(Collection, count).order_by(Collection.place, Collection.slug))
    return [(row[0], row[1]) for row in rows]


@dataclass(frozen=True, slots=True)
class PublisherRow:
    """A publisher in the list of staff."""

    id: str
    name: str
    modules: int
    verified_at: datetime | None


def publishers(db: Session, *, text: str = "", most: int = 50) -> list[PublisherRow]:
    """Agencies with a public module, by name; for staff."""
    query = (
        select(Listing.agency_id, Listing.publisher, func.count(), Publisher.verified_at)
        .outerjoin(Publisher, Publisher.agency_id == Listing.agency_id)
        .where(Listing.tier == "public", func.lower(Listing.publisher).contains(text.lower(), autoescape=True))
        .group_by(Listing.agency_id, Listing.publisher, Publisher.verified_at)
        .order_by(func.lower(Listing.publisher), Listing.agency_id)
    )
    return [PublisherRow(encode("agc", row[0]), row[1], row[2], row[3]) for row in db.execute(query.limit(most))]
