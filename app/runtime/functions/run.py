"""Runs one function of a module: its transaction, its budget, its account.

The function's own transaction begins with its first host call that needs one, is committed when it returns and undone when
it throws. A function called by another, and a hook, work in the transaction of their caller.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from app.access.actors import Actor
from app.errors import AppError
from app.lib.clock import utcnow
from app.modules.manifest.pages import Function
from app.queue.enqueue import wake
from app.runtime.context import InstallContext, version_files
from app.runtime.coverage import SLOWER, under_way
from app.runtime.data import Access, Data, Surface, Transaction
from app.runtime.functions import account, process
from app.runtime.functions.breaker import breakers
from app.runtime.functions.ctx import ctx_of
from app.runtime.functions.errors import FunctionFailed, FunctionMissing, refused
from app.runtime.functions.host import Host
from app.runtime.sandbox.pool import (
    FunctionError,
    FunctionInvalid,
    HostError,
    Limits,
    SandboxBudget,
    SandboxError,
    SandboxMemory,
    SandboxTimeout,
)

log = logging.getLogger(__name__)

MAX_DEPTH = 5  # events caused by functions that events caused
MAX_NESTING = 4
WALL_S = 5.0
ONCE = (
    "INSERT INTO module_done (install_id, key, agency_id, site_id) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT DO NOTHING RETURNING true"
)


class AlreadyDone(AppError):
    """What this run is for was done before, in a transaction that is in the database."""

    code = "already_done"


def run_function(
    context: InstallContext,
    name: str,
    given: Any,
    *,
    trigger: account.Trigger,
    actor: Actor,
    cause: str = "",
    tx: Transaction | None = None,
    depth: int = 0,
    request_id: str = "",
    once: str = "",
    now: datetime | None = None,
    accounts: list[account.Run] | None = None,
) -> Any:
    """The output of one function of the installed version, for `given` as its input.

    tx: the transaction to take part in; without one the function has its own. depth: of the event that caused this, plus
    one. once: a key under which the run happens at most once, told in the same transaction as what it does. accounts:
    gets the accounts of the runs, which then are not kept. Raises
    RefusedByFunction (ctx.invalid), FunctionFailed, FunctionMissing, FunctionRests, AlreadyDone, SandboxUnavailable, and
    what the records answer.
    """
    run = _Run(context, actor, trigger, cause, tx, depth, request_id or actor.request_id, now or utcnow())
    try:
        with ExitStack() as stack:
            if trigger != "test":
                waited_for = trigger not in ("event", "schedule", "inbound")
                stack.enter_context(breakers.guarding(context.install_id, name, waited_for=waited_for))
            run.stack = stack
            if once:
                run.claim(once)
            output = run.invoke(name, given)
    except AlreadyDone:
        raise
    except AppError as error:
        run.undone(name, error)
        raise
    finally:
        if run.accounts:
            if accounts is None:
                account.keep(context, run.accounts, later=tx is not None)
            else:
                accounts.extend(run.accounts)
    if tx is None:  # else it is the caller who commits, and the timed run of the job finds the work
        for job in run.wakes:
            wake(job)
    return output


def closed(context: InstallContext) -> InstallContext:
    """The install for what is undone whatever comes of it: as if it were on trial, so that functions reach nothing outside.

    With a model of its own: the kept one tells of changes.
    """
    return replace(context, trial_until=utcnow() + timedelta(minutes=5), layout_key=f"dry:{context.layout_key}")


class _Run:
    """One run and the functions it calls in turn; what the host asks goes through here."""

    def __init__(
        self,
        context: InstallContext,
        actor: Actor,
        trigger: account.Trigger,
        cause: str,
        tx: Transaction | None,
        depth: int,
        request_id: str,
        now: datetime,
    ) -> None:
        self.context, self.actor, self.trigger, self.cause = context, actor, trigger, cause
        self.depth, self.request_id, self.now = depth, request_id, now
        self.access = Access(Surface.FUNCTION, actor)
        self.holds_locks = tx is not None
        self.stack: ExitStack | None = None
        self.nesting, self.running = 0, ""
        self.accounts: list[account.Run] = []
        self.wakes: list[str] = []
        self.made_files: dict[UUID, bytes] = {}
        self.keeps_files = trigger != "test"
        self._tx = tx.beside(context, self.access) if tx is not None else None

    @property
    def tx(self) -> Transaction:
        if self._tx is None:
            assert self.stack is not None
            data = Data(self.context, self.access, now=self.now, depth=self.depth)
            self._tx = self.stack.enter_context(data.transaction())
        return self._tx

    def claim(self, key: str) -> None:
        """Note, in the transaction, that this is done. Raises AlreadyDone; waits for a run that is doing it now."""
        context = self.context
        values = [context.install_id, key, context.agency_id, context.site_id]
        [rows] = self.tx.beside_tables((ONCE, values))
        if not rows:
            raise AlreadyDone()

    def after_commit(self, job: str) -> None:
        if job not in self.wakes:
            self.wakes.append(job)

    def call(self, name: str, given: Any) -> Any:
        if self.nesting >= MAX_NESTING:
            raise HostError("too_deep", None, f"Functions may call each other {MAX_NESTING} deep.")
        trigger, cause = self.trigger, self.cause
        self.trigger, self.cause = "call", f"{trigger}: {cause}"[:300]
        try:
            # the caller may catch what the called one throws: nothing half-done of it may stay
            with self.tx.savepoint():
                return self.invoke(name, given)
        finally:
            self.trigger, self.cause = trigger, cause

    def invoke(self, name: str, given: Any) -> Any:
        function = self.context.manifest.functions.get(name)
        if function is None:
            raise FunctionMissing()
        started, self.nesting = utcnow(), self.nesting + 1
        before, self.running = self.running, name
        try:
            result = self._sandboxed(function, given)
        except FunctionInvalid as error:
            self._note(name, "refused", f"{error.field}: {error.message}", started, error)
            raise refused(error.field, error.message) from None
        except SandboxError as error:
            self._note(name, _outcome(error), _told(error), started, error)
            raise FunctionFailed() from error
        except (AppError, psycopg.Error) as error:
            self._note(name, "error", str(error), started)
            raise
        finally:
            self.nesting, self.running = self.nesting - 1, before
        self._note(name, "ok", "", started, result)
        return result.output

    def _sandboxed(self, function: Function, given: Any) -> Any:
        path = f"functions/{function.file}"
        budget, coverage = function.limits, under_way()
        marked = coverage.marked(path) if coverage is not None else None
        try:
            result = process.sandbox().call(
                source=marked.text if marked is not None else version_files(self.context)[path].decode(),
                digest=f"{self.context.digest}:{path}",
                filename=path,
                ctx=ctx_of(self.context, self.actor, self.now),
                input=given,
                host=Host(self),
                limits=Limits(
                    ms=budget.ms * (SLOWER if marked is not None else 1),
                    wall_s=WALL_S,
                    memory_mb=budget.memory_mb,
                    calls=budget.calls,
                ),
                counters=marked.name if marked is not None else "",
            )
        except SandboxError as error:
            if coverage is not None and marked is not None:
                coverage.add(path, error.hits)
                if isinstance(error, FunctionError):
                    error.stack = marked.as_written(error.stack)
            raise
        if coverage is not None:
            coverage.add(path, result.hits)
        return result

    def _note(self, name: str, outcome: account.Outcome, error: str, started: datetime, told: Any = None) -> None:
        self.accounts.append(
            account.Run(
                function=name,
                trigger=self.trigger,
                cause=self.cause,
                request_id=self.request_id,
                outcome=outcome,
                error=error,
                started_at=started,
                logs=getattr(told, "logs", []),
                cpu_ms=getattr(told, "cpu_ms", 0.0),
                host_calls=getattr(told, "host_calls", 0),
            )
        )

    def undone(self, name: str, error: AppError) -> None:
        """The function itself was content, but its transaction was refused at the end."""
        if self.accounts and self.accounts[-1].outcome == "ok" and self.nesting == 0:
            last = self.accounts.pop()
            self._note(name, "error", f"undone at the end: {error.message}", last.started_at, last)


def _outcome(error: SandboxError) -> account.Outcome:
    if isinstance(error, SandboxTimeout):
        return "timeout"
    if isinstance(error, SandboxMemory):
        return "memory"
    return "budget" if isinstance(error, SandboxBudget) else "error"


def _told(error: SandboxError) -> str:
    """The failure for the author: where in the file, what, and how it came there."""
    if not isinstance(error, FunctionError):
        return error.message
    place = f"{error.file}:{error.line}: " if error.line else f"{error.file}: "
    return f"{place}{error.message}" + (f"\n{error.stack}" if error.stack else "")
