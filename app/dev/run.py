"""`make run`: the servers, the migrations, the demo world on an empty database, then web, worker and scheduler."""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from app.config import Config
from app.dev import postgres, valkey
from app.dev.errors import DevError
from app.dev.folders import Lock, data_folder, forget_short_folder, kept_secret, write_private
from app.dev.forked import Process, preload
from app.dev.processes import last_lines, until
from app.dev.supervisor import StopAsked, Supervisor

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 120
ENDING_WITHIN_S = 12  # what the programs of a killed start may take to end: their grace and a little
Server = postgres.Postgres | valkey.Valkey


def run(environ: Mapping[str, str]) -> int:
    """Start everything, print where it is, go on until asked to stop; the exit code. Raises DevError, ConfigInvalid."""
    started = time.monotonic()
    data_dir = data_folder(Path(environ.get("DATA_DIR") or ".data"))
    complete = complete_environment(environ, data_dir)
    config = Config.from_env(complete)
    lock = Lock(data_dir)
    try:
        patience_s = ENDING_WITHIN_S if lock.found_unclean else 0
        must_be_free("PORT", config.host, config.port, patience_s=patience_s)
        must_be_free("RUNTIME_PORT", config.host, config.runtime_port, patience_s=patience_s)
        return _run(complete, config, lock, started)
    finally:
        lock.release()


def complete_environment(environ: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The environment of the children: what is given, and below DATA_DIR whatever is not.

    The same values are kept in DATA_DIR/environment, where the management commands find them.
    """
    given = {name: value for name, value in environ.items() if value}
    ours = {
        "DATABASE_URL": given.get("DATABASE_URL") or postgres.owner_url(data_dir),
        "REDIS_URL": given.get("REDIS_URL") or valkey.url(data_dir),
    }
    if given.get("DRAMAC_ENV", "development") == "development":  # production brings its own
        ours["SECRET_KEY"] = given.get("SECRET_KEY") or kept_secret(data_dir / "secret-key")
    write_private(data_dir / "environment", "".join(f"{name}={value}\n" for name, value in ours.items()))
    return {**given, **ours, "DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}


def must_be_free(name: str, host: str, port: int, *, patience_s: float = 0) -> None:
    """Raise DevError when nothing could listen there, now or within the patience."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise DevError(f"HOST: {host} is not an address of this machine ({error.strerror})") from None

    def refusal() -> OSError | None:
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(address)
            except OSError as error:
                return error
        return None

    if not until(lambda: refusal() is None, seconds=patience_s, every_s=0.1) and (why := refusal()):
        raise DevError(
            f"{name}: port {port} of {host} cannot be used ({why.strerror}); "
            f"stop what uses it, or choose another: {name}={port + 10} make run"
        )


def _run(environ: Mapping[str, str], config: Config, lock: Lock, started: float) -> int:
    servers: list[Server] = []
    with Supervisor(environ=environ, private=[lock.fileno()]) as supervisor:
        try:
            _start_servers(supervisor, config, servers)
            _prepare(supervisor, environ, config)
            _start_programs(supervisor, config)
            supervisor.say(banner(config, time.monotonic() - started))
            supervisor.forever()
        except StopAsked:
            supervisor.say("\nStopping …")
        except DevError as error:
            supervisor.say(f"\nDramac: {error}\n")
            return 1
        finally:
            supervisor.stop()
            for server in servers:
                server.stop()
            forget_short_folder(config.data_dir)
    return 0


def _start_servers(supervisor: Supervisor, config: Config, servers: list[Server]) -> None:
    """Both at once; each only when its address is our own. `servers` is filled as they start, so that they can be stopped."""
    folder = config.data_dir
    if config.redis_url == valkey.url(folder):
        _watch(supervisor, servers, "valkey", lambda: valkey.launch(folder))
    if config.database_url == postgres.owner_url(folder):
        if not (folder / "postgres").exists():
            supervisor.say(f"Making a new database in {folder} …")
        _watch(supervisor, servers, "postgres", lambda: postgres.launch(folder))
    for server in servers:
        if not supervisor.until(server.ready, seconds=READY_WITHIN_S, every_s=0.01):
            raise DevError(f"no answer after {READY_WITHIN_S} s; the end of {server.log}:\n{last_lines(server.log)}")
        if isinstance(server, postgres.Postgres):
            server.settle()


def _watch(supervisor: Supervisor, servers: list[Server], name: str, launch: Callable[[], Server]) -> None:
    place = len(servers)
    servers.append(launch())

    def again() -> Process:
        servers[place] = launch()
        return servers[place].process

    supervisor.watch(name, servers[place].process, lambda: last_lines(servers[place].log), again=again)


def _prepare(supervisor: Supervisor, environ: Mapping[str, str], config: Config) -> None:
    """Migrations and demo world, each only when this database has not had them from these files."""
    flask = (sys.executable, "-m", "flask", "--app", "wsgi")
    migrated = config.data_dir / "migrated"
    state = _state(config)
    if _read(migrated) != state:
        supervisor.run("migrate", (*flask, "db", "migrate"))
        write_private(migrated, state)
    people = config.data_dir / "demo-people"
    if config.development and not people.exists():
        supervisor.say("Making the demo world …")
        password = config.demo_password or _demo_password(config.data_dir)
        said = supervisor.run("seed", (*flask, "seed", "demo"), extra={"DEMO_PASSWORD": password})
        write_private(people, "".join(f"{line}\n" for line in said))


def _state(config: Config) -> str:
    """What the database's shape and its roles' passwords come from; a change of any runs the migrations again."""
    digest = hashlib.sha256()
    for part in (config.database_url, *config.secret_keys, _birth(config.data_dir / "postgres" / "PG_VERSION")):
        digest.update(part.encode() + b"\0")
    for path in sorted((ROOT / "sql").rglob("*.sql")):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest() + "\n"


def _birth(path: Path) -> str:
    """Tells one database folder from another made later in its place."""
    try:
        facts = path.stat()
    except OSError:
        return "elsewhere"
    return f"{facts.st_ino} {facts.st_mtime_ns}"


def _demo_password(data_dir: Path) -> str:
    path = data_dir / "demo-password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(9) + "\n")  # 72 random bits, short enough to copy by hand
    return path.read_text().strip()


def _start_programs(supervisor: Supervisor, config: Config) -> None:
    fork = preload()
    programs = {
        "web": _granian(config, port=config.port, workers=config.web_workers),
        "runtime": _granian(config, port=config.runtime_port, workers=1),
        "worker": (sys.executable, "worker.py"),
        "long": (sys.executable, "worker.py", "--long"),
        "scheduler": (sys.executable, "worker.py", "--scheduler"),
    }
    for name, command in programs.items():
        supervisor.start(name, command, fork=fork, again=True)
    for name, port, path, wanted in (
        ("web", config.port, "/api/ready", (200,)),
        ("runtime", config.runtime_port, "/", range(200, 500)),
    ):
        if not supervisor.until(_answers(config.host, port, path, wanted), seconds=READY_WITHIN_S, every_s=0.05):
            raise DevError(f"{name} was not ready at http://{config.host}:{port}{path} after {READY_WITHIN_S} s")


def _granian(config: Config, *, port: int, workers: int) -> tuple[str, ...]:
    command: tuple[str, ...] = (
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--no-ws",
        "--log-level",
        "warning",
    )
    command += ("--host", config.host, "--port", str(port), "--workers", str(workers))
    threads = min(config.web_threads, 2 * (os.cpu_count() or 1) + 1)  # more, and granian warns at every start
    return (*command, "--blocking-threads", str(threads), "--workers-kill-timeout", "8", "wsgi:application")


def _answers(host: str, port: int, path: str, wanted: Iterable[int]) -> Callable[[], bool]:
    reach = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)

    def ask() -> bool:
        connection = http.client.HTTPConnection(reach, port, timeout=1)
        try:
            connection.request("GET", path)
            return connection.getresponse().status in wanted
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask


def banner(config: Config, seconds: float) -> str:
    """What a person needs to know once it runs."""
    lines = ["", f"Dramac is ready ({seconds:.1f} s).", "", f"  {config.platform_url}  the platform"]
    lines += [f"  {config.runtime_url}  public pages and embeds of modules", ""]
    password = config.demo_password or _read(config.data_dir / "demo-password").strip()
    people = _read(config.data_dir / "demo-people").splitlines()
    if people and password:
        lines += [f"  Sign in with the password {password} as", *(f"    {person}" for person in people), ""]
    return "\n".join([*lines, f"  Data is kept in {config.data_dir}. Stop with ctrl-C.", ""])


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
