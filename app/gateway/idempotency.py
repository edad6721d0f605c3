"""The same write sent again gives the same answer for 24 h (security.md P4).

One transaction holds the lock on the key, the write and its stored answer. So a crash leaves neither, and frees the key as
its connection ends; while the first runs, the lock tells others so; and there is never a row without its answer.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from psycopg import Binary

from app.db.pools import runtime_pool
from app.errors import AppError, BadRequest, Conflict, Invalid
from app.gateway.http import JSON, Answer, Call, problem_answer
from app.runtime.data.scoped import Connection, Scope
from app.runtime.data.wakeup import wake_dispatcher

KEPT = timedelta(hours=24)
STORED_HEADERS = ("ETag", "Location")
# Refusals that a second attempt may overcome are not an answer to keep.
_NOT_KEPT = frozenset({"locked", "quota_exceeded"})
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
_FIND = (
    "SELECT fingerprint, status, headers, body FROM idempotency_keys "
    "WHERE credential_id = $1 AND key = $2 AND created_at > now() - interval '24 hours'"
)
_KEEP = (
    "INSERT INTO idempotency_keys (site_id, agency_id, credential_id, key, fingerprint, status, headers, body) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8) ON CONFLICT (credential_id, key) DO UPDATE "
    "SET (fingerprint, status, headers, body, created_at) = "
    "(excluded.fingerprint, excluded.status, excluded.headers, excluded.body, excluded.created_at)"
)


class BadIdempotencyKey(BadRequest):
    """An Idempotency-Key has 1 to 255 visible ASCII characters, such as a UUID."""

    code = "bad_idempotency_key"


class StillRunning(Conflict):
    """The first request with this Idempotency-Key is still running. Ask again in a moment; nothing is done twice."""

    code = "idempotency_running"


class KeyReused(Invalid):
    """This Idempotency-Key was used for another request. Use a new one for each write."""

    code = "idempotency_mismatch"


def once(call: Call, run: Callable[[], Answer]) -> Answer:
    """Run a write that carries an Idempotency-Key, or give its first answer again. Raises StillRunning, KeyReused."""
    key = _key(call)
    asked = (call.method, call.path, call.query_string, call.header("If-Match"))
    fingerprint = hashlib.sha256(b"\0".join((*(part.encode() for part in asked), call.body))).digest()
    scope = _scope(call)
    with runtime_pool().connection() as plain:
        connection = Connection(plain)
        try:
            answer = _replayed(connection, scope, call.credential.id, key, fingerprint)
            if answer is None:
                answer = _first(call, connection, run)
                _keep(connection, scope, call, key, fingerprint, answer)
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
    if connection.wrote:
        wake_dispatcher()
    return answer


def _key(call: Call) -> str:
    match = _KEY.fullmatch(call.header("Idempotency-Key"))
    if match is None:
        raise BadIdempotencyKey()
    return match[1]


def _scope(call: Call) -> Scope:
    """The gateway's own role, on the rows of the credential's site."""
    credential = call.credential
    return Scope("none", credential.site_id, credential.agency_id, credential.ref, "", "")


def _replayed(connection: Connection, scope: Scope, credential_id: UUID, key: str, fingerprint: bytes) -> Answer | None:
    """The kept answer; None when this request is the first, which then holds the lock until its transaction ends."""
    locked, kept = connection.run(scope, (_LOCK, [f"{credential_id}:{key}"]), (_FIND, [credential_id, key]))
    if not kept:
        if not locked[0][0]:
            raise StillRunning()
        return None
    first, status, headers, body = kept[0]
    if bytes(first) != fingerprint:
        raise KeyReused()
    content_type = headers.pop("Content-Type", JSON)
    answer = Answer(status, bytes(body), list(headers.items()), content_type=content_type)
    answer.headers.append(("Idempotency-Replayed", "true"))
    return answer


def _first(call: Call, connection: Connection, run: Callable[[], Answer]) -> Answer:
    call.connection = connection
    try:
        with connection.savepoint():
            return run()
    except AppError as error:
        answer = problem_answer(call, error)
        if answer.status >= 500 or error.code in _NOT_KEPT:
            raise
        return answer
    finally:
        call.connection = None


def _keep(connection: Connection, scope: Scope, call: Call, key: str, fingerprint: bytes, answer: Answer) -> None:
    headers = {name: value for name, value in answer.headers if name in STORED_HEADERS}
    if answer.content_type != JSON:
        headers["Content-Type"] = answer.content_type
    values = [
        scope.site_id, scope.agency_id, call.credential.id, key, Binary(fingerprint), answer.status,
        json.dumps(headers), Binary(answer.body),
    ]  # fmt: skip
    connection.run(scope, (_KEEP, values))
