"""restore(): whether the caller may undo each change of a batch, then all of it at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from app.errors import NotFound, PayloadTooLarge
from app.runtime.data import restore as compiled
from app.runtime.data import trees
from app.runtime.data.access import CREATE, DELETE, UPDATE
from app.runtime.data.compile import Statement
from app.runtime.data.faults import refusal
from app.runtime.data.model import TableModel
from app.runtime.data.preparing import stamp_of
from app.runtime.data.restore import Change, ChangedSince

if TYPE_CHECKING:
    from app.runtime.data.writes import Transaction

_INVERSE = {"delete": CREATE, "update": UPDATE, "insert": DELETE, "restore": DELETE}


@dataclass
class Plan:
    """statements: each with how many rows it must touch, None for any number; touched: (table, record)."""

    statements: list[tuple[Statement, int | None]] = field(default_factory=list)
    told: list[Statement] = field(default_factory=list)
    touched: list[tuple[str, UUID]] = field(default_factory=list)


def undo(tx: Transaction, batch: UUID) -> list[tuple[str, UUID]]:
    """Undo a batch. Raises NotFound, ChangedSince, Invalid when the values no longer fit, e.g. a name taken since."""
    if not tx.model.tables:
        raise NotFound()
    any_table = next(iter(tx.model.tables.values()))
    [rows] = tx.send([compiled.history_statement(any_table, tx.context.site_id, batch)])
    if not rows:
        raise NotFound()
    if len(rows) > compiled.MOST:
        raise PayloadTooLarge(f"A batch of more than {compiled.MOST} changes cannot be undone at once.")
    plan = _plan(tx, [Change(*row) for row in rows])
    _carry_out(tx, plan)
    return plan.touched


def _plan(tx: Transaction, changes: list[Change]) -> Plan:
    plan = Plan()
    tables = {model.layout.name: model for model in tx.model.tables.values()}
    links = {link.name: model for model in tables.values() for link in model.layout.links}
    for name, group in compiled.by_table(changes).items():
        if name in links:
            _links(tx, plan, links[name], name, group)
            continue
        if name not in tables:
            raise NotFound()
        for change in group:
            _must_be_allowed(tx, tables[name], change)
        _records(tx, plan, tables[name], group)
    return plan


def _must_be_allowed(tx: Transaction, model: TableModel, change: Change) -> None:
    """Undoing needs the opposite right, on records the caller may touch."""
    allowed = tx.access.allowed(tx.context.manifest, model.name)
    row = change.before or change.after or {}
    mine = row.get("created_by") == tx.access.actor.ref
    if _INVERSE[change.op] not in allowed or (tx.access.own_only(tx.context.manifest, model.name) and not mine):
        raise NotFound()


def _links(tx: Transaction, plan: Plan, model: TableModel, link: str, group: list[Change]) -> None:
    if not {CREATE, UPDATE} & tx.access.allowed(tx.context.manifest, model.name):
        raise NotFound()
    rows = [change.before for change in group if change.op == "delete" and change.before]
    if rows:
        plan.statements.append((compiled.bring_back_links(model, link, rows), None))


def _records(tx: Transaction, plan: Plan, model: TableModel, group: list[Change]) -> None:
    stamp = stamp_of(tx)
    physical = tx.context.physical.physical[model.layout.name]
    generated = frozenset(column.name for column in physical.columns if column.generated)
    gone = [change for change in group if change.op == "delete"]
    if gone:
        columns = tuple(column.name for column in physical.writable)
        statement = compiled.bring_back(model, columns, [change.before or {} for change in gone])
        plan.statements.append((statement, len(gone)))
        plan.told.append(compiled.told_statement(model, model.created, [change.record_id for change in gone], stamp))
    back = {change.record_id for change in gone}
    for change in group:
        if change.op == "update":
            if statement_back := compiled.put_back(model, change, generated):
                plan.statements.append((statement_back, 1))
                if change.record_id not in back:
                    plan.told.append(compiled.told_statement(model, model.updated, [change.record_id], stamp))
        elif change.op in ("insert", "restore"):
            plan.statements.append((compiled.take_away(model, change), 1))
            plan.told.append(compiled.told_gone_statement(model, change, stamp))
    plan.touched += [(model.name, record_id) for record_id in dict.fromkeys(change.record_id for change in group)]


def _carry_out(tx: Transaction, plan: Plan) -> None:
    statements = [statement for statement, _ in plan.statements]
    locks, circles = _trees(tx, plan)
    before, after = [*locks, *compiled.begin_statements()], [*compiled.end_statements(), *plan.told, *circles]
    try:
        found = tx.send([*before, *statements, *after])
    except psycopg.Error as error:
        raise refusal(error, tx.context, tx.model) or error
    tx.has_written()
    counts = zip(found[len(before) :], plan.statements, strict=False)
    if any(wanted is not None and len(rows) != wanted for rows, (_, wanted) in counts):
        raise ChangedSince()
    if any(rows[0][0] for rows in found[len(found) - len(circles) :]):
        raise ChangedSince()  # what is above what was changed meanwhile: put back, a record would be above itself


def _trees(tx: Transaction, plan: Plan) -> tuple[list[Statement], list[Statement]]:
    """What keeps records from being above themselves: the locks that come before, the questions that come after."""
    site, locks, circles = tx.context.site_id, [], []
    for name, model in tx.model.tables.items():
        ids = [record_id for table, record_id in plan.touched if table == name]
        if ids and model.above_fields:
            locks.append(trees.lock_statement(model, site))
            circles += [trees.circles_statement(model, site, by, ids) for by in model.above_fields]
    return locks, circles
