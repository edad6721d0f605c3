"""How many calls a credential may make, counted exactly over all processes without asking Valkey for each call.

A window opens with the first call and lasts `window_s`. A process takes a slice of it (a lease) by one Lua call and serves
from memory; slices shrink as the window fills, to one call each at the end, so the sum over all processes is never above
the quota. What a process leaves unused it gives back within seconds.

Without Valkey calls pass, reads and writes alike, and each process counts its own up to the quota: a counter that is away
must not turn a customer's enquiries down, and the database has time limits of its own.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from redis import RedisError

from app.errors import RateLimited
from app.queue.enqueue import impatient_redis

log = logging.getLogger(__name__)

SLICES = 20  # a lease is at most this part of the quota
SHRINK = 8  # and at most this part of what is left
IDLE_S = 2.0  # unused for so long: given back
REFUSED_S = 0.2  # a refusal holds for so long before Valkey is asked again
AWAY_S = 2.0  # Valkey did not answer: not asked again before

_TAKE = """
local quota, window, cap, shrink = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local left = redis.call('PTTL', KEYS[1])
local used, born = 0, ''
if left <= 0 then
  local now = redis.call('TIME')
  born, left = now[1] .. '.' .. now[2], window
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'used', 0, 'born', born)
  redis.call('PEXPIRE', KEYS[1], window)
else
  used, born = tonumber(redis.call('HGET', KEYS[1], 'used')), redis.call('HGET', KEYS[1], 'born')
end
local free = quota - used
if free < 1 then return {0, 0, left, born} end
local slice = math.max(1, math.min(cap, math.floor(free / shrink)))
redis.call('HINCRBY', KEYS[1], 'used', slice)
return {slice, free - slice, left, born}
"""
_GIVE_BACK = """
if redis.call('HGET', KEYS[1], 'born') == ARGV[1] then redis.call('HINCRBY', KEYS[1], 'used', -tonumber(ARGV[2])) end
return 0
"""


@dataclass(frozen=True)
class Policy:
    """At most `quota` calls in any window of `window_s` seconds; `name` is what headers call it."""

    name: str
    quota: int
    window_s: int = 60

    @cached_property
    def field(self) -> str:
        """Its item of the RateLimit-Policy header."""
        return f'"{self.name}";q={self.quota};w={self.window_s}'


@dataclass(frozen=True, slots=True)
class Policies:
    """What is allowed by default. Reads, writes and the module's own routes are counted apart."""

    secret: int = 600
    publishable: int = 120
    address: int = 60  # of a publishable key, per visitor
    failures: int = 60  # refused credentials per address

    def of(self, kind: str, route_class: str) -> Policy:
        """The policy of a kind of credential for "read", "write" or "functions"."""
        return _policy(route_class, self.publishable if kind == "publishable" else self.secret)

    @property
    def per_address(self) -> Policy:
        return _policy("address", self.address)

    @property
    def per_failure(self) -> Policy:
        return _policy("failures", self.failures)


@cache
def _policy(name: str, quota: int) -> Policy:
    return Policy(name, quota)


@dataclass(slots=True)
class Taken:
    """One call counted: what is left of the window, and how long it goes on."""

    policy: Policy
    remaining: int
    reset_s: int

    @property
    def field(self) -> str:
        """Its item of the RateLimit header."""
        return f'"{self.policy.name}";r={self.remaining};t={self.reset_s}'


class QuotaExceeded(RateLimited):
    """Too many calls in this window. Wait as long as Retry-After says; the limits stand in RateLimit-Policy."""

    code = "quota_exceeded"

    def __init__(self, taken: Taken) -> None:
        super().__init__(retry_after_s=taken.reset_s)
        self.taken = taken


@dataclass(slots=True)
class _Lease:
    left: int = 0
    shared: int = 0  # what was free for everybody when the lease was taken
    until: float = 0.0  # the window's end on our monotonic clock, never later than the real one
    born: bytes = b""
    used_at: float = 0.0
    ask_again_at: float = 0.0
    local: bool = False  # counted without Valkey
    lock: threading.Lock = field(default_factory=threading.Lock)


class Leases:
    """The slices this process holds. One per process, used by all its threads."""

    def __init__(self, prefix: str = "dramac:quota:") -> None:
        self._prefix = prefix
        self._leases: dict[str, _Lease] = {}
        self._away_until = 0.0

    def take(self, key: str, policy: Policy) -> Taken:
        """Count one call of `key` (which carries site and credential). Raises QuotaExceeded."""
        name = f"{self._prefix}{key}:{policy.name}"
        lease = self._leases.get(name)
        if lease is None:
            lease = self._leases.setdefault(name, _Lease())
        with lease.lock:
            now = time.monotonic()
            if lease.left < 1 or lease.until <= now or (lease.local and now >= self._away_until):
                self._renew(name, policy, lease, now)
            reset_s = max(1, math.ceil(lease.until - now))
            if lease.left < 1:
                raise QuotaExceeded(Taken(policy, 0, reset_s))
            lease.left -= 1
            lease.used_at = now
            return Taken(policy, lease.left + lease.shared, reset_s)

    def tidy(self, *, everything: bool = False) -> None:
        """Forget windows that ended and give back what lies idle; `everything` when the process stops."""
        now = time.monotonic()
        for name, lease in list(self._leases.items()):
            with lease.lock:
                if lease.until <= now:
                    self._leases.pop(name, None)
                elif lease.left and not lease.local and (everything or now - lease.used_at > IDLE_S):
                    self._give_back(name, lease)

    def _renew(self, name: str, policy: Policy, lease: _Lease, now: float) -> None:
        if lease.until > now and lease.left < 1 and now < lease.ask_again_at:
            return
        if now >= self._away_until:
            try:
                self._ask(name, policy, lease, now)
                return
            except RedisError as error:
                self._away_until = time.monotonic() + AWAY_S
                log.error("limits are counted per process: %s", error)
        if lease.until <= now or not lease.local:
            lease.left, lease.shared, lease.until, lease.local = policy.quota, 0, now + policy.window_s, True

    def _ask(self, name: str, policy: Policy, lease: _Lease, now: float) -> None:
        cap = max(1, policy.quota // SLICES)
        answer: list[Any] = impatient_redis().eval(  # type: ignore[assignment]  # the client is synchronous
            _TAKE, 1, name, policy.quota, policy.window_s * 1000, cap, SHRINK
        )
        given, free, left_ms, born = answer
        lease.left, lease.shared, lease.born, lease.local = int(given), int(free), born, False
        lease.until = now + int(left_ms) / 1000
        lease.ask_again_at = now + REFUSED_S if lease.left < 1 else 0.0

    def _give_back(self, name: str, lease: _Lease) -> None:
        unused, lease.left, lease.shared = lease.left, 0, lease.shared + lease.left
        lease.ask_again_at = 0.0
        try:
            impatient_redis().eval(_GIVE_BACK, 1, name, lease.born, unused)
        except RedisError as error:
            log.warning("%d unused calls were not given back: %s", unused, error)  # they end with their window


def limit_headers(taken: Iterable[Taken]) -> list[tuple[str, str]]:
    """RateLimit-Policy and RateLimit of an answer, as structured-field lists."""
    found = list(taken)
    if not found:
        return []
    return [
        ("RateLimit-Policy", ", ".join(one.policy.field for one in found)),
        ("RateLimit", ", ".join(one.field for one in found)),
    ]
