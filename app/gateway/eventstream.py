"""The events of a site, or of one install on it, for pulling: oldest first, none passed over, none that may not be seen."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.db.pools import runtime_pool
from app.errors import FieldError, Forbidden, NotFound
from app.events.catalog import CATALOG
from app.events.rights import PROGRAMS, Heard, heard
from app.gateway.credentials import Credential
from app.gateway.gateway import Described
from app.lib.clock import rfc3339
from app.lib.ids import decode, encode
from app.modules.event_types import module_events
from app.modules.manifest import Manifest
from app.runtime.context import InstallNotReady, load_install
from app.runtime.data.scoped import Connection, Scope
from app.runtime.query import QueryInvalid

DEFAULT_LIMIT, MAX_LIMIT = 100, 200
# In the order of transactions, up to the oldest that still runs: nothing can be added before what was read.
_EVENTS = """
SELECT id, type, subject, data, actor, occurred_at, site_id, install_id FROM events
WHERE site_id = $1 AND {of} AND transaction < pg_snapshot_xmin(pg_current_snapshot()) AND (transaction, sequence) > ($2::xid8, $3)
  AND (type = ANY ($5::text[]) OR ($6 AND install_id IS NOT NULL AND type <> ALL ($7::text[])))
ORDER BY transaction, sequence LIMIT $4
"""
_OF_SITE, _OF_INSTALL = _EVENTS.format(of="true"), _EVENTS.format(of="install_id = $8")
_PLACE = """
SELECT transaction::text, sequence FROM events WHERE id = $1 AND site_id = $2 AND ($3::uuid IS NULL OR install_id = $3)
"""
_INSTALLS = "SELECT runtime_site_installs()"
_SITE = heard(PROGRAMS, places={"site", "install"})
_INSTALL = heard(PROGRAMS, places={"install"})


class NotOfWholeSite(Forbidden):
    """This credential is for one module. The events of the whole site need one that is for every module of the site."""

    code = "not_of_whole_site"


def must_cover_site(credential: Credential) -> None:
    """Raises NotOfWholeSite."""
    if credential.install_id is not None:
        raise NotOfWholeSite()


def pull_events(credential: Credential, install_id: UUID | None, query: list[tuple[str, str]]) -> bytes:
    """{"data": [{id, type, timestamp, data, …}], "has_more", "next_cursor"} of an install; None: of the whole site.

    Raises QueryInvalid.
    """
    after, limit = _asked(query)
    allowed: Heard = _SITE if install_id is None else _INSTALL
    scope = _scope(credential)
    with runtime_pool().connection() as plain:
        connection = Connection(plain)
        try:
            transaction, sequence = _place(connection, scope, after, install_id) if after else ("0", 0)
            given = [
                scope.site_id, transaction, sequence, limit + 1, allowed.platform, allowed.modules, allowed.known,
            ]  # fmt: skip
            statement = (_OF_SITE, given) if install_id is None else (_OF_INSTALL, [*given, install_id])
            [rows] = connection.run(scope, statement)
        finally:
            connection.rollback()
    events = [_event(*row) for row in rows[:limit]]
    more = len(rows) > limit
    body = {"data": events, "has_more": more, "next_cursor": events[-1]["id"] if events else None}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def types_of_install(manifest: Manifest, describe: Described) -> list[dict[str, Any]]:
    """Every type that the stream of an install can hold, the module's own first."""
    return [*_of_module(manifest), *_of_platform(_INSTALL, describe)]


def types_of_site(credential: Credential, describe: Described) -> list[dict[str, Any]]:
    """Every type that the stream of the site can hold: the platform's, then those of each module that is there.

    module: the slug of whose it is, None for the platform's.
    """
    with runtime_pool().connection() as plain:
        connection = Connection(plain)
        try:
            [rows] = connection.run(_scope(credential), (_INSTALLS, []))
        finally:
            connection.rollback()
    found = [{**one, "module": None} for one in _of_platform(_SITE, describe)]
    for (install_id,) in rows:
        try:
            context = load_install(install_id, even_paused=True)
        except (NotFound, InstallNotReady):  # it tells nothing before it is there
            continue
        found += [{**one, "module": context.module_slug} for one in _of_module(context.manifest)]
    return found


def _of_module(manifest: Manifest) -> Iterable[dict[str, Any]]:
    return [
        {"type": one.type, "label": one.label, "schema": one.schema, "example": one.example}
        for one in module_events(manifest)
        if one.type not in CATALOG
    ]


def _of_platform(allowed: Heard, describe: Described) -> Iterable[dict[str, Any]]:
    for name in allowed.platform:
        schema, example = describe(name)
        yield {"type": name, "label": CATALOG[name].label, "schema": schema, "example": example}


def _scope(credential: Credential) -> Scope:
    return Scope("none", credential.site_id, credential.agency_id, credential.ref, "", "")


def _place(connection: Connection, scope: Scope, after: UUID, install_id: UUID | None) -> tuple[str, int]:
    [rows] = connection.run(scope, (_PLACE, [after, scope.site_id, install_id]))
    if not rows:
        raise _wrong("after", "there is no such event; it may be older than what is kept")
    return rows[0][0], rows[0][1]


def _asked(query: list[tuple[str, str]]) -> tuple[UUID | None, int]:
    given = dict(query)
    if unknown := sorted(given.keys() - {"after", "limit"}):
        raise _wrong(unknown[0], "there is no such parameter; there are after and limit")
    limit = given.get("limit", str(DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= MAX_LIMIT):
        raise _wrong("limit", f"must be a number from 1 to {MAX_LIMIT}")
    try:
        return (decode("evt", given["after"]) if "after" in given else None), int(limit)
    except NotFound:
        raise _wrong("after", "is not the id of an event") from None


def _wrong(name: str, detail: str) -> QueryInvalid:
    return QueryInvalid(f"{name}: {detail}", errors=[FieldError(f"/{name}", "invalid", detail)])


def _event(
    event_id: UUID, kind: str, subject: str, data: Any, actor: str, at: Any, site_id: UUID, install_id: UUID | None
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": encode("evt", event_id), "type": kind, "timestamp": rfc3339(at), "subject": subject, "actor": actor, "data": data,
        "site": encode("ste", site_id), "install": encode("ins", install_id) if install_id else None,
    }  # fmt: skip
