"""Webhooks sent by the pump against a bare loop of the same guarded client: `python -m bench.webhooks [deliveries] [rounds]`.

The loop sends the same bytes to the same receiver, one call after the other, and keeps no record. The pump claims, signs,
sends many at once and writes every attempt down. Only the ratio means anything; both take turns in one run. On a busy machine
the loop, which has one thing to do at a time, waits more often for a processor than the pump: then the time both spend on a
processor, which is printed too, says more than what they get done.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from dataclasses import dataclass

from app.events.catalog import CLIENT_ARCHIVED, CLIENT_CREATED, EventType
from app.events.jobs import dispatch
from app.lib.ids import uuid7
from app.webhooks.pump import Pump
from bench.stage import Stage, public, stage

ENDPOINTS = 20
ANSWERS_WITHIN_S = 120


def main(deliveries: int = 2000, rounds: int = 3) -> None:
    with stage() as here:
        for number in range(ENDPOINTS):
            here.endpoint(f"healthy-{number}", CLIENT_CREATED)
            here.endpoint(f"distant-{number}", CLIENT_ARCHIVED)
        pump: list[Speed] = []
        bare: list[Speed] = []
        away: list[Speed] = []
        for event in (CLIENT_CREATED, CLIENT_ARCHIVED):
            pumped(here, event, ENDPOINTS * 5)  # connections, threads, plans; and each endpoint has answered once
        for _ in range(rounds):
            bare.append(looped(here, deliveries // 4))
            pump.append(pumped(here, CLIENT_CREATED, deliveries))
            away.append(pumped(here, CLIENT_ARCHIVED, deliveries))
    loop, sent, far = _median(bare), _median(pump), _median(away)
    print(f"{'':28}{'loop':>10}{'pump':>10}{'ratio':>8}")
    print(f"{'deliveries a second':28}{loop.a_second:10.0f}{sent.a_second:10.0f}{sent.a_second / loop.a_second:8.2f}")
    print(
        f"{'µs of this process for one':28}{loop.busy_us:10.0f}{sent.busy_us:10.0f}{loop.busy_us / sent.busy_us:8.2f}"
    )
    print(f"to endpoints 40 ms away: {far.a_second:.0f} a second, {far.a_second / sent.a_second:.2f} of that")
    each = ", ".join(f"{one.a_second / other.a_second:.2f}" for one, other in zip(pump, bare, strict=True))
    print(f"ratio of each round: {each}; waiting for a processor at the end: {os.getloadavg()[0]:.1f}")


@dataclass(frozen=True)
class Speed:
    """busy_us: time on a processor of this process, all its threads, for one delivery."""

    a_second: float
    busy_us: float


class _Clock:
    def __init__(self) -> None:
        self.began, self.busy = time.perf_counter(), time.process_time()

    def speed(self, count: int) -> Speed:
        took, busy = time.perf_counter() - self.began, time.process_time() - self.busy
        return Speed(count / took, busy / count * 1e6)


def _median(speeds: list[Speed]) -> Speed:
    return Speed(statistics.median(one.a_second for one in speeds), statistics.median(one.busy_us for one in speeds))


def pumped(here: Stage, event: EventType, deliveries: int) -> Speed:
    """One process, from the claim to the record."""
    ids = [uuid7() for _ in range(deliveries // ENDPOINTS)]
    here.publish(event, ids)
    dispatch()
    pump = Pump(here.app, here.setup)
    clock = _Clock()
    pump.start()
    if not pump.wait(ANSWERS_WITHIN_S):
        raise TimeoutError("the pump did not end")
    return clock.speed(len(ids) * ENDPOINTS)


def looped(here: Stage, calls: int) -> Speed:
    """The client alone."""
    url, body = f"http://127.0.0.1:{here.receiver_port}/healthy-0", b"x" * 400
    client = here.setup.outside.client(url)
    ids = [public(uuid7()) for _ in range(calls)]
    clock = _Clock()
    for one in ids:
        headers = {"webhook-id": one, "Content-Type": "application/json"}
        client.request("POST", url, headers=headers, body=body)
    return clock.speed(calls)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
