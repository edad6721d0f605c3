"""The parent's handles on the zygote and on one worker: start, fork, kill. Killing is by process descriptor where there
are any, so that a reused number is never hit."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from . import frames
from .errors import SandboxUnavailable

START_S = 60.0  # compiling the engine takes about a second, more on a busy machine
READY_S = 15.0
LOOK_MS = 20
ROOT = Path(__file__).resolve().parents[3]
BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from app.runtime.sandbox.worker.zygote import main; main()"
ANSWER = struct.Struct("!i")


def _polled(sock: socket.socket, events: int, *, within_ms: int = 0) -> bool:
    """Whether one of the events is there now, or soon; the other side's end (POLLHUP) always counts."""
    poll = select.poll()
    poll.register(sock, events)
    return bool(poll.poll(within_ms))


class WorkerProcess:
    """One worker. Used by one thread at a time."""

    def __init__(self, sock: socket.socket, pid: int, handle: int) -> None:
        self.sock, self.pid, self._handle = sock, pid, handle
        self.jobs = 0
        self.walls: dict[str, Any] | None = None

    def wait_ready(self) -> bool:
        """Whether it has locked itself in and still lives. Waits at most READY_S the first time."""
        try:
            if self.walls is None:
                head, _ = frames.receive(self.sock, body_limit=0, deadline=time.monotonic() + READY_S)
                walls = head.get("walls")
                if head["op"] != "ready" or not isinstance(walls, dict):
                    return False
                self.walls = walls
        except (frames.BadFrame, frames.OutOfTime):
            return False
        return not _polled(self.sock, select.POLLIN)  # an idle worker has nothing to say: this would be its end

    def send(self, head: dict[str, Any], body: bytes = b"", *, deadline: float) -> None:
        frames.send(self.sock, head, body, deadline=deadline)

    def receive(self, *, deadline: float, busy_until: float | None = None) -> tuple[dict[str, Any], bytes]:
        """Its next frame. busy_until: the value of busy_s() it may reach before it begins to answer. Raises OutOfTime."""
        while busy_until is not None and not _polled(self.sock, select.POLLIN, within_ms=LOOK_MS):
            if time.monotonic() > deadline or self.busy_s() > busy_until:
                raise frames.OutOfTime
        return frames.receive(self.sock, body_limit=frames.FROM_WORKER_LIMIT, deadline=deadline)

    def resident_bytes(self) -> int:
        """Memory it really holds; 0 where the system does not say."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return 0

    def busy_s(self) -> float:
        """Seconds it has spent on a processor; where the system does not say, seconds of a clock."""
        try:
            told = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime and stime
        except (OSError, ValueError, IndexError):
            return time.monotonic()

    def kill(self) -> None:
        with contextlib.suppress(OSError):
            if self._handle >= 0:
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            else:
                os.kill(self.pid, signal.SIGKILL)
        self.forget()

    def forget(self) -> None:
        """Close our side only."""
        self.sock.close()
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


class Zygote:
    """The process workers are forked from."""

    def __init__(self, *, probed: bool) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self.process = _spawn(theirs.fileno(), probed=probed)
        try:
            head, _ = frames.receive(self._control, body_limit=0, deadline=time.monotonic() + START_S)
        except (frames.BadFrame, frames.OutOfTime) as error:
            head = {"op": "failed", "message": str(error)}
        if head["op"] != "ready":
            self.stop()
            raise SandboxUnavailable(f"The sandbox cannot start: {head.get('message')}")

    def fork(self) -> WorkerProcess:
        """A new worker, still locking itself in. Raises OSError when the zygote is gone."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                socket.send_fds(self._control, [b"F"], [theirs.fileno()])
                self._control.settimeout(READY_S)
                data, fds, _, _ = socket.recv_fds(self._control, ANSWER.size, 1)
            except OSError:
                ours.close()
                raise
        if len(data) != ANSWER.size:
            ours.close()
            raise ConnectionResetError("the zygote is gone")
        for fd in fds:
            os.set_inheritable(fd, False)
        return WorkerProcess(ours, ANSWER.unpack(data)[0], fds[0] if fds else -1)

    def alive(self) -> bool:
        """Whether its end of the socket is open. An answer under way to another thread's fork() does not matter."""
        try:
            return not _polled(self._control, 0)
        except ValueError:
            return False  # stopped meanwhile

    def stop(self) -> None:
        """End it; its workers die with it."""
        self._control.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def forget(self) -> None:
        """In a forked child: let go without touching it."""
        self._control.close()
        self.process.returncode = 0  # it is not this process's child: nothing to wait for


def _spawn(fd: int, *, probed: bool) -> subprocess.Popen[bytes]:
    """Start a Python that inherits nothing: no environment, no descriptor but one, no path of the user's."""
    arguments = [sys.executable, "-I", "-B", "-X", "utf8", "-c", BOOT, str(ROOT), str(fd), "probed" if probed else ""]
    return subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},  # to find the seccomp library
        cwd="/",
        pass_fds=[fd],
        start_new_session=True,
    )
