"""Runs a set of programs as one: shows what they say, starts again what ends by itself, stops them all when one does so again and
again or a person asks, leaves nothing.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from app.dev.errors import DevError
from app.dev.forked import Forked, Process
from app.dev.processes import adopt_orphans, how_it_ended, signal_group, spawn

KEPT_LINES = 20
ENDINGS, WITHIN_S = 5, 60.0  # a program that ended so often in so long will not stay up
AGAIN_S = 0.5  # before it is started again; twice as long after each ending
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COLOURS = (36, 35, 33, 32, 34, 96, 95, 93)


class StopAsked(Exception):
    """Someone pressed ctrl-C or asked by signal."""


@dataclass(slots=True)
class Child:
    """One running program. `once` ones are expected to end; any other end stops everything, or is mended by `again`."""

    name: str
    process: Process
    once: bool = False
    said: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    rest: bytes = b""  # a line not finished yet
    last_words: Callable[[], str] | None = None  # for servers that write to a file of their own
    again: Callable[[], Process] | None = None
    ended: deque[float] = field(default_factory=lambda: deque(maxlen=ENDINGS))  # when it did, by the monotonic clock
    due: float | None = None  # when it is to be started again

    def epitaph(self) -> str:
        said = self.last_words() if self.last_words else "\n".join(self.said)
        return f"its last lines:\n{said}" if said else "it said nothing"


class Supervisor:
    """Starts programs with one environment. Use as a context manager: leaving it stops all of them, newest first asked.

    grace_s: how long they may take to finish what they are at before they are killed.
    private: descriptors of the caller that no program may keep open, such as its lock.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        out: BinaryIO | None = None,
        grace_s: float = 10,
        private: Sequence[int] = (),
    ) -> None:
        self._private = list(private)
        self._environ = environ
        self._out = sys.stdout.buffer if out is None else out
        self._coloured = out is None and sys.stdout.isatty() and "NO_COLOR" not in environ
        self._grace_s = grace_s
        self._children: list[Child] = []
        self._sessions: list[int] = []
        self._asked = 0
        self._keeping = False  # what ends is started again
        self._selector = selectors.DefaultSelector()
        self._before: dict[int, object] = {}

    def __enter__(self) -> Supervisor:
        adopt_orphans()
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._old_wakeup = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for signum in _STOP_SIGNALS:
            self._before[signum] = signal.signal(signum, self._ask)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the selector
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            signal.set_wakeup_fd(self._old_wakeup)
            for signum, handler in self._before.items():
                signal.signal(signum, handler)  # type: ignore[arg-type]  # what signal.signal itself returned
            self._selector.close()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _ask(self, *_: object) -> None:
        self._asked += 1

    def start(self, name: str, command: Sequence[str], *, fork: bool = False, again: bool = False) -> Child:
        """Start a program that is to run until we stop. fork: as a copy of this process (see app/dev/forked.py).

        again: once all is up (forever()), start it again when it ends.
        """
        child = self._start(name, command, once=False, fork=fork)
        if again:
            child.again = lambda: self._launch(name, command, fork=fork)
        return child

    def watch(
        self, name: str, process: Process, last_words: Callable[[], str], *, again: Callable[[], Process] | None = None
    ) -> None:
        """Stop everything when this server ends, or start it again. Whoever started it stops it."""
        self._children.append(Child(name, process, last_words=last_words, again=again))

    def unwatch(self, name: str) -> None:
        self._children = [child for child in self._children if child.name != name]

    def run(self, name: str, command: Sequence[str], *, extra: Mapping[str, str] | None = None) -> list[str]:
        """Run a program to its end while the others go on; what it said. Raises DevError when it fails, StopAsked."""
        child = self._start(name, command, once=True, extra=extra or {}, keep=None)
        self.until(lambda: child.process.poll() is not None)
        self._drain(child)
        self._children.remove(child)
        if code := child.process.returncode:
            raise DevError(f"{name} failed ({how_it_ended(code)}); {child.epitaph()}")
        return list(child.said)

    def until(self, ready: Callable[[], bool], *, seconds: float | None = None, every_s: float = 0.5) -> bool:
        """Pass on output until `ready` (asked at each event and every `every_s`); False when `seconds` went by first.

        Raises StopAsked, and DevError naming the program when one ends that should not.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        while not ready():
            self._pass_on(every_s)
            if self._asked:
                raise StopAsked
            self._check()
            if deadline is not None and time.monotonic() > deadline:
                return False
        return True

    def forever(self) -> None:
        """Pass on output until someone asks to stop (StopAsked) or a program ends and does not stay up (DevError)."""
        self._keeping = True
        self.until(lambda: False)

    def stop(self) -> None:
        """Ask every program we started to stop, kill after the grace (at once when asked again), sweep up the rest."""
        mine = [child for child in self._children if child.last_words is None]
        self._children = [child for child in self._children if child.last_words is not None]
        asked = self._asked
        for child in reversed(mine):
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + self._grace_s
        while any(child.process.poll() is None for child in mine):
            self._pass_on(0.1)
            if time.monotonic() > deadline or self._asked > asked:
                break
        for child in mine:
            if child.process.poll() is None:
                self.say(f"{child.name} did not stop by itself and is killed")
            signal_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
            self._drain(child)
        if self._sessions:
            self._sweep()

    def say(self, text: str) -> None:
        """Print our own words, apart from the programs' lines."""
        self._write("".join(f"{line}\n" for line in text.splitlines()).encode())

    def _start(
        self,
        name: str,
        command: Sequence[str],
        *,
        once: bool,
        fork: bool = False,
        extra: Mapping[str, str] | None = None,
        keep: int | None = KEPT_LINES,
    ) -> Child:
        child = Child(name, self._launch(name, command, fork=fork, extra=extra), once=once, said=deque(maxlen=keep))
        self._children.append(child)
        self._hear(child)
        return child

    def _launch(
        self, name: str, command: Sequence[str], *, fork: bool, extra: Mapping[str, str] | None = None
    ) -> Process:
        environ = {**self._environ, **(extra or {})}
        if fork:
            return Forked(command, environ=environ, close=self._descriptors(), name=name)
        return spawn(command, environ=environ, output=subprocess.PIPE)

    def _hear(self, child: Child) -> None:
        stream = child.process.stdout
        assert stream is not None
        os.set_blocking(stream.fileno(), False)
        self._sessions.append(child.process.pid)
        self._selector.register(stream, selectors.EVENT_READ, child)

    def _descriptors(self) -> list[int]:
        """The open files that are ours alone."""
        outputs = [child.process.stdout for child in self._children]
        ours = [output.fileno() for output in outputs if output is not None and not output.closed]
        return [*ours, *self._private, self._wake_read, self._wake_write, self._selector.fileno()]

    def _check(self) -> None:
        for child in self._children:
            if child.due is not None:
                if time.monotonic() >= child.due:
                    self._start_again(child)
                continue
            code = child.process.poll()
            if code is None or child.once:
                continue
            self._drain(child)
            if not self._plan_again(child):
                raise DevError(
                    f"{child.name} stopped by itself ({how_it_ended(code)}), so everything stops; {child.epitaph()}"
                )
            self.say(f"{child.name} stopped by itself ({how_it_ended(code)}) and is started again")

    def _plan_again(self, child: Child) -> bool:
        """When it is to be started again; False when it is not."""
        now = time.monotonic()
        if not self._keeping or child.again is None:
            return False
        if len(child.ended) == ENDINGS and now - child.ended[0] < WITHIN_S:
            return False
        lately = sum(now - at < WITHIN_S for at in child.ended)
        child.ended.append(now)
        # the others need the servers: they come back at once
        child.due = now + (0 if child.last_words and not lately else AGAIN_S * 2**lately)
        return True

    def _start_again(self, child: Child) -> None:
        assert child.again is not None
        if child.last_words is None:  # what it had started holds its port and its work
            from app.dev import orphans

            orphans.sweep([child.process.pid], spare={one.process.pid for one in self._children})
            self._sessions.remove(child.process.pid)
        child.due, child.rest = None, b""
        child.process = child.again()
        if child.last_words is None:
            self._hear(child)

    def _pass_on(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.data is None:
                _empty(self._wake_read)
            else:
                self._read(key.data)

    def _read(self, child: Child) -> bool:
        """Pass on what is there; whether more may come."""
        stream = child.process.stdout
        assert stream is not None
        try:
            data = os.read(stream.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(stream)
            stream.close()
            data = b"\n" if child.rest else b""
        *lines, child.rest = (child.rest + data).split(b"\n")
        for line in lines:
            child.said.append(line.decode(errors="replace"))
        self._write(b"".join(self._prefix(child) + line + b"\n" for line in lines))
        return not stream.closed

    def _drain(self, child: Child) -> None:
        stream = child.process.stdout
        while stream is not None and not stream.closed and self._read(child):
            pass

    def _prefix(self, child: Child) -> bytes:
        name = f"{child.name:<9} |"
        if self._coloured:
            name = f"\x1b[{_COLOURS[sum(child.name.encode()) % len(_COLOURS)]}m{name}\x1b[0m"
        return name.encode() + b" "

    def _write(self, data: bytes) -> None:
        try:
            self._out.write(data)
            self._out.flush()
        except OSError:  # the terminal has gone; what matters now is to stop in order
            self._asked += 1

    def _sweep(self) -> None:
        from app.dev import orphans  # not needed to start, and the import costs 40 ms

        orphans.sweep(self._sessions, spare={child.process.pid for child in self._children})
        self._sessions = []


def _empty(pipe: int) -> None:
    try:
        while os.read(pipe, 512):
            pass
    except BlockingIOError:
        pass
