"""The folder DATA_DIR: who may look into it, its secrets, its single-start lock and the short path for sockets."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path

from app.dev.account import Account, let_reach
from app.dev.errors import DevError

LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103  # sun_path less its closing zero byte


def data_folder(path: Path) -> Path:
    """Make DATA_DIR (0700) when missing and return it absolute. An existing folder keeps its rights: it may be someone's."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DevError(
            f"DATA_DIR: {path} cannot be made ({error.strerror}); set DATA_DIR to a folder you may write"
        ) from error
    return path.resolve()


def private_folder(path: Path, account: Account) -> Path:
    """A 0700 folder that belongs to the account, made when missing. Raises DevError when it belongs to someone else."""
    let_reach(account, path)
    path.mkdir(mode=0o700, exist_ok=True)
    facts = path.lstat()
    if facts.st_uid not in (account.uid, os.geteuid()) or path.is_symlink():
        raise DevError(f"{path} belongs to another user: remove it, or set DATA_DIR to a folder of your own")
    if account.switch and facts.st_uid != account.uid:
        os.chown(path, account.uid, account.gid)
    path.chmod(0o700)
    return path


def socket_folder_path(data_dir: Path) -> Path:
    """Where the sockets go: DATA_DIR/run, or one fixed short folder below /tmp when that path is too long for a socket."""
    inside = data_dir / "run"
    if len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(f"/tmp/dramac-{os.geteuid()}-{digest}").resolve()  # resolve: /tmp is a link on macOS


def forget_short_folder(data_dir: Path) -> None:
    """Remove the short folder below /tmp, if there is one and its servers have left it empty."""
    path = socket_folder_path(data_dir)
    if data_dir not in path.parents:
        with suppress(OSError):
            path.rmdir()


def kept_secret(path: Path) -> str:
    """The secret in the file, or a new random one (43 letters) kept there readable by its owner alone (0600)."""
    try:
        if kept := path.read_text().strip():
            return kept
        path.unlink()  # empty: a start was cut off between making and filling it
    except FileNotFoundError:
        pass
    made = secrets.token_urlsafe(32)
    write_private(path, made + "\n")
    return made


def write_private(path: Path, text: str) -> None:
    """Replace the file by `text` in one step, readable by its owner alone."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


class Lock:
    """One start per DATA_DIR. The kernel gives the lock back when its holder dies, so no lock is ever stale."""

    def __init__(self, data_dir: Path) -> None:
        """Take the lock or raise DevError naming the process that holds it."""
        self.path = data_dir / "running.lock"
        self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600), "r+")  # open as long as we hold it
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = self._file.read().strip() or "unknown"
            self._file.close()
            raise DevError(
                f"Dramac is already running on {data_dir} (process {holder}): stop it with ctrl-C there, or set another DATA_DIR"
            ) from None
        self.found_unclean = bool(
            self._file.read().strip()
        )  # the last holder was killed; its programs may still be ending
        self._file.seek(0)
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()
