"""The union of layouts: what one more version needs beside what is there, and a version's view of the union. Pure.

The database enforces what all versions agree on, the data layer the rest: a field is NOT NULL only while every version
requires it, an enum may hold the options of all of them, a unique constraint stands only while all of them have it.
A column that only one version has is empty in the rows of the others, so constraints over it may stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from app.modules.storage.formulas import with_names
from app.modules.storage.layout import (
    Check,
    Column,
    Index,
    Layout,
    Link,
    Reference,
    TableLayout,
    free_name,
    joined_name,
)

WIDER = frozenset({("smallint", "bigint"), ("smallint", "numeric"), ("bigint", "numeric")})
Names = dict[str, str]
Parts = tuple[Any, ...]
Part = TypeVar("Part", Column, Link, TableLayout)


def compatible(one: str, other: str) -> bool:
    """Whether one column can hold the values of both types."""
    return one == other or (one, other) in WIDER or (other, one) in WIDER


def wider(one: str, other: str) -> str:
    """The type that holds the values of both; they are compatible()."""
    return other if (one, other) in WIDER else one


# -- the names of one layout in another


def align(base: Layout, other: Layout) -> Layout:
    """`other` under the physical names its parts have in `base`; parts that `base` lacks get names free there."""
    pairs = _matched(base.tables, other.tables, lambda old, new: bool({*new.tables, new.was} & set(old.tables)))
    relations = {name for table in base.tables for name in (table.name, *(link.name for link in table.links))}
    tables: Names = {}
    columns: dict[str, Names] = {}
    for table in other.tables:
        pair = pairs.get(table.name)
        tables[table.name] = pair.name if pair else free_name(table.name, relations)
        relations.add(tables[table.name])
        columns[table.name] = _column_names(pair, table)
    return Layout(tuple(_align(pairs.get(table.name), table, tables, columns, relations) for table in other.tables))


def _matched(olds: Sequence[Part], news: Sequence[Part], fits: Callable[[Part, Part], bool]) -> dict[str, Part]:
    """The old part that each new one continues, by the new one's name.

    A part that says `was` chooses first, then those with the least choice, then one that has the latest name of an old
    part: a name that a rename set free and a later version used again is a new part.
    """
    free = list(olds)
    latest = {_names_of(old)[-1] for old in free}
    found: dict[str, Part] = {}

    def turn(new: Part) -> tuple[bool, int, bool]:
        return not new.was, sum(fits(old, new) for old in olds), not latest & set(_names_of(new))

    for new in sorted(news, key=turn):
        old = next((old for old in free if fits(old, new)), None)
        if old is not None:
            found[new.name] = old
            free.remove(old)
    return found


def _names_of(part: Column | Link | TableLayout) -> tuple[str, ...]:
    """What the versions call it, the latest last."""
    return part.tables if isinstance(part, TableLayout) else part.fields


def _column_names(base: TableLayout | None, table: TableLayout) -> Names:
    olds = base.columns if base else ()
    pairs = _matched([one for one in olds if _plain(one)], [one for one in table.columns if _plain(one)], _same_column)
    taken = {column.name for column in olds}
    names: Names = {}
    for column in sorted(
        table.columns, key=lambda column: column.generated
    ):  # what others are computed from goes first
        if column.lower_of:
            names[column.name] = joined_name(names[column.lower_of], "lc")
        elif not column.fields:
            names[column.name] = column.name
        else:
            pair = _same_formula(column, olds, names) if column.formula else pairs.get(column.name)
            names[column.name] = pair.name if pair else free_name(column.name, taken)
        taken.add(names[column.name])
    return names


def _plain(column: Column) -> bool:
    return bool(column.fields) and not column.formula


def _same_column(old: Column, new: Column) -> bool:
    return bool({*new.fields, new.was} & set(old.fields)) and compatible(old.type, new.type)


def _same_formula(new: Column, olds: tuple[Column, ...], names: Names) -> Column | None:
    """The column that already computes this: the same field, type and formula over the same columns."""
    wanted = with_names(new.formula, names)
    return next(
        (old for old in olds if set(new.fields) & set(old.fields) and (old.type, old.formula) == (new.type, wanted)),
        None,
    )


def _align(
    base: TableLayout | None, table: TableLayout, tables: Names, columns: dict[str, Names], relations: set[str]
) -> TableLayout:
    names = columns[table.name]
    types = {column.name: column.type for column in base.columns} if base else {}

    def column(one: Column) -> Column:
        name = names[one.name]
        lower_of = names[one.lower_of] if one.lower_of else ""
        kind = wider(types.get(name, one.type), one.type)
        was = "" if name in types else one.was
        return replace(one, name=name, type=kind, lower_of=lower_of, formula=with_names(one.formula, names), was=was)

    def renamed(group: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(names[name] for name in group)

    return replace(
        table,
        name=tables[table.name],
        was="" if base else table.was,
        columns=tuple(column(one) for one in table.columns),
        links=_align_links(base, table, tables, relations),
        references=tuple(replace(one, column=names[one.column], target=tables[one.target]) for one in table.references),
        checks=tuple(replace(one, column=names[one.column]) for one in table.checks),
        rules=tuple(replace(one, when=_renamed(one.when, names), require=renamed(one.require)) for one in table.rules),
        indexes=tuple(replace(one, columns=renamed(one.columns)) for one in table.indexes),
        no_overlap=tuple(
            replace(
                one, by=renamed(one.by), start=names[one.start], end=names[one.end], unless=_renamed(one.unless, names)
            )
            for one in table.no_overlap
        ),
        capacity=tuple(
            replace(
                one,
                column=names[one.column],
                target=tables[one.target],
                limit=columns[one.target][one.limit],
                unless=_renamed(one.unless, names),
            )
            for one in table.capacity
        ),
        ledger=tuple(
            replace(one, balance=(names[one.balance[0]], names[one.balance[1]]), group=names[one.group])
            for one in table.ledger
        ),
    )


def _align_links(base: TableLayout | None, table: TableLayout, tables: Names, relations: set[str]) -> tuple[Link, ...]:
    def same(old: Link, new: Link) -> bool:
        return bool({*new.fields, new.was} & set(old.fields)) and old.target == tables[new.target]

    pairs = _matched(base.links if base else (), table.links, same)
    found = []
    for link in table.links:
        pair = pairs.get(link.name)
        name = pair.name if pair else free_name(joined_name(tables[table.name], *link.fields), relations)
        relations.add(name)
        found.append(replace(link, name=name, target=tables[link.target], was="" if pair else link.was))
    return tuple(found)


def _renamed(condition: Any, names: Names) -> Any:
    """A condition as data with its fields under other names."""
    if isinstance(condition, dict):
        return {
            names.get(key, key): _renamed(value, names) if key in ("any", "all", "not") else value
            for key, value in condition.items()
        }
    if isinstance(condition, (list, tuple)):
        return [_renamed(part, names) for part in condition]
    return condition


# -- both together


def merge(base: Layout, other: Layout) -> Layout:
    """Everything both need, under the names of `base`, with the constraints that hold for both."""
    added = align(base, other).physical
    tables = [_both(table, added[table.name]) if table.name in added else table for table in base.tables]
    return Layout((*tables, *(table for name, table in added.items() if name not in base.physical)))


def keep(current: Layout, desired: Layout) -> Layout:
    """`desired` under the names of `current`, and whatever else `current` has, relaxed: nothing is dropped.

    What both have gets the constraints of `desired`.
    """
    wanted = align(current, desired).physical
    tables = [_kept(table, wanted[table.name]) if table.name in wanted else table for table in current.tables]
    new = [table for name, table in wanted.items() if name not in current.physical]
    return Layout(tuple(_settled(table) for table in (*tables, *new)))


def _settled(table: TableLayout) -> TableLayout:
    """Without `was`: it says how to find what is there, and now this is there."""
    return replace(
        table,
        was="",
        columns=tuple(replace(column, was="") for column in table.columns),
        links=tuple(replace(link, was="") for link in table.links),
    )


def _both(one: TableLayout, other: TableLayout) -> TableLayout:
    shared = set(one.physical) & set(other.physical)

    def agreed(left: Parts, right: Parts, columns: Callable[[Any], tuple[str, ...]]) -> Parts:
        """What stands on both sides, and what concerns a column that only one side has."""
        alone = [part for part in (*left, *right) if any(column not in shared for column in columns(part))]
        return _union(tuple(part for part in left if part in right), tuple(alone))

    unique = agreed(_unique(one), _unique(other), lambda index: index.columns)
    plain = [replace(index, unique=False) for index in (*one.indexes, *other.indexes) if index not in unique]
    return replace(
        other,
        tables=_union(one.tables, other.tables),
        columns=_columns(one, other, strict=True),
        links=_links(one.links, other.links),
        references=_references(one.references, other.references),
        checks=_checks(one, other, shared),
        rules=tuple(rule for rule in one.rules if rule in other.rules),
        indexes=(*unique, *_union(tuple(plain), ())),
        no_overlap=agreed(one.no_overlap, other.no_overlap, lambda rule: (*rule.by, rule.start, rule.end)),
        capacity=agreed(one.capacity, other.capacity, lambda rule: (rule.column,)),
        ledger=tuple(rule for rule in one.ledger if rule in other.ledger),
        history=one.history or other.history,
    )


def _kept(current: TableLayout, wanted: TableLayout) -> TableLayout:
    gone = set(current.physical) - set(wanted.physical)
    return replace(
        wanted,
        tables=_union(current.tables, wanted.tables),
        columns=_columns(current, wanted, strict=False),
        links=_links(current.links, wanted.links),
        references=(*wanted.references, *(one for one in current.references if one.column in gone)),
        checks=(*wanted.checks, *(one for one in current.checks if one.column in gone)),
    )


def _union(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    found: list[Any] = []
    for part in (*one, *other):
        if part not in found:
            found.append(part)
    return tuple(found)


def _unique(table: TableLayout) -> tuple[Index, ...]:
    return tuple(index for index in table.indexes if index.unique)


def _columns(one: TableLayout, other: TableLayout, *, strict: bool) -> tuple[Column, ...]:
    """The columns of both. strict: NOT NULL needs both; else `other` decides where it has the column."""
    left, right = one.physical, other.physical
    found = []
    for name in dict.fromkeys((*left, *right)):
        old, new = left.get(name), right.get(name)
        if old is None or new is None:
            column = old or new
            assert column is not None
            found.append(replace(column, required=column.required and not column.fields))
            continue
        required = new.required and (old.required or not strict)
        fields = _union(old.fields, new.fields)
        found.append(replace(new, type=wider(old.type, new.type), fields=fields, required=required))
    return tuple(found)


def _links(one: tuple[Link, ...], other: tuple[Link, ...]) -> tuple[Link, ...]:
    found = {link.name: link for link in one}
    for link in other:
        old = found.get(link.name, link)
        found[link.name] = replace(link, fields=_union(old.fields, link.fields))
    return tuple(found.values())


def _references(one: tuple[Reference, ...], other: tuple[Reference, ...]) -> tuple[Reference, ...]:
    return tuple(({reference.column: reference for reference in one} | {ref.column: ref for ref in other}).values())


def _checks(one: TableLayout, other: TableLayout, shared: set[str]) -> tuple[Check, ...]:
    left = {(check.column, check.kind): check for check in one.checks}
    right = {(check.column, check.kind): check for check in other.checks}
    found = []
    for key in dict.fromkeys((*left, *right)):
        if key in left and key in right:
            check = _looser(left[key], right[key])
            found += [check] if check else []
        elif key[0] not in shared:
            found.append(left.get(key) or right[key])
    return tuple(found)


def _looser(one: Check, other: Check) -> Check | None:
    """What passes either check; None when everything does."""
    if one.kind == "options":
        return replace(one, values=_union(one.values, other.values))
    low = None if one.low is None or other.low is None else min(one.low, other.low)
    high = None if one.high is None or other.high is None else max(one.high, other.high)
    return None if low is None and high is None else replace(one, low=low, high=high)
