"""trials.make: the tables and sample records of a trial. trials.sweep: takes away everything of trials that are over.

Either may be killed at any point. A schema is made and dropped in one transaction; the row of a trial goes last, so whatever is
left is found again; and a schema without a row, whatever happened to that, is dropped as well.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

import psycopg
from redis import RedisError
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access.actors import SYSTEM
from app.db.base import db as flask_db
from app.db.pools import alone, owner_connection
from app.db.scope import platform_scope, tenant_scope
from app.db.session import after_commit, transaction
from app.errors import AppError
from app.lib.clock import utcnow
from app.lib.storage import storage
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.modules.package import read_samples
from app.modules.queries import files_of
from app.modules.storage.apart import apart_names, drop_apart, provision_apart
from app.queue.enqueue import redis
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.context import load_trial
from app.runtime.data import Access, Data, Surface
from app.runtime.trials.models import PREFIX, Trial, schema_of
from app.runtime.trials.queries import made

log = logging.getLogger(__name__)

SETTLE = timedelta(seconds=6)  # a process that has not heard of the end forgets a trial within 5 s (runtime.context)
STALLED = timedelta(seconds=90)


def make(trial_id: str) -> None:
    """Make a trial ready, or note for who waits why that was not possible."""
    wanted = UUID(trial_id)
    db = flask_db.session()
    with owner_connection() as owner, alone(owner, f"trial:{wanted}") as mine:
        if not mine or not _waits(db, wanted):
            return
        try:
            _make(db, owner, wanted)
        except Exception as error:  # whatever it was: the person waiting is told
            log.exception("making trial %s failed", wanted)
            drop_apart(owner, name=schema_of(wanted))
            reason = error.message if isinstance(error, AppError) else "An unexpected error. It was written to the log."
            _settle(db, wanted, status="failed", failure=reason)


def _make(db: Session, owner: psycopg.Connection, trial_id: UUID) -> None:
    with transaction(db):
        version = db.get_one(Version, db.get_one(Trial, trial_id).version_id)
        manifest = Manifest.from_dict(version.manifest)
        # the sample alone: reading a whole package again would be half of the time that somebody waits
        sample, _ = read_samples(files_of(db, version_id=version.id, under="sample/"), manifest)
    layout = provision_apart(owner, name=schema_of(trial_id), manifest=manifest)
    with transaction(db):
        db.get_one(Trial, trial_id).layout = layout.to_dict()
    data = Data(load_trial(trial_id), Access(Surface.SYSTEM, SYSTEM), hooks=NoHooks())
    with data.transaction() as tx:
        Records(tx).insert_all(sample)
    _settle(db, trial_id, status="ready")


def _waits(db: Session, trial_id: UUID) -> bool:
    with transaction(db):
        found = db.get(Trial, trial_id)
        return found is not None and found.status == "making" and not found.layout


def _settle(db: Session, trial_id: UUID, *, status: str, failure: str = "") -> None:
    """A trial that was ended meanwhile stays so."""
    with transaction(db):
        trial = db.get_one(Trial, trial_id, with_for_update=True)
        if trial.status == "making":
            trial.status, trial.failure = status, failure
            trial.ready_at = utcnow() if status == "ready" else None
        after_commit(db, lambda: _tell(trial_id))


def _tell(trial_id: UUID) -> None:
    """Wake who waits for it."""
    try:
        with redis().pipeline() as together:
            together.lpush(made(trial_id), "1")
            together.expire(made(trial_id), 60)
            together.execute()
    except RedisError as error:
        log.warning("nobody hears that trial %s is made: %s", trial_id, error)


def sweep() -> None:
    """Take away what is over, what was never finished, and schemas that belong to no trial."""
    db, now = flask_db.session(), utcnow()
    with platform_scope("trials that are over"), transaction(db):
        over = db.execute(
            select(Trial.id, Trial.agency_id).where(
                (Trial.ends_at <= now - SETTLE) | ((Trial.status == "making") & (Trial.created_at <= now - STALLED))
            )
        ).all()
    for row in over:
        with tenant_scope(row.agency_id):
            try:
                _clean(db, row.agency_id, row.id)
            except psycopg.errors.LockNotAvailable:  # somebody still reads it: the next run will not find them
                log.info("trial %s is still in use", row.id)
    _drop_orphans(db)


def _clean(db: Session, agency_id: UUID, trial_id: UUID) -> None:
    with owner_connection() as owner, alone(owner, f"trial:{trial_id}") as mine:
        if not mine:
            return
        drop_apart(owner, name=schema_of(trial_id))
        storage().delete_all(f"files/{agency_id}/{trial_id}")
        with transaction(db):
            db.execute(delete(Trial).where(Trial.id == trial_id))


def _drop_orphans(db: Session) -> None:
    with owner_connection() as owner:
        there = apart_names(owner, prefix=PREFIX)  # before the rows: a row is committed long before its schema is made
        if not there:
            return
        with platform_scope("schemas of trials"), transaction(db):
            known = {schema_of(trial_id) for trial_id in db.scalars(select(Trial.id))}
        for name in there - known:
            log.warning("the schema %s belongs to no trial", name)
            drop_apart(owner, name=name)
