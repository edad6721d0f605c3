"""Whether the module's own routes answer on its own install: one that never does is no route.

Asked with its sample records in turn. What a route needs that the sample does not give is for the acceptance tests to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.access.actors import SYSTEM, Actor
from app.errors import AppError
from app.modules.manifest import Problem
from app.runtime.acceptance.scratch import Scratch
from app.runtime.data import Access, Surface
from app.runtime.functions.account import Run
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.run import run_function
from app.runtime.sandbox.pool import SandboxUnavailable
from app.studio.publishing.work import Work

MOST_TRIES = 3
_NEVER = {
    "timeout": "took longer than it may each time it was asked",
    "memory": "took more memory than it may each time it was asked",
}
_FINISH = "Have it finish within limits.ms, which loops without an end never do, or take the route away."
_TEST = "Try it with the input it is for, in tests/."


@dataclass
class Answers:
    """What became of the routes. answered: names of functions; notes: sentences; problems: those that never answer."""

    answered: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def inputs(work: Work, name: str, records: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """What a route is asked with: once for each table with sample records, the first of them as body and in the address."""
    route = work.package.manifest.functions[name].route
    assert route is not None
    for table, held in list(records.items()) or [("", [{"id": ""}])]:
        yield {
            "method": route.method, "path": route.path, "query": {"id": held[0]["id"], "table": table}, "headers": {},
            "body": held[0],
        }  # fmt: skip


def ask_routes(first: Scratch, work: Work, names: list[str], records: dict[str, list[dict[str, Any]]]) -> Answers:
    """Ask each function behind a route on its own install; what it changes is taken back."""
    found = Answers()
    for name in names:
        route = work.package.manifest.functions[name].route
        assert route is not None
        outcomes: list[Run] = []
        for given in list(inputs(work, name, records))[:MOST_TRIES]:
            outcomes.append(_run(first, work, name, given))
            if outcomes[-1].outcome == "ok":
                break
        said, last = {one.outcome for one in outcomes}, outcomes[-1]
        what = f"the route {route.method} {route.path}"
        if "ok" in said:
            found.answered.add(name)
        elif len(said) == 1 and last.outcome in _NEVER:
            message = f"{what} {_NEVER[last.outcome]}"
            found.problems.append(
                Problem(f"functions.{name}", message, code="no_answer", severity="error", remedy=_FINISH)
            )
        elif "refused" in said:
            found.notes.append(f"{_upper(what)} was not asked: it needs input that the sample does not give. {_TEST}")
        else:
            why = last.error.split("\n")[0].rstrip(".")
            found.notes.append(f"{_upper(what)} gave no answer on the sample: {why}. {_TEST}")
    return found


class _Undo(Exception):
    """Takes back what a call did."""


def _run(first: Scratch, work: Work, name: str, given: dict[str, Any]) -> Run:
    """The account of a call, the outermost of those it made."""
    accounts: list[Run] = []
    tx = first.transaction(Access(Surface.FUNCTION, SYSTEM), now=work.now, hooks=FunctionHooks([]))
    try:
        with tx.savepoint():
            try:
                run_function(
                    tx.context, name, given, trigger="test", cause="answers", actor=Actor("visitor"), tx=tx, now=work.now,
                    accounts=accounts,
                )  # fmt: skip
            except SandboxUnavailable:
                raise
            except AppError:
                pass  # its account says what it was
            raise _Undo
    except _Undo:
        return next(one for one in reversed(accounts) if one.function == name)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
