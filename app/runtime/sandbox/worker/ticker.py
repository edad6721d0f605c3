"""Ends a guest that has used its processor time, native loops included, by moving the engine's epoch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import wasmtime

STEP_S = 0.003


def processor_clock() -> Callable[[], float]:
    """Reads the processor seconds used by the main thread; where the system has no such clock, by the process."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time
    main = threading.main_thread().ident
    assert main is not None
    clock = time.pthread_getcpuclockid(main)
    return lambda: time.clock_gettime(clock)


class Ticker:
    """One thread, asleep while nothing runs. Started after the fork and before the lock forbids threads."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._cpu = processor_clock()
        self._armed = threading.Event()
        self._lock = threading.Lock()
        self._deadline: float | None = None
        threading.Thread(target=self._run, daemon=True, name="ticker").start()

    def cpu_s(self) -> float:
        return self._cpu()

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Within, WebAssembly traps once `seconds` of processor time are gone (plus at most one step)."""
        with self._lock:
            self._deadline = self._cpu() + seconds
        self._armed.set()
        try:
            yield
        finally:
            with self._lock:
                self._deadline = None
            self._armed.clear()

    def _run(self) -> None:
        while True:
            self._armed.wait()
            time.sleep(STEP_S)
            with self._lock:  # so that a late tick never hits the next call
                if self._deadline is not None and self._cpu() >= self._deadline:
                    self._engine.increment_epoch()
