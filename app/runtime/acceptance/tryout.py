"""A look at a package before it is published: one page rendered, one function called, on its sample records.

As acceptance tests, everything happens on a scratch install inside one transaction that is rolled back. For jobs alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.access.actors import SYSTEM, Actor
from app.errors import AppError
from app.modules.package import Package
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.acceptance.scratch import Scratch, scratch_install
from app.runtime.data import Access, Surface
from app.runtime.functions.account import Run
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.run import run_function
from app.runtime.pages.view import FormState, Shown, find_page, show_page


@dataclass(frozen=True, slots=True)
class Called:
    """What a function did. output: what it gave back, None when it failed; error: why, "" when it did not."""

    output: Any
    error: str
    runs: tuple[Run, ...]
    took_ms: float


def show_sample_page(package: Package, name: str, *, given: Mapping[str, str], now: datetime) -> Shown:
    """A page as a visitor would see it, on the sample records and default settings. Raises NotFound and AppErrors."""
    with scratch_install(package, now=now) as scratch:
        _sample(scratch, package, now)
        page = find_page(scratch.context, name)
        return show_page(
            scratch.context,
            page,
            given=given,
            visitor=Actor("visitor"),
            form=FormState() if page.kind == "form" else None,
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
