"""The events of one install, for pulling: oldest first, none passed over."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from app.db.pools import runtime_pool
from app.errors import FieldError, NotFound
from app.gateway.credentials import Credential
from app.lib.clock import rfc3339
from app.lib.ids import decode, encode
from app.runtime.data.scoped import Connection, Scope
from app.runtime.query import QueryInvalid

DEFAULT_LIMIT, MAX_LIMIT = 100, 200
# In the order of transactions, up to the oldest that still runs: nothing can be added before what was read. What a form
# tells the platform alone (runtime.functions.receivers.PAGE_SENT) is no event of the module.
_EVENTS = """
SELECT id, type, subject, data, actor, occurred_at FROM events
WHERE site_id = $1 AND install_id = $2 AND type <> 'page.was_sent' AND transaction < pg_snapshot_xmin(pg_current_snapshot())
  AND (transaction, sequence) > ($3::xid8, $4) ORDER BY transaction, sequence LIMIT $5
"""
_PLACE = "SELECT transaction::text, sequence FROM events WHERE id = $1 AND site_id = $2 AND install_id = $3"


def pull_events(credential: Credential, install_id: UUID, query: list[tuple[str, str]]) -> bytes:
    """{"data": [{id, type, timestamp, data, …}], "has_more", "next_cursor"}. Raises QueryInvalid."""
    after, limit = _asked(query)
    scope = Scope("none", credential.site_id, credential.agency_id, credential.ref, "", "")
    with runtime_pool().connection() as plain:
        connection = Connection(plain)
        try:
            transaction, sequence = _place(connection, scope, after, install_id) if after else ("0", 0)
            [rows] = connection.run(scope, (_EVENTS, [scope.site_id, install_id, transaction, sequence, limit + 1]))
        finally:
            connection.rollback()
    events = [_event(*row) for row in rows[:limit]]
    more = len(rows) > limit
    body = {"data": events, "has_more": more, "next_cursor": events[-1]["id"] if events else None}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _place(connection: Connection, scope: Scope, after: UUID, install_id: UUID) -> tuple[str, int]:
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


def _event(event_id: UUID, kind: str, subject: str, data: Any, actor: str, at: Any) -> dict[str, Any]:
    return {
        "id": encode("evt", event_id), "type": kind, "timestamp": rfc3339(at), "subject": subject, "actor": actor, "data": data,
    }  # fmt: skip
