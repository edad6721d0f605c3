"""Sends what is due, many at once, beside the worker that was told to: a slow receiver holds up no other job.

One thread talks to the database: it claims while senders are free and writes results down together. Senders only call
endpoints. Endpoints in trouble may use half of the senders at most, so that they never keep the others waiting. When the
process is killed, what it had taken is due again after its lease.
"""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from uuid import UUID

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.db.base import db
from app.lib.clock import utcnow
from app.webhooks.delivering import LEASE_S, claim, finish
from app.webhooks.sending import Claimed, Result, send
from app.webhooks.setup import Setup

log = logging.getLogger(__name__)

SENDERS = 96
LOOK_S = 0.5  # how often new work is looked for while some is under way
STOP_S = 20.0


class Pump:
    """The senders of one process. start() returns at once; wait() returns when nothing is due or under way."""

    def __init__(self, app: Flask, setup: Setup, *, senders: int = SENDERS) -> None:
        self.app, self.setup, self.senders = app, setup, senders
        self.work: queue.SimpleQueue[Claimed] = queue.SimpleQueue()
        self.done: queue.SimpleQueue[Result | None] = queue.SimpleQueue()
        self.state = threading.Condition()
        self.running = self.again = self.stopping = False
        self.threads = 0
        self.under_way: dict[bool, int] = {True: 0, False: 0}  # by whether the endpoint is in trouble
        self.troubled: dict[UUID, bool] = {}

    def start(self) -> None:
        """Look for due deliveries now; a pump that runs looks once more before it ends."""
        with self.state:
            self.again = True
            if not self.running and not self.stopping:
                self.running = True
                threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Until the pump has ended; whether it did in time."""
        with self.state:
            return self.state.wait_for(lambda: not self.running, timeout_s)

    def stop(self) -> None:
        """Claim nothing more and wait for what is under way, at a clean end of the process."""
        with self.state:
            self.stopping = True
        self.done.put(None)
        if not self.wait(STOP_S):
            log.warning("webhooks: some attempts did not end in time; they are made again")

    def _run(self) -> None:
        unwritten: list[Result] = []
        failing_since: float | None = None
        while True:
            try:
                with self.app.app_context():
                    busy = self._round(unwritten)
                failing_since = None
            except SQLAlchemyError as error:
                failing_since = failing_since or time.monotonic()
                log.error("webhooks: the database does not answer: %s", type(error).__name__)
                if time.monotonic() - failing_since > LEASE_S:  # all of it is due again by now
                    unwritten.clear()
                busy = bool(unwritten) or self._open() > 0
                time.sleep(LOOK_S)
            except Exception:
                log.exception("webhooks: the sender ends; what it had taken is due again in %d s", LEASE_S)
                unwritten.clear()
                busy = False
            with self.state:
                if not busy and self._open() == 0 and (self.stopping or not self.again):
                    self.running = False
                    self.state.notify_all()
                    return

    def _round(self, unwritten: list[Result]) -> bool:
        """Write what is finished, claim what there is room for, wait for either; whether there is more to do."""
        unwritten += self._finished(wait_s=0)
        if unwritten:
            finish(db.session(), unwritten, setup=self.setup, now=utcnow())
            unwritten.clear()
        claimed = 0 if self.stopping else self._claim()
        if claimed == 0 and self._open() > 0:
            unwritten += self._finished(wait_s=LOOK_S)
        return claimed > 0 or bool(unwritten)

    def _claim(self) -> int:
        with self.state:
            self.again = False
        taken = 0
        for struggling in (False, True):
            room = self.senders - self._open()
            if struggling:
                room = min(room, self.senders // 2 - self.under_way[True])
            if room > 0:
                for one in claim(db.session(), room=room, struggling=struggling, now=utcnow()):
                    self._give(one)
                    taken += 1
        return taken

    def _open(self) -> int:
        return sum(self.under_way.values())

    def _give(self, claimed: Claimed) -> None:
        self.under_way[claimed.struggling] += 1
        self.troubled[claimed.id] = claimed.struggling
        self.work.put(claimed)
        if self.threads < min(self.senders, self._open()):
            self.threads += 1
            threading.Thread(target=self._send, name=f"webhooks-{self.threads}", daemon=True).start()

    def _send(self) -> None:
        while True:
            claimed = self.work.get()
            try:
                self.done.put(send(claimed, outside=self.setup.outside, keys=self.setup.keys))
            except Exception:  # a fault of ours: told like a failure, else the delivery would never end
                log.exception("webhook delivery %s", claimed.id)
                self.done.put(Result(claimed.id, claimed.webhook_id, claimed.number, utcnow(), "internal", 0))

    def _finished(self, *, wait_s: float) -> list[Result]:
        found: list[Result] = []
        try:
            first = self.done.get(timeout=wait_s) if wait_s else self.done.get_nowait()
            while True:
                if first is not None:
                    self.under_way[self.troubled.pop(first.delivery_id)] -= 1
                    found.append(first)
                first = self.done.get_nowait()
        except queue.Empty:
            return found


_pumps: dict[str, Pump] = {}
_making = threading.Lock()


def process_pump(app: Flask, setup: Setup) -> Pump:
    """The pump of this process, made when first asked for."""
    with _making:
        if "process" not in _pumps:
            _pumps["process"] = Pump(app, setup)
            atexit.register(_pumps["process"].stop)
        return _pumps["process"]


os.register_at_fork(after_in_child=_pumps.clear)
