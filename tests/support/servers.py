"""Real PostgreSQL and Valkey for one test run, and a database of its own for each of its workers.

A keeper process (this file run as a program) starts the servers when pytest starts, while tests are still collected, and
ends them when pytest ends, however that happens: it holds on to a pipe whose other end only the run's first process has.
The data lives in memory where the machine has room for it, in a folder that the next run clears should the keeper be killed.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from app.dev import postgres, valkey
from app.dev.errors import DevError
from app.dev.folders import data_folder

PREFIX = "dramac-test-"
TEMPLATE = "dramac_template"
_ROOM_BYTES = 2 << 30
_STARTS_WITHIN_S = 60
_BUILDS_WITHIN_S = 300
SERVERS: pytest.StashKey[TestServers] = pytest.StashKey()


@dataclass(slots=True)
class TestServers:
    """One run's servers. The starter holds `_keeper`; workers of the same run attach by the folder's path."""

    __test__ = False

    folder: Path
    _keeper: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls) -> TestServers:
        """Begin to start both servers in a new folder; returns at once, the first question waits until they are ready."""
        _clear_left_over()
        folder = data_folder(Path(tempfile.mkdtemp(prefix=PREFIX, dir=_roomy_place())))
        with open(folder / "keeper.log", "wb") as log:
            keeper = subprocess.Popen(
                [sys.executable, "-m", __name__, str(folder)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
                start_new_session=True,  # ctrl-C is for pytest: the servers stop after its last test
            )
        return cls(folder=folder, _keeper=keeper)

    @classmethod
    def attach(cls, folder: str | Path) -> TestServers:
        """The servers that another process of this run started."""
        return cls(folder=Path(folder))

    def stop(self) -> None:
        """End both servers and remove their data. For the process that started them; safe to repeat."""
        if self._keeper is None:
            return
        assert self._keeper.stdin is not None
        self._keeper.stdin.close()
        self._keeper.wait(timeout=60)
        self._keeper = None

    def make_template(self, build: Callable[[str], object]) -> None:
        """Once per run: make an empty database and have `build(owner_url)` migrate it; later calls wait for that one.

        A build that fails fails every caller with the same report. No connection of `build` may stay open.
        """
        done, failed = self.folder / "template.done", self.folder / "template.failed"
        with self._locked("template"):
            if failed.exists():
                raise RuntimeError(f"the test database could not be built:\n{failed.read_text()}")
            if done.exists():
                return
            try:
                with psycopg.connect(self._superuser_url(), autocommit=True) as db:
                    db.execute(_create_database(TEMPLATE, template="template0"))
                build(_with_database(self._owner_url(), TEMPLATE))
            except Exception:
                failed.write_text(traceback.format_exc())
                raise
            done.touch()

    def clone(self, worker_id: str) -> str:
        """The address (owner role) of a fresh copy of the template for one worker; a copy made before is replaced."""
        name = f"test_{worker_id}"
        with self._locked("clone"), psycopg.connect(self._superuser_url(), autocommit=True) as db:
            db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            db.execute(_create_database(name, template=TEMPLATE))
        return _with_database(self._owner_url(), name)

    def admin_url(self, worker_id: str) -> str:
        """The worker's database as the superuser, who sees every row: for tests that look at all there is."""
        return _with_database(self._superuser_url(), f"test_{worker_id}")

    def redis_url(self, worker_id: str) -> str:
        """The address of the worker's own numbered Valkey database: gw0 has 1, gw1 has 2, a run without workers has 0."""
        number = int(worker_id.removeprefix("gw")) + 1 if worker_id.startswith("gw") else 0
        if number >= valkey.DATABASES:
            raise ValueError(f"{worker_id}: at most {valkey.DATABASES - 1} workers have a Valkey database of their own")
        return self._addresses()["redis"].replace("?db=0", f"?db={number}")

    def _owner_url(self) -> str:
        return self._addresses()["owner"]

    def _superuser_url(self) -> str:
        return self._addresses()["superuser"]

    def _addresses(self) -> dict[str, str]:
        ready = self.folder / "servers.json"
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while not ready.exists():
            if (self.folder / "failed").exists() or not self.folder.exists() or time.monotonic() > deadline:
                raise DevError(f"the test servers did not start:\n{_text(self.folder / 'keeper.log')}")
            time.sleep(0.02)
        addresses: dict[str, str] = json.loads(ready.read_text())
        return addresses

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with open(self.folder / f"{name}.lock", "w") as file:
            deadline = time.monotonic() + _BUILDS_WITHIN_S
            while not _try_lock(file.fileno()):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another worker has held {file.name} for {_BUILDS_WITHIN_S} s")
                time.sleep(0.02)
            yield


def _create_database(name: str, *, template: str) -> sql.Composed:
    return sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(postgres.OWNER), sql.Identifier(template)
    )


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return "(no log)"


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _roomy_place() -> Path:
    """Memory when 2 GiB of it are free there (containers often give 64 MiB), otherwise the disk's temporary folder."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= _ROOM_BYTES:
        return memory
    return Path(tempfile.gettempdir())


def _clear_left_over() -> None:
    """Remove the folders of runs whose keeper was killed. A living keeper holds its folder's lock; young folders are left alone."""
    for place in {Path("/dev/shm"), Path(tempfile.gettempdir())}:
        for folder in place.glob(f"{PREFIX}*"):
            try:
                if folder.stat().st_uid != os.geteuid() or time.time() - folder.stat().st_mtime < _STARTS_WITHIN_S:
                    continue
                with open(folder / "keeper.lock", "a") as file:
                    if _try_lock(file.fileno()):
                        shutil.rmtree(folder, ignore_errors=True)
            except OSError:  # another run clears it in the same moment
                continue


def _keep(folder: Path) -> None:
    """Run the servers until standard input ends or a signal asks to stop; then remove their folder."""
    with open(folder / "keeper.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            _serve(folder)
        except BaseException:
            (folder / "failed").touch()
            raise
        finally:
            if not (folder / "failed").exists():
                shutil.rmtree(folder, ignore_errors=True)


def _serve(folder: Path) -> None:
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda *_: sys.stdin.close())
    started: list[postgres.Postgres | valkey.Valkey] = []
    try:
        started.append(store := valkey.start(folder, for_tests=True))
        started.append(database := postgres.start(folder, for_tests=True))
        addresses = {"owner": database.url, "superuser": database.superuser_url, "redis": store.url}
        part = folder / "servers.part"
        part.write_text(json.dumps(addresses))
        part.rename(folder / "servers.json")
        sys.stdin.read()
    finally:
        for server in started:
            server.process.send_signal(
                signal.SIGKILL if isinstance(server, valkey.Valkey) else signal.SIGQUIT
            )  # kept by nobody
        for server in started:
            server.stop()


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the run's first process; its workers are told where they are."""
    if hasattr(config, "workerinput"):
        config.stash[SERVERS] = TestServers.attach(config.workerinput["test_servers"])
    elif not config.option.collectonly:
        config.stash[SERVERS] = TestServers.start()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Called by pytest-xdist for each worker it starts."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist has no types
    node.workerinput["test_servers"] = str(config.stash[SERVERS].folder)  # type: ignore[attr-defined]  # as above


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(SERVERS, None)
    if servers is not None:
        servers.stop()


@pytest.fixture(scope="session")
def test_servers(pytestconfig: pytest.Config) -> TestServers:
    """This run's PostgreSQL and Valkey."""
    return pytestconfig.stash[SERVERS]


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
