"""The parent's side: a pool of sandbox workers that renders templates and calls functions for any thread.

    sandbox = Sandbox(workers=2)
    page = sandbox.render(templates={"a.html": "{{ x }}"}, digest="…", name="a.html", context={"x": 1})
    done = sandbox.call(source="export default (ctx, input) => input", digest="…", filename="a.js",
                        ctx={}, input=1, host=host, limits=Limits())

digest names the sources: equal digests must mean equal sources. A worker is killed at its deadline and another, forked
before, takes its place; it is also replaced after RECYCLE_JOBS jobs or when it has grown.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from . import frames, values
from .errors import (
    FunctionError,
    FunctionInvalid,
    HostError,
    SandboxBudget,
    SandboxDied,
    SandboxError,
    SandboxInput,
    SandboxMemory,
    SandboxOutput,
    SandboxTimeout,
    SandboxUnavailable,
    TemplateError,
)
from .processes import WorkerProcess, Zygote

__all__ = [
    "CallResult", "FunctionError", "FunctionInvalid", "HostCall", "HostError", "Limits", "Sandbox", "SandboxBudget",
    "SandboxDied", "SandboxError", "SandboxInput", "SandboxMemory", "SandboxOutput", "SandboxTimeout",
    "SandboxUnavailable", "TemplateError",
]  # fmt: skip

HostCall = Callable[[str, list[Any]], Any]

RECYCLE_JOBS = 5_000
RECYCLE_BYTES = 256 << 20
WATCH_EVERY = 16  # jobs between looks at a worker's memory
WAIT_S = 30.0  # for a free worker
ABORT_S = 1.0  # for a worker to drop a call
CHECK_MS = 500
MAX_NESTING = 4  # functions calling functions: each holds a worker while it waits
INPUT_LIMIT = 1 << 20
LEVELS = ("debug", "info", "warn", "error")
REQUIRED_WALLS = ("process", "no_new_privs", "seccomp", "rlimits")


@dataclass(frozen=True)
class Limits:
    """Of one function call. ms: processor time; wall_s: from start to end, host calls included; calls: host calls."""

    ms: int = 250
    wall_s: float = 5.0
    memory_mb: int = 64
    calls: int = 50
    output_bytes: int = 1_000_000


@dataclass(frozen=True)
class CallResult:
    """What a function gave. logs: [{"level", "message", "data"}]; cpu_ms: processor time of the worker."""

    output: Any
    logs: list[dict[str, Any]]
    cpu_ms: float
    host_calls: int


class Sandbox:
    """Starts at first use. Safe for many threads; a process forked from this one makes its own workers."""

    def __init__(self, *, workers: int = 2, _probe: bool = False) -> None:
        self.workers, self._probed = workers, _probe
        self._local = threading.local()
        self._reset()
        _sandboxes.add(self)

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
        if not keep:
            worker.kill()
        if short:
            self._replace()
        self._leave()

    def _replace(self) -> None:
        """Fork the next one now (2 ms), so that it has locked itself in when somebody needs it."""
        try:
            worker = self._fork()
        except SandboxUnavailable:
            return  # the next caller tries again and hears of it
        with self._free:
            self._idle.append(worker)

    # -- templates -----------------------------------------------------------------------------------------------

    def render(
        self,
        *,
        templates: Mapping[str, str],
        digest: str,
        name: str,
        context: Mapping[str, Any],
        deadline_s: float = 0.5,
    ) -> str:
        """Render one template of a package. name: ends in .txt for plain text, else HTML with everything escaped.

        context: plain JSON data; its "site" may hold timezone, locale and currency for the filters. Raises TemplateError,
        SandboxTimeout, SandboxMemory, SandboxOutput (1 MB), SandboxInput, SandboxDied, SandboxUnavailable.
        """
        body = _input(context)
        with self._worker() as worker:
            deadline = time.monotonic() + deadline_s
            with _fatal():
                worker.send({"op": "render", "digest": digest, "name": name}, body, deadline=deadline)
                head, page = worker.receive(deadline=deadline)
                if head["op"] == "need":
                    worker.send({"op": "templates"}, _templates(templates), deadline=deadline)
                    head, page = worker.receive(deadline=deadline)
                if head["op"] == "fail":
                    raise Refused(_failed(head, name))
                return _text(head, page)

    def check_template(self, templates: Mapping[str, str], name: str) -> list[tuple[int, int, str]]:
        """What is wrong with one template, unrendered: (line, column, sentence)."""
        if name not in templates:
            return [(1, 1, f"There is no template {name}.")]
        return self._check({"op": "check_template", "name": name}, _templates(templates))

    # -- functions -----------------------------------------------------------------------------------------------

    def call(
        self,
        *,
        source: str,
        digest: str,
        filename: str,
        ctx: Mapping[str, Any],
        input: Any,
        host: HostCall,
        limits: Limits,
    ) -> CallResult:
        """Call the default export of one source with (ctx, input), in a guest of its own.

        ctx: plain JSON (settings, actor, now, site, install; seed makes Date and Math.random repeatable). host answers
        everything else of ctx; its HostError is thrown inside, any other exception ends the call and rises here.
        Raises FunctionInvalid, FunctionError and the SandboxErrors; each carries .logs and .host_calls.
        """
        seed, now = ctx.get("seed"), ctx.get("now")
        text = source.encode("utf-8", "replace")
        head = {
            "op": "call",
            "source_bytes": len(text),
            "filename": filename,
            "ms": limits.ms,
            "memory_mb": min(limits.memory_mb, 128),
            "output_bytes": min(limits.output_bytes, frames.FROM_WORKER_LIMIT - 64),
            "seed": seed if isinstance(seed, int) else None,
            "now": now if isinstance(now, str) else None,
        }
        body = text + _input({"ctx": dict(ctx), "input": input})
        with self._worker() as worker:
            deadline = time.monotonic() + limits.wall_s
            talk = _Talk(worker, host, limits, deadline)
            with _fatal(talk):
                worker.send(head, body, deadline=deadline)
                head, output = talk.until_done()
                logs, cpu_ms = _logs(head), head.get("cpu_ms")
                if not isinstance(cpu_ms, (int, float)):
                    raise frames.BadFrame("no cpu_ms")
                if head["op"] == "fail":
                    raise Refused(_with(_failed(head, filename), logs, talk.calls))
                try:
                    return CallResult(values.load(output), logs, float(cpu_ms), talk.calls)
                except values.BadValue as error:
                    raise Refused(
                        _with(SandboxOutput(f"The function's output is {error}."), logs, talk.calls)
                    ) from None

    def check_function(self, source: str, filename: str) -> list[tuple[int, int, str]]:
        """What is wrong with one source before it is ever called: syntax, imports, top level, default export."""
        return self._check(
            {"op": "check_function", "filename": filename, "ms": CHECK_MS}, source.encode("utf-8", "replace")
        )

    def _check(self, head: dict[str, Any], body: bytes) -> list[tuple[int, int, str]]:
        with self._worker() as worker, _fatal():
            deadline = time.monotonic() + 5
            worker.send(head, body, deadline=deadline)
            answer, _ = worker.receive(deadline=deadline)
            if answer["op"] == "fail":
                raise Refused(_failed(answer, ""))
            return _findings(answer)

    def _probe(self, what: str) -> tuple[dict[str, Any], str]:
        """Tests only, and only of a pool made with _probe=True: what a worker holds, and whether it may do `what`."""
        with self._worker() as worker, _fatal():
            deadline = time.monotonic() + 5
            worker.send({"op": "probe", "what": what}, deadline=deadline)
            answer, _ = worker.receive(deadline=deadline)
            return answer["report"], answer["result"]


class Refused(Exception):
    """Carries what ended a call past the worker, which stays good: an error of the code, or the host's own exception."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Talk:
    """One call's conversation: answers host calls until the worker is done."""

    def __init__(self, worker: WorkerProcess, host: HostCall, limits: Limits, deadline: float) -> None:
        self.worker, self.host, self.limits, self.deadline = worker, host, limits, deadline
        self.calls = 0

    def until_done(self) -> tuple[dict[str, Any], bytes]:
        while True:
            head, body = self.worker.receive(deadline=self.deadline)
            if head["op"] != "host":
                return head, body
            if self.calls >= self.limits.calls:
                self._abort(SandboxBudget(f"The function made more than {self.limits.calls} calls to the platform."))
            self.calls += 1
            self.worker.send({"op": "answer"}, self._answer(head, body), deadline=self.deadline)

    def _answer(self, head: dict[str, Any], body: bytes) -> bytes:
        name = head.get("name")
        try:
            args = values.load(body)
        except values.BadValue as error:
            return _thrown(HostError("invalid_argument", None, str(error)))
        if not isinstance(name, str) or not isinstance(args, list):
            raise frames.BadFrame("a host call has no name or arguments")
        try:
            answer = b"R" + json.dumps(self.host(name, args), allow_nan=False).encode()
        except HostError as error:
            return _thrown(error)
        except BaseException as error:
            self._abort(error)
        if len(answer) > INPUT_LIMIT:
            return _thrown(HostError("too_large", None, "The answer is larger than 1 MB. Ask for less."))
        return answer

    def _abort(self, error: BaseException) -> NoReturn:
        """End the call inside, keep the worker when it obeys, and raise."""
        deadline = time.monotonic() + ABORT_S
        try:
            self.worker.send({"op": "abort"}, deadline=deadline)
            head, _ = self.worker.receive(deadline=deadline)
            obeyed = head["op"] == "fail" and head.get("kind") == "aborted"
        except (frames.BadFrame, frames.OutOfTime):
            obeyed = False
        if isinstance(error, SandboxError):
            _with(error, _logs(head) if obeyed else [], self.calls)
        if obeyed:
            raise Refused(error)
        raise error


@contextmanager
def _fatal(talk: _Talk | None = None) -> Iterator[None]:
    """What ends a worker, as errors for the caller."""
    try:
        yield
    except frames.OutOfTime:
        raise _with(SandboxTimeout(), [], talk.calls if talk else 0) from None
    except frames.BadFrame:
        raise _with(SandboxDied(), [], talk.calls if talk else 0) from None


def _with(error: SandboxError, logs: list[dict[str, Any]], calls: int) -> SandboxError:
    error.logs, error.host_calls = logs, calls
    return error


def _input(value: Mapping[str, Any]) -> bytes:
    data = json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    if len(data) > INPUT_LIMIT:
        raise SandboxInput(f"The data for the code is {len(data)} bytes, more than {INPUT_LIMIT}.")
    return data


def _templates(templates: Mapping[str, str]) -> bytes:
    data = json.dumps(dict(templates)).encode()
    if len(data) > frames.TO_WORKER_LIMIT:
        raise SandboxInput("The templates of the package are larger than 6 MB together.")
    return data


def _thrown(error: HostError) -> bytes:
    return b"E" + json.dumps({"code": error.code, "field": error.field, "message": error.message}).encode()


def _text(head: dict[str, Any], page: bytes) -> str:
    if head["op"] != "done":
        raise frames.BadFrame("an unexpected op")
    try:
        return page.decode()
    except UnicodeDecodeError:
        raise frames.BadFrame("a page is not UTF-8") from None


def _failed(head: dict[str, Any], filename: str) -> SandboxError:
    """A fail frame as an error. Raises BadFrame when it is not one of ours."""
    texts = {key: head.get(key, "") for key in ("kind", "message", "file", "stack", "field", "code")}
    numbers = {key: head.get(key, 0) for key in ("line", "column")}
    if not all(isinstance(text, str) for text in texts.values()) or not all(type(n) is int for n in numbers.values()):
        raise frames.BadFrame("a failure of the wrong shape")
    message = texts["message"][:4000]
    match texts["kind"]:
        case "template":
            return TemplateError(texts["file"][:500] or filename, numbers["line"], message, numbers["column"])
        case "error":
            return FunctionError(
                message, filename, numbers["line"], texts["stack"], host_code=texts["code"], host_field=texts["field"]
            )
        case "invalid":
            return FunctionInvalid(texts["field"], message)
        case "time":
            return SandboxTimeout(message)
        case "memory":
            return SandboxMemory(message)
        case "output":
            return SandboxOutput(message)
    raise frames.BadFrame("an unknown failure")


def _logs(head: dict[str, Any]) -> list[dict[str, Any]]:
    logs = head.get("logs")
    if head["op"] not in ("done", "fail") or not isinstance(logs, list) or len(logs) > 200:
        raise frames.BadFrame("no logs")
    for line in logs:
        if not isinstance(line, dict) or line.get("level") not in LEVELS or not isinstance(line.get("message"), str):
            raise frames.BadFrame("a log line of the wrong shape")
    return logs


def _findings(head: dict[str, Any]) -> list[tuple[int, int, str]]:
    found = head.get("found")
    if head["op"] != "done" or not isinstance(found, list):
        raise frames.BadFrame("no findings")
    try:
        return [(int(line), int(column), str(message)[:1000]) for line, column, message in found]
    except (TypeError, ValueError):
        raise frames.BadFrame("findings of the wrong shape") from None


_sandboxes: weakref.WeakSet[Sandbox] = weakref.WeakSet()


def _each(method: str) -> Callable[[], None]:
    def run() -> None:
        for sandbox in list(_sandboxes):
            getattr(sandbox, method)()

    return run


os.register_at_fork(after_in_child=_each("_after_fork"))
atexit.register(_each("stop"))
