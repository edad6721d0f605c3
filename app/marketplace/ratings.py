"""Ratings: what agencies that used a module say of it, votes, reports, the publisher's answer, and moderation by staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events.outbox import record
from app.lib.ids import encode, uuid7
from app.marketplace.models import ActiveDays, Listing, Rating, Report, Vote
from app.modules.models import Module
from app.tenancy.models import Agency

DAYS_NEEDED = 7
PER_PAGE = 10
REASONS = (
    ("spam", "Advertising or nonsense"),
    ("abuse", "Insults somebody"),
    ("personal", "Tells something personal"),
    ("untrue", "Is not about this module"),
)


class NotUsedEnough(Forbidden):
    """A module can be rated after seven days of use."""

    code = "not_used_enough"


@dataclass(frozen=True, slots=True)
class Own:
    """What the agency may say of a module: major: the version it has used longest enough, newest first; days: of use."""

    major: int | None
    days: int
    rating: Rating | None


@dataclass(frozen=True, slots=True)
class Reviews:
    """One page of what is said. stars: {5: how many gave five, …}; voted: ratings the agency found helpful."""

    items: list[Rating]
    total: int
    stars: dict[int, int]
    voted: set[UUID]
    number: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


def reviews(db: Session, *, module_id: UUID, agency_id: UUID, page: int = 1) -> Reviews:
    """What agencies say of a module, the most helpful first; hidden ones are left out, also for who wrote them."""
    shown = (Rating.module_id == module_id, Rating.hidden_at.is_(None))
    stars = dict(db.execute(select(Rating.stars, func.count()).where(*shown).group_by(Rating.stars)).all())
    order = (Rating.helpful.desc(), Rating.created_at.desc(), Rating.id)
    query = select(Rating).where(*shown).order_by(*order).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
    items = list(db.scalars(query))
    votes = select(Vote.rating_id).where(Vote.agency_id == agency_id, Vote.rating_id.in_([one.id for one in items]))
    voted = set(db.scalars(votes)) if items else set()
    return Reviews(items, sum(stars.values()), {n: stars.get(n, 0) for n in range(5, 0, -1)}, voted, page)


def own_rating(db: Session, *, module: Module, agency_id: UUID) -> Own:
    """Whether the agency may rate the module now, and what it said before. Publishers do not rate their own."""
    query = (
        select(ActiveDays)
        .where(ActiveDays.agency_id == agency_id, ActiveDays.module_id == module.id)
        .order_by(ActiveDays.major.desc())
    )
    used = list(db.scalars(query)) if module.agency_id != agency_id else []
    enough = next((one for one in used if one.days >= DAYS_NEEDED), None)
    if enough is None:
        return Own(None, max((one.days for one in used), default=0), None)
    kept = db.scalar(
        select(Rating).where(Rating.agency_id == agency_id, Rating.module_id == module.id, Rating.major == enough.major)
    )
    return Own(enough.major, enough.days, kept)


def rate(db: Session, *, module: Module, stars: int, text: str, by: Actor, now: datetime) -> Rating:
    """Say something of the newest major version used long enough, or change what was said. Raises NotUsedEnough, Invalid."""
    assert by.agency_id is not None
    if not 1 <= stars <= 5:
        raise Invalid.field("stars", "Choose one to five stars.", "stars")
    own = own_rating(db, module=module, agency_id=by.agency_id)
    if own.major is None:
        raise NotUsedEnough()
    name = db.get_one(Agency, by.agency_id).name
    if own.rating is not None:
        said = own.rating
        said.stars, said.text, said.changed_at, said.user_id, said.author = stars, text, now, by.id, name
        return said
    said = Rating(
        id=uuid7(), agency_id=by.agency_id, module_id=module.id, major=own.major, user_id=by.id, author=name, stars=stars,
        text=text, created_at=now, changed_at=now,
    )  # fmt: skip
    try:
        with db.begin_nested():  # two people of an agency at once: the unique key decides
            db.add(said)
            db.flush()
    except IntegrityError as error:
        raise Conflict("Somebody of your agency has just rated it. Look at the page again.") from error
    return said


def take_back(db: Session, *, module: Module, by: Actor) -> None:
    """Take the agency's rating of the newest major version it used away. Nothing happens without one."""
    assert by.agency_id is not None
    own = own_rating(db, module=module, agency_id=by.agency_id)
    if own.rating is not None:
        db.delete(own.rating)


def vote(db: Session, *, rating: Rating, by: Actor) -> None:
    """Find it helpful, or no longer. Raises Conflict for one's own and for what is said of one's own module."""
    assert by.agency_id is not None
    if rating.agency_id == by.agency_id or db.get_one(Module, rating.module_id).agency_id == by.agency_id:
        raise Conflict("Whether this is helpful is for others to say.")
    if db.get(Vote, (rating.id, by.agency_id)) is not None:
        db.execute(delete(Vote).where(Vote.rating_id == rating.id, Vote.agency_id == by.agency_id))
    else:  # two clicks at once both find it helpful
        values = {"rating_id": rating.id, "agency_id": by.agency_id}
        db.execute(insert(Vote).values(values).on_conflict_do_nothing())


def report(db: Session, *, rating: Rating, reason: str, by: Actor, now: datetime) -> None:
    """Ask staff to look at it; once per agency. Raises Invalid."""
    assert by.agency_id is not None
    if reason not in dict(REASONS):
        raise Invalid.field("reason", "Say what is wrong with it.", "unknown_reason")
    values = {"rating_id": rating.id, "agency_id": by.agency_id, "reason": reason, "at": now}
    db.execute(insert(Report).values(values).on_conflict_do_nothing())


def answer(db: Session, *, rating: Rating, text: str, now: datetime) -> None:
    """The publisher's words below a rating; '' takes them back. Raises Forbidden for everybody else."""
    if len(text) > 4000:
        raise Invalid.field("answer", "At most 4,000 characters.", "too_long")
    if not db.scalar(select(func.module_rating_answer(rating.id, text, now))):
        raise Forbidden("Only the publisher of the module answers.")


def rating_by_id(db: Session, rating_id: UUID) -> Rating:
    """Raises NotFound for one the agency does not see."""
    found = db.get(Rating, rating_id)
    if found is None:
        raise NotFound()
    return found


# -- staff


@dataclass(frozen=True, slots=True)
class Reported:
    """A rating that somebody reported and nobody has looked at."""

    rating: Rating
    module: str
    slug: str
    reasons: Sequence[str]
    since: datetime


def reported(db: Session, *, most: int = 50) -> list[Reported]:
    """The queue, oldest report first."""
    query = (
        select(Rating, Listing.name, Listing.slug, func.array_agg(Report.reason), func.min(Report.at))
        .join(Report, Report.rating_id == Rating.id)
        .join(Listing, Listing.module_id == Rating.module_id)
        .where(Report.settled_at.is_(None))
        .group_by(Rating.id, Listing.name, Listing.slug)
        .order_by(func.min(Report.at))
        .limit(most)
    )
    words = dict(REASONS)
    return [
        Reported(row[0], row[1], row[2], sorted({words[reason] for reason in row[3]}), row[4])
        for row in db.execute(query)
    ]


def settle(db: Session, *, rating: Rating, hide: bool, why: str, by: Actor, now: datetime) -> None:
    """Decide on a reported rating: hide it with a reason that its author reads, or leave it. Raises Invalid."""
    if hide and not why:
        raise Invalid.field("why", "Say why, for its author.", "missing")
    if hide:
        rating.hidden_at, rating.hidden_by, rating.hidden_why = now, by.id, why[:400]
    db.execute(update(Report).where(Report.rating_id == rating.id, Report.settled_at.is_(None)).values(settled_at=now))
    what = encode("rtg", rating.id)
    record(
        db, "rating.hidden" if hide else "rating.kept", by=by, agency_id=rating.agency_id, target=what, target_name=why
    )


def show_again(db: Session, *, rating: Rating, by: Actor) -> None:
    rating.hidden_at, rating.hidden_by, rating.hidden_why = None, None, ""
    record(db, "rating.shown", by=by, agency_id=rating.agency_id, target=encode("rtg", rating.id))


def hidden(db: Session, *, most: int = 50) -> list[tuple[Rating, str, str]]:
    """(rating, module's name, its slug) of what staff hid, newest first."""
    query = (
        select(Rating, Listing.name, Listing.slug)
        .join(Listing, Listing.module_id == Rating.module_id)
        .where(Rating.hidden_at.is_not(None))
        .order_by(Rating.hidden_at.desc())
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in db.execute(query)]
