"""Everything that hangs on a table beside its columns, under the name it has in the database. Pure.

The data layer reads a violated constraint's name here to know which fields are to blame.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from app.modules.naming import object_name
from app.modules.storage.layout import Index, TableLayout

ObjectKind = Literal[
    "reference", "check", "rule", "unique", "index", "no_overlap", "order", "capacity", "capacity_of", "ledger",
    "balance", "deleted", "changed", "unlinked",
]  # fmt: skip
CONSTRAINTS = frozenset({"reference", "check", "rule", "unique", "no_overlap", "order"})
INDEXES = frozenset({"index"})
TRIGGERS = frozenset({"capacity", "capacity_of", "ledger", "balance", "deleted", "changed", "unlinked"})
TIGHTENING = frozenset({"check", "rule", "unique", "no_overlap", "order"})
"""What existing rows can contradict."""


@dataclass(frozen=True, slots=True)
class DbObject:
    """One constraint, index or trigger of `table`. `columns`: physical; `part`: the piece of layout it is made from."""

    kind: ObjectKind
    table: str
    name: str
    columns: tuple[str, ...]
    part: Any = None


def objects_of(table: TableLayout) -> dict[str, DbObject]:
    """The constraints, indexes and triggers of a table by name, in the order they are made."""
    found = [*_values(table), *_indexes(table), *_rules(table), *_history(table)]
    return {one.name: one for one in found}


def constraint_of(table: TableLayout, name: str) -> DbObject | None:
    """The constraint or rule of a table that a database error names, or None. The union has what a view may lack."""
    return objects_of(table).get(name)


def link_objects(table: str) -> list[DbObject]:
    """The trigger of a link table."""
    return [DbObject("deleted", table, _name("deleted", table), ())]


def _name(prefix: str, *parts: str) -> str:
    """Two underscores between the parts: deal + line_total and deal_line + total are two indexes of one schema."""
    return object_name(prefix, "__".join(parts))


def _digest(part: Any) -> str:
    return hashlib.sha256(json.dumps(part, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _values(table: TableLayout) -> list[DbObject]:
    name = table.name
    found = [DbObject("reference", name, _name("fk", name, one.column), (one.column,), one) for one in table.references]
    found += [
        DbObject("check", name, _name("ck", name, one.column, one.kind), (one.column,), one) for one in table.checks
    ]
    return found + [
        DbObject("rule", name, _name("rule", name, _digest([one.when, one.require])), one.require, one)
        for one in table.rules
    ]


def _indexes(table: TableLayout) -> list[DbObject]:
    return [
        DbObject("unique" if one.unique else "index", table.name, _index_name(table.name, one), one.columns, one)
        for one in table.indexes
    ]


def _index_name(table: str, index: Index) -> str:
    return _name("uq" if index.unique else "sx" if index.search else "ix", table, *index.columns)


def _rules(table: TableLayout) -> list[DbObject]:
    name = table.name
    found = []
    for overlap in table.no_overlap:
        key = (name, *overlap.by, overlap.start, overlap.end, _digest(overlap.unless))
        columns = (*overlap.by, overlap.start, overlap.end)
        found.append(DbObject("order", name, _name("order", *key[:-1]), (overlap.start, overlap.end), overlap))
        found.append(DbObject("no_overlap", name, _name("overlap", *key), columns, overlap))
    for limit in table.capacity:
        key = (name, limit.column, limit.target, limit.limit, _digest(limit.unless))
        found.append(DbObject("capacity", name, _name("capacity", *key), (limit.column,), limit))
        found.append(DbObject("capacity_of", limit.target, _name("capacity_of", *key), (limit.limit,), limit))
    for ledger in table.ledger:
        key = (name, *ledger.balance, ledger.group)
        found.append(DbObject("ledger", name, _name("ledger", *key), (), ledger))
        found.append(DbObject("balance", name, _name("balance", *key), (*ledger.balance, ledger.group), ledger))
    return found


def _history(table: TableLayout) -> list[DbObject]:
    name = table.name
    found = [DbObject("deleted", name, _name("deleted", name), ())]
    if table.history:
        return [*found, DbObject("changed", name, _name("changed", name), ())]
    # undoing a delete must also bring back the references that ON DELETE SET NULL took
    return found + [
        DbObject("unlinked", name, _name("unlinked", name, one.column), (one.column,), one)
        for one in table.references
        if one.on_delete == "set_null"
    ]
