"""Ordering, ending and undoing the putting back of rows. The rows themselves are a matter of working.py."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict
from app.events.catalog import RECORDS_PUT_BACK
from app.installs.actions import tell
from app.installs.models import Install, Move
from app.installs.since import file_name
from app.lib.ids import uuid7
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.queue.enqueue import enqueue
from app.rollouts.putback.file import Survey, lines_of, survey
from app.rollouts.putback.models import PutBack
from app.rollouts.putback.queries import Counts, counts_of, done_rows, tried_in
from app.rollouts.putback.rows import Place, places
from app.rollouts.putback.working import Task, Tried, put_back_rows, undo_rows
from app.runtime.data.restore import MOST
from app.workspace.desk import Desk
from app.workspace.screens import has_history

MOST_WHILE_WAITING = 200


class NothingToPutBack(Conflict):
    """Choose at least one row that is not put back yet."""

    code = "nothing_to_put_back"


class PutBackRunning(Conflict):
    """Somebody is putting rows back at this moment. Wait for that to end."""

    code = "put_back_running"


class CannotUndo(Conflict):
    """This cannot be undone as one: it is undone already, too much, or of tables whose changes are not kept."""

    code = "cannot_undo"


def places_of(db: Session, *, desk: Desk, move: Move) -> dict[str, Place]:
    """Where the tables of a rollback's file are now, for this person."""
    newer, older = db.get_one(Version, move.from_version_id), db.get_one(Version, move.to_version_id)
    return places(desk, Manifest.from_dict(newer.manifest), Manifest.from_dict(older.manifest))


def order_put_back(
    db: Session, *, install: Install, move: Move, chosen: Iterable[int], over: Collection[int], by: Actor, now: datetime
) -> PutBack:
    """Order that rows of a rollback's file are put back. Up to 200 are for the caller to carry out, more are a job's.

    chosen: rows, counted from 1; over: those of them that may be overwritten although they were changed since. Rows that
    are put back already are left out, unless they are in `over`. Raises NothingToPutBack, PutBackRunning, Conflict.
    """
    if install.status != "active":
        raise Conflict(f"The module is {install.status}. Rows can be put back when it is active.")
    wanted = sorted((set(chosen) - done_rows(db, move_id=move.id)) | set(over))
    if not wanted:
        raise NothingToPutBack()
    run = PutBack(
        id=uuid7(), agency_id=install.agency_id, site_id=install.site_id, install_id=install.id, move_id=move.id,
        batch=uuid7(), chosen=wanted, over=sorted(over), ordered_by=by.id if by.kind == "person" else None,
        ordered_name=by.name, created_at=now, changed_at=now,
    )  # fmt: skip
    try:
        with db.begin_nested():  # two people can press at once: the unique key decides
            db.add(run)
            db.flush()
    except IntegrityError as error:
        raise PutBackRunning() from error
    if len(wanted) > MOST_WHILE_WAITING:
        enqueue(db, "rollouts.put_back", run_id=run.id)
    return run


def carry_out(
    *,
    run: PutBack,
    move: Move,
    desk: Desk,
    where: dict[str, Place],
    tried: Callable[[], Tried],
    worked: Callable[[], None] = lambda: None,
) -> Survey:
    """Put the rows of a run back, those that it has not come to yet. where: places_of(); tried: tried_in() anew at each call;
    worked: called after each transaction. Raises ObjectMissing, Unavailable.
    """
    found = survey(file_name(move.agency_id, move.id))
    chosen = set(run.chosen)
    lines = lines_of(found.name, (spot for spot in found.spots if spot.position in chosen and spot.table in where))
    put_back_rows(_task(run, desk, where, found.gone_back_at), lines, tried, worked)
    return found


def end_run(
    db: Session, *, run: PutBack, desk: Desk, found: Survey, where: dict[str, Place], by: Actor, now: datetime
) -> None:
    """A run has come to all of its rows: tell of it."""
    counts, tried = counts_of(db, run=run), tried_in(db, run=run)
    done = [spot for spot in found.spots if tried.get(spot.position, ("", 0))[0] == "put_back"]
    run.status, run.changed_at = "done", now
    run.can_undo = 0 < len(done) <= MOST and all(
        spot.change == "deleted" or has_history(desk.table(where[spot.table].table)) for spot in done
    )
    _tell(db, run, counts, undone=False, by=by)


def undo_put_back(db: Session, *, run: PutBack, desk: Desk, by: Actor, now: datetime) -> None:
    """Undo what a run did, all of it at once. Raises CannotUndo, ChangedSince, Invalid, NotFound (not the person's)."""
    if run.status != "done" or not run.can_undo:
        raise CannotUndo()
    counts = counts_of(db, run=run)
    undo_rows(_task(run, desk, {}, now))
    run.status, run.changed_at = "undone", now
    _tell(db, run, counts, undone=True, by=by)


def try_again(db: Session, *, run: PutBack, now: datetime) -> None:
    """Go on with a run that stopped. Raises PutBackRunning."""
    if run.status != "failed":
        raise PutBackRunning("It has not stopped.")
    run.status, run.failure, run.attempts, run.changed_at = "running", "", 0, now
    try:
        with db.begin_nested():
            db.flush()
    except IntegrityError as error:
        raise PutBackRunning() from error
    enqueue(db, "rollouts.put_back", run_id=run.id)


def _tell(db: Session, run: PutBack, counts: Counts, *, undone: bool, by: Actor) -> None:
    install = db.get_one(Install, run.install_id)
    data = {"put_back": counts.put_back, "left": counts.left, "refused": counts.refused, "undone": undone}
    tell(db, RECORDS_PUT_BACK, install, db.get_one(Module, install.module_id), by=by, data=data)


def _task(run: PutBack, desk: Desk, where: dict[str, Place], back_at: datetime) -> Task:
    return Task(desk, run.move_id, run.id, run.batch, where, frozenset(run.over), back_at)
