"""What the tests ask of a worker from the inside: what it holds, and what the kernel answers to what it must not do."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any


def report() -> dict[str, Any]:
    """Taken just before the lock: afterwards nothing can be opened to look."""
    held = [fd for fd in range(64) if _is_open(fd)]
    return {
        "environ": dict(os.environ),
        "fds": held,
        "uid": os.getuid(),
        "pid": os.getpid(),
        "application": sorted(name for name in sys.modules if name == "app" or name.startswith("app.")),
        "threads_of_zygote": _threads(os.getppid()),
    }


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _threads(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


def attempt(what: str) -> str:
    """ "allowed", or the name of the error the kernel gave."""
    try:
        ATTEMPTS[what]()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "unknown")
    return "allowed"


def _syscall(number: int, *args: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _call(name: str, *args: Any) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*args) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _thread() -> None:
    import _thread

    try:
        _thread.start_new_thread(int, ())
    except RuntimeError:
        raise OSError(errno.EPERM, "refused") from None


def _executable_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


ATTEMPTS: dict[str, Callable[[], Any]] = {
    "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "open_write": lambda: os.open("/tmp/sandbox-escape", os.O_WRONLY | os.O_CREAT),  # noqa: S108  the place does not matter
    "listdir": lambda: os.listdir("/"),
    "stat": lambda: os.stat("/etc/passwd"),
    "socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "unix_socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "connect": lambda: _call("connect", 3, None, 0),
    "exec": lambda: os.execv("/bin/true", ["true"]),  # noqa: S606  it is refused
    "fork": _fork,
    "thread": _thread,
    "kill": lambda: os.kill(os.getppid(), 0),
    "kill_self": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "setuid": lambda: os.setuid(0),
    "ptrace": lambda: _syscall(101 if os.uname().machine == "x86_64" else 117, 0, 0, 0, 0),
    "pipe": os.pipe,
    "dup": lambda: os.dup(3),
    "unlink": lambda: os.unlink("/tmp/none"),  # noqa: S108
    "chdir": lambda: os.chdir("/"),
    "executable_memory": _executable_memory,
    "getppid_of_others": lambda: os.getpgid(1),
}
