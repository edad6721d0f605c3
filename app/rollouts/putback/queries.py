"""Reads of what was put back: marks of rows, counts and refusals of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.rollouts.putback.models import PutBack, PutBackRow
from app.rollouts.putback.rows import Mark


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of a run. left: changed since, or with nothing to do; told: those that the result says something of."""

    put_back: int = 0
    left: int = 0
    refused: int = 0
    undone: int = 0
    told: int = 0

    @property
    def noted(self) -> int:
        return self.put_back + self.left + self.refused + self.undone


def marks_of(db: Session, *, move_id: UUID, positions: Iterable[int]) -> dict[int, Mark]:
    """{row: what became of it} of these rows."""
    found = select(PutBackRow).where(PutBackRow.move_id == move_id, PutBackRow.position.in_(list(positions)))
    return {row.position: Mark(row.state, tuple(row.why), row.at) for row in db.scalars(found)}


def done_rows(db: Session, *, move_id: UUID) -> set[int]:
    """The rows of a file that are put back."""
    query = select(PutBackRow.position).where(PutBackRow.move_id == move_id, PutBackRow.state == "put_back")
    return set(db.scalars(query))


def tried_in(db: Session, *, run: PutBack) -> dict[int, tuple[str, int]]:
    """{row: (state, how often)} of those that a run has come to."""
    query = select(PutBackRow.position, PutBackRow.state, PutBackRow.tries)
    rows = db.execute(query.where(PutBackRow.move_id == run.move_id, PutBackRow.run_id == run.id))
    return {row.position: (row.state, row.tries) for row in rows}


def counts_of(db: Session, *, run: PutBack) -> Counts:
    """How many rows of a run went which way."""
    told = func.count().filter(PutBackRow.why != [])
    query = select(PutBackRow.state, func.count(), told).where(
        PutBackRow.move_id == run.move_id, PutBackRow.run_id == run.id
    )
    rows = db.execute(query.group_by(PutBackRow.state)).all()
    return Counts(**{row[0]: row[1] for row in rows}, told=sum(row[2] for row in rows))


def told_rows(db: Session, *, run: PutBack, offset: int, limit: int) -> dict[int, Mark]:
    """The rows that something is to be said of, in the order of the file."""
    query = select(PutBackRow).where(
        PutBackRow.move_id == run.move_id, PutBackRow.run_id == run.id, PutBackRow.why != []
    )
    rows = db.scalars(query.order_by(PutBackRow.position).offset(offset).limit(limit))
    return {row.position: Mark(row.state, tuple(row.why), row.at) for row in rows}


def last_runs(db: Session, *, move_id: UUID, agency_id: UUID, limit: int = 5) -> list[PutBack]:
    """The last runs over a file, newest first."""
    query = select(PutBack).where(PutBack.agency_id == agency_id, PutBack.move_id == move_id)
    return list(db.scalars(query.order_by(PutBack.id.desc()).limit(limit)))
