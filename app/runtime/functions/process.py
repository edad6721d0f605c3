"""What running module code needs once per process: the sandbox, the keys that open secrets, the guarded client."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass

from app.errors import AppError
from app.lib.http_out import Egress
from app.runtime.sandbox.pool import Sandbox

log = logging.getLogger(__name__)


class WallsMissing(AppError):
    """This system cannot hold module code: the sandbox lacks walls that production needs."""

    code = "walls_missing"


@dataclass
class _Process:
    workers: int = 2
    keys: tuple[str, ...] = ()
    strict: bool = False
    egress: Egress | None = None
    sandbox: Sandbox | None = None


_process = _Process()
_making = threading.Lock()


def configure_functions(*, workers: int, keys: tuple[str, ...], strict: bool, egress: Egress | None = None) -> None:
    """Tell how to run module code; nothing starts before the first use.

    workers: sandbox workers of this process. keys: Config.secret_keys. strict: refuse to run without every wall
    (production). egress: another client for outgoing calls, in tests.
    """
    stop_sandbox()
    _process.workers, _process.keys, _process.strict, _process.egress = workers, keys, strict, egress


def sandbox() -> Sandbox:
    """The sandbox of this process. The first call says which walls hold. Raises WallsMissing."""
    if _process.sandbox is not None:
        return _process.sandbox
    with _making:
        if _process.sandbox is None:
            made = Sandbox(workers=_process.workers)
            missing = made.missing_walls()
            held = [name for name, holds in made.walls().items() if holds]
            log.info("module code runs behind: %s", ", ".join(held))
            if missing and _process.strict:
                made.stop()
                raise WallsMissing(f"{WallsMissing.__doc__} Missing: {', '.join(missing)}.")
            if missing:
                log.warning("walls missing around module code: %s; production would refuse", ", ".join(missing))
            _process.sandbox = made
        return _process.sandbox


def start_soon() -> None:
    """Start the sandbox beside whatever goes on: who opens the first page would wait a second or two for it."""

    def start() -> None:
        try:
            sandbox()
        except AppError:  # whoever needs it is told
            log.exception("the sandbox did not start")

    threading.Thread(target=start, name="sandbox", daemon=True).start()


def stop_sandbox() -> None:
    """End every worker; the next use starts anew."""
    found, _process.sandbox = _process.sandbox, None
    if found is not None:
        found.stop()


def keys() -> tuple[str, ...]:
    """The keys that seal and open."""
    return _process.keys


def egress() -> Egress:
    """The guarded client of this process."""
    with _making:
        if _process.egress is None:
            _process.egress = Egress()
        return _process.egress


def _after_fork() -> None:
    global _making
    _making = threading.Lock()  # another thread of the parent may have held it
    _process.egress = None  # its connections are the parent's


os.register_at_fork(after_in_child=_after_fork)
