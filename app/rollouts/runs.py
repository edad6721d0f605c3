"""What a rehearsal and a putting back of rows are alike in: a run that somebody orders and a job works off.

It begins once at a time, fails with a reason, and is ordered again when it stands still, as after a kill.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.db.base import Identified
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.lib.clock import utcnow

STALLED = timedelta(seconds=60)
MOST_ATTEMPTS = 3


class Run(Identified):
    """What every kind of run has in its table. status: running, done, failed, and what a kind adds; attempts: of its job."""

    agency_id: Mapped[UUID]
    site_id: Mapped[UUID]
    install_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(server_default="running", default="running")
    failure: Mapped[str] = mapped_column(server_default="", default="")
    attempts: Mapped[int] = mapped_column(server_default="0", default=0)
    ordered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    ordered_name: Mapped[str] = mapped_column(server_default="", default="")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


Kind = TypeVar("Kind", bound=Run)


def begin(db: Session, kind: type[Kind], run_id: UUID) -> bool:
    """Count an attempt; False for a run that is over."""
    with transaction(db):
        found = db.get(kind, run_id)
        if found is None or found.status != "running":
            return False
        found.attempts += 1
        found.changed_at = utcnow()
        return True


def fail(
    db: Session, kind: type[Kind], run_id: UUID, reason: str, *, also: Callable[[Kind], None] = lambda run: None
) -> None:
    """Note why a run failed, unless it is over. also: what else its row then says."""
    with transaction(db):
        found = db.get(kind, run_id)
        if found is not None and found.status == "running":
            found.status, found.failure, found.changed_at = "failed", reason[:1000], utcnow()
            also(found)


def order_stalled(
    db: Session, kind: type[Kind], *, order: Callable[[UUID], None], give_up: Callable[[UUID], None]
) -> None:
    """Order the job again of what has stood still for a minute; give up what was begun three times. Both in the run's agency."""
    with platform_scope(f"stalled {kind.__name__.lower()}s"), transaction(db):
        query = select(kind.id, kind.agency_id, kind.attempts)
        rows = db.execute(query.where(kind.status == "running", kind.changed_at < utcnow() - STALLED)).all()
    for row in rows:
        with tenant_scope(row.agency_id):
            if row.attempts >= MOST_ATTEMPTS:
                give_up(row.id)
            else:
                with transaction(db):
                    order(row.id)
