"""One function call's conversation with its worker: answers host calls until the worker is done."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from . import frames, replies, values
from .errors import HostError, SandboxBudget, SandboxDied, SandboxError, SandboxTimeout
from .processes import WorkerProcess
from .workers import Refused

HostCall = Callable[[str, list[Any]], Any]

ABORT_S = 1.0  # for a worker to drop a call
ANSWER_LIMIT = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Of one function call. ms: processor time; wall_s: from start to end, host calls included; calls: host calls."""

    ms: int = 250
    wall_s: float = 5.0
    memory_mb: int = 64
    calls: int = 50
    output_bytes: int = 1_000_000


class Talk:
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
        if len(answer) > ANSWER_LIMIT:
            return _thrown(HostError("too_large", None, "The answer is larger than 1 MB. Ask for less."))
        return answer

    def _abort(self, error: BaseException) -> NoReturn:
        """End the call inside, keep the worker when it obeys, and raise."""
        deadline = time.monotonic() + ABORT_S
        try:
            self.worker.send({"op": "abort"}, deadline=deadline)
            head, _ = self.worker.receive(deadline=deadline)
            obeyed, logs = head["op"] == "fail" and head.get("kind") == "aborted", replies.logs_of(head)
        except (frames.BadFrame, frames.OutOfTime):
            obeyed, logs = False, []
        if isinstance(error, SandboxError):
            with_account(error, logs, self.calls)
        if obeyed:
            raise Refused(error)
        raise error


@contextmanager
def fatal(talk: Talk | None = None) -> Iterator[None]:
    """What ends a worker, as errors for the caller."""
    try:
        yield
    except frames.OutOfTime:
        raise with_account(SandboxTimeout(), [], talk.calls if talk else 0) from None
    except frames.BadFrame:
        raise with_account(SandboxDied(), [], talk.calls if talk else 0) from None


def with_account(error: SandboxError, logs: list[dict[str, Any]], calls: int, hits: str = "") -> SandboxError:
    error.logs, error.host_calls, error.hits = logs, calls, hits
    return error


def _thrown(error: HostError) -> bytes:
    return b"E" + json.dumps({"code": error.code, "field": error.field, "message": error.message}).encode()
