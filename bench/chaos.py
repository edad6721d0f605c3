"""Webhooks while everything is killed at random: `python -m bench.chaos [deliveries]`, or `make bench ARGS="chaos 20000"`.

`python -m bench.chaos small` kills a worker, PostgreSQL and Valkey once each within some seconds.

First calm: 20 endpoints that never answer in time, and healthy ones, whose delay is measured. Then the storm: events for 24
endpoints (healthy, failing, hanging up) while workers, PostgreSQL and Valkey die by SIGKILL at random and come back. At the
end the receivers' own list is held against the list of what was committed. Waits before retries are cut short once all is
published; nothing else is.
"""

from __future__ import annotations

import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from app.events.catalog import CLIENT_ARCHIVED, CLIENT_CREATED, EventType
from app.lib.ids import uuid7
from bench.stage import Stage, public, stage

CALM = ("healthy-calm-0", "healthy-calm-1", "healthy-calm-2", "healthy-calm-3")
DEAD = tuple(f"slow-{n}" for n in range(20))
AWAY = ("redirecting-0", "redirecting-1")
STORM = (
    *(f"healthy-{n}" for n in range(14)),
    *(f"failing-{n}" for n in range(5)),
    *(f"vanishing-{n}" for n in range(5)),
)
BATCH = 10
WORK_S = 1.5  # a worker takes about a second's work of an endpoint


@dataclass
class Report:
    """What is held against what. calm_ms: from an event to its arrival at a healthy endpoint, beside 20 dead ones."""

    published: int = 0
    expected: int = 0
    arrived: int = 0
    repeated: int = 0
    lost: list[tuple[str, str]] = field(default_factory=list)
    strange: list[tuple[str, str]] = field(default_factory=list)
    undelivered: int = 0  # by the database's own account
    order: Counter[str] = field(default_factory=Counter)  # of arrivals at the healthy, by what explains their place
    warm: str = ""  # the event that only started everything
    calm_ms: list[float] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.calm_ms, n=20)[-1]


def run(
    here: Stage, *, deliveries: int, calm_events: int = 120, pause_s: tuple[float, float] = (15, 40), workers: int = 2,
    kills: tuple[str, ...] | None = None, seed: int = 1, within_s: float = 3600,
) -> Report:  # fmt: skip
    """deliveries: of the storm. kills: the names to kill, one after the other; None for random ones until all is there."""
    report = Report()
    for place in (*CALM, *DEAD, *AWAY):
        here.endpoint(place, CLIENT_ARCHIVED)
    for place in STORM:
        here.endpoint(place, CLIENT_CREATED)
    names = [f"worker-{n}" for n in range(workers)]
    for name in (*names, "scheduler"):
        here.start_worker(name)
    calm = _calm(here, report, calm_events)
    began = time.monotonic()
    killer = _Killer(here, report, kills, names, pause_s, seed)
    killer.start()
    storm = _publish(here, CLIENT_CREATED, -(-deliveries // len(STORM)))
    report.published = len(storm) + len(calm)
    try:
        if kills is not None:
            killer.quiet.wait(60)  # all of them happen
        _drain(here, storm, calm, within_s=within_s)
        killer.stop()
        report.seconds = time.monotonic() - began
        _judge(here, report, storm, calm)
    finally:
        killer.released.set()
    return report


def _calm(here: Stage, report: Report, events: int) -> dict[UUID, float]:
    """{event: when it was published}, one every quarter of a second, after a first one for which everything starts."""
    published: dict[UUID, float] = {}
    report.warm = public(_publish(here, CLIENT_ARCHIVED, 1)[0])
    _until(lambda: all(report.warm in here.arrivals()[place] for place in CALM), within_s=60)
    for _ in range(events):
        [event_id] = _publish(here, CLIENT_ARCHIVED, 1)
        published[event_id] = time.time()
        _wait(0.25)
    _until(lambda: all(len(here.arrivals()[place]) > events for place in CALM), within_s=600)
    arrivals = here.arrivals()
    for place in CALM:
        report.calm_ms += [
            (arrivals[place][public(event_id)][0] - at) * 1000 for event_id, at in published.items()
        ]  # fmt: skip
    return published


def _publish(here: Stage, event: EventType, count: int) -> list[UUID]:
    """The ids of events that are surely committed: after a failure the same ids are offered again, or found there."""
    done: list[UUID] = []
    while len(done) < count:
        ids = [uuid7() for _ in range(min(BATCH, count - len(done)))]
        while True:
            try:
                here.publish(event, ids)
            except SQLAlchemyError:
                if not _there(here, ids):
                    _wait(0.1)
                    continue
            break
        done += ids
        if event is CLIENT_ARCHIVED:
            _wake()
    return done


def _wake() -> None:
    from app.queue.enqueue import wake

    wake("events.dispatch")


def _there(here: Stage, ids: list[UUID]) -> bool:
    """Whether a commit whose answer was lost had happened."""
    try:
        with psycopg.connect(here.superuser, autocommit=True, connect_timeout=2) as bare:
            found = bare.execute("SELECT count(*) FROM events WHERE id = ANY (%s)", [ids]).fetchone()
            return found is not None and found[0] == len(ids)
    except psycopg.Error:
        return False


class _Killer(threading.Thread):
    """What a thread started ends with it, so it stays until it is released. quiet: it kills nothing more, all runs again."""

    def __init__(
        self, here: Stage, report: Report, kills: tuple[str, ...] | None, workers: list[str],
        pause_s: tuple[float, float], seed: int,
    ) -> None:  # fmt: skip
        super().__init__(daemon=True)
        self.here, self.report, self.pause_s = here, report, pause_s
        self.chance = random.Random(seed)
        self.kills = iter(kills) if kills is not None else None
        self.victims = [*workers, *workers, "postgres", "valkey", "scheduler"]
        self.ended, self.quiet, self.released = threading.Event(), threading.Event(), threading.Event()

    def run(self) -> None:
        try:
            self._kill()
        finally:
            self.quiet.set()
            self.released.wait()

    def _kill(self) -> None:
        while not self.ended.wait(self.chance.uniform(*self.pause_s)):
            name = self.chance.choice(self.victims) if self.kills is None else next(self.kills, None)
            if name is None:
                return
            self.here.kill(name)
            self.report.kills[name.partition("-")[0]] += 1
            self.ended.wait(self.chance.uniform(0, 2))
            self.here.restart(name)

    def stop(self) -> None:
        self.ended.set()
        self.quiet.wait(60)


def _drain(here: Stage, storm: list[UUID], calm: dict[UUID, float], *, within_s: float) -> None:
    """Until every delivery to who can take it is done, no longer waiting for the times of retries and leases."""
    query = (
        "SELECT count(*) FROM external_webhook_deliveries d JOIN external_webhooks w ON w.id = d.webhook_id "
        "WHERE d.status = 'delivered' AND w.description = ANY (%s)"
    )
    hurry = (
        "UPDATE external_webhook_deliveries d SET due_at = now() FROM external_webhooks w WHERE w.id = d.webhook_id "
        "AND w.description = ANY (%s) AND ((d.status = 'due' AND d.due_at > now()) OR (d.status = 'sending' "
        "AND d.due_at < now() + interval '15 s'))"  # nobody has extended it for ten seconds
    )
    wanted = len(storm) * len(STORM) + len(calm) * len(CALM)
    places = [*STORM, *CALM]

    def done() -> bool:
        here.keep_up()
        try:
            with psycopg.connect(here.superuser, autocommit=True, connect_timeout=2) as bare:
                bare.execute(hurry, [places])
                row = bare.execute(query, [places]).fetchone()
                return row is not None and row[0] >= wanted
        except psycopg.Error:
            return False  # it was just killed

    _until(done, within_s=within_s, every_s=1.0)


def _judge(here: Stage, report: Report, storm: list[UUID], calm: dict[UUID, float]) -> None:
    arrivals = here.arrivals()
    for places, ids in ((STORM, [public(one) for one in storm]), (CALM, [public(one) for one in calm])):
        for place in places:
            came = arrivals[place]
            report.expected += len(ids)
            report.arrived += sum(one in came for one in ids)
            report.repeated += sum(len(times) - 1 for times in came.values())
            report.lost += [(place, one) for one in ids if one not in came]
            report.strange += [(place, one) for one in came.keys() - {*ids, report.warm}]
    report.strange += [("elsewhere", one) for one in arrivals["elsewhere"]]  # a redirect was followed
    with psycopg.connect(here.superuser, autocommit=True) as bare:
        _explain(bare, report, arrivals)
        row = bare.execute(
            "SELECT count(*) FROM external_webhooks w CROSS JOIN unnest(%s::uuid[]) AS e(id) "
            "LEFT JOIN external_webhook_deliveries d ON d.webhook_id = w.id AND d.event_id = e.id "
            "WHERE w.patterns = %s AND (d.id IS NULL OR (d.status <> 'delivered' AND w.description = ANY (%s)))",
            [list(calm), [CLIENT_ARCHIVED.name], list(CALM)],
        ).fetchone()
        report.undelivered = row[0] if row else -1


def _explain(bare: psycopg.Connection, report: Report, arrivals: dict[str, dict[str, list[float]]]) -> None:
    """Why first arrivals at healthy receivers came after one with a later id.

    "tried again": a worker that had it before was killed. "given back": one that had it ended, and had not sent it. "at once": both
    calls were under way at the same time. "handed over later" or "at the same time": its delivery was made after the other's, or
    within a second of it, by another worker. "waiting with another worker": called within the time that what a worker takes of an
    endpoint lasts.
    """
    query = (
        "SELECT d.event_id, d.attempts, d.created_at, a.at, d.given_back FROM external_webhook_deliveries d "
        "JOIN external_webhooks w ON w.id = d.webhook_id "
        "JOIN external_webhook_attempts a ON a.delivery_id = d.id AND a.number = d.attempts "
        "WHERE w.description = %s AND d.status = 'delivered'"
    )
    for place in (one for one in STORM if one.startswith("healthy")):
        rows = {public(row[0]): row[1:] for row in bare.execute(query, [place])}
        latest = ""
        for one in sorted(arrivals[place].keys() & rows.keys(), key=lambda one: arrivals[place][one][0]):
            if one > latest:
                report.order["in order"], latest = report.order["in order"] + 1, one
                continue
            (attempts, made, called, given_back), (_, made_before, called_before, _) = rows[one], rows[latest]
            if attempts > 1:
                why = "tried again"
            elif given_back:
                why = "given back"
            elif called.timestamp() <= arrivals[place][latest][0]:
                why = "at once"
            elif made >= made_before:
                why = "handed over later"
            elif (made_before - made).total_seconds() < 1:
                why = "handed over at the same time"
            else:
                with_another = (called - called_before).total_seconds() < WORK_S
                why = "waiting with another worker" if with_another else "unexplained"
            report.order[why] += 1


def _until(true: Callable[[], bool], *, within_s: float, every_s: float = 0.2) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return  # what is missing stands in the report
        _wait(every_s)


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


def main(deliveries: str = "100000") -> None:
    with stage() as here:
        if deliveries == "small":
            kills = ("worker-0", "postgres", "valkey")
            report = run(here, deliveries=240, calm_events=4, pause_s=(0.3, 0.6), workers=1, kills=kills, within_s=200)
        else:
            report = run(here, deliveries=int(deliveries))
    kills = ", ".join(f"{name} {count}" for name, count in sorted(report.kills.items()))
    print(
        f"{report.published:,} events, {report.expected:,} deliveries to those who take them; killed: {kills or 'nobody'}"
    )
    print(f"lost {len(report.lost)}, never asked for {len(report.strange)}, undelivered {report.undelivered}")
    print(f"came more than once: {report.repeated} ({report.repeated / max(1, report.expected):.2%})")
    print("first arrivals at healthy receivers: " + ", ".join(f"{why} {n:,}" for why, n in report.order.most_common()))
    print(
        f"healthy beside {len(DEAD)} dead: median {statistics.median(report.calm_ms):.0f} ms, p95 {report.p95_ms:.0f} ms"
    )
    print(
        f"the storm took {report.seconds:.0f} s: {report.expected / report.seconds:.0f} deliveries a second, kills included"
    )
    if report.lost or report.strange or report.undelivered:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
