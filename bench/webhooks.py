"""Webhooks sent by the pump against a bare loop of the same guarded client: `python -m bench.webhooks [deliveries] [rounds]`.

The loop sends the same bytes to the same receiver, one call after the other, and keeps no record. The pump claims, signs,
sends many at once and writes every attempt down. Only the ratio means anything; both take turns in one run.
"""

from __future__ import annotations

import statistics
import sys
import time

from app.events.catalog import CLIENT_CREATED
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
        pump, bare = [], []
        pumped(here, ENDPOINTS * 5)  # connections, threads, plans; and each endpoint has answered once
        for _ in range(rounds):
            bare.append(looped(here, deliveries // 4))
            pump.append(pumped(here, deliveries))
    loop_rate, pump_rate = statistics.median(bare), statistics.median(pump)
    print(f"{'':28}{'loop/s':>10}{'pump/s':>10}{'ratio':>8}")
    print(f"{'deliveries':28}{loop_rate:10.0f}{pump_rate:10.0f}{pump_rate / loop_rate:8.2f}")


def pumped(here: Stage, deliveries: int) -> float:
    """Deliveries a second of one process, from the claim to the record."""
    ids = [uuid7() for _ in range(deliveries // ENDPOINTS)]
    here.publish(CLIENT_CREATED, ids)
    dispatch()
    pump = Pump(here.app, here.setup)
    began = time.perf_counter()
    pump.start()
    if not pump.wait(ANSWERS_WITHIN_S):
        raise TimeoutError("the pump did not end")
    return len(ids) * ENDPOINTS / (time.perf_counter() - began)


def looped(here: Stage, calls: int) -> float:
    """Calls a second of the client alone."""
    url, body = f"http://127.0.0.1:{here.receiver_port}/healthy-0", b"x" * 400
    client = here.setup.outside.client(url)
    ids = [public(uuid7()) for _ in range(calls)]
    began = time.perf_counter()
    for one in ids:
        headers = {"webhook-id": one, "Content-Type": "application/json"}
        client.request("POST", url, headers=headers, body=body)
    return calls / (time.perf_counter() - began)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
