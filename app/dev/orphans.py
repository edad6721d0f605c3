"""Processes that an earlier start left behind because it was killed itself. Imported only when there is a sign of one."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

Step = tuple[signal.Signals, float]  # what to send, and how many seconds to wait for the end

POSTGRES_STEPS: Sequence[Step] = ((signal.SIGINT, 10), (signal.SIGQUIT, 5), (signal.SIGKILL, 5))
VALKEY_STEPS: Sequence[Step] = ((signal.SIGTERM, 20), (signal.SIGKILL, 5))


def end_servers(*, name: str, folder: Path, first: int | None, steps: Sequence[Step]) -> None:
    """End every process of that name working in `folder`, the one numbered `first` before the rest: it stops its own."""
    mine = [process for process in psutil.process_iter() if _works_in(process, name, folder)]
    for process in sorted(mine, key=lambda process: process.pid != first):
        _end(process, steps)


def exists(pid: int) -> bool:
    return psutil.pid_exists(pid)


def sweep(sessions: Iterable[int], *, spare: Collection[int] = ()) -> list[int]:
    """Kill whatever lives in the sessions of our former children or became our child; the pids killed.

    spare: children of ours (and what they started) that are to live on.
    """
    former, spared = set(sessions), set(spare)
    found = [
        pid for child in psutil.Process().children() if child.pid not in spared for pid in _with_descendants(child)
    ]
    found += [pid for pid in psutil.pids() if pid not in found and _session(pid) in former]
    for pid in found:
        _kill(pid)
    for pid in found:
        _reap(pid)
    return found


def _with_descendants(process: psutil.Process) -> list[int]:
    try:
        return [process.pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def _works_in(process: psutil.Process, name: str, folder: Path) -> bool:
    try:
        return process.name().startswith(name) and Path(process.cwd()) == folder
    except (psutil.Error, OSError):
        return False


def _end(process: psutil.Process, steps: Sequence[Step]) -> None:
    for signum, patience_s in steps:
        try:
            process.send_signal(signum)
            process.wait(patience_s)
        except psutil.TimeoutExpired:
            continue
        except psutil.NoSuchProcess:
            pass
        return


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _reap(pid: int) -> None:
    with suppress(ChildProcessError):  # not our child: whoever has it reaps it
        os.waitpid(pid, 0)
