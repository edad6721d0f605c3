"""Runs one function of a module: a fresh guest, the author's source as an ES module, one call, one outcome."""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from . import zones
from .guest import Aborted, Engine, Guest, GuestError, GuestFault, Hooks, Image, TooLong
from .ticker import Ticker

LOG_LINES, LOG_BYTES = 200, 64 * 1024
LEVELS = ("debug", "info", "warn", "error")
MOST_HITS = 100_000  # counters of one file
TEXT_LIMIT = 1 << 20  # of any one text read from a guest, bytes

AskParent = Callable[[str, str], str]


@dataclass
class Job:
    """One call as it arrived. data: the JSON text of {"ctx", "input"}."""

    source: str
    filename: str
    data: bytes
    ms: int
    memory_mb: int
    output_bytes: int
    seed: int | None = None
    now: str | None = None
    ask: AskParent | None = None
    counters: str = ""
    logs: list[dict[str, Any]] = field(default_factory=list)
    log_bytes: int = 0
    hits: str = ""


@dataclass
class Failure(Exception):
    """Why a call gave no output. kind: time, memory, output, aborted, invalid or error."""

    kind: str
    message: str = ""
    line: int = 0
    column: int = 0
    stack: str = ""
    field: str = ""
    code: str = ""


class Functions:
    """The engine with its snapshot. Made in the zygote; `ticker` starts after the fork."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.engine.image = self._snapshot()
        self.ticker: Ticker | None = None

    def _snapshot(self) -> Image:
        guest = Guest(self.engine, memory_bytes=8 << 20, hooks=Hooks(source=("", ""), now_ms=0, seed=0))
        prelude = guest.run((Path(__file__).parent / "prelude.js").read_text())
        pair = guest.invoke(prelude, guest.host_function("host"))
        image = Image(guest, tuple(guest.item(pair, index) for index in range(3)))
        guest.close()
        return image

    def call(self, job: Job) -> bytes:
        """The output as JSON text. Raises Failure."""
        seed = job.seed
        hooks = Hooks(
            host=lambda name, args: self._host(job, name, args),
            source=(job.filename, job.source),
            now_ms=_milliseconds(job.now) if seed is not None else None,
            seed=seed,
        )
        return self._guarded(job, hooks)

    def check(self, job: Job) -> None:
        """Compile the source and evaluate its top level, with no host. Raises Failure with the place of the mistake."""
        self._guarded(
            replace(job, data=b'{"check":true}', ask=None), Hooks(source=(job.filename, job.source), now_ms=0, seed=0)
        )

    def _guarded(self, job: Job, hooks: Hooks) -> bytes:
        assert self.ticker is not None
        guest = None
        try:
            with self.ticker.limit(job.ms / 1000):
                guest = Guest(self.engine, memory_bytes=job.memory_mb << 20, hooks=hooks)
                return self._outcome(guest, job)
        except GuestFault as fault:
            raise _faulted(fault, job) from None
        except GuestError as error:
            raise _failure(job, vars(error), full=guest is not None and guest.nearly_full()) from None
        except TooLong:
            raise Failure("output", f"The function returned more than {job.output_bytes} bytes.") from None
        except Aborted:
            raise Failure("aborted") from None
        finally:
            if guest:
                guest.close()

    def _outcome(self, guest: Guest, job: Job) -> bytes:
        assert self.engine.image is not None
        run, finish, hits = self.engine.image.handles
        seed = list(struct.unpack("<4I", guest.hooks.random_bytes(16)))
        data = b'{"seed":%s,%s' % (json.dumps(seed).encode(), job.data[1:])
        guest.invoke(run, guest.string(job.filename.encode("utf-8", "replace")), guest.json(data))
        while guest.drain():  # for ever, when the author's promises never end: then the processor time does
            continue
        if job.counters:
            job.hits = guest.text(guest.invoke(hits, guest.string(job.counters.encode())), MOST_HITS).decode()
        outcome = guest.text(guest.invoke(finish), job.output_bytes + 1)
        if outcome == b"P":
            raise Failure("error", "The function waits for a promise that nothing settles.")
        if outcome[:1] == b"R":
            return outcome[1:]
        raise _failure(job, _thrown(outcome[1:]), full=guest.nearly_full())

    def _host(self, job: Job, name: str, args: str) -> str:
        local = LOCAL.get(name)
        if name == "log":
            _log(job, args)
            return "Rnull"
        if local:
            return _answer(local, args)
        if job.ask is None:
            raise Aborted
        return job.ask(name, args)


def _answer(local: Callable[..., Any], args: str) -> str:
    try:
        return "R" + json.dumps(local(*json.loads(args)))
    except (TypeError, ValueError, KeyError, OverflowError, RecursionError) as error:
        return "E" + json.dumps({"code": "invalid_argument", "field": None, "message": str(error)[:500]})


LOCAL: dict[str, Callable[..., Any]] = {
    "time.parse": zones.parse,
    "time.in_zone": zones.in_zone,
    "time.format": zones.format_ms,
    "money.format": zones.format_money_options,
}


def _log(job: Job, args: str) -> None:
    if len(job.logs) >= LOG_LINES or job.log_bytes + len(args) > LOG_BYTES:
        return
    try:
        level, message, data = json.loads(args)
    except (ValueError, RecursionError):
        return
    if level in LEVELS and isinstance(message, str):
        job.log_bytes += len(args)
        job.logs.append({"level": level, "message": message, "data": data})


def _milliseconds(now: str | None) -> int:
    try:
        return int(datetime.fromisoformat(now).timestamp() * 1000) if now else int(time.time() * 1000)
    except (ValueError, OverflowError):
        return int(time.time() * 1000)


def _faulted(fault: GuestFault, job: Job) -> Failure:
    if fault.reason == "time":
        return Failure("time", f"The function used its {job.ms} ms of processor time.")
    if fault.reason == "memory":
        return Failure("memory", f"The function needs more than its {job.memory_mb} MB of memory.")
    if fault.reason == "stack":
        return Failure("error", "The function calls itself too deeply.")
    return Failure("error", "The function could not go on.")


def _thrown(outcome: bytes) -> dict[str, Any]:
    try:
        found = json.loads(outcome)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"message": "The function failed without a message."}


def _failure(job: Job, thrown: dict[str, Any], *, full: bool) -> Failure:
    name, message = str(thrown.get("name", "")), str(thrown.get("message", ""))
    code, place_field = str(thrown.get("code", "")), str(thrown.get("field", ""))
    if thrown.get("host") and code == "invalid" and place_field:
        return Failure("invalid", message, field=place_field)
    if (full and not name) or (
        name == "InternalError" and message == "out of memory"
    ):  # at the very end it throws null
        return Failure("memory", f"The function needs more than its {job.memory_mb} MB of memory.")
    refused = re.fullmatch(r"Error loading module '(.*)'", message)
    if refused:
        line = job.source[: max(job.source.find(refused[1]), 0)].count("\n") + 1
        return Failure("error", f"{refused[1]} cannot be imported: a function is one file.", line)
    stack = _own_frames(str(thrown.get("stack", "")), job.filename)
    place = re.search(r":(\d{1,7}):(\d{1,7})\)?$", stack.split("\n")[0]) if stack else None
    line, column = (int(place[1]), int(place[2])) if place else (0, 0)
    text = f"{name}: {message}" if name and name not in ("Error", "HostError") else message
    return Failure("error", text or "The function failed without a message.", line, column, stack, place_field, code)


def _own_frames(stack: str, filename: str) -> str:
    """The frames of the author's file; ours would only confuse."""
    return "\n".join(line.strip() for line in stack.splitlines() if f"{filename}:" in line)[:8000]
