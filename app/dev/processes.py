"""Starting and stopping processes so that none outlives us: own session each, a death signal, a grace and a kill."""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from app.dev.account import Account

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 1, 15, 36
# Loaded before any fork: between fork and exec nothing may be imported or allocated.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    output: int | IO[bytes],
    account: Account | None = None,
    cwd: Path | None = None,
    on_our_death: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, as `account`; call from the main thread, whose death counts as ours.

    output: where standard output and error go (subprocess.PIPE, a file). On Linux the kernel sends `on_our_death` to it
    should we be killed; elsewhere the next start finds and ends it (servers) or its closed output ends it.
    """
    return subprocess.Popen(
        command,
        env=dict(environ),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        user=account.uid if account and account.switch else None,
        group=account.gid if account and account.switch else None,
        extra_groups=[] if account and account.switch else None,
        preexec_fn=_death_signal(on_our_death),
    )


def _death_signal(signum: signal.Signals) -> Callable[[], None] | None:
    """What Popen is to do between fork and exec: after the change of account, which would clear the request."""
    if _libc is None:
        return None
    return functools.partial(die_with, os.getpid(), signum)


def die_with(parent: int, signum: signal.Signals) -> None:
    """Ask the kernel for the signal when our parent dies, and end at once if it already has (Linux; nothing elsewhere)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


def name_process(name: str) -> None:
    """The name that ps and top show (Linux keeps 15 letters; nothing elsewhere)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_NAME, name.encode()[:15])


def adopt_orphans() -> None:
    """Become the parent of what our children leave behind, so that the last sweep finds it (Linux only)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)


def wait(process: subprocess.Popen[bytes], *, seconds: float) -> bool:
    """Whether the process ended within `seconds`."""
    try:
        process.wait(timeout=max(seconds, 0))
    except subprocess.TimeoutExpired:
        return False
    return True


def end(process: subprocess.Popen[bytes], *, gently: signal.Signals = signal.SIGTERM, grace_s: float = 10) -> None:
    """Ask the process to stop, kill its group after `grace_s`, return when it is gone."""
    if process.poll() is None:
        process.send_signal(gently)
        if not wait(process, seconds=grace_s):
            signal_group(process.pid, signal.SIGKILL)
            process.wait()
    signal_group(process.pid, signal.SIGKILL)  # what it left in its own group


def signal_group(group: int, signum: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS says "not permitted" for a group of zombies
        os.killpg(group, signum)


def how_it_ended(code: int) -> str:
    """An exit code of Popen in words: "exit code 3" or "signal 9 (SIGKILL)"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"


def last_lines(path: Path, count: int = 15) -> str:
    """The last lines of a log file, or a word that it is empty."""
    try:
        text = path.read_bytes()[-16_000:].decode(errors="replace")
    except FileNotFoundError:
        text = ""
    return "\n".join(text.splitlines()[-count:]) or "(nothing was logged)"


def until(ready: Callable[[], bool], *, seconds: float, every_s: float = 0.01) -> bool:
    """Ask `ready` again and again, at most `seconds`; whether it became true."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
