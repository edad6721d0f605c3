"""A second install, on another agency's site, asks for everything the first one holds, by every route the module has.

The same code as behind the API, the screens, the pages and embeds, and the functions of routes, in the transaction of a scratch
install. Routes are asked on the first install before: one that nobody gets an answer from proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from app.access.actors import SYSTEM, Actor
from app.db.roles import RUNTIME
from app.errors import AppError, NotFound
from app.modules.kinds import Kind
from app.modules.manifest import Problem
from app.runtime.acceptance.records import NoHooks, Records
from app.runtime.acceptance.scratch import Scratch, scratch_install
from app.runtime.data import Access, Surface, Transaction
from app.runtime.data.access import DELETE, READ, UPDATE
from app.runtime.data.scoped import Scope
from app.runtime.functions.account import Run
from app.runtime.functions.hooks import FunctionHooks
from app.runtime.functions.run import run_function
from app.runtime.pages.view import SERVED, FormState, find_page, show_page
from app.runtime.query import Aggregation, Query
from app.studio.publishing.answers import Answers, ask_routes, inputs
from app.studio.publishing.migrations import prints
from app.studio.publishing.work import Outcome, Work, count

_EVENTS = "SELECT count(*) FROM events WHERE install_id = $1"
_UNFILTERED = frozenset({Kind.LIST, Kind.JSON})


@dataclass
class _Probe:
    """What was asked, and what came back that should not."""

    asked: dict[str, int] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)

    def ask(self, route: str, what: str, leaked: bool) -> None:
        self.asked[route] = self.asked.get(route, 0) + 1
        if leaked:
            self.leaks.append(f"{what} answered with what belongs to the other site")


def check_isolation(work: Work, second_of: Callable[[Scratch], Scratch] = Scratch.neighbour) -> Outcome:
    """Ask as the second install. second_of: makes it, another one in tests of this check."""
    probe, notes = _Probe(), []
    try:
        with scratch_install(work.package, now=work.now) as first:
            records = _sample(first, work)
            second = second_of(first)
            before = prints(first)
            for access in _accesses(second):
                _tables(probe, first, second, access, work, records)
            _pages(probe, second, records)
            answers = _functions(probe, first, second, work, records)
            notes += answers.notes
            _events(probe, first, second)
            changed = [name for name, value in before.items() if prints(first).get(name) != value]
    except (psycopg.Error, AppError) as error:
        words = error.message if isinstance(error, AppError) else str(error).split("\n")[0]
        return Outcome("Its records cannot be asked for.", problems=[_problem(f"the probe failed: {words}")])
    problems = [_problem(leak) for leak in dict.fromkeys(probe.leaks)]
    problems += [_problem(f"values of {name} were changed from the other site") for name in changed]
    if problems:
        return Outcome("Another site sees something of it.", notes, problems)
    if answers.problems:
        return Outcome(f"{count(len(answers.problems), 'route')} of it never answered.", notes, answers.problems)
    total, ways = sum(probe.asked.values()), ", ".join(f"{route} ({number})" for route, number in probe.asked.items())
    if not records:
        notes.append("It has no sample records, so there was nothing to be seen; add sample/ to have this checked.")
    if not total:
        return Outcome("It has nothing that another site could ask for.", notes)
    return Outcome(f"{count(total, 'question')} from another site, none answered: {ways}.", notes)


Ids = dict[str, list[dict[str, Any]]]


def _sample(first: Scratch, work: Work) -> Ids:
    tx = first.transaction(Access(Surface.SYSTEM, SYSTEM), now=work.now, hooks=FunctionHooks([]))
    with first.connection.savepoint():
        Records(first.transaction(Access(Surface.SYSTEM, SYSTEM), now=work.now, hooks=NoHooks())).insert_all(
            work.package.sample
        )
    return {name: tx.list(name).records for name in work.package.manifest.tables if tx.list(name).records}


def _accesses(second: Scratch) -> Iterator[Access]:
    yield Access(Surface.STAFF, second.person)
    yield Access(Surface.API, Actor("key", name="api"))
    yield Access(Surface.PUBLIC, Actor("visitor"))
    yield Access(Surface.FUNCTION, SYSTEM)
    for role in second.context.manifest.roles:
        yield Access(Surface.STAFF, second.person, role=role)


def _tables(probe: _Probe, first: Scratch, second: Scratch, access: Access, work: Work, records: Ids) -> None:
    tx = second.transaction(access, now=work.now, hooks=NoHooks())
    who = access.role or access.surface.value
    for name, held in records.items():
        allowed = access.allowed(second.context.manifest, name)
        record_id = UUID(held[0]["id"])
        if READ in allowed:
            probe.ask("lists", f"the list of {name} for {who}", bool(tx.list(name).records))
            probe.ask("counts", f"the count of {name} for {who}", tx.count(name) > 0)
            groups = json.loads(tx.aggregate(name, Aggregation()))
            probe.ask("figures", f"the figures of {name} for {who}", any(group.get("count") for group in groups))
            probe.ask("single records", f"{name} by its id for {who}", _got(tx, tx.get, name, record_id))
            for query in _filters(tx, name, held[0]):
                probe.ask("filters", f"a filter of {name} for {who}", bool(tx.list(name, query).records))
        if UPDATE in allowed:
            probe.ask("changes", f"a change in {name} for {who}", _got(tx, tx.update, name, record_id, {}))
        if DELETE in allowed:
            probe.ask("deletions", f"a deletion in {name} for {who}", _got(tx, tx.delete, name, record_id))


def _got(tx: Transaction, act: Callable[..., object], *given: Any) -> bool:
    """Whether an act on the other site's record did anything but find nothing."""
    try:
        with tx.savepoint():
            act(*given)
    except NotFound:
        return False
    except (AppError, psycopg.Error):
        return True
    return True


def _filters(tx: Transaction, name: str, record: dict[str, Any]) -> Iterator[Query]:
    """One filter for each field that has a value in the other site's record: equal to it."""
    model = tx.model.tables[name]
    for field_name, column in model.filterable(tx.access).items():
        value = record.get(field_name)
        if column.kind in _UNFILTERED or value in (None, "") or isinstance(value, dict | list):
            continue
        try:
            yield tx.parse_list(name, [(field_name, str(value).lower() if isinstance(value, bool) else str(value))])
        except AppError:
            continue  # a value that cannot be written in an address


def _pages(probe: _Probe, second: Scratch, records: Ids) -> None:
    context = second.context
    for name, page in context.manifest.pages.items():
        if page.kind not in SERVED:
            continue
        shown = show_page(
            context, find_page(context, name), given={}, visitor=Actor("visitor"),
            form=FormState() if page.kind == "form" else None,
            send=lambda scope, statements: second.connection.run(scope, *statements),
        )  # fmt: skip
        probe.ask("pages and embeds", f"the page {name}", _holds(shown.html, records))


def _functions(probe: _Probe, first: Scratch, second: Scratch, work: Work, records: Ids) -> Answers:
    """Functions behind routes, with the other site's ids as their input; those that answer on their own site."""
    manifest = second.context.manifest
    routed = [name for name, function in manifest.functions.items() if function.route is not None]
    if routed and (manifest.permissions.network or manifest.connections):
        told = f"{count(len(routed), 'route')} not called: the module may call other hosts, and a check must not."
        return Answers(notes=[told])
    answers = ask_routes(first, work, routed, records)
    for name in [one for one in routed if one in answers.answered]:
        route = manifest.functions[name].route
        assert route is not None
        for given in inputs(work, name, records):
            probe.ask(
                "calls of routes", f"the route {route.method} {route.path}", _told(second, work, name, given, records)
            )
    return answers


def _told(second: Scratch, work: Work, name: str, given: dict[str, Any], records: Ids) -> bool:
    tx, accounts = (
        second.transaction(Access(Surface.FUNCTION, SYSTEM), now=work.now, hooks=FunctionHooks([])),
        list[Run](),
    )
    try:
        with tx.savepoint():
            output = run_function(
                tx.context, name, given, trigger="test", cause="isolation", actor=Actor("visitor"), tx=tx, now=work.now,
                accounts=accounts,
            )  # fmt: skip
    except AppError:
        return False
    # what was sent may come back; ids of records that were not sent may not
    sent = json.dumps(given)
    ids = [record["id"] for held in records.values() for record in held]
    return any(one in json.dumps(output) for one in ids if one not in sent)


def _events(probe: _Probe, first: Scratch, second: Scratch) -> None:
    if _seen(first, first) > 0:  # the first sees its own, so the question is a good one
        probe.ask("readings of the event stream", "the event stream", _seen(second, first) > 0)


def _seen(who: Scratch, whose: Scratch) -> int:
    scope = Scope(RUNTIME, who.context.site_id, who.context.agency_id, "", "", "")
    [rows] = who.connection.run(scope, (_EVENTS, [whose.context.install_id]))
    return int(rows[0][0])


def _holds(html: str, records: Ids) -> bool:
    return any(record["id"] in html for held in records.values() for record in held)


def _problem(message: str) -> Problem:
    remedy = "The platform keeps sites apart, so this is its fault: tell its support, and do not publish the module."
    return Problem("", message, code="isolation", file="", remedy=remedy)
