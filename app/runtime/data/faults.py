"""What PostgreSQL refuses, told as field errors and sentences. The constraint's name says which rule it was."""

from __future__ import annotations

import psycopg

from app.errors import AppError, Conflict, FieldError, Invalid
from app.modules.storage.objects import DbObject, constraint_of
from app.runtime.context import InstallContext
from app.runtime.data.model import ModuleModel
from app.runtime.validation.problems import pointer

At = tuple[int, ...]


class StillReferenced(Conflict):
    """Other records refer to this one. Change or delete those first."""

    code = "still_referenced"


class AppendOnly(Conflict):
    """Records of this table are only added. Enter a correction instead."""

    code = "append_only"


def refusal(
    error: psycopg.Error, context: InstallContext, model: ModuleModel, at: At = (), *, deleting: bool = False
) -> AppError | None:
    """The failure to raise instead, or None when the error is no refusal of a value."""
    diag = error.diag
    if isinstance(error, psycopg.errors.NotNullViolation) and diag.column_name:
        return _field(context, diag.table_name, (diag.column_name,), at, "required", "is required")
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        return _reference(context, model, diag.table_name, diag.constraint_name, at, deleting)
    if isinstance(error, (psycopg.errors.NumericValueOutOfRange, psycopg.errors.DatetimeFieldOverflow)):
        return Invalid(
            "a number or date is too large", errors=[FieldError(pointer(*at), "range", "a number or date is too large")]
        )
    if not isinstance(error, psycopg.IntegrityError):
        return None
    return _rule(context, model, error, at)


def _rule(context: InstallContext, model: ModuleModel, error: psycopg.IntegrityError, at: At) -> AppError:
    table, name = error.diag.table_name or "", error.diag.constraint_name or ""
    one = _object(context, table, name)
    if one is None:
        return Conflict("These values do not go together.")
    if one.kind == "unique":
        said = _names(context, table, one.columns)
        detail = "is taken already" if len(said) == 1 else f"another record has the same {' and '.join(said)}"
        return _field(context, table, one.columns[:1], at, "unique", detail)
    if one.kind == "no_overlap":
        return _field(context, table, (one.part.start,), at, "no_overlap", "overlaps another record in time")
    if one.kind == "order":
        start = " and ".join(_names(context, table, (one.part.start,)))
        return _field(context, table, (one.part.end,), at, "order", f"must not be before {start}")
    if one.kind in ("capacity", "capacity_of"):
        return _field(context, table, one.columns, at, "capacity", error.diag.message_primary or "is full")
    if one.kind == "ledger":
        return AppendOnly()
    if one.kind == "balance":
        return _field(
            context, table, (one.part.group,), at, "unbalanced", error.diag.message_primary or "is not balanced"
        )
    if one.kind == "rule":
        return _field(context, table, one.columns, at, "required", "is required for this record")
    return _field(context, table, one.columns, at, "range", "is outside what is allowed")


def _reference(
    context: InstallContext, model: ModuleModel, table: str | None, constraint: str | None, at: At, deleting: bool
) -> AppError:
    """On a write: a record that is not there, be it nobody's or another site's. On a delete: one that is still used."""
    if deleting:
        user = next((name for name, one in model.tables.items() if one.layout.name == table), "other tables")
        return StillReferenced(f"Records of {user} still refer to this one. Change or delete those first.")
    for layout in context.physical.tables:
        link = next((link for link in layout.links if link.name == table), None)
        if link is not None:
            return _told(_first(link.fields), at, "reference", "names a record that is not there")
    one = _object(context, table or "", constraint or "")
    columns = one.columns if one else ()
    return _field(context, table, columns, at, "reference", "names a record that is not there")


def _object(context: InstallContext, table: str, name: str) -> DbObject | None:
    for owner in context.physical.tables:
        found = constraint_of(owner, name)
        if found is not None and (found.table == table or owner.name == table):
            return found
    return None


def _names(context: InstallContext, table: str | None, columns: tuple[str, ...]) -> list[str]:
    """The fields of this version that physical columns hold."""
    layout = next((one for one in context.layout.tables if one.name == table), None)
    if layout is None:
        return []
    return [_first(layout.physical[name].fields) or name for name in columns if name in layout.physical]


def _field(
    context: InstallContext, table: str | None, columns: tuple[str, ...], at: At, code: str, detail: str
) -> Invalid:
    names = _names(context, table, columns)
    return _told(names[0] if names else "", at, code, detail)


def _told(name: str, at: At, code: str, detail: str) -> Invalid:
    where = pointer(*at, name) if name else pointer(*at)
    return Invalid(f"{name}: {detail}" if name else detail, errors=[FieldError(where, code, detail)])


def _first(names: tuple[str, ...]) -> str:
    return names[0] if names else ""
