"""external_api_requests: every answered call, written behind the answer (app/db/behind.py)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from app.db.behind import QueueWriter
from app.db.pools import runtime_pool
from app.lib.crypto import CannotOpen, seal, unseal
from app.queue.enqueue import wake

log = logging.getLogger(__name__)

BATCH = 500
MOST_RECORDED = 64_000  # bytes of a body
MOST_QUEUED = 50_000

_INSERT = """
INSERT INTO external_api_requests (at, request_id, agency_id, site_id, install_id, credential, surface, method, path, status,
                                   duration_us, bytes_out, ip, user_agent, origin, error_code, query_sealed)
SELECT * FROM unnest(%b::timestamptz[], %b::text[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::text[],
                     %b::text[], %b::smallint[], %b::integer[], %b::integer[], %b::inet[],
                     %b::text[], %b::text[], %b::text[], %b::text[])
"""
_RECORDED = """
INSERT INTO recorded_bodies (request_id, agency_id, install_id, at, if_match, content_type, body_sealed)
SELECT * FROM unnest(%b::text[], %b::uuid[], %b::uuid[], %b::timestamptz[], %b::text[], %b::text[], %b::text[])
ON CONFLICT DO NOTHING
"""
_USED = "SELECT api_keys_used(%b::uuid[], %b::timestamptz[], %b::inet[])"


class Recorded(NamedTuple):
    """The body of a write that is recorded, what the record had to be for it ('' for anything), what the body said it is."""

    if_match: str
    content_type: str
    body: str


class Entry(NamedTuple):
    """One answered call. path: without its query, which may say who somebody looked for. address: '' when not known.

    query: of a read of records or a call of module code, to ask it again; the log keeps it sealed and shows it to nobody.
    recorded: the body of what may change something where that is recorded, kept sealed too.
    """

    at: datetime
    request_id: str
    agency_id: UUID
    site_id: UUID
    install_id: UUID | None
    credential: str
    surface: str
    method: str
    path: str
    status: int
    duration_us: int
    bytes_out: int
    address: str | None
    user_agent: str
    origin: str
    error_code: str
    query: str = ""
    recorded: Recorded | None = None


def body_context(request_id: str) -> str:
    """What a sealed body is bound to."""
    return f"recorded_bodies|body|{request_id}"


def query_context(request_id: str) -> str:
    """What a sealed query is bound to."""
    return f"external_api_requests|query|{request_id}"


def opened_query(sealed: str, request_id: str, keys: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The parameters of a recorded read; () where none were sent, or keys have changed since."""
    if not sealed:
        return ()
    try:
        return tuple(parse_qsl(unseal(keys, sealed, query_context(request_id)), keep_blank_values=True))
    except CannotOpen:
        return ()


class RequestLog(QueueWriter[Entry, Entry]):
    """The calls this process has answered. `beats` are called with each round, every half second."""

    def __init__(
        self, *beats: Callable[[], None], keys: tuple[str, ...] = (), at_stop: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__("the request log", batch=BATCH, most_queued=MOST_QUEUED, beats=beats, at_stop=at_stop)
        self._keys = keys
        self._used: dict[UUID, tuple[datetime, str | None]] = {}

    def answered(self, entry: Entry, key_id: UUID | None = None) -> None:
        """Queue a call; never blocks. key_id: the API key that was used, for its `last used`."""
        if key_id is not None:
            self._used[key_id] = (entry.at, entry.address)
        self.add(entry)

    def prepared(self, items: list[Entry]) -> list[Entry]:
        return [self._sealed(entry) for entry in items]

    def write(self, connection: psycopg.Connection, rows: list[Entry]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(_INSERT, columns[:-1], binary=False)
        kept = [
            (row.request_id, row.agency_id, row.install_id, row.at, *row.recorded)
            for row in rows
            if row.recorded is not None
        ]
        if kept:
            connection.execute(_RECORDED, [list(column) for column in zip(*kept, strict=True)], binary=False)

    def after_writing(self) -> None:
        if not self._used:
            return
        used, self._used = self._used, {}
        moments, addresses = zip(*used.values(), strict=True)
        try:
            with runtime_pool().connection() as connection:
                connection.execute(_USED, [list(used), list(moments), list(addresses)])
        except (psycopg.Error, PoolTimeout, OSError) as error:
            log.error("when keys were last used is not noted: %s", error)

    def no_partition(self) -> None:
        wake("gateway.partitions")

    def _sealed(self, entry: Entry) -> Entry:
        """Sealed here, by the thread that nothing waits for. Without keys nothing is kept."""
        if entry.recorded is not None:
            sealed = seal(self._keys, entry.recorded.body, body_context(entry.request_id)) if self._keys else None
            entry = entry._replace(recorded=entry.recorded._replace(body=sealed) if sealed else None)
        if not entry.query:
            return entry
        if not self._keys:
            return entry._replace(query="")
        return entry._replace(query=seal(self._keys, entry.query, query_context(entry.request_id)))
