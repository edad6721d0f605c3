"""What agencies want: modules kept for later, and requests for modules that do not exist, with votes and staff's answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, desc, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Invalid, NotFound
from app.events.outbox import record
from app.lib.ids import uuid7
from app.marketplace.models import Listing, Request, RequestVote, Wish
from app.marketplace.names import CATEGORIES
from app.marketplace.search import Card, card_from
from app.tenancy.models import Agency

PER_PAGE = 20
STATES = (("open", "Open"), ("planned", "Planned"), ("done", "Done"), ("declined", "Declined"))


def wishes(db: Session, *, most: int = 200) -> list[Card]:
    """What the agency keeps for later and may still find, newest first."""
    query = select(Listing).join(Wish, Wish.module_id == Listing.module_id).order_by(desc(Wish.created_at)).limit(most)
    return [card_from(vars(row)) for row in db.scalars(query)]


def is_wished(db: Session, *, module_id: UUID, agency_id: UUID) -> bool:
    return db.get(Wish, (agency_id, module_id)) is not None


def wish(db: Session, *, module_id: UUID, by: Actor, now: datetime) -> bool:
    """Keep a module for later, or no longer; whether it is kept now. Raises NotFound for one the agency does not find."""
    assert by.agency_id is not None
    if is_wished(db, module_id=module_id, agency_id=by.agency_id):
        db.execute(delete(Wish).where(Wish.agency_id == by.agency_id, Wish.module_id == module_id))
        return False
    if db.get(Listing, module_id) is None:
        raise NotFound()
    values = {"agency_id": by.agency_id, "module_id": module_id, "created_at": now}
    db.execute(insert(Wish).values(values).on_conflict_do_nothing())  # two clicks at once both want it kept
    return True


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One page of requests. voted: those the agency wants too."""

    items: list[Request]
    total: int
    voted: set[UUID]
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def requests(db: Session, *, agency_id: UUID | None, text: str = "", state: str = "", page: int = 1) -> RequestPage:
    """What is asked for, the most wanted first. text: words of title or text."""
    found = select(Request)
    for word in text.lower().split()[:6]:
        found = found.where(func.lower(Request.title + " " + Request.text).contains(word, autoescape=True))
    if state:
        found = found.where(Request.state == state)
    total = db.scalar(select(func.count()).select_from(found.subquery())) or 0
    order = (desc(Request.votes), desc(Request.created_at), Request.id)
    items = list(db.scalars(found.order_by(*order).limit(PER_PAGE).offset((page - 1) * PER_PAGE)))
    votes = select(RequestVote.request_id).where(
        RequestVote.agency_id == agency_id, RequestVote.request_id.in_([one.id for one in items])
    )
    return RequestPage(items, total, set(db.scalars(votes)), page)


def ask_for(db: Session, *, title: str, text: str, category: str, by: Actor, now: datetime) -> Request:
    """Ask for a module, with the first vote. Raises Invalid."""
    assert by.agency_id is not None
    if category not in CATEGORIES:
        raise Invalid.field("category", "Choose a category.", "unknown_category")
    made = Request(
        id=uuid7(), agency_id=by.agency_id, author=db.get_one(Agency, by.agency_id).name, title=title, text=text,
        category=category, created_at=now,
    )  # fmt: skip
    db.add(made)
    db.flush()
    db.add(RequestVote(request_id=made.id, agency_id=by.agency_id))
    return made


def want_too(db: Session, *, request_id: UUID, by: Actor) -> None:
    """Want it too, or no longer. Raises NotFound."""
    assert by.agency_id is not None
    if db.get(Request, request_id) is None:
        raise NotFound()
    if db.get(RequestVote, (request_id, by.agency_id)) is not None:
        given = (RequestVote.request_id == request_id, RequestVote.agency_id == by.agency_id)
        db.execute(delete(RequestVote).where(*given))
    else:  # two clicks at once both want it too
        values = {"request_id": request_id, "agency_id": by.agency_id}
        db.execute(insert(RequestVote).values(values).on_conflict_do_nothing())


def decide(db: Session, *, request: Request, state: str, answer: str, by: Actor) -> None:
    """What staff says of a request. Raises Invalid."""
    if state not in dict(STATES):
        raise Invalid.field("state", "Choose a state.", "unknown_state")
    before, request.state, request.answer = request.state, state, answer[:1000]
    record(
        db, "request.decided", by=by, agency_id=request.agency_id, target=request.public_id, target_name=request.title,
        changes={"state": [before, state]},
    )  # fmt: skip
