"""Programs that start as copies of this process, with the imports they share already made.

Six Python processes each importing the whole product is most of the time a second `make run` takes; one import does.
"""

from __future__ import annotations

import atexit
import importlib
import multiprocessing
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from app.dev.processes import die_with, name_process

_SHARED = ("app.factory", "app.queue.schedule", "app.queue.worker", "granian.cli")


class Process(Protocol):
    """What the supervisor needs of a program, however it was started: a part of subprocess.Popen."""

    pid: int
    returncode: int | None

    @property
    def stdout(self) -> IO[bytes] | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def send_signal(self, sig: int) -> None: ...


def preload() -> bool:
    """Import what all programs share; whether copies of this process may now be made.

    Not where a fork is unsafe (macOS, a thread running) or would be undone (from 3.14 granian starts workers afresh). An
    import that fails is left to the programs: each says by name what is wrong.
    """
    if sys.platform != "linux" or multiprocessing.get_start_method() != "fork":
        return False
    try:
        for name in _SHARED:
            importlib.import_module(name)
    except Exception:
        return False
    return len(os.listdir("/proc/self/task")) == 1


class Forked:
    """A copy of this process running `python -m <module>` or a script; used like subprocess.Popen."""

    def __init__(
        self, command: Sequence[str], *, environ: Mapping[str, str], close: Collection[int], name: str
    ) -> None:
        """command: as for Popen, the interpreter first. close: our descriptors that the copy must not keep."""
        read, write = os.pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _become(parent=parent, output=write, close={*close, read}, environ=environ, name=name)
                code = _run(command[1:])
            except BaseException:
                traceback.print_exc()
                code = 1
            _leave(code)
        os.close(write)
        self.stdout: IO[bytes] | None = os.fdopen(read, "rb", buffering=0)

    def poll(self) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises TimeoutError after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"process {self.pid} has not ended within {timeout} s")
            time.sleep(0.005)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _become(*, parent: int, output: int, close: Collection[int], environ: Mapping[str, str], name: str) -> None:
    """Shed what is the supervisor's: its signals, session, files, environment and duties at the exit."""
    signal.set_wakeup_fd(-1)
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(signum, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # a worker that granian forks has granian's own handler until it sets one: asked to stop before that, it never would
    os.register_at_fork(after_in_child=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    os.setsid()
    die_with(parent, signal.SIGTERM)
    name_process(f"dramac-{name}")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for standard in (1, 2):
        os.dup2(output, standard)
    for descriptor in {*close, output}:
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environ)
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    atexit._clear()


def _run(arguments: Sequence[str]) -> int:
    """Do what the interpreter does with its arguments `-m module …` or `script …`; the exit code."""
    try:
        if arguments[0] == "-m":
            sys.argv = [arguments[1], *arguments[2:]]
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = list(arguments)
            sys.path.insert(0, str(Path(arguments[0]).resolve().parent))
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as asked:
        if asked.code is None or isinstance(asked.code, int):
            return asked.code or 0
        print(asked.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _leave(code: int) -> None:
    """End as an interpreter does: other threads first, then what was asked for at the exit, then what is still unwritten."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # what multiprocessing calls at this place
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)
