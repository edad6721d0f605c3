"""One field at a time: names, defaults, limits, options and what its type needs."""

from __future__ import annotations

from typing import Any

from app.modules.kinds import Kind
from app.modules.manifest.checks.context import Checker, a
from app.modules.manifest.checks.values import check_default, check_limits
from app.modules.manifest.fields import (
    EnumField,
    FieldBase,
    FormulaField,
    MoneyField,
    NumberField,
    RefField,
    RefsField,
    RollupField,
    SlugField,
    TagsField,
)
from app.modules.manifest.yamltext import Path
from app.modules.naming import identifier_problem

_GIVEN_BY_SERVER = (FormulaField, RollupField, NumberField)

_NO_DEFAULT = ("secret", "file", "files", "ref", "refs", "user")


def check_field(checker: Checker, table_name: str, name: str, field: FieldBase) -> None:
    """Everything about one field but its formula."""
    path: Path = ("tables", table_name, "fields", name)
    if fault := identifier_problem(name, what="field"):
        checker.report(path, fault, "name", key=True)
    _flags(checker, field, path)
    _was(checker, table_name, field, path)
    if field.visible_if is not None:
        checker.condition(field.visible_if, table_name, (*path, "visible_if"))
        if name in field.visible_if:
            checker.report((*path, "visible_if", name), "a field cannot depend on itself", "cycle")
    check_limits(checker, field.kind, getattr(field, "min", None), getattr(field, "max", None), path)
    _of_type(checker, table_name, field, path)
    if field.default is not None and not isinstance(field, _GIVEN_BY_SERVER) and _type(field) not in _NO_DEFAULT:
        _default(checker, field, path)


def _flags(checker: Checker, field: FieldBase, path: Path) -> None:
    kind_of = _type(field)
    if isinstance(field, _GIVEN_BY_SERVER):
        for flag in ("required", "default", *(() if isinstance(field, NumberField) else ("unique", "search"))):
            if getattr(field, flag):
                checker.report((*path, flag), f"{a(kind_of)} is given by the server and takes no {flag}", "field_type")
        return
    if field.unique and (field.kind in (Kind.LIST, Kind.JSON, Kind.BOOLEAN) or kind_of in ("secret", "richtext")):
        checker.report((*path, "unique"), f"{a(kind_of)} field cannot be unique", "field_type")
    if field.search and (field.kind not in (Kind.TEXT,) or kind_of in ("secret", "color", "rrule")):
        checker.report((*path, "search"), f"{a(kind_of)} field cannot be searched", "field_type")
    if kind_of in _NO_DEFAULT and field.default is not None:
        checker.report((*path, "default"), f"{a(kind_of)} field takes no default", "default")


def _was(checker: Checker, table_name: str, field: FieldBase, path: Path) -> None:
    if field.was is None:
        return
    fields = checker.manifest.tables[table_name].fields
    if field.was in fields:
        checker.report(
            (*path, "was"), f'"{field.was}" is still a field of {table_name}; a rename leaves one name', "name"
        )
    elif [other.was for other in fields.values()].count(field.was) > 1:
        checker.report((*path, "was"), f'two fields were "{field.was}"; only one can be', "name")


def _of_type(checker: Checker, table_name: str, field: FieldBase, path: Path) -> None:
    if isinstance(field, (RefField, RefsField)):
        checker.table(field.to, (*path, "to"))
    if isinstance(field, RefField) and field.required and field.on_delete == "set_null":
        checker.report((*path, "on_delete"), "a required ref cannot become null; use restrict or cascade", "value")
    if isinstance(field, MoneyField) and field.currency:
        checker.typed_field(table_name, field.currency, (*path, "currency"), ("text", "enum"))
    if isinstance(field, SlugField) and field.from_:
        checker.typed_field(table_name, field.from_, (*path, "from"), ("text",))
    if isinstance(field, EnumField):
        _options(checker, field, path)
    if isinstance(field, TagsField) and field.options:
        checker.duplicates(field.options, (*path, "options"), "option")
    if isinstance(field, NumberField):
        _series(checker, field, path)


def _options(checker: Checker, field: EnumField, path: Path) -> None:
    checker.duplicates(field.options, (*path, "options"), "option")
    for key, names in (("labels", field.labels), ("colors", field.colors)):
        for option in names or ():
            checker.known(option, field.options, (*path, key, option), "option")


def _series(checker: Checker, field: NumberField, path: Path) -> None:
    for period, marks in (("year", ("{year}",)), ("month", ("{year}", "{month}"))):
        missing = [mark for mark in marks if mark not in field.prefix]
        if field.per == period and missing:
            message = f"a series per {period} needs {' and '.join(missing)} in its prefix, or numbers repeat"
            checker.report((*path, "per"), message, "value")


def _default(checker: Checker, field: FieldBase, path: Path) -> None:
    low, high = getattr(field, "min", None), getattr(field, "max", None)
    options = field.column.options
    check_default(checker, field.kind, field.default, low, high, options, (*path, "default"))


def _type(field: FieldBase) -> str:
    name: Any = getattr(field, "type", "")
    return str(name)
