"""Analytics at 1,000,000 events: how fast they are taken in, summed and shown.

    .venv/bin/python -m bench.analytics [events]

Taking in is the writer's own statement, as the runtime's role, against COPY of the same rows by the owner into a table like it, in
turns. The sums and the dashboards are those of the product.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from app.analytics.queries import Whose, busy_hours, dashboard, here_now
from app.analytics.sums import SiteDay, sum_events
from app.analytics.windows import read_window
from app.analytics.writing import BATCH, Row, write_rows
from app.config import Config
from app.db.base import db
from app.db.roles import RUNTIME, role_url
from app.db.scope import platform_scope, tenant_scope
from app.db.session import transaction
from app.factory import create_platform_app, wire
from app.lib.ids import uuid7
from bench.data import SECRET, empty

EVENTS, SITES, DAYS, ROUNDS, CHUNK = 1_000_000, 20, 30, 7, 50_000
COLUMNS = (
    "at, agency_id, site_id, install_id, module_id, event, name, version, page, page_id, visitor, value, surface, place, referrer, "
    "language, country, device, browser, system"
)


def main(events: int = EVENTS) -> None:
    with empty() as (owner, urls):
        agency, sites = _world(owner)
        owner.execute(f"SELECT analytics_partitions({DAYS + 1}, 1, 90)")
        owner.execute("CREATE TABLE bench_copy (LIKE module_analytics_events INCLUDING DEFAULTS)")
        owner.execute("CREATE INDEX ON bench_copy (agency_id, site_id, at)")
        with psycopg.connect(role_url(urls["DATABASE_URL"], SECRET, RUNTIME), autocommit=True) as runtime:
            take_in(owner, runtime, agency, sites, events)
        owner.execute("DROP TABLE bench_copy")
        owner.execute("VACUUM ANALYZE")
        config = Config.from_env({**urls, "SECRET_KEY": SECRET})
        wire(config)
        app = create_platform_app(config)
        with app.app_context():
            sum_up(agency, sites)
            owner.execute("VACUUM ANALYZE")
            show(app, agency, sites)


def take_in(
    owner: psycopg.Connection,
    runtime: psycopg.Connection,
    agency: UUID,
    sites: list[tuple[UUID, UUID, UUID]],
    events: int,
) -> None:
    """The same rows, a chunk at a time: written by the writer in its batches, then by COPY."""
    chance = random.Random(7)
    ours, copied = 0.0, 0.0
    for start in range(0, events, CHUNK):
        rows = [_event(chance, agency, sites, (start + n) / events) for n in range(min(CHUNK, events - start))]
        began = time.perf_counter()
        for at in range(0, len(rows), BATCH):
            write_rows(runtime, rows[at : at + BATCH])
        ours += time.perf_counter() - began
        began = time.perf_counter()
        with owner.cursor() as cursor, cursor.copy(f"COPY bench_copy ({COLUMNS}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)
        copied += time.perf_counter() - began
    print(f"{events:,} events written by the queue's statement in {ours:.1f} s ({events / ours:,.0f} a second)")
    print(
        f"the same rows by COPY in {copied:.1f} s ({events / copied:,.0f} a second): ratio {copied / ours:.2f}, goal 0.5\n"
    )


def sum_up(agency: UUID, sites: list[tuple[UUID, UUID, UUID]]) -> None:
    today, now, took = datetime.now(UTC).date(), datetime.now(UTC), []
    with platform_scope("bench"):
        for site, _, _ in sites:
            for back in range(DAYS):
                began = time.perf_counter()
                with transaction(db.session()) as session:
                    sum_events(session, SiteDay(agency, site, "UTC", today - timedelta(days=back)), now=now)
                took.append(time.perf_counter() - began)
    print(
        f"{len(took)} days of sites summed in {sum(took):.0f} s: median {statistics.median(took) * 1000:.0f} ms each\n"
    )


def show(app: Any, agency: UUID, sites: list[tuple[UUID, UUID, UUID]]) -> None:
    from tests.support.statements import Statements

    now = datetime.now(UTC)
    site, install, _ = sites[0]
    kinds = {
        "agency": Whose("agency", agency, "UTC"),
        "site": Whose("site", agency, "UTC", site_id=site),
        "module on a site": Whose("install", agency, "UTC", site_id=site, install_id=install),
    }
    print(f"{'dashboard':34}{'median ms':>11}{'statements':>12}")
    for name, whose in kinds.items():
        for label, given, filters in (
            ("24 h", {"range": "24h"}, {}), ("30 d", {}, {}), ("30 d, filtered", {}, {"language": "pt"}),
        ):  # fmt: skip
            window, taken = read_window(given, zone="UTC", now=now), []
            with Statements.watching(app) as counter, tenant_scope(agency):
                for _ in range(ROUNDS if not filters else 3):
                    began, before = time.perf_counter(), len(counter.sent)
                    with transaction(db.session()) as session:
                        dashboard(session, whose, window, filters=filters)
                        busy_hours(session, whose, window)
                        here_now(session, whose, now=now)
                    taken.append(time.perf_counter() - began)
                sent = len(counter.sent) - before
            print(f"{name + ', ' + label:34}{statistics.median(taken) * 1000:11.0f}{sent:12}")


def _event(chance: random.Random, agency: UUID, sites: list[tuple[UUID, UUID, UUID]], share: float) -> Row:
    """share: how much of the days has gone by; events come in the order in which they happen."""
    site, install, module = chance.choice(sites)
    at = datetime.now(UTC) - timedelta(seconds=(1 - share) * 86_400 * (DAYS - 1) + chance.random() * 10)
    event = chance.choices(("view", "mount", "time", "start", "submit", "click", "error"), (40, 30, 20, 4, 2, 3, 1))[0]
    return (
        at, agency, site, install, module, event, "plan.chosen" if event == "click" else "", "1.0.0",
        f"page-{chance.randrange(12)}", None, chance.randrange(40_000), 4000 if event == "time" else 0, "frame",
        f"host-{chance.randrange(30)}.example",
        "search.example" if chance.random() < 0.3 else "",
        chance.choice(("pt", "en", "es", "de")), "",
        chance.choice(("phone", "computer")), chance.choice(("Chrome", "Safari", "Firefox")),
        chance.choice(("iPhone", "Windows", "Android")),
    )  # fmt: skip


def _world(owner: psycopg.Connection) -> tuple[UUID, list[tuple[UUID, UUID, UUID]]]:
    """An agency with sites, each of which has a module."""
    agency, client = uuid7(), uuid7()
    owner.execute("INSERT INTO agencies (id, slug, name) VALUES (%s, 'bench', 'Bench')", [agency])
    owner.execute("INSERT INTO clients (id, agency_id, name) VALUES (%s, %s, 'Client')", [client, agency])
    sites = []
    for number in range(SITES):
        site = uuid7()
        owner.execute(
            "INSERT INTO sites (id, agency_id, client_id, slug, name) VALUES (%s, %s, %s, %s, %s)",
            [site, agency, client, f"bench-{number}", f"Site {number}"],
        )
        sites.append((site, uuid7(), uuid7()))
    return agency, sites


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS)
