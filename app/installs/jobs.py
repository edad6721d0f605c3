"""installs.provision, installs.deprovision, installs.sweep, installs.purge: the rows of modules made, moved and removed.

A job may be killed at any point: what it does to tables is one transaction each, its steps are kept as it goes, and the
sweep orders again what has stood still. One job per install at a time, held by an advisory lock that dies with it.
"""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from uuid import UUID

import psycopg
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.db.base import db as flask_db
from app.db.pools import alone, owner_connection
from app.db.scope import current_scope, platform_scope, tenant_scope
from app.db.session import transaction
from app.errors import AppError
from app.installs.models import Install
from app.installs.moving import end_move, keep_file, keep_records, purge_moves, records_put_back
from app.installs.outcomes import activate, begin, fail, give_up_copy, mark_removed
from app.installs.records import bring_back, drop_hidden, fill_defaults, put_away, used_options
from app.installs.schedules import drop_schedules, set_schedules
from app.installs.upgrades import WouldLoseData
from app.installs.work import Work, work_of
from app.lib.clock import utcnow
from app.lib.storage import storage
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.modules.storage.apply import drop_schema, lock_module, registered
from app.modules.storage.apply import provision as provision_tables
from app.modules.storage.desired import desired_layout
from app.modules.storage.export import drop_site_rows
from app.modules.storage.plan import losses
from app.queue.enqueue import enqueue

log = logging.getLogger(__name__)

STALLED = timedelta(seconds=60)
# Processes forget an install when they are told that it changed; one that missed it does within 5 s (runtime.context).
# Until then it may still answer a write, which must be in the copy.
SETTLE_S = 6.0


def provision(install_id: str) -> None:
    """Make what an install needs and activate it; or undo it all and say why."""
    db = flask_db.session()
    with owner_connection() as owner, alone(owner, f"install:{UUID(install_id)}") as mine:
        work = work_of(db, UUID(install_id), status="provisioning") if mine else None
        if work is None:
            return
        try:
            _provision(db, owner, work)
        except Exception as error:  # whatever it was: the person waiting is told, and can try again
            log.exception("provisioning of install %s failed", work.install_id)
            fail(db, work.install_id, _reason(error), now=utcnow())
            _undo(db, owner, work)


def _provision(db: Session, owner: psycopg.Connection, work: Work) -> None:
    begin(db, work.install_id, "check", now=utcnow())
    if work.task in ("upgrade", "rollback") and work.records == "keep":
        _must_have_place(owner, work)
    if work.task == "upgrade":
        begin(db, work.install_id, "copy", now=utcnow())
        keep_records(db, owner, work)
    elif work.task == "rollback":
        begin(db, work.install_id, "since", now=utcnow())
        keep_file(db, owner, work)
    with records_put_back(owner, work):
        made = provision_tables(
            owner,
            module_id=work.module_id,
            short_id=work.short_id,
            needed=lambda: needed_manifests(db, work.module_id),
            progress=lambda key: begin(db, work.install_id, key, now=utcnow()),
        )
    if work.task != "install":
        begin(db, work.install_id, "records", now=utcnow())
    if work.task == "restore":
        bring_back(owner, schema=work.schema, layout=made.layout, site_id=work.site_id, name=export_name(work))
    elif work.previous is not None and work.task in ("upgrade", "rollback") and work.records == "keep":
        fill_defaults(
            owner,
            schema=work.schema,
            layout=made.layout.for_manifest(work.manifest),
            manifest=work.manifest,
            before=work.previous,
            site_id=work.site_id,
        )
    begin(db, work.install_id, "schedules", now=utcnow())
    with transaction(db):
        install = db.get_one(Install, work.install_id)
        set_schedules(db, install=install, manifest=work.manifest, site_zone=work.site_zone, now=utcnow())
        end_move(db, install, now=utcnow())
        activate(db, install, now=utcnow())
    storage().delete(export_name(work))


def _must_have_place(owner: psycopg.Connection, work: Work) -> None:
    """Fields can be hidden, a value that the other version does not know cannot. Raises WouldLoseData."""
    union = registered(owner, work.module_id)
    if union is None or work.previous is None:
        return
    lost = losses(union.for_manifest(work.previous), desired_layout(work.manifest))
    if used := used_options(owner, schema=work.schema, site_id=work.site_id, lost=lost):
        raise WouldLoseData(used)


def _undo(db: Session, owner: psycopg.Connection, work: Work) -> None:
    """Leave the database as it was: a failed upgrade has only added columns, the others may have made tables and rows."""
    if work.task in ("upgrade", "rollback"):
        return
    with owner.transaction():
        lock_module(owner, work.module_id)
        layout = registered(owner, work.module_id)
        if layout is not None:
            drop_site_rows(owner, schema=work.schema, layout=layout, site_id=work.site_id)
            if not needed_manifests(db, work.module_id):
                drop_schema(owner, module_id=work.module_id, short_id=work.short_id)


def deprovision(install_id: str) -> None:
    """Keep a copy of a removed install's records, take them out, and the schema too when nobody else needs it."""
    db = flask_db.session()
    with owner_connection() as owner, alone(owner, f"install:{UUID(install_id)}") as mine:
        work = work_of(db, UUID(install_id), status="removing") if mine else None
        if work is None:
            return
        try:
            _deprovision(db, owner, work)
        except Exception as error:  # the sweep tries again; the record says why it takes long
            log.exception("removal of install %s failed", work.install_id)
            fail(db, work.install_id, _reason(error), now=utcnow())


def _deprovision(db: Session, owner: psycopg.Connection, work: Work) -> None:
    begin(db, work.install_id, "stop", now=utcnow())
    with transaction(db):
        drop_schedules(db, install=db.get_one(Install, work.install_id))
    time.sleep(SETTLE_S)
    begin(db, work.install_id, "export", now=utcnow())
    layout = registered(owner, work.module_id)
    if layout is not None:
        put_away(
            owner,
            schema=work.schema,
            layout=layout,
            site_id=work.site_id,
            name=export_name(work),
            exported=lambda: begin(db, work.install_id, "rows", now=utcnow()),
        )
    begin(db, work.install_id, "schema", now=utcnow())
    with owner.transaction():
        lock_module(owner, work.module_id)
        if not needed_manifests(db, work.module_id, without=work.install_id):
            drop_schema(owner, module_id=work.module_id, short_id=work.short_id)
    mark_removed(db, work.install_id, now=utcnow())


def sweep() -> None:
    """Order again what has been provisioning or removing without a sign of life for a minute."""
    db = flask_db.session()
    with platform_scope("stalled installs"), transaction(db):
        rows = db.execute(
            select(Install.id, Install.agency_id, Install.status).where(
                Install.status.in_(("provisioning", "removing")), Install.changed_at < utcnow() - STALLED
            )
        ).all()
    for row in rows:
        job = "installs.provision" if row.status == "provisioning" else "installs.deprovision"
        with tenant_scope(row.agency_id), transaction(db):
            enqueue(db, job, install_id=row.id)


def purge() -> None:
    """Delete the copies of records, and the hidden values, that have been kept for their 30 days."""
    db = flask_db.session()
    with platform_scope("copies kept long enough"), transaction(db):
        due = db.execute(
            select(Install.id, Install.agency_id).where(Install.status == "removed", Install.purge_after <= utcnow())
        ).all()
    for row in due:
        with tenant_scope(row.agency_id), transaction(db):
            install = db.get_one(Install, row.id)
            storage().delete(_export_name(install.agency_id, install.id))
            give_up_copy(install)
    _purge_parked(db)
    purge_moves(db)


def _purge_parked(db: Session) -> None:
    """Delete the values of fields and tables that a version gone back to has been hiding for 30 days."""
    with platform_scope("hidden values kept long enough"), transaction(db):
        query = select(Install.id, Install.agency_id).where(Install.parked_until <= utcnow())
        due = db.execute(query.where(Install.status.in_(("active", "paused")))).all()
    for row in due:
        with tenant_scope(row.agency_id), owner_connection() as owner, alone(owner, f"install:{row.id}") as mine:
            with transaction(db):
                install = db.get_one(Install, row.id)
                status = install.status
            work = work_of(db, row.id, status=status) if mine else None
            layout = registered(owner, work.module_id) if work else None
            if work is None or layout is None:
                continue
            drop_hidden(
                owner, schema=work.schema, layout=layout, seen=layout.for_manifest(work.manifest), site_id=work.site_id
            )
            with transaction(db):
                db.get_one(Install, row.id).parked_until = None


def export_name(work: Work) -> str:
    """Where the copy of a removed install's records is kept."""
    return _export_name(work.agency_id, work.install_id)


def _export_name(agency_id: UUID, install_id: UUID) -> str:
    return f"exports/{agency_id}/{install_id}.zip"


def needed_manifests(db: Session, module_id: UUID, *, without: UUID | None = None) -> list[Manifest]:
    """The manifests of the versions that have rows on any agency's sites or are about to, lowest version first."""
    agency_id = current_scope().agency_id
    with platform_scope(f"tables of module {module_id}, for agency {agency_id}"), transaction(db):
        # until an upgrade is over its install may yet go back to the version it leaves
        leaving = and_(Install.status == "provisioning", Install.previous_version_id == Version.id)
        query = (
            select(Version.manifest)
            .join(Install, or_(Install.version_id == Version.id, leaving))
            .where(Install.module_id == module_id, Install.status.not_in(("removed", "failed")))
            .group_by(Version.id)
            .order_by(Version.major, Version.minor, Version.patch, Version.prerelease != "", Version.prerelease)
        )
        if without is not None:
            query = query.where(Install.id != without)
        return [Manifest.from_dict(manifest) for manifest in db.scalars(query)]


def _reason(error: Exception) -> str:
    """What went wrong, for the person who waits; the whole of it is in the log."""
    if isinstance(error, AppError):
        return error.message
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return "Its tables were busy. Try again in a moment."
    return f"An unexpected error ({type(error).__name__}). It was written to the log."
