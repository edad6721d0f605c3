"""The servers of `make run`: data kept, nobody else let in, whatever a crash left behind put right."""

import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from app.dev import postgres, valkey
from app.dev.account import Account, let_reach, server_account
from app.dev.errors import DevError
from app.dev.folders import SOCKET_PATH_BYTES, Lock, data_folder, forget_short_folder, kept_secret, socket_folder_path
from app.dev.run import must_be_free

ROOT = Path(__file__).parents[3]


def _as(uid: int, command: str, folder: Path) -> int:
    """The exit code of a shell command that another account runs in the folder."""
    step = f"cd {shlex.quote(str(folder))} && {command}"
    return subprocess.run(["sh", "-c", step], user=uid, group=uid, extra_groups=[], check=False).returncode


@pytest.fixture
def folder():
    """Below a closed folder of our own: another test run starting now would close pytest's common one under our feet."""
    with tempfile.TemporaryDirectory(prefix="dramac-dev-") as name:
        yield Path(name)


@pytest.fixture
def data_dir(folder):
    return data_folder(folder / "data dir")


@pytest.fixture(scope="module")
def begun():
    """A data folder in which PostgreSQL was started once and stopped. The first start is the dear one."""
    with tempfile.TemporaryDirectory(prefix="dramac-dev-") as name:
        folder = data_folder(Path(name) / "data dir")
        postgres.start(folder, for_tests=True).stop()
        yield folder


@pytest.fixture
def used_data_dir(folder, begun):
    """A copy of that folder, for tests of what comes after the first start."""
    copy = folder / "data dir"
    subprocess.run(["cp", "-a", begun, copy], check=True)
    return data_folder(copy)


@pytest.fixture
def start(folder):
    """Start a server of one module; stopped at the end of the test."""
    started = []

    def start(module, data_dir=folder / "data dir", *, for_tests=True):
        started.append(module.start(data_folder(data_dir), for_tests=for_tests))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def test_the_owner_can_make_roles_databases_and_extensions_but_is_no_superuser(start):
    server = start(postgres)
    with psycopg.connect(server.url) as db:
        for name in ("btree_gist", "pg_trgm", "unaccent", "citext"):
            db.execute(f"CREATE EXTENSION {name}")
        facts = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert db.execute(facts).fetchone() == (False, True, True, False)
        assert db.execute("SELECT current_user, current_database()").fetchone() == ("dramac_owner", "dramac")


def test_data_outlives_a_stop(start, used_data_dir):
    first = start(postgres)
    with psycopg.connect(first.url) as db:
        db.execute("CREATE TABLE kept AS SELECT 1 AS n")
    first.stop()
    assert first.process.returncode == 0
    second = start(postgres)
    with psycopg.connect(second.url) as db:
        assert (db.execute("SELECT n FROM kept").fetchall(), second.url) == ([(1,)], first.url)


def test_queues_outlive_a_stop_and_a_kill(data_dir):
    values = []
    for end in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
        server = valkey.start(data_dir)
        with redis.Redis.from_url(server.url) as store:
            values.append(store.incr("n"))
            time.sleep(1.2 if end == signal.SIGKILL else 0)  # "everysec": a kill may cost the last second
        server.process.send_signal(end)
        server.process.wait()
    assert values == [1, 2, 3]


def test_a_killed_postmaster_is_no_obstacle_and_loses_nothing(start, used_data_dir):
    first = start(postgres, for_tests=False)
    with psycopg.connect(first.url) as db:
        db.execute("CREATE TABLE kept AS SELECT 1 AS n")
    first.process.kill()
    first.process.wait()
    assert (used_data_dir / "postgres" / "postmaster.pid").exists()
    with psycopg.connect(start(postgres).url) as db:
        assert db.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_lock_file_that_names_a_stranger_is_forgotten(start, used_data_dir):
    # As after a power cut: the number in the file belongs to some other process of the same account by now.
    account = server_account()
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account.switch else None)
    (used_data_dir / "postgres" / "postmaster.pid").write_text(
        f"{stranger.pid}\n{used_data_dir}/postgres\n1\n5432\n\n\n\n"
    )
    with psycopg.connect(start(postgres).url) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


@pytest.mark.parametrize("module", [postgres, valkey])
def test_a_server_left_running_is_ended_before_the_next_starts(start, used_data_dir, module):
    first = start(module)
    second = start(module)
    assert (first.process.wait(timeout=10), second.process.poll()) == (0, None)


def test_an_interrupted_first_start_is_begun_anew(start, data_dir):
    (data_dir / "postgres.new").mkdir()
    (data_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    with psycopg.connect(start(postgres).url) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)
    assert not (data_dir / "postgres.new").exists()


def test_data_of_another_postgresql_is_refused_with_the_fix(start, used_data_dir):
    (used_data_dir / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(DevError) as caught:
        start(postgres)
    assert str(caught.value) == (
        f"{used_data_dir}/postgres was written by PostgreSQL 17, installed is 18: dump it with 17 and load it with 18, "
        "or set another DATA_DIR"
    )


def test_a_server_that_cannot_start_shows_the_end_of_its_log(start, used_data_dir):
    (used_data_dir / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(DevError) as caught:
        start(postgres)
    first, *rest = str(caught.value).splitlines()
    assert first == f"PostgreSQL stopped at its start (exit code 2); the end of {used_data_dir}/postgres.log:"
    assert any("could not" in line and "pg_control" in line for line in rest)


def test_nobody_else_can_reach_the_servers_or_their_secrets(start, data_dir):
    database, store = start(postgres), start(valkey)
    closed = [data_dir / "run", data_dir / "postgres", data_dir / "valkey"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in closed] == [0o700] * 3
    secrets = [path for path in data_dir.iterdir() if path.name.endswith("password")]
    assert sorted(path.name for path in secrets) == ["postgres-owner-password", "postgres-superuser-password"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    for process in (database.process, store.process):
        listening = [c for c in psutil.Process(process.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert listening == []
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.url.replace(":", ":wrong", 2).replace("postgresql:wrong", "postgresql:"))


def test_a_deep_data_dir_gets_short_sockets_elsewhere(start, folder):
    deep = folder
    while len(os.fsencode(deep)) < SOCKET_PATH_BYTES:
        deep /= "a-rather-long-name"
    deep = data_folder(deep)
    short = socket_folder_path(deep)
    assert (deep in short.parents, stat.S_IMODE(start(postgres, deep)._data.stat().st_mode)) == (False, 0o700)
    with psycopg.connect(postgres.owner_url(deep)) as db, redis.Redis.from_url(start(valkey, deep).url) as store:
        assert (db.execute("SELECT 1").fetchone(), store.ping()) == ((1,), True)
    assert stat.S_IMODE(short.stat().st_mode) == 0o700
    for server in (postgres, valkey):
        start(server, deep).stop()
    forget_short_folder(deep)
    assert not short.exists()


if os.geteuid() == 0:  # anyone else runs the servers as themselves

    def test_root_opens_closed_folders_to_the_servers_account_alone(folder):
        account = Account(uid=54321, gid=54321, switch=True)
        path = folder / "closed" / "data"
        path.mkdir(parents=True)
        path.parent.chmod(0o700)
        for close in (lambda: None, lambda: path.parent.chmod(0o700)):  # a chmod narrows what was granted before
            close()
            let_reach(account, path)
            assert _as(54321, "test -x .. -a ! -r ..", path) == 0
            assert _as(54322, "true", path) != 0


def test_a_second_start_on_the_same_folder_is_refused_by_one_line(data_dir):
    lock = Lock(data_dir)
    with pytest.raises(DevError) as caught:
        Lock(data_dir)
    assert str(caught.value) == (
        f"Dramac is already running on {data_dir} (process {os.getpid()}): stop it with ctrl-C there, "
        "or set another DATA_DIR"
    )
    lock.release()
    Lock(data_dir).release()


def test_the_lock_of_a_killed_start_is_free(data_dir):
    code = f"from pathlib import Path; from app.dev.folders import Lock; l = Lock(Path({str(data_dir)!r}))\n"
    code += "print('held', flush=True); import time; time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.kill()
    holder.wait()
    found = []
    for _ in range(2):
        lock = Lock(data_dir)
        found.append(lock.found_unclean)
        lock.release()
    assert found == [True, False]


def test_a_secret_is_made_once_and_an_empty_file_is_filled(tmp_path):
    made = kept_secret(tmp_path / "key")
    (tmp_path / "empty").touch()
    assert (len(made), kept_secret(tmp_path / "key"), len(kept_secret(tmp_path / "empty"))) == (43, made, 43)


def test_a_port_in_use_names_the_port_and_the_variable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DevError) as caught:
            must_be_free("RUNTIME_PORT", "127.0.0.1", port)
    assert str(caught.value) == (
        f"RUNTIME_PORT: port {port} of 127.0.0.1 cannot be used (Address already in use); "
        f"stop what uses it, or choose another: RUNTIME_PORT={port + 10} make run"
    )
    must_be_free("PORT", "127.0.0.1", port)
