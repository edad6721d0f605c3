"""How many of a site's rows a change of version concerns: those with values it hides, and those its rules contradict.

One statement per table, each an aggregate over the site's rows; nothing of a row leaves the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from app.modules.storage.ddl import check_sql, rule_sql
from app.modules.storage.layout import Layout, TableLayout
from app.modules.storage.plan import losses

ROWS, HIDDEN, OPTION, AGAINST = "rows", "hidden", "option", "against"
Key = tuple[str, str, str, str]  # (one of these, physical table, physical column, option)


@dataclass(frozen=True, slots=True)
class Census:
    """One statement and what its columns count. Keys of AGAINST name the column that a new rule is about."""

    keys: tuple[Key, ...]
    statement: sql.Composed


def census(held: Layout, wanted: Layout, *, schema: str) -> list[Census]:
    """What to count before a site goes from one version to another; both as the union of tables sees them.

    The statements need the site in app.site_id, as the module's role or the owner.
    """
    new = wanted.physical
    hidden = losses(held, wanted)
    found = []
    for table in held.tables:
        asked: list[tuple[Key, sql.Composable]] = [((ROWS, table.name, "", ""), sql.SQL("count(*)"))]
        for one in hidden:
            if one.table != table.name or one.link or one.kind == "table":
                continue
            column = sql.Identifier(one.column)
            if one.kind == "option":
                count = sql.SQL("count(*) FILTER (WHERE to_jsonb({}) @> to_jsonb({}::text))").format(
                    column, sql.Literal(one.value)
                )
                asked.append(((OPTION, table.name, one.column, one.value), count))
            else:
                asked.append(((HIDDEN, table.name, one.column, ""), sql.SQL("count({})").format(column)))
        if table.name in new:
            asked += _against(table, new[table.name])
        found.append(_select(asked, schema, table.name))
    for one in hidden:
        if one.link:
            linked = sql.SQL("count(DISTINCT record_id)")
            found.append(_select([((HIDDEN, one.table, one.column, ""), linked)], schema, one.column))
    return found


def _select(asked: list[tuple[Key, sql.Composable]], schema: str, relation: str) -> Census:
    # the site is said again: row-level security does not hold for an owner that is a superuser
    statement = sql.SQL("SELECT {} FROM {} WHERE site_id = (SELECT public.current_site_id())").format(
        sql.SQL(", ").join(count for _, count in asked), sql.Identifier(schema, relation)
    )
    return Census(tuple(key for key, _ in asked), statement)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What a row must not be under another version. kind: required, options, range, length, rule; test: true of such a row."""

    column: str
    kind: str
    test: sql.Composable


def contradictions(held: TableLayout, wanted: TableLayout) -> list[Contradiction]:
    """The rules of `wanted` that rows made under `held` may be against; of fields `held` lacks, that they have no value."""
    there = held.physical
    found = []
    for column in wanted.columns:
        old = there.get(column.name)
        if column.required and column.fields and not (old is not None and old.required):
            test = sql.SQL("{} IS NULL").format(sql.Identifier(column.name))
            found.append(Contradiction(column.name, "required", test))
    for check in wanted.checks:
        if check not in held.checks and check.column in there:
            found.append(Contradiction(check.column, check.kind, sql.SQL("NOT ({})").format(check_sql(check))))
    for rule in wanted.rules:
        if rule not in held.rules and _tested(rule.when) | set(rule.require) <= set(there):
            test = sql.SQL("NOT ({})").format(rule_sql(rule, wanted))
            found.append(Contradiction(rule.require[0], "rule", test))
    return found


def _against(held: TableLayout, wanted: TableLayout) -> Iterator[tuple[Key, sql.Composable]]:
    """Counts of rows that rules of the new version would refuse, for columns that are there already."""
    there = held.physical
    for one in contradictions(held, wanted):
        if one.column in there:
            yield (AGAINST, held.name, one.column, one.kind), _where(one.test)
    for index in wanted.indexes:
        if index.unique and index not in held.indexes and set(index.columns) <= set(there):
            names = [sql.Identifier(name) for name in index.columns]
            full = sql.SQL("num_nulls({}) = 0").format(sql.SQL(", ").join(names))
            count = sql.SQL(
                "count(*) FILTER (WHERE {full}) - count(DISTINCT ROW({names})) FILTER (WHERE {full})"
            ).format(full=full, names=sql.SQL(", ").join(names))
            yield (AGAINST, held.name, index.columns[0], "unique"), count


def _where(test: sql.Composable) -> sql.Composed:
    return sql.SQL("count(*) FILTER (WHERE {})").format(test)


def _tested(condition: object) -> set[str]:
    """The columns a condition tests."""
    if isinstance(condition, (list, tuple)):
        return set().union(*(_tested(part) for part in condition))
    if not isinstance(condition, dict):
        return set()
    found: set[str] = set()
    for key, value in condition.items():
        found |= _tested(value) if key in ("any", "all", "not") else {key}
    return found
