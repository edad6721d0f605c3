"""One acceptance test after the other: given records, when something happens, then so it is.

Each begins with empty tables. `as` says who acts (staff, public, api, or a role of the module; staff when absent). Hooks
of events run as after a commit, until nothing new happens, and their letters and events count as well. `table/ref` in the
input of a call stands for that record's id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from app.access.actors import SYSTEM, Actor
from app.errors import AppError, Invalid, NotFound
from app.lib.clock import utcnow
from app.lib.ids import encode
from app.modules.manifest import Problem
from app.modules.manifest.pages import EventHook
from app.modules.package import AcceptanceTest, Package
from app.runtime.acceptance.expect import Failure, differences
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.acceptance.scratch import Scratch, scratch_install
from app.runtime.coverage import Coverage, FileCoverage, counting
from app.runtime.data import Access, Surface, Transaction
from app.runtime.functions import process
from app.runtime.functions.account import Run
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.receivers import PAGE_SENT
from app.runtime.functions.run import MAX_DEPTH, run_function
from app.runtime.pages.forms import posted_inputs, record_values
from app.runtime.pages.submit import tell_after
from app.runtime.sandbox.pool import SandboxUnavailable

SAMPLE = "the sample records are valid"


@dataclass(frozen=True, slots=True)
class Result:
    """One test. found: what is not as expected, () when it passed; failures: the same in sentences."""

    file: str
    name: str
    found: tuple[Failure, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        return tuple(one.text for one in self.found)

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class Report:
    """All tests of a package, in their order. coverage: what they reached of every function, where that was asked for."""

    results: tuple[Result, ...]
    coverage: tuple[FileCoverage, ...] = ()

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.results)

    @property
    def problems(self) -> list[Problem]:
        """The failures, as the checks of an upload tell them."""
        return [
            Problem("", f"{result.name}: {failure}", code="acceptance", file=result.file)
            for result in self.results
            for failure in result.failures
        ]


def check_tests(package: Package) -> list[Problem]:
    """What the acceptance tests say against publishing a package; for modules.actions.publish_version(check=…)."""
    return run_tests(package).problems


def run_tests(
    package: Package,
    *,
    now: datetime | None = None,
    heard: Callable[[Result], None] | None = None,
    coverage: bool = False,
) -> Report:
    """Run every acceptance test of a package, and keep its sample records to its own rules.

    heard: told of each. coverage: count what they reach of the functions, which takes some time more.
    """
    moment = now or utcnow()
    counted = _coverage(package) if coverage else None
    with scratch_install(package, now=moment) as scratch, counting(counted) if counted else nullcontext():
        results: list[Result] = []

        def note(result: Result) -> None:
            results.append(result)
            if heard is not None:
                heard(result)

        if package.sample:
            note(_alone(scratch, "sample", SAMPLE, lambda: _sample(scratch, package, moment)))
        for test in package.tests:
            case = _Case(scratch, test, moment)
            note(_alone(scratch, test.file, test.name, case.run))
    return Report(tuple(results), counted.report() if counted else ())


def _coverage(package: Package) -> Coverage:
    """Counters for every function. A file that would not load with them is run as it is, and told as not measured."""
    wanted = {f"functions/{one.file}" for one in package.manifest.functions.values()}
    sources = {f"functions/{name}": text for name, text in package.functions.items() if f"functions/{name}" in wanted}
    coverage = Coverage(sources)
    for path in sources:
        marked = coverage.marked(path)
        if marked is not None and process.sandbox().check_function(marked.text, path):
            coverage.forget(path)
    return coverage


class _Undo(Exception):
    """Takes back what a test did."""


def _alone(scratch: Scratch, file: str, name: str, run: Any) -> Result:
    failures: Sequence[Failure | str] = []
    try:
        with scratch.connection.savepoint():
            try:
                failures = run()
            except SandboxUnavailable:
                raise
            except (AppError, psycopg.Error) as error:
                failures = [_said(error)]
            raise _Undo
    except _Undo:
        return Result(file, name, tuple(Failure(one) if isinstance(one, str) else one for one in failures))


def _sample(scratch: Scratch, package: Package, now: datetime) -> list[Failure | str]:
    tx = scratch.transaction(Access(Surface.SYSTEM, SYSTEM), now=now, hooks=NoHooks())
    Records(tx).insert_all(package.sample)
    return []


@dataclass
class _Case:
    scratch: Scratch
    test: AcceptanceTest
    now: datetime
    accounts: list[Run] = field(default_factory=list)
    answer: Any = None
    made: tuple[str, UUID] | None = None
    failure: AppError | None = None

    def run(self) -> list[Failure | str]:
        self.records = Records(self._tx(Access(Surface.SYSTEM, SYSTEM), hooks=NoHooks()))
        self.records.insert_all(self.test.given)
        self.start = self._last_event()
        access = self._access()
        try:
            with self._tx(access).savepoint():
                self._act(access)
        except SandboxUnavailable:
            raise
        except AppError as error:
            self.failure = error
        else:
            self._hooks()
        return self._judge()

    def _tx(self, access: Access, *, hooks: Any = None, depth: int = 0) -> Transaction:
        return self.scratch.transaction(
            access, now=self.now, hooks=hooks or FunctionHooks(self.accounts), depth=depth, settings=self.test.settings
        )

    def _access(self) -> Access:
        who = self.test.when.get("as", "staff")
        if who in ("public", "api"):
            return Access(Surface(who), Actor("visitor" if who == "public" else "key", name=who))
        role = None if who == "staff" else who
        return Access(Surface.STAFF, self.scratch.person, role=role)

    # -- when

    def _act(self, access: Access) -> None:
        when, tx = self.test.when, self._tx(access)
        values, given = when.get("set") or {}, when.get("input")
        if table := when.get("create"):
            self.made = (table, tx.insert(table, self.records.resolved(table, values)).id)
        elif target := when.get("update"):
            table = target.partition("/")[0]
            self.made = (table, tx.update(table, self.records.id(target), self.records.resolved(table, values)).id)
        elif target := when.get("delete"):
            tx.delete(target.partition("/")[0], self.records.id(target))
        elif name := when.get("call"):
            self.answer = self._call(name, self.records.named_in(given if given is not None else values), tx)
        elif page := when.get("submit"):
            self._submit(page, values)
        elif event := when.get("emit"):
            tx.emit(event, when.get("data") or values)

    def _call(self, name: str, given: Any, tx: Transaction, depth: int = 0) -> Any:
        return run_function(
            tx.context, name, given, trigger="test", cause=self.test.name, actor=tx.access.actor, tx=tx, depth=depth,
            now=self.now, accounts=self.accounts,
        )  # fmt: skip

    def _submit(self, name: str, values: Mapping[str, Any]) -> None:
        page = self.scratch.context.manifest.pages[name]
        if page.kind != "form" or page.table is None:
            raise Invalid(f"{name} is no form.")
        tx = self._tx(Access(Surface.SYSTEM, Actor("visitor")))
        inputs = self._inputs(page.table, values)
        posted = posted_inputs(page, tx.context, inputs)
        record = tx.insert(page.table, record_values(page, tx.context, posted))
        tell_after(tx, name, page, record)
        self.made = (page.table, record.id)

    def _inputs(self, table: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The values as a browser sends them."""
        found = []
        for name, value in self.records.resolved(table, values).items():
            parts = value.items() if isinstance(value, Mapping) else [("", value)]
            for key, part in parts:
                for one in part if isinstance(part, list) else [part]:
                    text = "on" if one is True else "" if one in (None, False) else str(one)
                    found.append((f"{name}.{key}" if key else name, text))
        return found

    # -- what follows by itself

    def _hooks(self) -> None:
        """Hand every new event to the functions that hear it, and those they cause, as after a commit."""
        done, manifest = self.start, self.scratch.context.manifest
        while fresh := self._events(after=done):
            for sequence, event_id, name, data, depth in fresh:
                done = sequence
                heard = [
                    one
                    for one, spec in manifest.functions.items()
                    if isinstance(spec.on, EventHook) and spec.on.event == name
                ]
                if name == PAGE_SENT:
                    after = manifest.pages[data["page"]].after
                    heard = [after.call] if after and after.call else []
                for one in heard if depth < MAX_DEPTH else ():
                    tx = self._tx(Access(Surface.FUNCTION, SYSTEM), depth=depth + 1)
                    event = {"id": encode("evt", event_id), "type": name, "at": self.now.isoformat(), "actor": "system"}
                    with tx.savepoint():
                        self._call(one, {**data, "event": event, "data": data}, tx, depth + 1)

    def _last_event(self) -> int:
        return int(self.scratch.ask("SELECT coalesce(max(sequence), 0) FROM events", [])[0][0])

    def _events(self, *, after: int) -> list[tuple[int, UUID, str, dict[str, Any], int]]:
        text = (
            "SELECT sequence, id, type, data, depth FROM events "
            "WHERE install_id = $1 AND sequence > $2 ORDER BY sequence"
        )
        return [tuple(row) for row in self.scratch.ask(text, [self.scratch.context.install_id, after])]

    # -- then

    def _judge(self) -> list[Failure | str]:
        then = self.test.then
        if "invalid" in then or "refused" in then:
            return [*self._refused(then)]
        if self.failure is not None:
            return [_said(self.failure), *self._code_errors()]
        found: list[Failure | str] = []
        for key, expected in then.items():
            if key == "answer":
                found += differences(expected, self.answer, "the answer")
            elif key == "events":
                found += self._events_as(expected)
            elif key == "mails":
                found += self._mails_as(expected)
            elif key == "record":
                found += self._record_as(self.made, expected, "the record")
            else:
                table, _, ref = key.partition("/")
                known = self.records.ids.get((table, ref))
                found += self._record_as((table, known) if known else None, expected, key)
        return found

    def _refused(self, then: Mapping[str, Any]) -> list[str]:
        error = self.failure
        if error is None:
            return ["nothing was refused"]
        if "invalid" in then:
            names = (
                [one.pointer.strip("/").replace("/", ".") for one in error.errors] if isinstance(error, Invalid) else []
            )
            return [] if then["invalid"] in names else [f"{then['invalid']} was not refused, but: {_said(error)}"]
        expected = then["refused"]
        return [] if expected is True or expected == error.code else [f"refused as {error.code}, expected {expected}"]

    def _record_as(self, place: tuple[str, UUID] | None, expected: Any, where: str) -> Sequence[Failure | str]:
        if place is None:
            return [f"{where} is not there"]
        tx = self._tx(Access(Surface.SYSTEM, SYSTEM))
        try:
            values: dict[str, Any] | None = tx.get(*place).values
        except NotFound:
            values = None
        if expected == "absent" or values is None:
            return (
                []
                if expected == "absent" and values is None
                else [f"{where} is {'not there' if values is None else 'still there'}"]
            )
        return differences(self.records.resolved(place[0], expected), values, where)

    def _events_as(self, expected: list[str]) -> list[Failure]:
        """Declared events are exactly the named ones; those that tables send by themselves may go unnamed."""
        sent = [name for _, _, name, _, _ in self._events(after=self.start)]
        own = set(self.scratch.context.manifest.events)
        missing = [name for name in expected if name not in sent]
        extra = [name for name in sent if name in own and name not in expected]
        told = [f"the event {name} was not sent" for name in missing]
        told += [f"the event {name} was sent as well" for name in extra]
        both = "\n".join(expected), "\n".join(name for name in sent if name in own or name in expected)
        return [Failure(text, *both) if index == 0 else Failure(text) for index, text in enumerate(told)]

    def _mails_as(self, expected: list[Mapping[str, Any]]) -> Sequence[Failure | str]:
        text = "SELECT recipient, subject, reply_to FROM mails WHERE install_id = $1 ORDER BY created_at, id"
        rows = self.scratch.ask(text, [self.scratch.context.install_id])
        found = [{"to": row[0], "subject": row[1], "reply_to": row[2]} for row in rows]
        if len(found) != len(expected):
            return [f"{len(found)} letters were posted, expected {len(expected)}", *self._code_errors()]
        return [
            line
            for index, (want, one) in enumerate(zip(expected, found, strict=True))
            for line in differences(want, one, f"letter {index + 1}")
        ]

    def _code_errors(self) -> list[str]:
        return [f"{run.function}: {run.error}" for run in self.accounts if run.outcome not in ("ok", "refused")]


def _said(error: Exception) -> str:
    if isinstance(error, Invalid) and error.errors:
        return "; ".join(f"{one.pointer or 'the record'}: {one.detail}" for one in error.errors)
    return json.dumps(str(error))[1:-1]
