"""The threads that call endpoints, and what they have to send: a queue for each endpoint, which take turns.

There are as many threads as keep this process at work. Only one of them runs at a time: while there is always one that can, more
would only stand in each other's way; while all wait for their receivers, more are needed. An endpoint is called no more at once
than it may be. When its first call fails, what its queue still holds is handed back, because an endpoint in trouble gets one call
at a time; and so it is when it wants to be left alone.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from app.webhooks.sending import Claimed, Result

FEWEST = 4  # threads there may always be
LOOK_S, OLD_S = 0.02, 1.0  # how long is looked at how busy the process is; longer ago, there was nothing to do
IDLE, BUSY = 0.6, 0.85  # with less of its time on a processor more threads are of use, with more of it fewer are
IDLE_S = 5.0  # a thread that had nothing to do for so long ends
FRESH_S = 9.0  # what was leased longer ago is handed back and not sent: its lease has to last for the call


@dataclass(slots=True)
class _Lane:
    """An endpoint's queue. allowed: calls at once. turns: how many threads have its turn or will have it."""

    allowed: int = 1
    turns: int = 0
    waiting: deque[Claimed] = field(default_factory=deque)


class Senders:
    """give() hands over work, finished() and unsent() hand it back; these are for one thread, wake() is for any.

    send must not raise. most: calls at the same time, at most.
    """

    def __init__(self, send: Callable[[Claimed], Result], *, most: int) -> None:
        self.send, self.most = send, most
        self.done: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self.turns: queue.SimpleQueue[_Lane] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.lanes: dict[UUID, _Lane] = {}
        self.waiting = self.threads = 0  # deliveries no thread has taken yet; threads there are
        self.back: list[Claimed] = []
        self.leased: dict[UUID, float] = {}  # since when the lease of what waits runs
        self.enough = min(FEWEST, most)  # threads
        self.looked = (float("-inf"), 0.0)  # when it was, and the time this process had spent on a processor until then

    def give(self, claimed: Iterable[Claimed], *, leased: float | None = None) -> None:
        """leased: when its lease began, now if not told."""
        now = time.monotonic() if leased is None else leased
        with self.lock:
            for one in claimed:
                lane = self.lanes.setdefault(one.webhook_id, _Lane())
                lane.allowed = one.allowed
                lane.waiting.append(one)
                self.leased[one.id] = now
                self.waiting += 1
                if lane.turns < lane.allowed:
                    lane.turns += 1
                    self.turns.put(lane)
        self.tend()

    def extended(self, held: set[UUID], lost: set[UUID], *, leased: float) -> None:
        """What waits has a new lease; what others took meanwhile is not sent from here."""
        with self.lock:
            self.leased.update((one, leased) for one in held if one in self.leased)
            self.leased.update((one, float("-inf")) for one in lost if one in self.leased)

    def tend(self) -> None:
        """Start threads for work that waits, if the others leave the processor to them. To be called often while any waits."""
        with self.lock:
            self._look()
            for _ in range(min(self.enough - self.threads, self.turns.qsize())):
                self.threads += 1
                threading.Thread(target=self._run, name=f"webhooks-{self.threads}", daemon=True).start()

    def wake(self) -> None:
        """Have finished() return now."""
        self.done.put(None)

    def finished(self, *, wait_s: float) -> list[Result]:
        """All results there are; waits for the first one, or for wake(), so long at most."""
        found: list[Result] = []
        try:
            one = self.done.get(timeout=wait_s) if wait_s > 0 else self.done.get_nowait()
            while True:
                if one is not None:
                    found.append(one)
                one = self.done.get_nowait()
        except queue.Empty:
            return found

    def stop(self) -> None:
        """Make the calls that were begun and no others."""
        with self.lock:
            for lane in self.lanes.values():
                self._clear(lane)
        self.wake()

    def unsent(self) -> list[Claimed]:
        """What will not be sent from here: a call before it failed, it waited for too long, or there was a stop()."""
        with self.lock:
            found, self.back = self.back, []
            return found

    def keep(self, webhook_ids: set[UUID]) -> None:
        """Forget the endpoints that nothing is under way for."""
        with self.lock:
            for webhook_id in self.lanes.keys() - webhook_ids:
                del self.lanes[webhook_id]

    def _look(self) -> None:
        now, spent = time.monotonic(), time.process_time()
        for_s, busy_s = now - self.looked[0], spent - self.looked[1]
        if for_s < LOOK_S:
            return
        self.looked = (now, spent)
        if for_s > OLD_S:
            return
        if busy_s < IDLE * for_s and self.turns.qsize():
            self.enough = min(2 * self.enough, self.most)
        elif busy_s > BUSY * for_s:
            self.enough = min(max(FEWEST, self.enough * 3 // 4), self.most)

    def _run(self) -> None:
        while True:
            try:
                lane = self.turns.get(timeout=IDLE_S)
            except queue.Empty:
                with self.lock:
                    self.threads -= 1
                return
            if (claimed := self._next(lane)) is not None:
                self._told(lane, claimed, self.send(claimed))
            with self.lock:
                if self.threads > self.enough:
                    self.threads -= 1
                    return

    def _next(self, lane: _Lane) -> Claimed | None:
        with self.lock:
            while lane.waiting:
                claimed = lane.waiting.popleft()
                self.waiting -= 1
                if time.monotonic() - self.leased.pop(claimed.id) < FRESH_S:
                    return claimed
                self.back.append(claimed)
            lane.turns -= 1
            return None

    def _clear(self, lane: _Lane) -> None:
        self.waiting -= len(lane.waiting)
        for claimed in lane.waiting:
            self.leased.pop(claimed.id)
        self.back += lane.waiting
        lane.waiting.clear()

    def _told(self, lane: _Lane, claimed: Claimed, result: Result) -> None:
        with self.lock:
            if not result.ok and not (claimed.struggling and result.refused):
                self._clear(lane)
            if lane.waiting and lane.turns <= lane.allowed:
                self.turns.put(lane)  # behind the others
            else:
                lane.turns -= 1
        self.done.put(result)
