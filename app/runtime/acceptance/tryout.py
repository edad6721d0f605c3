"""A look at a package before it is published: a page or a staff screen drawn, a function called, on its sample records.

As acceptance tests, everything happens on a scratch install inside one transaction that is rolled back. For jobs alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

import psycopg

from app.access.actors import SYSTEM, Actor
from app.db.roles import STAFF
from app.errors import AppError, Forbidden, NotFound
from app.modules.package import Package
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.acceptance.scratch import Scratch, scratch_install
from app.runtime.data import Access, Data, Surface
from app.runtime.data.preparing import Values
from app.runtime.data.reads import Tried
from app.runtime.data.scoped import Rows, Scope, Statement, failure_of
from app.runtime.functions.account import Run
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.run import run_function
from app.runtime.pages.view import FormState, Shown, find_page, show_page

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Called:
    """What a function did. output: what it gave back, None when it failed; error: why, "" when it did not."""

    output: Any
    error: str
    runs: tuple[Run, ...]
    took_ms: float


class SampleData(Data):
    """Data whose reads happen inside the scratch transaction. Writes are refused: what it shows is only looked at."""

    def __init__(self, scratch: Scratch, access: Access, *, now: datetime) -> None:
        super().__init__(scratch.context, access, now=now)
        self._scratch = scratch

    def _send(self, statements: Tried) -> list[Rows]:
        return self._scratch.connection.run(Scope.of(self.context, self.access.actor), *statements)

    def _send_apart(self, groups: Sequence[Tried], each_ms: int) -> Sequence[list[Rows] | AppError]:
        return [self._sent_alone(group) for group in groups]

    def _sent_alone(self, group: Tried) -> list[Rows] | AppError:
        try:
            with self._scratch.connection.savepoint():
                return self._send(group)
        except AppError as error:
            return error
        except psycopg.Error as error:
            return failure_of(error)

    def beside_tables(self, *statements: Statement) -> list[Rows]:
        scope = Scope(STAFF, self.context.site_id, self.context.agency_id, self.access.actor.ref, "", "")
        return self._scratch.connection.run(scope, *statements)

    def transaction(self) -> NoReturn:
        raise Forbidden("A preview is only looked at.")

    def insert(self, name: str, values: Values) -> NoReturn:
        self.transaction()


Draw = Callable[[SampleData, Actor], T]


def draw_sample(package: Package, *, role: str | None, draw: Draw[T], now: datetime) -> T:
    """What `draw` makes of the sample records, as a member of the agency in a role of the module (None: with every right
    the tables give). Raises NotFound for a role that is not there, and what `draw` raises.
    """
    if role is not None and role not in package.manifest.roles:
        raise NotFound()
    with scratch_install(package, now=now) as scratch:
        _sample(scratch, package, now)
        return draw(SampleData(scratch, Access(Surface.STAFF, scratch.person, role=role), now=now), scratch.person)


def show_sample_page(
    package: Package, name: str, *, given: Mapping[str, str], now: datetime, sent: bool = False
) -> Shown:
    """A page as a visitor would see it, on the sample records and default settings. Raises NotFound and AppErrors.

    sent: a form as it looks once it was sent.
    """
    with scratch_install(package, now=now) as scratch:
        _sample(scratch, package, now)
        page = find_page(scratch.context, name)
        return show_page(
            scratch.context,
            page,
            given=given,
            visitor=Actor("visitor"),
            form=FormState(sent=sent) if page.kind == "form" else None,
            send=lambda scope, statements: scratch.connection.run(scope, *statements),
        )


def call_on_sample(package: Package, name: str, given: Any, *, now: datetime) -> Called:
    """Call a function as the module's own, on the sample records. References such as `deals/d1` stand for their ids."""
    accounts: list[Run] = []
    with scratch_install(package, now=now) as scratch:
        records = _sample(scratch, package, now)
        tx = scratch.transaction(Access(Surface.FUNCTION, SYSTEM), now=now, hooks=FunctionHooks(accounts))
        begin = time.perf_counter()
        output, error = None, ""
        try:
            output = run_function(
                tx.context, name, records.named_in(given), trigger="test", cause="console", actor=SYSTEM, tx=tx, now=now,
                accounts=accounts,
            )  # fmt: skip
        except AppError as failure:
            error = failure.message
        return Called(output, error, tuple(accounts), (time.perf_counter() - begin) * 1000)


def _sample(scratch: Scratch, package: Package, now: datetime) -> Records:
    records = Records(scratch.transaction(Access(Surface.SYSTEM, SYSTEM), now=now, hooks=NoHooks()))
    records.insert_all(package.sample)
    return records
