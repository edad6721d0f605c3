"""Taking due deliveries from the database, and giving back what was not sent. Workers at the same time get different ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.sql import load_sql
from app.webhooks.sending import Claimed

LEASE_S = (
    25  # an attempt takes 15 s at most; whoever is still at work extends it, so that one that ran out belongs to nobody
)


def claim(
    db: Session, *, room: int, struggling: bool, now: datetime, mine: Mapping[UUID, int] | None = None,
    most: int | None = None,
) -> list[Claimed]:  # fmt: skip
    """Take at most `room` due deliveries of `most` endpoints: of those in trouble (struggling), or of the others.

    mine: how many deliveries of each endpoint the caller has taken before and not told of yet. Of an endpoint that answers
    quickly more are taken than it may be called for at once, about a second's work: the caller has to keep to `allowed`, and
    while it has them nobody else is given any. What a killed worker took is due again after its lease.
    """
    held = mine or {}
    asked = {
        "now": now, "struggling": struggling, "room": room, "most": room if most is None else most, "held": list(held),
        "counts": list(held.values()),
    }  # fmt: skip
    with platform_scope("claim webhook deliveries"), transaction(db):
        ids = list(db.scalars(text(load_sql("webhooks/turns")), asked))
        if not ids:
            return []
        # a statement of its own: it sees what whoever held the locks before has taken
        given = {**asked, "ids": ids, "lease": now + timedelta(seconds=LEASE_S)}
        return [Claimed(*row) for row in db.execute(text(load_sql("webhooks/claim")), given).all()]


def extend(db: Session, held: Iterable[Claimed], *, now: datetime) -> set[UUID]:
    """A new lease for what is still being worked on. The ids of those that have it; others took the rest meanwhile."""
    found = list(held)
    given = {
        "ids": [one.id for one in found], "numbers": [one.number for one in found],
        "lease": now + timedelta(seconds=LEASE_S),
    }  # fmt: skip
    with platform_scope("extend webhook deliveries"), transaction(db):
        return set(db.scalars(text(load_sql("webhooks/extend")), given))


def release(db: Session, unsent: Iterable[Claimed], *, now: datetime) -> None:
    """Give back what was taken and not sent: it is due now, and no attempt was made."""
    found = list(unsent)
    given = {"now": now, "ids": [one.id for one in found], "numbers": [one.number for one in found]}
    with platform_scope("give webhook deliveries back"), transaction(db):
        db.execute(text(load_sql("webhooks/release")), given)
