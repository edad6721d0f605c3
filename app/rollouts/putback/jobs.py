"""rollouts.put_back: a long run, as the person who ordered it. rollouts.put_back_sweep: those that stand still, and old ones.

What became of a row is noted in the transaction that puts it back, so a run that is killed goes on behind the last one.
"""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access.actors import Actor, member
from app.access.permissions import Permission, Role
from app.db.base import db as flask_db
from app.db.pools import alone, owner_connection
from app.db.scope import platform_scope
from app.db.session import transaction
from app.errors import AppError, Forbidden
from app.installs.actions import KEPT
from app.installs.models import Install, Move
from app.lib.clock import utcnow
from app.queue.enqueue import enqueue
from app.rollouts.putback.actions import carry_out, end_run, places_of
from app.rollouts.putback.models import PutBack, PutBackRow
from app.rollouts.putback.queries import tried_in
from app.rollouts.putback.working import Tried
from app.rollouts.runs import begin, fail, order_stalled
from app.tenancy.models import Membership
from app.workspace.desk import open_desk

log = logging.getLogger(__name__)


def put_back(run_id: str) -> None:
    """Work a run off. Nothing happens for one that is over."""
    db, wanted = flask_db.session(), UUID(run_id)
    with owner_connection() as owner, alone(owner, f"put-back:{wanted}") as mine:
        if not mine or not begin(db, PutBack, wanted):
            return
        try:
            _work(db, wanted)
        except AppError as error:
            fail(db, PutBack, wanted, error.message)
        except Exception as error:  # whatever it was: the person waiting is told, and can go on with it
            log.exception("putting back %s failed", wanted)
            fail(db, PutBack, wanted, f"An unexpected error ({type(error).__name__}). It was written to the log.")


def sweep() -> None:
    """Order again what has stood still for a minute; forget what is older than any file."""
    db, now = flask_db.session(), utcnow()
    with platform_scope("old put-backs"), transaction(db):
        db.execute(delete(PutBack).where(PutBack.created_at < now - 2 * KEPT))
        db.execute(delete(PutBackRow).where(PutBackRow.at < now - 2 * KEPT))
    order_stalled(
        db, PutBack, order=lambda run_id: enqueue(db, "rollouts.put_back", run_id=run_id),
        give_up=lambda run_id: fail(
            db, PutBack, run_id, "It was stopped in the middle three times, perhaps by a restart. Go on with it."
        ),
    )  # fmt: skip


def _work(db: Session, run_id: UUID) -> None:
    with transaction(db):
        run = db.get_one(PutBack, run_id)
        move, install = db.get_one(Move, run.move_id), db.get_one(Install, run.install_id)
        by = _person(db, run)
        desk = open_desk(db, install=install, actor=by)
        where = places_of(db, desk=desk, move=move)
        db.expunge(run)
        db.expunge(move)

    def tried() -> Tried:
        with transaction(db):
            return tried_in(db, run=run)

    def worked() -> None:
        with transaction(db):
            row = db.get_one(PutBack, run_id)
            row.changed_at, row.attempts = utcnow(), 0  # only attempts without a row more count

    found = carry_out(run=run, move=move, desk=desk, where=where, tried=tried, worked=worked)
    with transaction(db):
        end_run(db, run=db.get_one(PutBack, run_id), desk=desk, found=found, where=where, by=by, now=utcnow())


def _person(db: Session, run: PutBack) -> Actor:
    """Whoever ordered it, with the rights they have now. Raises Forbidden."""
    query = select(Membership.role).where(Membership.agency_id == run.agency_id, Membership.user_id == run.ordered_by)
    role = db.scalar(query)
    if run.ordered_by is None or role is None:
        raise Forbidden("Who ordered it is no longer a member of the agency.")
    by = member(user_id=run.ordered_by, name=run.ordered_name, agency_id=run.agency_id, role=Role(role))
    if not by.can(Permission.INSTALLS_CONFIGURE):
        raise Forbidden("Who ordered it may no longer change what is installed.")
    return by
