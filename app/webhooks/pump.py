"""Sends what is due, many at once, beside the worker that was told to: a slow receiver holds up no other job.

One thread talks to the database: it claims while there is room and writes results down together. Senders only call endpoints.
Endpoints in trouble may use half of the senders at most, so that they never keep the others waiting. A thread of its own
extends the leases of what takes longer, whatever the other one waits for; when the process is killed, what it had taken is due
again as soon as they have run out.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import Counter
from uuid import UUID

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.db.base import db
from app.lib.clock import utcnow
from app.webhooks.claiming import LEASE_S, claim, extend, release
from app.webhooks.delivering import finish
from app.webhooks.senders import Senders
from app.webhooks.sending import Claimed, Result, send
from app.webhooks.setup import Setup

log = logging.getLogger(__name__)

SENDERS = 96
AHEAD = 512  # deliveries taken at most, what waits for senders too; of endpoints in trouble as many again
LOOK_S = 0.5  # how often new work is looked for while some is under way
TROUBLE_S = 0.1  # how often work of endpoints in trouble is looked for while the others have some
TEND_S = 0.02  # how often it is looked whether work waits for senders
HOLD_S = 0.2  # a result waits so long at most for others to be written with
STOP_S = 20.0
BEAT_S = 2.0  # how often leases are extended, those that have run for so long
KEPT_S = 60.0  # without a database results are kept for so long: nobody else can take what they are of either


class Pump:
    """The senders of one process. start() returns at once; wait() returns when nothing is due or under way."""

    def __init__(self, app: Flask, setup: Setup, *, senders: int = SENDERS) -> None:
        self.app, self.setup, self.most = app, setup, senders
        self.senders = Senders(self._send, most=senders)
        self.state = threading.Condition()
        self.running = self.again = self.stopping = False
        self.taken: dict[UUID, Claimed] = {}  # by id of the delivery, until it is written down or given back
        self.unwritten: list[Result] = []
        self.unsent: list[Claimed] = []
        self.leased: dict[UUID, float] = {}  # by id of what is taken: since when its lease runs
        self.over = threading.Event()  # nothing is taken any more
        self.oldest_at = self.trouble_at = 0.0  # of what is unwritten; when trouble was last looked for

    def start(self) -> None:
        """Look for due deliveries now; a pump that runs looks once more before it ends."""
        with self.state:
            self.again = True
            if self.running:
                self.senders.wake()
            elif not self.stopping:
                self.running, self.over = True, threading.Event()
                threading.Thread(target=self._beat, args=(self.over,), name="webhooks-leases", daemon=True).start()
                threading.Thread(target=self._run, name="webhooks", daemon=True).start()

    def wait(self, timeout_s: float) -> bool:
        """Until the pump has ended; whether it did in time."""
        with self.state:
            return self.state.wait_for(lambda: not self.running, timeout_s)

    def stop(self) -> None:
        """Take and send nothing more, give back what waits, and wait for the calls under way: a clean end of the process."""
        with self.state:
            self.stopping = True
        self.senders.stop()
        if not self.wait(STOP_S):
            log.warning("webhooks: some attempts did not end in time; they are made again")

    def _run(self) -> None:
        failing_since: float | None = None
        while True:
            try:
                with self.app.app_context():
                    busy = self._round()
                failing_since = None
            except SQLAlchemyError as error:
                failing_since = failing_since or time.monotonic()
                log.error("webhooks: the database does not answer: %s", type(error).__name__)
                if time.monotonic() - failing_since > KEPT_S:
                    self._settled(self.unwritten, self.unsent)
                self.senders.tend()
                time.sleep(LOOK_S)
                busy = bool(self.taken)
            except Exception:
                log.exception("webhooks: the sender ends; what it had taken is due again in %d s", LEASE_S)
                self._settled(self.unwritten, self.unsent)
                busy = False
            with self.state:
                if not busy and not self.taken and (self.stopping or not self.again):
                    self.running = False
                    self.over.set()
                    self.state.notify_all()
                    return

    def _beat(self, over: threading.Event) -> None:
        """Extend leases until there is nothing to do. A failure is no harm before a lease has run out: it is tried again."""
        while not over.wait(BEAT_S):
            try:
                with self.app.app_context():
                    self._extend()
            except SQLAlchemyError as error:
                log.error("webhooks: leases are not extended: %s", type(error).__name__)
            except Exception:
                log.exception("webhooks: leases are not extended")

    def _extend(self) -> None:
        now = time.monotonic()
        with self.state:
            old = [one for one in self.taken.values() if now - self.leased[one.id] >= BEAT_S]
        if not old:
            return
        held = extend(db.session(), old, now=utcnow())
        with self.state:
            self.leased.update((one, now) for one in held if one in self.taken)
        self.senders.extended(held, {one.id for one in old} - held, leased=now)

    def _round(self) -> bool:
        """Write what is finished, claim what there is room for, wait for either; whether there is more to do."""
        self._collect(wait_s=0)
        if self.unwritten:
            finish(db.session(), self.unwritten, setup=self.setup, now=utcnow())
        if self.unsent:  # after what has failed, so that its endpoint is known to be in trouble
            release(db.session(), self.unsent, now=utcnow())
        self._settled(self.unwritten, self.unsent)
        claimed = 0 if self.stopping else self._claim()
        looked = time.monotonic()
        while self.taken and not self._time_to_write() and not self.again and time.monotonic() - looked < LOOK_S:
            self.senders.tend()
            self._collect(wait_s=TEND_S if self.unwritten or self.senders.waiting else LOOK_S)
        return claimed > 0

    def _time_to_write(self) -> bool:
        """Results are written when there are as many as wait to be sent, so that the senders never run out of work."""
        if not self.unwritten:
            return bool(self.unsent)
        return len(self.unwritten) >= self.senders.waiting or time.monotonic() - self.oldest_at > HOLD_S

    def _claim(self) -> int:
        with self.state:
            self.again = False
        mine = Counter(one.webhook_id for one in self.taken.values())
        troubled = Counter(one.webhook_id for one in self.taken.values() if one.struggling)
        room = AHEAD - (len(self.taken) - troubled.total())
        taken = self._take(room, room, mine, struggling=False)
        if taken == 0 or time.monotonic() - self.trouble_at > TROUBLE_S:
            self.trouble_at = time.monotonic()
            most = self.most // 2 - len(troubled)  # endpoints: each is called once at a time
            taken += self._take(AHEAD - troubled.total(), most, mine, struggling=True)
        return taken

    def _take(self, room: int, most: int, mine: Counter[UUID], *, struggling: bool) -> int:
        if room <= 0 or most <= 0:
            return 0
        leased = time.monotonic()
        found = claim(db.session(), room=room, most=most, struggling=struggling, now=utcnow(), mine=mine)
        with self.state:
            self.taken.update((one.id, one) for one in found)
            self.leased.update((one.id, leased) for one in found)
        self.senders.give(found, leased=leased)
        return len(found)

    def _send(self, claimed: Claimed) -> Result:
        try:
            return send(claimed, outside=self.setup.outside, keys=self.setup.keys)
        except Exception:  # a fault of ours: told like a failure, else the delivery would never end
            log.exception("webhook delivery %s", claimed.id)
            return Result(claimed.id, claimed.webhook_id, claimed.number, utcnow(), "internal", 0)

    def _collect(self, *, wait_s: float) -> None:
        found = self.senders.finished(wait_s=wait_s)
        if found and not self.unwritten:
            self.oldest_at = time.monotonic()
        self.unwritten += found
        self.unsent += self.senders.unsent()

    def _settled(self, written: list[Result], given_back: list[Claimed]) -> None:
        """Nothing more is to be done here for these."""
        with self.state:
            for delivery_id in (*(one.delivery_id for one in written), *(one.id for one in given_back)):
                self.taken.pop(delivery_id, None)
                self.leased.pop(delivery_id, None)
        self.senders.keep({one.webhook_id for one in self.taken.values()})
        written.clear()
        given_back.clear()


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
