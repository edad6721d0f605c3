"""Replay: a read of the API from the log asked again, as its key, of this version of the module or of another.

Here only reads of records are asked again; calls that may change something are made again in rewrites.py, and undone.
The query of a read is kept sealed, as it may say who somebody looked for: it is opened to ask again, and not shown. What is asked
reads and nothing else; of the call then its status, time and size were kept, so those stand beside the answer now.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import psycopg
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.scope import current_scope
from app.errors import AppError, Conflict, NotFound
from app.gateway.models import ApiKey
from app.gateway.requestlog import opened_query
from app.installs.models import Install
from app.lib.ids import decode
from app.modules.manifest import Manifest
from app.modules.models import Version
from app.runtime.context import InstallContext, load_install
from app.runtime.data import Access, Data
from app.support.timeline import Line
from app.web.errors import status_of

MOST_SHOWN = 20_000  # characters of an answer
MOST_VERSIONS = 20
_PATH = re.compile(r"/api/modules/[^/]+/([a-z][a-z0-9_]*)(?:/([0-9a-f-]{36})|/(aggregate))?", re.ASCII)
_OTHERS = frozenset({"events", "docs", "files", "fn"})  # what is no table below a module


class NotReplayable(Conflict):
    """Only reads of records by a key that is still valid can be asked again."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer now. body: its beginning; code: of an error, '' for none; size_bytes: of the whole body."""

    version: str
    status: int
    code: str
    body: str
    duration_ms: float
    size_bytes: int


def can_be_replayed(line: Line) -> bool:
    """Whether this is a read of records."""
    return line.kind == "request" and line.install_id is not None and _target(line) is not None


def versions_of(db: Session, *, install: Install) -> list[Version]:
    """The versions it can be asked of: the one installed first, then the others that were released, newest first."""
    found = select(Version).where(Version.module_id == install.module_id, Version.status != "draft")
    rows = db.scalars(found.order_by(Version.created_at.desc()).limit(MOST_VERSIONS)).all()
    return sorted(rows, key=lambda version: version.id != install.version_id)


def replay(
    db: Session, *, line: Line, version: Version, keys: tuple[str, ...] = (), by: Actor, now: datetime
) -> Replay:
    """Ask again. keys: what the query was sealed under. Needs the agency's scope.

    Raises NotReplayable, and what loading the install does.
    """
    target = _target(line)
    if target is None or line.install_id is None:
        raise NotReplayable()
    access, pairs = access_of(db, line, scope="read", by=by, now=now), pairs_of(db, line, keys)
    context = as_version(load_install(line.install_id), version)
    started = time.monotonic()
    status, code, body = _ask(Data(context, access), *target, pairs)
    took_ms = (time.monotonic() - started) * 1000
    shown = body.decode(errors="replace")[:MOST_SHOWN]
    return Replay(version.version, status, code, shown, took_ms, len(body))


def read_of(path: str) -> tuple[str, UUID | None, bool] | None:
    """(table, record or None, whether an aggregate) of the path of a read of records; None for any other."""
    match = _PATH.fullmatch(path)
    if match is None or match[1] in _OTHERS:
        return None
    try:
        return match[1], UUID(match[2]) if match[2] else None, bool(match[3])
    except ValueError:
        return None


def _target(line: Line) -> tuple[str, UUID | None, bool] | None:
    return read_of(str(line.detail.get("path", ""))) if line.detail.get("method") == "GET" else None


def pairs_of(db: Session, line: Line, keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """The query of the recorded call."""
    statement = text(
        "SELECT query_sealed FROM external_api_requests WHERE agency_id = :agency AND request_id = :request LIMIT 1"
    )
    given = {"agency": current_scope().agency_id, "request": line.request_id}
    return list(opened_query(db.scalar(statement, given) or "", line.request_id, keys))


def access_of(db: Session, line: Line, *, scope: str, by: Actor, now: datetime) -> Access:
    """The way the key has now. A key that was revoked since, or lost the scope, does nothing, here either."""
    try:
        key = db.get(ApiKey, decode("key", str(line.detail.get("credential", ""))))
    except NotFound:
        key = None
    over = key is None or key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)
    if key is None or over or key.site_id != line.site_id or key.agency_id != by.agency_id or scope not in key.scopes:
        raise NotReplayable()
    actor = Actor(kind="key", id=key.id, agency_id=key.agency_id, request_id=by.request_id)
    return Access.for_key(actor, scopes=set(key.scopes), publishable=key.kind == "publishable")


def as_version(context: InstallContext, version: Version) -> InstallContext:
    """The install as if this version were the one on the site, over the tables there are."""
    if version.id == context.version_id:
        return context
    manifest = Manifest.from_dict(version.manifest)
    return replace(
        context, version_id=version.id, version=version.version, digest=version.digest, manifest=manifest,
        layout=context.physical.for_manifest(manifest), layout_key=f"replay:{version.digest}:{context.physical.digest}",
    )  # fmt: skip


def _ask(
    data: Data, table: str, record: UUID | None, aggregate: bool, pairs: list[tuple[str, str]]
) -> tuple[int, str, bytes]:
    try:
        if aggregate:
            return 200, "", b'{"data":%b}' % data.aggregate(table, data.parse_aggregation(table, pairs))
        if record is None:
            return 200, "", data.list(table, data.parse_list(table, pairs)).body
        return 200, "", b'{"data":%b}' % data.get(table, record, data.parse_get(table, pairs)).data
    except AppError as error:
        return status_of(error), error.code, error.message.encode()
    except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as error:
        raise NotReplayable("The tables on this site are not yet as this version needs them.") from error
