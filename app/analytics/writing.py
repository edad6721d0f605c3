"""module_analytics_events: what happened, written behind the answer (app/db/behind.py).

The thread that writes also tells programs from people and drops repeats, so that nobody else has to.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from redis import RedisError

from app.analytics.agents import Agent, read_agent
from app.db.behind import QueueWriter
from app.lib.sql import load_sql
from app.queue.enqueue import impatient_redis, wake

log = logging.getLogger(__name__)

BATCH = 2000
MOST_QUEUED = 100_000
REPEAT_S = 10  # the same page for the same visitor within this time is one view
QUARTER_S = 900
SEEN = "dramac:analytics:seen:"


class Happened(NamedTuple):
    """One event as it is queued. agency_id None: only the site is known. user_agent: read by the thread, kept by nobody."""

    at: datetime
    agency_id: UUID | None
    site_id: UUID
    install_id: UUID | None
    module_id: UUID | None
    event: str
    name: str
    version: str
    page: str
    page_id: UUID | None
    visitor: int
    value: int
    surface: str
    place: str
    referrer: str
    language: str
    country: str
    user_agent: str


Row = tuple[Any, ...]  # Happened without its user_agent, with device, browser, system


class EventQueue(QueueWriter[Happened, Row]):
    """What has happened in this process."""

    def __init__(self) -> None:
        super().__init__("analytics", batch=BATCH, most_queued=MOST_QUEUED)
        self._agencies: dict[UUID, UUID] = {}  # of sites; a site never changes its agency

    def prepared(self, items: list[Happened]) -> list[Row]:
        """The events of people, without repeats."""
        people = [(one, agent) for one in items if (agent := read_agent(one.user_agent)) is not None]
        return [_row(one, agent) for one, agent in _without_repeats(people)]

    def write(self, connection: psycopg.Connection, rows: list[Row]) -> None:
        write_rows(connection, self._with_agencies(connection, rows))

    def no_partition(self) -> None:
        wake("analytics.partitions")

    def _with_agencies(self, connection: psycopg.Connection, rows: list[Row]) -> list[Row]:
        unknown = {row[2] for row in rows if row[1] is None} - self._agencies.keys()
        if unknown:
            found = connection.execute("SELECT site_id, agency_id FROM analytics_agencies(%s)", [list(unknown)])
            self._agencies.update(found.fetchall())
        return [
            row if row[1] is not None else (row[0], self._agencies[row[2]], *row[2:])
            for row in rows
            if row[1] is not None or row[2] in self._agencies
        ]


def write_rows(connection: psycopg.Connection, rows: Sequence[Row]) -> None:
    """Write rows and where the sums are behind because of them, in one statement. The connection's role may insert."""
    if not rows:
        return
    marks = {(row[1], row[2], _quarter(row[0])) for row in rows}
    values = [list(column) for column in zip(*rows, strict=True)]
    values += [list(column) for column in zip(*marks, strict=True)]
    connection.execute(load_sql("analytics/write").encode(), values)


def _row(one: Happened, agent: Agent) -> Row:
    return (*one[:-1], agent.device, agent.browser, agent.system)


def _quarter(at: datetime) -> datetime:
    seconds = int(at.timestamp())
    return datetime.fromtimestamp(seconds - seconds % QUARTER_S, UTC)


def _without_repeats(people: list[tuple[Happened, Agent]]) -> list[tuple[Happened, Agent]]:
    """Without views of a page that its visitor saw a moment ago. When Valkey does not answer every view counts."""
    views = [one for one, _ in people if one.event == "view"]
    if not views:
        return people
    try:
        pipe = impatient_redis().pipeline(transaction=False)
        for one in views:
            key = f"{SEEN}{one.visitor:x}:{one.install_id or one.page_id}:{one.page}"
            pipe.set(key, "1", nx=True, ex=REPEAT_S)
        first = {id(one) for one, fresh in zip(views, pipe.execute(), strict=True) if fresh}
    except RedisError as error:
        log.warning("repeats are counted: %s", error)
        return people
    return [(one, agent) for one, agent in people if one.event != "view" or id(one) in first]
