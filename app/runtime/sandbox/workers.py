"""Holds the workers: starts them, lends each to one thread at a time, replaces the dead, the worn and the grown."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import SandboxBudget, SandboxUnavailable
from .processes import WorkerProcess, Zygote

RECYCLE_JOBS = 5_000
RECYCLE_BYTES = 256 << 20
WATCH_EVERY = 16  # jobs between looks at a worker's memory
WAIT_S = 30.0  # for a free worker
MAX_NESTING = 4  # functions calling functions: each holds a worker while it waits
REQUIRED_WALLS = ("process", "no_new_privs", "seccomp", "rlimits")


class Refused(Exception):
    """Carries what ended a call past the worker, which stays good: an error of the code, or the host's own exception."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class Workers:
    """Starts at first use. Safe for many threads; a process forked from this one makes its own workers."""

    def __init__(self, *, workers: int = 2, _probe: bool = False) -> None:
        self.workers, self._probed = workers, _probe
        self._local = threading.local()
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        self._free = threading.Condition()
        self._starting = threading.Lock()
        self._zygote: Zygote | None = None
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._taken = 0  # workers held by threads that hold no other

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start the zygote and the workers, one more than may work at a time. Raises SandboxUnavailable."""
        with self._starting:
            if self._zygote:
                return
            zygote = Zygote(probed=self._probed)
            try:
                self._idle = [zygote.fork() for _ in range(self.workers + 1)]
            except OSError as error:
                zygote.stop()
                raise SandboxUnavailable(f"The sandbox cannot start: {error}") from None
            self._zygote = zygote

    def stop(self) -> None:
        """Kill everything. Calls under way end with SandboxDied; the next call starts the pool again."""
        with self._starting, self._free:
            zygote, self._zygote = self._zygote, None
            idle, self._idle = self._idle, []
            for worker in idle:
                worker.kill()
        if zygote:
            zygote.stop()

    def _after_fork(self) -> None:
        """In a forked child: the workers are the parent's. Close our copies of their sockets, forget them."""
        for worker in (*self._idle, *self._busy):
            worker.forget()
        if self._zygote:
            self._zygote.forget()
        self._local = threading.local()
        self._reset()

    def walls(self) -> dict[str, bool | str]:
        """Which walls hold on this system. Starts the pool."""
        with self._worker() as worker:
            found: dict[str, bool | str] = {"process": True, "engine_limits": True}
            found["rss_watch"] = worker.resident_bytes() > 0
            for name, holds in (worker.walls or {}).items():
                found[name] = holds if isinstance(holds, (bool, str)) else False
            return found

    def missing_walls(self) -> list[str]:
        """What production must refuse to run without and this system does not give."""
        walls = self.walls()
        return [name for name in REQUIRED_WALLS if not walls.get(name)]

    # -- workers -------------------------------------------------------------------------------------------------

    @contextmanager
    def _worker(self) -> Iterator[WorkerProcess]:
        """A worker for this thread alone. Whatever raises anything but a plain refusal of the code costs its life."""
        worker = self._acquire()
        self._local.held = self._held + 1
        sound = False
        try:
            yield worker
            sound = True
        except Refused as refused:
            sound = True
            raise refused.error from None
        finally:
            self._local.held -= 1
            self._release(worker, sound=sound)

    @property
    def _held(self) -> int:
        return int(getattr(self._local, "held", 0))

    def _acquire(self) -> WorkerProcess:
        self.start()
        if self._held >= MAX_NESTING:
            raise SandboxBudget(f"Functions may call each other {MAX_NESTING} deep.")
        if not self._held:  # a thread that waits for its own inner call must not wait for a free place as well
            with self._free:
                if not self._free.wait_for(lambda: self._taken < self.workers, WAIT_S):
                    raise SandboxUnavailable
                self._taken += 1
        try:
            worker = self._sound_worker()
        except BaseException:
            self._leave()
            raise
        with self._free:
            self._busy.add(worker)
        return worker

    def _sound_worker(self) -> WorkerProcess:
        for _ in range(self.workers + 3):
            zygote = self._zygote
            if zygote and not zygote.alive():  # its workers are about to die
                self._discard(zygote)
            with self._free:
                worker = self._idle.pop() if self._idle else None
            worker = worker or self._fork()
            if worker.wait_ready():
                return worker
            worker.kill()
        raise SandboxUnavailable

    def _fork(self) -> WorkerProcess:
        for _ in range(2):
            self.start()
            zygote = self._zygote
            try:
                if zygote:
                    return zygote.fork()
            except OSError:
                self._discard(zygote)
        raise SandboxUnavailable

    def _discard(self, zygote: Zygote | None) -> None:
        """The zygote is gone and its workers with it."""
        with self._starting, self._free:
            if zygote is None or self._zygote is not zygote:
                return
            self._zygote = None
            idle, self._idle = self._idle, []
            for worker in idle:
                worker.kill()
        zygote.stop()

    def _leave(self) -> None:
        if not self._held:
            with self._free:
                self._taken -= 1
                self._free.notify()

    def _release(self, worker: WorkerProcess, *, sound: bool) -> None:
        worker.jobs += 1
        worn = worker.jobs >= RECYCLE_JOBS or (
            worker.jobs % WATCH_EVERY == 0 and worker.resident_bytes() > RECYCLE_BYTES
        )
        with self._free:
            self._busy.discard(worker)
            keep = sound and not worn and self._zygote is not None and len(self._idle) <= self.workers
            if keep:
                self._idle.append(worker)
            short = not keep and self._zygote is not None and len(self._idle) + len(self._busy) <= self.workers
        try:
            if not keep:
                worker.kill()
            if short:
                self._replace()
        finally:
            self._leave()

    def _replace(self) -> None:
        """Fork the next one now (2 ms), so that it has locked itself in when somebody needs it."""
        try:
            worker = self._fork()
        except SandboxUnavailable:
            return  # the next caller tries again and hears of it
        with self._free:
            self._idle.append(worker)


_all: weakref.WeakSet[Workers] = weakref.WeakSet()


def _each(method: str) -> Callable[[], None]:
    def run() -> None:
        for workers in list(_all):
            getattr(workers, method)()

    return run


os.register_at_fork(after_in_child=_each("_after_fork"))
atexit.register(_each("stop"))
