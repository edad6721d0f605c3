"""What the job of an upgrade or rollback does beside the tables: copy, file, rows put back, how the move ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import null, select, update
from sqlalchemy.orm import Session

from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.installs.actions import KEPT
from app.installs.carried import set_since
from app.installs.models import Install, Move
from app.installs.queries import ordered_move
from app.installs.since import Since, counts_of, file_name, write_file
from app.installs.snapshots import keep_copy, part_of, put_back, rows_of_copy, snapshot_name, touched
from app.installs.upgrades import WATCHED
from app.installs.work import Work
from app.lib.clock import rfc3339, utcnow
from app.lib.storage import storage
from app.modules.storage.apply import lock_module, registered
from app.modules.storage.desired import desired_layout


def keep_records(db: Session, owner: psycopg.Connection, work: Work) -> None:
    """Before an upgrade: copy the rows of the tables it touches. A copy made by a run that was killed stays as it is."""
    union = registered(owner, work.module_id)
    if work.move_id is None or work.previous is None or union is None:
        return
    name = snapshot_name(work.agency_id, work.move_id)
    part = touched(union, union.for_manifest(work.previous), desired_layout(work.manifest))
    if not part.tables:
        return
    copied_at = utcnow()
    if not storage().exists(name):
        keep_copy(owner, schema=work.schema, part=part, site_id=work.site_id, name=name)
    with transaction(db):
        move = db.get_one(Move, work.move_id)
        move.copied_at, move.copied_rows = copied_at, rows_of_copy(name)
        move.copied_tables = [table.name for table in part.tables]


def keep_file(db: Session, owner: psycopg.Connection, work: Work) -> None:
    """Before a rollback: write the file of what was written since. One that a run made that was killed stays as it is."""
    union, undone = registered(owner, work.module_id), work.copy
    if work.move_id is None or work.previous is None or union is None or undone is None or undone.moved_at is None:
        return
    name = file_name(work.agency_id, work.move_id)
    since = Since(
        schema=work.schema,
        site_id=work.site_id,
        union=union,
        newer=union.for_manifest(work.previous),
        older=union.for_manifest(work.manifest),
        newer_manifest=work.previous,
        moved_at=undone.copied_at or undone.moved_at,
        copied=part_of(union, undone.copied_tables),
        copy_name=snapshot_name(undone.agency_id, undone.id),
        put_back=work.records == "put_back",
    )
    head: dict[str, Any] = {
        "module": work.manifest.slug,
        "from": work.previous.version,
        "to": work.manifest.version,
        "upgraded_at": rfc3339(undone.moved_at),
        "gone_back_at": rfc3339(utcnow()),
        "records": work.records,
    }
    with transaction(db):
        back, taken = db.get_one(Move, work.move_id), db.get_one(Move, undone.id)
        head["settings"] = set_since(taken, back, work.manifest)
    if not storage().exists(name):
        write_file(owner, since, name=name, head=head)
    with transaction(db):
        db.get_one(Move, work.move_id).file_rows = counts_of(name)


@contextmanager
def records_put_back(owner: psycopg.Connection, work: Work) -> Iterator[None]:
    """For the change of tables: where the rows are to be as they were, both are one transaction."""
    undone, union = work.copy, registered(owner, work.module_id)
    if work.records != "put_back" or undone is None or not undone.copied_tables or union is None:
        yield
        return
    with owner.transaction():
        lock_module(owner, work.module_id)
        put_back(
            owner,
            schema=work.schema,
            union=union,
            part=part_of(union, undone.copied_tables),
            site_id=work.site_id,
            name=snapshot_name(undone.agency_id, undone.id),
        )
        yield


def end_move(db: Session, install: Install, *, now: datetime) -> None:
    """The other version serves from the end of this transaction on: an upgrade is watched from here."""
    move = ordered_move(db, install=install)
    if move is None:
        return
    move.moved_at, move.keep_until = now, now + KEPT
    if move.kind == "upgrade":
        move.state, move.watch_until = "watching", now + WATCHED
        return
    move.state, move.ended_at = "settled", now
    undone = db.get(Move, move.undoes_id) if move.undoes_id else None
    if undone is not None:
        undone.state, undone.ended_at = "undone", now


def fail_move(db: Session, install: Install, reason: str, *, now: datetime) -> None:
    """Nothing was changed. An upgrade that was watched and could not be taken back is unhealthy: people have to decide."""
    move = ordered_move(db, install=install)
    if move is None:
        return
    why, move.reason = move.reason, (move.reason or reason)[:1000]
    move.state, move.ended_at = "failed", now
    move.keep_until = now if move.kind == "upgrade" else now + KEPT
    if move.own_before is not None:
        install.settings, install.secrets = move.own_before["settings"], move.own_before["secrets"]
    if move.undoes_id:
        undone = db.get_one(Move, move.undoes_id)
        if undone.state == "watching":
            undone.state, undone.ended_at = "unhealthy", now
            undone.reason = f"{why} It could not go back: {reason}".strip()[:1000]


def purge_moves(db: Session) -> None:
    """Delete the copies and files that have been kept for their 30 days."""
    with platform_scope("copies of moves kept long enough"), transaction(db):
        due = db.execute(select(Move.id, Move.agency_id).where(Move.keep_until <= utcnow())).all()
    for row in due:
        storage().delete(snapshot_name(row.agency_id, row.id))
        storage().delete(file_name(row.agency_id, row.id))
        with tenant_scope(row.agency_id), transaction(db):
            db.execute(
                update(Move)
                .where(Move.id == row.id)
                .values(keep_until=None, copied_tables=[], own_before=null(), own_after=null())
            )
