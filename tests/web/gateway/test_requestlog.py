"""The request log: what it holds, that it never blocks, that a clean stop loses nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg_pool import PoolTimeout

from app.config import Config
from app.db import behind
from app.gateway import jobs, requestlog
from app.gateway.requestlog import Entry, RequestLog
from app.lib.clock import utcnow
from tests.conftest import SECRET
from tests.web.gateway.conftest import Shop

ROOT = Path(__file__).parents[3]


def test_every_answer_is_logged_with_its_request_id(shop: Shop) -> None:
    made = shop.post("/products", {"name": "Lamp", "sku": "secret-sku"}, headers={"User-Agent": "till/1"})
    refused = shop.get("/products?q=somebody")
    lost = shop.get("/none/of/these")
    rows = shop.logged()
    assert [row["request_id"] for row in rows] == [one.headers["X-Request-Id"] for one in (made, refused, lost)]
    first = rows[0]
    assert (first["method"], first["path"], first["status"]) == ("POST", shop.url("/products"), 201)
    assert (first["install_id"], first["surface"], first["user_agent"]) == (shop.install_id, "api", "till/1")
    assert (first["agency_id"], ip_address(str(first["ip"]))) == (shop.site.agency_id, ip_address(shop.address))
    assert (first["bytes_out"], first["duration_us"] > 0) == (len(made.data), True)
    assert [row["status"] for row in rows] == [201, 200, 404]
    assert [row["error_code"] for row in rows] == ["", "", "not_found"]


def test_the_log_holds_no_body_no_query_and_no_key(shop: Shop) -> None:
    shop.post("/products", {"name": "canary-in-the-body"})
    shop.get("/products?q=canary-in-the-query")
    text = repr(shop.logged())
    assert "canary" not in text
    assert shop.token not in text


def test_refusals_whose_site_is_known_are_logged(shop: Shop) -> None:
    key, token = shop.key(networks=["192.0.2.0/24"])
    answer = shop.get("/products", token=token)
    [row] = [row for row in shop.logged() if row["request_id"] == answer.headers["X-Request-Id"]]
    assert (row["status"], row["error_code"], row["credential"]) == (403, "wrong_network", key.public_id)


def test_odd_text_from_outside_does_not_stop_the_log(shop: Shop) -> None:
    answer = shop.get(
        "/products/%00%ff", headers={"User-Agent": "bad \udcff".encode("utf-8", "surrogateescape").decode("latin-1")}
    )
    assert answer.status_code == 404
    assert len(shop.logged()) == 1


def _entry(**values: object) -> Entry:
    plain = {
        "at": utcnow(), "request_id": f"req_{uuid4().hex}", "agency_id": uuid4(), "site_id": uuid4(), "install_id": None,
        "credential": "", "surface": "api", "method": "GET", "path": "/", "status": 200, "duration_us": 1, "bytes_out": 0,
        "address": None, "user_agent": "", "origin": "", "error_code": "",
    }  # fmt: skip
    return Entry(**{**plain, **values})  # type: ignore[arg-type]  # as above


def test_a_full_queue_drops_and_counts_instead_of_blocking(wired: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requestlog, "MOST_QUEUED", 10)
    log = RequestLog()
    log.every_s = 60
    for _ in range(15):
        log.add(_entry())
    assert log.dropped == 5
    log.stop()
    assert log.dropped == 0


def test_what_the_database_does_not_take_waits(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RequestLog()
    log.every_s = 60

    def away() -> None:
        raise PoolTimeout("away")

    entry = _entry(agency_id=shop.site.agency_id, site_id=shop.site.id)
    with monkeypatch.context() as patched:
        patched.setattr(behind, "runtime_pool", away)
        log.add(entry)
        log.flush()
    log.stop()
    assert [row["request_id"] for row in shop.logged()] == [entry.request_id]


def test_days_are_made_ahead_and_dropped_after_thirty(world: object, config: Config) -> None:
    with psycopg.connect(config.database_url, autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE IF NOT EXISTS external_api_requests_20200101 PARTITION OF external_api_requests "
            "FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')"
        )
        owner.execute("DROP TABLE IF EXISTS " + f"external_api_requests_{_day(7)}")
        jobs.partitions()
        names = {
            row[0]
            for row in owner.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'external_api_requests'::regclass"
            )
        }
    assert "external_api_requests_20200101" not in names
    assert {f"external_api_requests_{_day(ahead)}" for ahead in range(8)} <= names


def _day(ahead: int) -> str:
    return f"{utcnow() + timedelta(days=ahead):%Y%m%d}"


# -- real servers


@contextmanager
def served(config: Config) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The product on granian, as `make run` starts it, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {
        **os.environ, "DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url, "SECRET_KEY": SECRET,
        "DATA_DIR": str(config.data_dir), "PLATFORM_URL": f"http://127.0.0.1:{port}", "RUNTIME_URL": "http://localhost:1",
    }  # fmt: skip
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--no-ws",
        "--log-level",
        "warning",
        "--host",
        "127.0.0.1",
    ]
    command += [
        "--port",
        str(port),
        "--workers",
        "1",
        "--blocking-threads",
        "4",
        "--workers-kill-timeout",
        "8",
        "wsgi:application",
    ]
    process = subprocess.Popen(command, cwd=ROOT, env=environ)
    try:
        _until_ready(port)
        yield port, process
    finally:
        process.terminate()
        process.wait(timeout=20)


def _until_ready(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            if _get(port, "/api/health", "")[0] == 200:
                return
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _get(port: int, path: str, token: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_a_clean_stop_of_the_server_loses_no_line(shop: Shop, config: Config) -> None:
    with served(config) as (port, process):
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: _get(port, shop.url("/products"), shop.token), range(200)))
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
    assert {status for status, _, _ in answers} == {200}
    ids = {headers["x-request-id"] for _, headers, _ in answers}
    assert {row["request_id"] for row in shop.logged()} == ids
    assert len(ids) == 200


def test_a_key_revoked_in_one_process_is_refused_by_another_within_a_second(shop: Shop, config: Config) -> None:
    key, token = shop.key()
    with served(config) as (port, _):
        assert _get(port, shop.url(""), token)[0] == 200
        shop.revoke(key)
        deadline = time.monotonic() + 1
        while (answer := _get(port, shop.url(""), token))[0] == 200 and time.monotonic() < deadline:
            time.sleep(0.02)
    assert (answer[0], json.loads(answer[2])["code"]) == (401, "key_revoked")
