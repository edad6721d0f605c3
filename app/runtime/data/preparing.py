"""What a write needs before it is sent: checked values, ids, sealed secrets, who signs, what a foreign module may touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from app.errors import FieldError, Invalid, NotFound
from app.lib.ids import uuid7
from app.modules.kinds import Kind
from app.modules.manifest.pages import TableHook
from app.modules.values import WrongValue, read_value
from app.runtime.context import InstallContext, find_install
from app.runtime.data.access import Access
from app.runtime.data.compile_writes import Stamp
from app.runtime.data.model import TableModel
from app.runtime.data.secret_fields import seal_secrets
from app.runtime.validation.problems import Facts
from app.runtime.validation.record import Checked, check_new, writable_fields

if TYPE_CHECKING:
    from app.runtime.data.writes import Transaction

MAX_BATCH = 500
Values = Mapping[str, Any]


class Hooks(Protocol):
    """Runs the before_* functions of a module. tx: the open transaction, for the function's own reads and writes."""

    def before(
        self, tx: Transaction, table: str, event: str, old: dict[str, Any] | None, new: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """The values to write instead of `new`; None keeps them. Raises Invalid to refuse."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for every write of one call. keys: for sealing secrets; depth: hooks of events above this one."""

    now: datetime
    batch: UUID
    keys: tuple[str, ...] = ()
    hooks: Hooks | None = None
    depth: int = 0


class Writer(Protocol):
    """What validation and stamping need of a caller."""

    context: InstallContext
    access: Access
    settings: Settings


def facts_of(writer: Writer) -> Facts:
    site = writer.context.site
    return Facts(writer.settings.now, site.locale, site.time_zone)


def stamp_of(writer: Writer) -> Stamp:
    context, actor = writer.context, writer.access.actor
    return Stamp(
        context.agency_id, context.site_id, context.install_id, actor.ref, actor.request_id, writer.settings.depth,
        tells=not context.on_trial,
    )  # fmt: skip


def hooked(context: InstallContext, table: str, event: str) -> bool:
    """Whether a function of the module wants to see this change first."""
    return any(
        isinstance(function.on, TableHook) and function.on.table == table and function.on.event == event
        for function in context.manifest.functions.values()
    )


def check_one(writer: Writer, model: TableModel, values: Values) -> dict[str, Any]:
    checked = check_new(model.rules, values, writable_fields(model.visible(writer.access)), facts_of(writer))
    refuse(checked.errors)
    return checked.values


def check_rows(writer: Writer, model: TableModel, rows: Sequence[Values]) -> list[dict[str, Any]]:
    if len(rows) > MAX_BATCH:
        detail = f"at most {MAX_BATCH} records at once"
        raise Invalid(detail, errors=[FieldError("", "max", detail)])
    rules, fields, facts = model.rules, writable_fields(model.visible(writer.access)), facts_of(writer)
    checked: list[Checked] = [check_new(rules, row, fields, facts, at=(at,)) for at, row in enumerate(rows)]
    refuse([error for one in checked for error in one.errors])
    return [one.values for one in checked]


def prepare(
    writer: Writer, model: TableModel, rows: list[dict[str, Any]], *, ids: Sequence[UUID] | None = None
) -> None:
    """Give new records their ids, ascending, and seal their secrets. ids: those they had before (again.py)."""
    for row, record_id in zip(rows, ids or sorted(uuid7() for _ in rows), strict=True):
        row["id"] = record_id
        seal_secrets(model, row, record_id, writer.settings.keys)


def changed_values(model: TableModel, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from what is there. Secrets always do."""
    return {name: value for name, value in values.items() if not _same(model, name, before.get(name), value)}


def _same(model: TableModel, name: str, old: Any, new: Any) -> bool:
    field = model.spec.fields[name]
    if field.type == "secret":
        return old == {"set": False} and new is None
    if old in (None, []) or new in (None, []):
        return old in (None, []) and new in (None, [])
    if field.type in ("file", "files"):
        return _file_ids(old) == _file_ids(new)
    kind = model.columns[name].kind
    try:
        return bool(read_value(kind, old) == read_value(kind, new)) if kind is not Kind.JSON else bool(old == new)
    except WrongValue:
        return False


def _file_ids(value: Any) -> list[str]:
    return [one["id"] for one in (value if isinstance(value, list) else [value])]


def refuse(errors: list[FieldError]) -> None:
    if errors:
        raise invalid(errors)


def invalid(errors: list[FieldError]) -> Invalid:
    said = dict.fromkeys(f"{error.pointer.rpartition('/')[2]}: {error.detail}" for error in errors)
    return Invalid("; ".join(said), errors=errors)


def foreign_access(context: InstallContext, access: Access, module_slug: str) -> tuple[InstallContext, Access]:
    """Another module on the same site and what of it this one may touch: what was consented to, nothing else."""
    tables = {
        one["table"]: (frozenset(one["fields"]), frozenset(one.get("access", ("read",))))
        for one in context.granted.get("tables", ())
        if one["module"] == module_slug
    }
    if not tables:
        raise NotFound()
    return find_install(context.site_id, module_slug), Access(
        access.surface, access.actor, rights=access.rights, foreign=tables
    )
