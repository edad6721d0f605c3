"""Tables: references, rules, formulas and rollups."""

from __future__ import annotations

from app.modules.kinds import NUMBERS, Kind
from app.modules.manifest.checks.context import Checker, a, either
from app.modules.manifest.checks.fields import check_field
from app.modules.manifest.fields import FormulaField, RollupField
from app.modules.manifest.problems import did_you_mean
from app.modules.manifest.tables import Table
from app.modules.manifest.yamltext import Path
from app.modules.naming import event_noun, identifier_problem

_TITLES = ("text", "email", "phone", "url", "slug", "number", "enum", "formula")
_MOMENTS = ("date", "datetime")
_KEYS = ("ref", "user", "enum", "text", "integer", "boolean", "date", "slug", "email", "number")
_INDEXABLE = frozenset(Kind) - {Kind.JSON, Kind.LIST}


def check_tables(checker: Checker) -> None:
    """Every table."""
    for name, table in checker.manifest.tables.items():
        path: Path = ("tables", name)
        if fault := identifier_problem(name, what="table"):
            checker.report(path, fault, "name", key=True)
        _renamed(checker, table, path)
        for field_name, field in table.fields.items():
            check_field(checker, name, field_name, field)
        _rollups(checker, name, table, path)
        _formulas(checker, name, table, path)
        _title(checker, name, table, path)
        _keys(checker, name, table, path)
        _checks(checker, name, table, path)
        _states(checker, name, table, path)
        _no_overlap(checker, name, table, path)
        _capacity(checker, name, table, path)
        _ledger(checker, name, table, path)
    _event_nouns(checker)


def _renamed(checker: Checker, table: Table, path: Path) -> None:
    if table.was is None:
        return
    if table.was in checker.manifest.tables:
        checker.report((*path, "was"), f'"{table.was}" is still a table; a rename leaves one name', "name")
    elif [other.was for other in checker.manifest.tables.values()].count(table.was) > 1:
        checker.report((*path, "was"), f'two tables were "{table.was}"; only one can be', "name")


def _rollups(checker: Checker, name: str, table: Table, path: Path) -> None:
    for field_name, rollup in table.rollups.items():
        _rollup(checker, name, rollup, (*path, "fields", field_name))


def _rollup(checker: Checker, name: str, rollup: RollupField, path: Path) -> None:
    other = checker.table(rollup.of_table, (*path, "of"))
    if other is None:
        return
    back = [ref_name for ref_name, ref in other.refs.items() if ref.to == name]
    if not back:
        checker.report((*path, "of"), f'no ref field of {rollup.of_table} points to "{name}"; add one there')
    elif rollup.via is not None and rollup.via not in back:
        message = f'"{rollup.via}" is not a ref from {rollup.of_table} to {name}{did_you_mean(rollup.via, back)}'
        checker.report((*path, "via"), message)
    elif rollup.via is None and len(back) > 1:
        message = f"{rollup.of_table} points here by {either(back)}; say which with via"
        checker.report((*path, "of"), message)
    checker.condition(rollup.where, rollup.of_table, (*path, "where"))
    if rollup.of_field is None:
        if rollup.fn != "count":
            checker.report((*path, "of"), f"{rollup.fn} needs a field: {rollup.of_table}.<field>")
        return
    field = checker.field(rollup.of_table, rollup.of_field, (*path, "of"))
    if field is None or rollup.fn == "count":
        return
    column = checker.computed.value_column(rollup.of_table, rollup.of_field)
    if column is None:
        if isinstance(field, (RollupField, FormulaField)):
            checker.report((*path, "of"), "a rollup cannot combine another rollup", "field_type")
        return
    allowed = NUMBERS | {Kind.DURATION}
    if rollup.fn in ("min", "max"):
        allowed = allowed | {Kind.DATE, Kind.DATETIME, Kind.TIME}
    if column.kind not in allowed:
        checker.report((*path, "fn"), f"{rollup.fn} cannot take {a(field.type)} field", "field_type")


def _formulas(checker: Checker, name: str, table: Table, path: Path) -> None:
    _, failed = checker.computed.formulas(name)
    for field_name, error in failed.items():
        if error.near and checker.written("tables", name, "fields", error.near):
            continue  # that field has its own problem
        checker.report((*path, "fields", field_name, "expr"), error.message, "formula")


def _title(checker: Checker, name: str, table: Table, path: Path) -> None:
    if table.title:
        checker.typed_field(name, table.title, (*path, "title"), _TITLES)


def _keys(checker: Checker, name: str, table: Table, path: Path) -> None:
    for key, lists in (("indexes", table.indexes), ("unique", table.unique)):
        for index, names in enumerate(lists):
            place: Path = (*path, key, index)
            checker.duplicates(names, place, "field")
            for position, field_name in enumerate(names):
                _key(checker, name, field_name, (*place, position), system=key == "indexes")
        checker.duplicates([", ".join(names) for names in lists], (*path, key), "the list")


def _key(checker: Checker, table_name: str, name: str, path: Path, *, system: bool) -> None:
    field = checker.field(table_name, name, path, system=system)
    if field is None:
        return
    if not field.stored:
        checker.report(path, f'"{name}" is {a(field.type)}, which is not a stored column', "field_type")
    elif field.kind not in _INDEXABLE or field.type in ("secret", "richtext"):
        checker.report(path, f'"{name}" is {a(field.type)} field, which cannot be in an index', "field_type")


def _checks(checker: Checker, name: str, table: Table, path: Path) -> None:
    for index, check in enumerate(table.check):
        place: Path = (*path, "check", index)
        checker.condition(check.when, name, (*place, "when"))
        for position, field_name in enumerate(check.require):
            field = checker.field(name, field_name, (*place, "require", position))
            if field is not None and not field.stored:
                message = f'"{field_name}" is {a(field.type)}, which cannot be required'
                checker.report((*place, "require", position), message, "field_type")


def _states(checker: Checker, name: str, table: Table, path: Path) -> None:
    if table.states is None:
        return
    place: Path = (*path, "states")
    field = checker.typed_field(name, table.states.field, (*place, "field"), ("enum",))
    if field is None:
        return
    options = field.column.options
    for state, targets in table.states.moves.items():
        checker.known(state, options, (*place, "moves", state), f"option of {table.states.field}")
        for index, target in enumerate(targets):
            checker.known(target, options, (*place, "moves", state, index), f"option of {table.states.field}")
    for option in options:
        if option not in table.states.moves:
            checker.report((*place, "moves"), f'says nothing about "{option}"; add {option}: []', "states", key=True)


def _no_overlap(checker: Checker, name: str, table: Table, path: Path) -> None:
    rule = table.no_overlap
    if rule is None:
        return
    place: Path = (*path, "no_overlap")
    for index, field_name in enumerate(rule.by):
        checker.typed_field(name, field_name, (*place, "by", index), _KEYS)
    start = checker.typed_field(name, rule.from_, (*place, "from"), _MOMENTS)
    end = checker.typed_field(name, rule.to, (*place, "to"), _MOMENTS)
    if start is not None and end is not None and start.type != end.type:
        message = f'"{rule.from_}" is {a(start.type)} and "{rule.to}" {a(end.type)}; both must be alike'
        checker.report((*place, "to"), message, "field_type")
    checker.condition(rule.unless, name, (*place, "unless"))


def _capacity(checker: Checker, name: str, table: Table, path: Path) -> None:
    rule = table.capacity
    if rule is None:
        return
    place: Path = (*path, "capacity")
    holder, counted = checker.table(rule.of_table, (*place, "of")), checker.table(rule.count, (*place, "count"))
    if holder is not None:
        checker.typed_field(rule.of_table, rule.of_field, (*place, "of"), ("integer",))
    if counted is not None:
        checker.condition(rule.unless, rule.count, (*place, "unless"))
    if name not in (rule.of_table, rule.count):
        checker.report(place, f"belongs in the table {rule.of_table} or {rule.count}", key=True)
    if holder is not None and counted is not None:
        refs = [ref_name for ref_name, ref in counted.refs.items() if ref.to == rule.of_table]
        if len(refs) != 1:
            message = f"{rule.count} needs one ref field to {rule.of_table}; it has {len(refs)}"
            checker.report((*place, "count"), message)


def _ledger(checker: Checker, name: str, table: Table, path: Path) -> None:
    rule = table.ledger
    if rule is None:
        return
    place: Path = (*path, "ledger")
    sides = [
        checker.typed_field(name, field_name, (*place, "balance", index), ("money", "decimal", "integer"))
        for index, field_name in enumerate(rule.balance)
    ]
    if all(sides) and len({side.type for side in sides if side}) > 1:
        checker.report((*place, "balance"), "both sides must be of one type", "field_type")
    if rule.balance[0] == rule.balance[1]:
        checker.report((*place, "balance"), "the two sides are the same field", "duplicate")
    group = checker.typed_field(name, rule.group, (*place, "group"), _KEYS)
    if group is not None and not group.required:
        checker.report(
            (*place, "group"), f'"{rule.group}" must be required: a line without a group balances nothing', "value"
        )


def _event_nouns(checker: Checker) -> None:
    seen: dict[str, str] = {}
    for name, table in checker.manifest.tables.items():
        noun = event_noun(name, table)
        if noun in seen:
            message = f'sends {noun}.created like the table "{seen[noun]}"; give it another label.one'
            checker.report(("tables", name), message, "duplicate", key=True)
        seen.setdefault(noun, name)
