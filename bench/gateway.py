"""The gateway with key, scopes, RLS, quota and log on, against what it stands on, interleaved in one run.

    .venv/bin/python -m bench.gateway [seconds per measurement] [rounds]

Only ratios mean anything: `of hello` is against a bare WSGI hello, `of bare` against bare psycopg, both on the same granian
(one worker, the threads of `make run`), 16 connections; `of loop` is a tight psycopg loop without any server, one call after
the other.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import psycopg

from app.gateway.tokens import new_token, shown_part
from app.lib.clock import utcnow
from app.lib.crypto import token_hash
from app.lib.ids import uuid7
from bench.data import Ground, ground, per_call
from bench.servers import Statements

ROOT = Path(__file__).parents[1]
CONNECTIONS, SAMPLE = 16, 500
THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)  # as `make run` starts it
ROW = {"name": "Person", "email": "person@example.com", "company": "Acme", "status": "new"}


@dataclass(frozen=True)
class Server:
    name: str
    port: int


@dataclass(frozen=True)
class Case:
    """One path: the requests for the gateway and for bare psycopg, and the statement of the tight loop."""

    name: str
    gateway: list[str]
    bare: list[str]
    loop: tuple[str, list[list[object]]]


def main(seconds: float = 3.0, rounds: int = 3) -> None:
    with ground() as here:
        token = _key(here)
        with _served(here, "hello") as hello, _served(here, "bare") as bare, _served(here, "gateway") as gateway:
            print(
                f"{'':12}{'hello/s':>9}{'bare/s':>9}{'gateway/s':>11}{'p99 ms':>8}{'of hello':>10}{'of bare':>9}{'of loop':>9}"
            )
            for case in _cases(here, token):
                _measure(case, here, hello, bare, gateway, seconds, rounds)


def _measure(
    case: Case, here: Ground, hello: Server, bare: Server, gateway: Server, seconds: float, rounds: int
) -> None:
    plain = [_request("GET", "/", None, "")]
    asked = ((hello, plain), (bare, case.bare), (gateway, case.gateway))
    for server, requests in asked:  # prepared statements, caches, threads
        _load(server, requests, 0.5)
    found: dict[str, list[dict[str, float]]] = {server.name: [] for server, _ in asked}
    for _ in range(rounds):
        for server, requests in asked:
            found[server.name].append(_load(server, requests, seconds))
    rate = {name: statistics.median(one["rps"] for one in runs) for name, runs in found.items()}
    p99 = statistics.median(one["p99_ms"] for one in found["gateway"])
    text, values = case.loop
    turn = cycle(values)
    loop = 1 / per_call(
        lambda: psycopg.RawCursor(here.bare).execute(text.encode(), next(turn), prepare=True).fetchall()
    )
    failed = sum(one["failed"] for runs in found.values() for one in runs)
    ours = rate["gateway"]
    ratios = f"{ours / rate['hello']:10.2f}{ours / rate['bare']:9.2f}{ours / loop:9.2f}"
    note = f"   {failed:.0f} FAILED" if failed else ""
    print(f"{case.name:12}{rate['hello']:9.0f}{rate['bare']:9.0f}{ours:11.0f}{p99:8.1f}{ratios}{note}", flush=True)


def _cases(here: Ground, token: str) -> Iterator[Case]:
    base, site = "/api/modules/bench-contacts/contacts", str(here.context.site_id)
    ids = [str(one) for one in here.ids[:SAMPLE]]
    bare = Statements.of(here.table)
    yield Case(
        "read one",
        [_request("GET", f"{base}/{one_id}", None, token) for one_id in ids],
        [_request("GET", f"/{one_id}", None, "") for one_id in ids],
        (bare.one, [[site, one_id] for one_id in ids]),
    )
    query = "?status=active&sort=-created_at&limit=25"
    yield Case(
        "list 25",
        [_request("GET", base + query, None, token)],
        [_request("GET", "/list", None, "")],
        (bare.some, [[site, "active"]]),
    )
    yield Case(
        "insert",
        [_request("POST", base, ROW, token)],
        [_request("POST", "/", ROW, "")],
        (bare.add, [[site, *ROW.values()]]),
    )


def _request(method: str, path: str, body: object, token: str) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    text = json.dumps(body) if body is not None else ""
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(text)}"]
    return "\r\n".join([*lines, "", text])


def _load(server: Server, requests: list[str], seconds: float) -> dict[str, float]:
    if shutil.which("wrk"):
        return _wrk(server, requests, seconds)
    command = [sys.executable, "-m", "bench.load", str(server.port), str(CONNECTIONS), str(seconds)]
    done = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _wrk(server: Server, requests: list[str], seconds: float) -> dict[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        listed = ",".join(json.dumps(one) for one in requests)
        script.write(f"local r = {{{listed}}}\nlocal n = 0\nrequest = function() n = n % #r + 1; return r[n] end\n")
        script.write(
            'done = function(s, l) io.write(string.format("RESULT %f %f %f %d\\n", s.requests / (s.duration / 1e6), '
        )
        script.write("l:percentile(50) / 1000, l:percentile(99) / 1000, s.errors.status)) end\n")
        script.flush()
        command = [
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{max(1, round(seconds))}s",
            "-s",
            script.name,
            f"http://127.0.0.1:{server.port}/",
        ]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rps, p50, p99, failed = re.search(r"RESULT (\S+) (\S+) (\S+) (\S+)", text).groups()  # type: ignore[union-attr]  # or the run is void
    return {"rps": float(rps), "p50_ms": float(p50), "p99_ms": float(p99), "failed": float(failed)}


def _key(here: Ground) -> str:
    token, context = new_token("secret"), here.context
    here.bare.execute(
        "INSERT INTO api_keys (id, agency_id, site_id, name, kind, shown, token_hash, scopes, expires_at) "
        "VALUES (%s, %s, %s, 'bench', 'secret', %s, %s, '{read,write}', %s)",
        [
            uuid7(),
            context.agency_id,
            context.site_id,
            shown_part(token),
            token_hash(token),
            utcnow() + timedelta(days=1),
        ],
    )
    return token


@contextmanager
def _served(here: Ground, name: str) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, **here.environment, "BENCH_TABLE": here.table, "BENCH_SITE": str(here.context.site_id)}
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--no-ws",
        "--log-level",
        "error",
        "--host",
        "127.0.0.1",
    ]
    command += ["--port", str(port), "--workers", "1", "--blocking-threads", str(THREADS), f"bench.servers:{name}"]
    process = subprocess.Popen(command, cwd=ROOT, env=environ)
    try:
        _until_open(port)
        yield Server(name, port)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _until_open(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((float, int), sys.argv[1:], strict=False)))
