"""Quotas: exact over threads and processes, told in every answer, open when the counter is away."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.config import Config
from app.gateway.limits import Leases, Policy, QuotaExceeded
from app.queue import enqueue
from tests.web.gateway.conftest import Shop
from tests.web.gateway.test_errors import problem

ROOT = Path(__file__).parents[3]
TAKER = """
import json, sys, threading
from app.gateway.limits import Leases, Policy, QuotaExceeded
from app.queue.enqueue import configure_queue
url, key, quota, tries = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
configure_queue(url)
leases, policy = Leases(), Policy("test", quota)
counts = []
def run():
    done = 0
    for _ in range(tries):
        try:
            leases.take(key, policy)
            done += 1
        except QuotaExceeded:
            pass
    counts.append(done)
sys.stdin.readline()
threads = [threading.Thread(target=run) for _ in range(25)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(json.dumps(sum(counts)))
"""


def sf_list(header: str) -> dict[str, dict[str, int]]:
    """A structured-field list of strings with integer parameters (RFC 9651), as these two headers are."""
    found = {}
    for item in header.split(", "):
        name, *parameters = item.split(";")
        assert name[0] == name[-1] == '"'
        found[name[1:-1]] = {key: int(value) for key, value in (one.split("=") for one in parameters)}
    return found


@pytest.mark.parametrize("quota", [1, 7, 600])
def test_P1_two_processes_of_25_clients_never_exceed_a_quota(config: Config, wired: Config, quota: int) -> None:
    key = f"test:{uuid4()}"
    command = [sys.executable, "-c", TAKER, config.redis_url, key, str(quota), str(max(4, quota // 10))]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    time.sleep(0.5)  # both are up before either begins
    taken = [json.loads(process.communicate("go\n", timeout=60)[0]) for process in processes]
    assert sum(taken) == quota


def test_P1_the_next_call_of_a_full_window_is_refused(shop: Shop) -> None:
    _, token = shop.key()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: shop.get("", token=token), range(650)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(429)) == (600, 50)
    refused = next(answer for answer in answers if answer.status_code == 429)
    body = problem(refused, 429, "quota_exceeded")
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert body["violated-policies"] == ["read"]
    left = sf_list(refused.headers["RateLimit"])["read"]
    assert left["r"] == 0
    assert left["t"] <= int(refused.headers["Retry-After"]) <= 60
    assert shop.post("/products", {"name": "Lamp"}, token=token).status_code == 201  # writes are counted apart
    assert shop.get("").status_code == 200  # and so is another key


def test_P1_every_answer_tells_what_is_left(shop: Shop) -> None:
    _, token = shop.key()
    told = []
    for _ in range(3):
        answer = shop.get("/products", token=token)
        assert answer.headers["RateLimit-Policy"] == '"read";q=600;w=60'
        told.append(sf_list(answer.headers["RateLimit"])["read"])
    assert [one["r"] for one in told] == [599, 598, 597]
    assert all(0 < one["t"] <= 60 for one in told)


def test_P1_a_publishable_key_is_counted_per_visitor_too(shop: Shop) -> None:
    page = {"Origin": "https://www.harbour.example"}
    _, token = shop.key(kind="publishable", scopes=["read"], origins=[page["Origin"]])
    answers = [shop.get("/products", token=token, headers=page) for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert problem(answers[-1], 429, "quota_exceeded")["violated-policies"] == ["address"]
    assert sf_list(answers[0].headers["RateLimit-Policy"]) == {
        "address": {"q": 60, "w": 60},
        "read": {"q": 120, "w": 60},
    }
    spoofed = shop.get("/products", token=token, headers={**page, "X-Forwarded-For": "198.51.100.7"})
    assert spoofed.status_code == 429
    shop.address = "198.51.100.8"
    assert shop.get("/products", token=token, headers=page).status_code == 200


def test_what_a_process_leaves_unused_others_get(wired: Config) -> None:
    key, policy = f"test:{uuid4()}", Policy("test", 40)
    one, other = Leases(), Leases()
    one.take(key, policy)
    one.tidy(everything=True)
    assert sum(1 for _ in range(60) if _passes(other, key, policy)) == 39


def test_a_window_ends(wired: Config) -> None:
    key, policy, leases = f"test:{uuid4()}", Policy("test", 2, window_s=1), Leases()
    assert [_passes(leases, key, policy) for _ in range(3)] == [True, True, False]
    time.sleep(1.05)
    assert [_passes(leases, key, policy) for _ in range(3)] == [True, True, False]


def test_without_valkey_calls_pass_and_each_process_counts_for_itself(
    wired: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(enqueue._connection, "impatient", Redis(port=1, retry=Retry(NoBackoff(), 1)))
    key, policy, leases = f"test:{uuid4()}", Policy("test", 5), Leases()
    assert [_passes(leases, key, policy) for _ in range(6)] == [True] * 5 + [False]


def test_leases_are_taken_by_many_threads_at_once(wired: Config) -> None:
    key, policy, leases, passed = f"test:{uuid4()}", Policy("test", 100), Leases(), []
    threads = [
        threading.Thread(target=lambda: passed.extend(_passes(leases, key, policy) for _ in range(10)))
        for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (passed.count(True), passed.count(False)) == (100, 400)


def _passes(leases: Leases, key: str, policy: Policy) -> bool:
    try:
        leases.take(key, policy)
    except QuotaExceeded:
        return False
    return True
