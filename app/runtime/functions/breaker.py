"""Breakers: a function that fails every time rests for a while, so that it does not hold up what works.

Each process counts a function's failures in a row by itself. After MOST_FAILURES the function rests, in every process:
its state stands in Valkey under the install. When the rest is over one call tries it: it works again, or rests twice as
long, at most LONGEST_S. Without Valkey nothing rests.

What counts: after events and by the clock every failure, since it is tried again anyway; where a person or program waits
only what used up its budget (time, memory, calls). An error thrown at once costs little, and whoever can provoke it with
bad input must not be able to switch the function off for everybody.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from redis import RedisError

from app.errors import Unavailable
from app.queue.enqueue import impatient_redis
from app.runtime.functions.errors import FunctionFailed, RefusedByFunction
from app.runtime.sandbox.pool import SandboxBudget, SandboxDied, SandboxMemory, SandboxTimeout

log = logging.getLogger(__name__)

MOST_FAILURES = 10
FIRST_S, LONGEST_S = 30, 1800
KNOWN_S = 1.0  # how long a process believes what it read
TRY_S = 15  # one process tries within this time, the others wait
KEPT_S = 24 * 3600  # a rest that nobody called since is forgotten
AWAY_S = 2.0
MAX_TOLD = 200
_COSTLY = (SandboxTimeout, SandboxMemory, SandboxBudget, SandboxDied)
_MOST_KNOWN = 5000


class FunctionRests(Unavailable):
    """This part of the module failed again and again and rests for a while. Try again later."""

    code = "function_rests"


@dataclass(frozen=True, slots=True)
class Breaker:
    """A function at rest. since, until: seconds since 1970; wait_s: how long this rest is; error: the last one in words."""

    function: str
    failures: int
    since: float
    until: float
    wait_s: int
    error: str


class Breakers:
    """The breakers this process knows of. clock: seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time, prefix: str = "dramac:breakers:") -> None:
        self._clock, self._prefix = clock, prefix
        self._failures: dict[tuple[UUID, str], int] = {}
        self._known: dict[UUID, tuple[float, dict[str, Breaker]]] = {}
        self._away_until = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def guarding(self, install_id: UUID, function: str, *, waited_for: bool) -> Iterator[None]:
        """Around one run. waited_for: by a person or program. Raises FunctionRests instead of running it."""
        resting = self._of(install_id).get(function)
        if resting is not None:
            self._try(install_id, resting)
        try:
            yield
        except RefusedByFunction:
            self._worked(install_id, function, resting)
            raise
        except FunctionFailed as error:
            if not waited_for or isinstance(error.__cause__, _COSTLY):
                self._failed(install_id, function, resting, str(error.__cause__ or error))
            raise
        self._worked(install_id, function, resting)

    def resting(self, install_id: UUID) -> list[Breaker]:
        """The functions of an install that rest, as it stands now; [] without Valkey."""
        try:
            found = self._read(install_id)
        except RedisError as error:
            log.warning("breakers of install %s cannot be read: %s", install_id, error)
            return []
        return sorted(found.values(), key=lambda one: one.function)

    def reset(self, install_id: UUID, function: str) -> bool:
        """Let it run again at once; whether it was resting. Raises RedisError."""
        there = impatient_redis().hdel(self._key(install_id), function)
        self._forget(install_id, function)
        return bool(there)

    def _of(self, install_id: UUID) -> dict[str, Breaker]:
        now = self._clock()
        kept = self._known.get(install_id)
        if kept is not None and kept[0] > now:
            return kept[1]
        if now < self._away_until:
            return {}
        try:
            found = self._read(install_id)
        except RedisError as error:
            log.error("breakers are not read: %s", error)
            self._away_until = now + AWAY_S
            return {}
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[install_id] = (now + KNOWN_S, found)
        return found

    def _try(self, install_id: UUID, resting: Breaker) -> None:
        """Pass for the one call that tries whether it works again. Raises FunctionRests for all others."""
        left_s = resting.until - self._clock()
        if left_s > 0:
            raise FunctionRests(retry_after_s=int(left_s) + 1)
        try:
            first = impatient_redis().set(self._trying(install_id, resting.function), "1", nx=True, ex=TRY_S)
        except RedisError:
            return
        if not first:
            raise FunctionRests(retry_after_s=TRY_S)

    def _worked(self, install_id: UUID, function: str, resting: Breaker | None) -> None:
        self._failures.pop((install_id, function), None)
        if resting is None:
            return
        try:
            self.reset(install_id, function)
            impatient_redis().delete(self._trying(install_id, function))
        except RedisError as error:
            log.error("function %s of install %s works again, which cannot be kept: %s", function, install_id, error)

    def _failed(self, install_id: UUID, function: str, resting: Breaker | None, told: str) -> None:
        now, key = self._clock(), (install_id, function)
        with self._lock:
            if len(self._failures) >= _MOST_KNOWN:
                self._failures.clear()
            failures = self._failures[key] = self._failures.get(key, 0) + 1
        if resting is not None:
            wait_s = min(resting.wait_s * 2, LONGEST_S)
            broken = replace(
                resting, failures=resting.failures + 1, until=now + wait_s, wait_s=wait_s, error=told[:MAX_TOLD]
            )
        elif failures >= MOST_FAILURES:
            broken = Breaker(function, failures, now, now + FIRST_S, FIRST_S, told[:MAX_TOLD])
        else:
            return
        log.warning("function %s of install %s rests for %d s: %s", function, install_id, broken.wait_s, told)
        try:
            with impatient_redis().pipeline() as pipe:
                pipe.hset(self._key(install_id), function, json.dumps(asdict(broken)))
                pipe.expire(self._key(install_id), KEPT_S)
                pipe.delete(self._trying(install_id, function))
                pipe.execute()
        except RedisError as error:
            log.error("the rest of function %s of install %s cannot be kept: %s", function, install_id, error)
        self._forget(install_id, function)

    def _forget(self, install_id: UUID, function: str) -> None:
        self._known.pop(install_id, None)
        self._failures.pop((install_id, function), None)

    def _read(self, install_id: UUID) -> dict[str, Breaker]:
        rows: dict[bytes, bytes] = impatient_redis().hgetall(self._key(install_id))  # type: ignore[assignment]  # synchronous
        return {name.decode(): Breaker(**json.loads(text)) for name, text in rows.items()}

    def _key(self, install_id: UUID) -> str:
        return f"{self._prefix}{install_id}"

    def _trying(self, install_id: UUID, function: str) -> str:
        return f"{self._prefix}{install_id}:{function}"


breakers = Breakers()
