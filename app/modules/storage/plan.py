"""The way from the tables that are there to the tables that are needed, as data: read it first, then apply it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import sql

from app.modules.storage.ddl import (
    Statements,
    column_sql,
    create_link,
    create_object,
    create_schema,
    create_table,
    drop_object,
    type_sql,
)
from app.modules.storage.layout import Column, Layout, TableLayout
from app.modules.storage.merge import align, keep
from app.modules.storage.objects import TIGHTENING, DbObject, link_objects, objects_of

StepKind = Literal["schema", "table", "column", "link", "widen", "relax", "require", "loosen", "rule", "index"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it does in words, its statements. `part`: what is left out of the layout if rows contradict it."""

    kind: StepKind
    sentence: str
    statements: Statements
    table: str = ""
    part: Any = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order; `layout` is what the tables are afterwards."""

    steps: tuple[Step, ...]
    layout: Layout

    @property
    def sentences(self) -> list[str]:
        """The steps for people."""
        return [step.sentence for step in self.steps]


def plan(current: Layout | None, desired: Layout, *, schema: str, role: str) -> Plan:
    """What turns `current` (None: no schema yet) into one that serves `desired`. Nothing is ever dropped but rules.

    Rules that existing rows may contradict are steps with a `part`: applying them is tried, and leaving them out is
    no failure, since the data layer checks every version's own rules as well.
    """
    target = keep(current or Layout(), desired)
    steps = [] if current else [Step("schema", "Make the schema and its role", create_schema(schema, role))]
    steps += _Planner(current or Layout(), target, schema, role).steps()
    return Plan(tuple(steps), target)


@dataclass(frozen=True, slots=True)
class Loss:
    """What another version has no place for. Tables and fields can be hidden with their values; an option cannot."""

    kind: Literal["table", "field", "option"]
    sentence: str
    table: str  # physical
    column: str = ""  # physical; of a refs field the table of its links
    value: str = ""  # the option
    link: bool = False


def losses(held: Layout, wanted: Layout) -> list[Loss]:
    """What a site would lose by going from one version (its view of the union) to another; [] is safe."""
    new = align(held, wanted)
    found: list[Loss] = []
    for table in held.tables:
        other = new.physical.get(table.name)
        if other is None:
            found.append(Loss("table", f'the table "{table.tables[0]}" and its records would go', table.name))
            continue
        found += _column_losses(table, other)
    return found


def _column_losses(held: TableLayout, wanted: TableLayout) -> list[Loss]:
    where = held.tables[0]
    found = [
        Loss("field", f'the field "{where}.{column.fields[0]}" and its values would go', held.name, name)
        for name, column in held.physical.items()
        if column.fields and not column.formula and name not in wanted.physical
    ]
    kept = {link.name for link in wanted.links}
    found += [
        Loss("field", f'the field "{where}.{link.fields[0]}" would go', held.name, link.name, link=True)
        for link in held.links
        if link.name not in kept
    ]
    options = {check.column: check.values for check in wanted.checks if check.kind == "options"}
    for check in held.checks:
        gone = [value for value in check.values if value not in options.get(check.column, check.values)]
        found += [
            Loss("option", f'the option "{value}" of "{where}.{check.column}" would go', held.name, check.column, value)
            for value in gone
        ]
    return found


class _Planner:
    def __init__(self, current: Layout, target: Layout, schema: str, role: str) -> None:
        self.current = current.physical
        self.target = target
        self.schema = schema
        self.role = role
        self.remade = {table.name: self._remade(table) for table in target.tables}

    def steps(self) -> Iterator[Step]:
        yield from self._dropped_objects()
        for table in self.target.tables:
            yield from self._table(table) if table.name in self.current else self._new_table(table)
        for table in self.target.tables:
            yield from self._links(table)
        yield from self._new_objects()

    def _remade(self, table: TableLayout) -> set[str]:
        """Generated columns computed from a column whose type changes: PostgreSQL wants them gone meanwhile."""
        old = self.current[table.name].physical if table.name in self.current else {}
        widened = {name for name, column in table.physical.items() if name in old and old[name].type != column.type}
        return {
            column.name
            for column in table.columns
            if column.name in old and column.formula and widened & _used(column.formula)
        }

    def _dropped_objects(self) -> Iterator[Step]:
        wanted = {name: one for table in self.target.tables for name, one in objects_of(table).items()}
        for table in self.current.values():
            for name, one in objects_of(table).items():
                if wanted.get(name) != one or set(one.columns) & self.remade.get(one.table, set()):
                    yield Step("loosen", f"Take away {_words(one)}", drop_object(self.schema, one), table.name)

    def _new_objects(self) -> Iterator[Step]:
        there = {name: one for table in self.current.values() for name, one in objects_of(table).items()}
        for table in self.target.tables:
            group: list[DbObject] = []
            for name, one in objects_of(table).items():
                if there.get(name) == one and not set(one.columns) & self.remade.get(one.table, set()):
                    continue
                group.append(one)
                if one.kind == "order":
                    continue  # made together with its no_overlap: one stands only with the other
                yield self._object(table, group)
                group = []

    def _object(self, table: TableLayout, group: list[DbObject]) -> Step:
        one = group[-1]
        statements = tuple(made for each in group for made in create_object(self.schema, each, table))
        part = one.part if table.name in self.current and one.kind in TIGHTENING else None
        kind: StepKind = "index" if one.kind == "index" else "rule"
        return Step(kind, f"Add {_words(one)}", statements, table.name, part)

    def _new_table(self, table: TableLayout) -> Iterator[Step]:
        sentence = f"Make the table {table.name} ({len(table.columns)} columns)"
        yield Step("table", sentence, create_table(self.schema, table, self.role), table.name)

    def _table(self, table: TableLayout) -> Iterator[Step]:
        old = self.current[table.name].physical
        name = sql.Identifier(self.schema, table.name)
        for computed in sorted(self.remade[table.name]):
            drop = sql.SQL("ALTER TABLE {} DROP COLUMN {}").format(name, sql.Identifier(computed))
            yield Step("widen", f"Take {table.name}.{computed} away, to compute it anew", (drop,), table.name)
        for column in table.columns:
            if column.name in old and column.name not in self.remade[table.name]:
                yield from self._changed_column(table, old[column.name], column)
        for column in sorted(table.columns, key=lambda column: column.generated):
            if column.name not in old or column.name in self.remade[table.name]:
                add = sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(name, column_sql(column, optional=True))
                yield Step("column", f"Add the column {table.name}.{column.name}", (add,), table.name)
                if column.required:
                    yield self._require(table, column)

    def _changed_column(self, table: TableLayout, old: Column, new: Column) -> Iterator[Step]:
        where = f"{table.name}.{new.name}"
        alter = sql.SQL("ALTER TABLE {} ALTER COLUMN {}").format(
            sql.Identifier(self.schema, table.name), sql.Identifier(new.name)
        )
        if old.type != new.type:
            widen = sql.SQL("{} TYPE {}").format(alter, type_sql(new.type))
            yield Step("widen", f"Widen {where} from {old.type} to {new.type}", (widen,), table.name)
        if old.required and not new.required:
            relax = sql.SQL("{} DROP NOT NULL").format(alter)
            yield Step("relax", f"Let {where} be empty: not every version requires it", (relax,), table.name)
        if new.required and not old.required:
            yield self._require(table, new)

    def _require(self, table: TableLayout, column: Column) -> Step:
        statement = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(
            sql.Identifier(self.schema, table.name), sql.Identifier(column.name)
        )
        sentence = f"Require {table.name}.{column.name}: every version does"
        return Step("require", sentence, (statement,), table.name, column)

    def _links(self, table: TableLayout) -> Iterator[Step]:
        old = {link.name for link in self.current[table.name].links} if table.name in self.current else set()
        for link in table.links:
            if link.name not in old:
                made = create_link(self.schema, table, link, self.role)
                hooks = [create_object(self.schema, one, table) for one in link_objects(link.name)]
                statements = (*made, *(statement for hook in hooks for statement in hook))
                yield Step("link", f"Make the table {link.name} behind {table.name}.{link.fields[0]}", statements)


def _used(formula: Any) -> set[str]:
    """The columns a formula reads."""
    if isinstance(formula, dict):
        own = {formula["field"]} if "field" in formula else set()
        return own.union(*(_used(value) for value in formula.values()))
    return set().union(*(_used(item) for item in formula)) if isinstance(formula, list) else set()


_WORDS = {
    "reference": "the reference",
    "check": "the limits",
    "rule": "the rule",
    "unique": "the unique key",
    "index": "an index",
    "no_overlap": "the rule against overlaps",
    "order": "the order of times",
    "capacity": "the limit of places",
    "capacity_of": "the guard of the number of places",
    "ledger": "the rule that records are only added",
    "balance": "the balance of sums",
    "deleted": "the history of deletions",
    "changed": "the history of changes",
    "unlinked": "the history of references that are emptied",
}


def _words(one: DbObject) -> str:
    columns = f" ({', '.join(one.columns)})" if one.columns else ""
    return f"{_WORDS[one.kind]} of {one.table}{columns}"
