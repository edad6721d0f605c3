"""The servers every test stands on: one pair per run, a database per worker, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis

from tests.support.servers import TestServers

ROOT = Path(__file__).parents[3]


def _build(url: str) -> None:
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE sown (n int)")
        db.execute("INSERT INTO sown VALUES (1)")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def servers():
    servers = TestServers.start()
    yield servers
    servers.stop()


def test_each_worker_gets_a_copy_of_the_template_and_a_valkey_database(servers):
    servers.make_template(_build)
    servers.make_template(lambda url: pytest.fail("the template is built once"))
    for worker in ("gw0", "gw1"):
        with psycopg.connect(servers.clone(worker)) as db:
            db.execute("INSERT INTO sown VALUES (2)")
            assert db.execute("SELECT array_agg(n), current_database(), current_user FROM sown").fetchone() == (
                [1, 2],
                f"test_{worker}",
                "dramac_owner",
            )
        redis.Redis.from_url(servers.redis_url(worker)).set("who", worker)
    found = [redis.Redis.from_url(servers.redis_url(name)).get("who") for name in ("gw0", "gw1", "master")]
    assert found == [b"gw0", b"gw1", None]


def test_a_second_copy_for_the_same_worker_starts_afresh(servers):
    servers.make_template(_build)
    with psycopg.connect(servers.clone("gw0"), autocommit=True) as db:
        db.execute("DELETE FROM sown")
        with psycopg.connect(servers.clone("gw0")) as again:
            assert again.execute("SELECT n FROM sown").fetchall() == [(1,)]


def test_a_template_that_cannot_be_built_fails_every_worker_with_the_reason(servers):
    def broken(url: str) -> None:
        raise ValueError("migration 7 is wrong")

    with pytest.raises(ValueError, match="migration 7 is wrong"):
        servers.make_template(broken)
    with pytest.raises(RuntimeError, match="migration 7 is wrong"):
        TestServers.attach(servers.folder).make_template(_build)


def test_stop_leaves_neither_process_nor_file(servers):
    with psycopg.connect(servers._superuser_url()) as db:
        postmaster = int((servers.folder / "postgres" / "postmaster.pid").read_text().split()[0])
        assert db.execute("SHOW fsync").fetchone() == ("off",)
    servers.stop()
    assert (servers.folder.exists(), _alive(postmaster)) == (False, False)


def test_servers_end_when_the_run_is_killed():
    script = "import sys; from tests.support.servers import TestServers\n"
    script += "s = TestServers.start(); s._superuser_url(); print(s.folder, flush=True); sys.stdin.read()"
    run = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    folder = Path(run.stdout.readline().strip())
    postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    run.send_signal(signal.SIGKILL)
    run.wait()
    deadline = time.monotonic() + 20
    while (folder.exists() or _alive(postmaster)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (folder.exists(), _alive(postmaster)) == (False, False)
