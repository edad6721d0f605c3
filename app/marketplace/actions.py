"""What platform staff do in the marketplace: shelves and their order, verified publishers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid
from app.events.outbox import record
from app.lib.ids import uuid7
from app.marketplace.models import Collection, CollectionItem, Listing, Publisher
from app.tenancy.models import Agency

MOST_ITEMS = 100


class SlugInUse(Conflict):
    """Another collection has this short name. Choose another one."""

    code = "slug_in_use"


def create_collection(db: Session, *, slug: str, name: str, summary: str, by: Actor, now: datetime) -> Collection:
    """A curated shelf, hidden until it is switched on. Raises SlugInUse."""
    last = db.scalar(select(func.max(Collection.place))) or 0
    made = Collection(
        id=uuid7(),
        slug=slug,
        name=name,
        summary=summary,
        kind="curated",
        place=last + 1,
        changed_at=now,
        changed_by=by.id,
    )
    try:
        with db.begin_nested():
            db.add(made)
            db.flush()
    except IntegrityError as error:
        raise SlugInUse() from error
    return made


def change_collection(
    db: Session,
    *,
    collection: Collection,
    name: str,
    summary: str,
    shown: bool,
    starts_at: datetime | None,
    ends_at: datetime | None,
    by: Actor,
    now: datetime,
) -> None:
    """Its words, and whether and from when until when everybody sees it. Raises Invalid."""
    if starts_at and ends_at and ends_at <= starts_at:
        raise Invalid.field("ends_at", "The end has to be after the beginning.", "too_early")
    collection.name, collection.summary, collection.shown = name, summary, shown
    collection.starts_at, collection.ends_at = starts_at, ends_at
    _touched(collection, by, now)


def move_collection(db: Session, *, collection: Collection, up: bool, by: Actor, now: datetime) -> None:
    """Change places with the shelf above or below; the first and the last stay where they are."""
    order = list(db.scalars(select(Collection).order_by(Collection.place, Collection.slug).with_for_update()))
    _move(order, next(one for one in order if one.id == collection.id), up)
    _touched(collection, by, now)


def delete_collection(db: Session, *, collection: Collection) -> None:
    """Take a curated shelf away. Raises Conflict for one that is worked out: that can be hidden."""
    if collection.kind != "curated":
        raise Conflict("This collection is worked out by itself. It can be hidden, not deleted.")
    db.delete(collection)


def put_on_shelf(db: Session, *, collection: Collection, slug: str, by: Actor, now: datetime) -> None:
    """Add a public module at the end. Raises Invalid: unknown, not public, there already, or too many."""
    if collection.kind != "curated":
        raise Conflict("What is in this collection is worked out by itself.")
    listing = db.scalar(select(Listing).where(Listing.slug == slug, Listing.tier == "public"))
    if listing is None:
        raise Invalid.field("module", "No module with this short name is open to everybody.", "unknown_module")
    items = _items(db, collection)
    if any(item.module_id == listing.module_id for item in items):
        raise Invalid.field("module", f"{listing.name} is on it already.", "there_already")
    if len(items) >= MOST_ITEMS:
        raise Invalid.field("module", f"A collection holds at most {MOST_ITEMS} modules.", "too_many")
    place = items[-1].place + 1 if items else 1
    db.add(CollectionItem(collection_id=collection.id, module_id=listing.module_id, place=place))
    _touched(collection, by, now)


def move_on_shelf(db: Session, *, collection: Collection, module_id: UUID, up: bool, by: Actor, now: datetime) -> None:
    """Change places with the module before or after it."""
    items = _items(db, collection)
    _move(items, _one(items, module_id), up)
    _touched(collection, by, now)


def take_off_shelf(db: Session, *, collection: Collection, module_id: UUID, by: Actor, now: datetime) -> None:
    db.delete(_one(_items(db, collection), module_id))
    _touched(collection, by, now)


def verify_publisher(db: Session, *, agency_id: UUID, verified: bool, by: Actor, now: datetime) -> None:
    """Say, or no longer say, that the publisher's identity was checked; it stands at each of its modules. Raises Invalid."""
    if db.get(Agency, agency_id) is None:
        raise Invalid.field("agency", "There is no such agency any more.", "unknown_agency")
    values = {"agency_id": agency_id, "verified_at": now, "verified_by": by.id}
    done = db.execute(
        insert(Publisher).values(values).on_conflict_do_nothing().returning(Publisher.agency_id)
        if verified
        else delete(Publisher).where(Publisher.agency_id == agency_id).returning(Publisher.agency_id)
    )
    if done.first() is not None:  # two clicks at once: it was done, and is written down, once
        record(db, "publisher.verified" if verified else "publisher.unverified", by=by, agency_id=agency_id)


def _items(db: Session, collection: Collection) -> list[CollectionItem]:
    query = select(CollectionItem).where(CollectionItem.collection_id == collection.id)
    return list(db.scalars(query.order_by(CollectionItem.place).with_for_update()))


def _one(items: list[CollectionItem], module_id: UUID) -> CollectionItem:
    for item in items:
        if item.module_id == module_id:
            return item
    raise Invalid.field("module", "This module is not on it.", "unknown_module")


def _move(order: list[Any], one: Any, up: bool) -> None:
    """Swap with the neighbour, and number all anew: places may have gaps."""
    at = order.index(one)
    other = at - 1 if up else at + 1
    if 0 <= other < len(order):
        order[at], order[other] = order[other], order[at]
    for place, item in enumerate(order, start=1):
        item.place = place


def _touched(collection: Collection, by: Actor, now: datetime) -> None:
    collection.changed_at, collection.changed_by = now, by.id
