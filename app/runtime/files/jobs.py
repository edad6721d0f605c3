"""files.sweep: takes away what no record came to hold. files.follow: lets go of files whose records are gone.

A record is deleted in many ways (by hand, with another one, by undoing, by a module's function), so the records are
asked, not those who change them. Nobody can open a file whose record is gone; its bytes stay 30 days for those who undo.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.base import db as flask_db
from app.db.pools import runtime_pool
from app.db.scope import platform_scope
from app.db.session import transaction
from app.lib.clock import utcnow
from app.lib.storage import storage
from app.modules.naming import role_name, schema_name
from app.runtime.data.scoped import Scope, run
from app.runtime.files.actions import delete_bytes
from app.runtime.files.queries import folder_of

log = logging.getLogger(__name__)

WAITS = timedelta(hours=24)  # for a record to hold it
KEPT = timedelta(days=30)  # after its record is gone
_BATCH = 500


def sweep() -> None:
    """Delete files that waited a day for a record, and those of installs whose records are given up."""
    now = utcnow()
    while _delete(
        "SELECT id, agency_id, install_id FROM module_files WHERE state = 'pending' AND created_at < :moment LIMIT :most",
        {"moment": now - WAITS},
    ):
        pass
    while _delete(
        "SELECT f.id, f.agency_id, f.install_id FROM module_files f JOIN modules_v2 i ON i.id = f.install_id"
        " WHERE i.status = 'removed' AND (i.purge_after IS NULL OR i.purge_after < :moment) LIMIT :most",
        {"moment": now},
    ):
        pass


def follow() -> None:
    """Release files that no record holds any more, take back those that one holds again, delete what is long released."""
    now = utcnow()
    for install in _installs():
        follow_install(install, now=now)
    while _delete(
        "SELECT id, agency_id, install_id FROM module_files WHERE state = 'released' AND state_at < :moment LIMIT :most",
        {"moment": now - KEPT},
    ):
        pass


@dataclass(frozen=True, slots=True)
class Held:
    """An install with files, and where its records are."""

    install_id: UUID
    agency_id: UUID
    site_id: UUID
    short_id: str


def follow_install(install: Held, *, now: datetime) -> None:
    """The same for one install, whose tables are asked as the module itself, one site's rows at a time."""
    db = flask_db.session()
    with platform_scope("files whose records are gone"), transaction(db):
        rows = db.execute(
            text(
                "SELECT id, table_name, record_id, state FROM module_files WHERE install_id = :i AND state <> 'pending'"
            ),
            {"i": install.install_id},
        ).all()
    groups: dict[str, list[tuple[UUID, UUID, str]]] = defaultdict(list)
    for row in rows:
        groups[row.table_name].append((row.id, row.record_id, row.state))
    for table, files in groups.items():
        for start in range(0, len(files), _BATCH):
            _settle(db, install, table, files[start : start + _BATCH], now=now)
    _delete_strays(db, install, now=now)


def _settle(db: Session, install: Held, table: str, files: list[tuple[UUID, UUID, str]], *, now: datetime) -> None:
    held = _held(install, table, files)
    gone = [file_id for file_id, _, state in files if state == "attached" and file_id not in held]
    back = [file_id for file_id, _, state in files if state == "released" and file_id in held]
    with platform_scope("files whose records are gone"), transaction(db):
        for state, ids in (("released", gone), ("attached", back)):
            if ids:
                change = text("UPDATE module_files SET state = :state, state_at = :now WHERE id = ANY(:ids)")
                db.execute(change, {"state": state, "now": now, "ids": ids})


def _held(install: Held, table: str, files: list[tuple[UUID, UUID, str]]) -> set[UUID]:
    """Those of the files that their record names in any of its columns, hidden ones of other versions included."""
    query = sql.SQL(
        "SELECT f.id FROM unnest($1::uuid[], $2::uuid[]) AS f(id, record_id) JOIN {table} t"
        " ON t.site_id = $3 AND t.id = f.record_id WHERE strpos(to_jsonb(t)::text, f.id::text) > 0"
    ).format(table=sql.Identifier(schema_name(install.short_id), table))
    with runtime_pool().connection() as connection:
        statement = query.as_string(connection)
    scope = Scope(role_name(install.short_id), install.site_id, install.agency_id, "job:files.follow", "", "")
    [rows] = run(scope, [(statement, [[one[0] for one in files], [one[1] for one in files], install.site_id])])
    return {row[0] for row in rows}


def _delete_strays(db: Session, install: Held, *, now: datetime) -> None:
    """Bytes without a row: of a transaction that was undone, or of a process that died between the two."""
    folder = folder_of(install.agency_id, install.install_id)
    for name in storage().older_than(folder, now - WAITS):
        file_id = UUID(name.rpartition("/")[2][:36])  # what follows is the size of a smaller picture
        with platform_scope("files without a row"), transaction(db):
            known = db.scalar(text("SELECT true FROM module_files WHERE id = :id"), {"id": file_id})
        if not known:
            storage().delete(name)


def _installs() -> Iterator[Held]:
    db = flask_db.session()
    with platform_scope("installs with files"), transaction(db):
        rows = db.execute(
            text(
                "SELECT i.id, i.agency_id, i.site_id, m.short_id FROM modules_v2 i JOIN module_source m ON m.id = i.module_id"
                " WHERE i.status IN ('active', 'paused') AND EXISTS (SELECT FROM module_files f WHERE f.install_id = i.id)"
            )
        ).all()
    for row in rows:
        yield Held(row.id, row.agency_id, row.site_id, row.short_id)


def _delete(query: str, values: dict[str, object]) -> bool:
    """Delete a batch of files, bytes first: what is left after a crash is found again. Whether there may be more."""
    db = flask_db.session()
    with platform_scope("files nobody needs"), transaction(db):
        rows = db.execute(text(query), {**values, "most": _BATCH}).all()
    for row in rows:
        delete_bytes(row.agency_id, row.install_id, row.id)
    with platform_scope("files nobody needs"), transaction(db):
        db.execute(text("DELETE FROM module_files WHERE id = ANY(:ids)"), {"ids": [row.id for row in rows]})
    return len(rows) == _BATCH
