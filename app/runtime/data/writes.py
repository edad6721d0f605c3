"""Writing records: validation, hooks, the write with its event, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from app.db.roles import RUNTIME
from app.errors import FieldError, Invalid, NotFound, Unavailable, VersionMismatch
from app.lib.ids import uuid7
from app.modules.kinds import Kind
from app.modules.manifest.fields import NumberField
from app.modules.manifest.pages import TableHook
from app.modules.values import WrongValue, read_value
from app.runtime.context import InstallContext, find_install
from app.runtime.data import compile_writes as compiled
from app.runtime.data.access import CREATE, DELETE, READ, UPDATE, Access, Surface
from app.runtime.data.compile import Statement
from app.runtime.data.faults import refusal
from app.runtime.data.model import TableModel
from app.runtime.data.reads import Reader, Tried
from app.runtime.data.results import Record
from app.runtime.data.scoped import Connection, Rows, Scope
from app.runtime.data.secret_fields import seal_secrets
from app.runtime.data.undo import undo
from app.runtime.validation.problems import Facts
from app.runtime.validation.record import Checked, check_change, check_new, writable_fields

MAX_BATCH = 500
MAX_EVENT_BYTES = 256_000
Values = Mapping[str, Any]


class FunctionsMissing(Unavailable):
    """This change has to pass a function of the module, and functions do not run here."""

    code = "functions_missing"


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


class Transaction(Reader):
    """Several reads and writes that happen together or not at all. Made by Data.transaction()."""

    def __init__(self, context: InstallContext, access: Access, connection: Connection, settings: Settings) -> None:
        super().__init__(context, access)
        self.settings = settings
        self._connection = connection
        self._scope = Scope.of(context, access.actor, settings.batch)

    @property
    def batch(self) -> UUID:
        """What the history files these changes under, for restore()."""
        return self.settings.batch

    def beside(self, context: InstallContext, access: Access) -> Transaction:
        """The same transaction with other tables or for another caller: a granted foreign module, a function."""
        return Transaction(context, access, self._connection, self.settings)

    def foreign(self, module_slug: str) -> Transaction:
        """The same transaction with the tables of another module that the site consented to. Raises NotFound."""
        return self.beside(*foreign_access(self.context, self.access, module_slug))

    @property
    def keys(self) -> tuple[str, ...]:
        return self.settings.keys

    def _send(self, statements: Tried) -> list[Rows]:
        return self._connection.run(self._scope, *statements)

    def send(self, statements: Tried) -> list[Rows]:
        """The rows of each statement of this package, in one round trip."""
        return self._send(statements)

    def has_written(self) -> None:
        """Events may be waiting once this is committed."""
        self._connection.wrote = True

    # -- writes

    def insert(self, name: str, values: Values) -> Record:
        """Make one record. Raises NotFound, Forbidden, Invalid with every wrong field."""
        model = self.table(name, CREATE)
        checked = self._with_hook(model, check_one(self, model, values), None)
        return self._insert(model, [checked], single=True)[0]

    def insert_many(self, name: str, rows: Sequence[Values]) -> list[Record]:
        """Make up to 500 records, all or none. Raises Invalid with every wrong field of every row: /index/field."""
        model = self.table(name, CREATE)
        ready = [self._with_hook(model, row, None, at=(at,)) for at, row in enumerate(check_rows(self, model, rows))]
        return self._insert(model, ready, single=False)

    def update(self, name: str, record_id: UUID, values: Values, *, if_version: int | None = None) -> Record:
        """Change some fields of a record. Raises NotFound, Forbidden, VersionMismatch, Invalid with every wrong field.

        Values that are there already change nothing: no new version, no event.
        """
        model = self.table(name, UPDATE)
        before, version, _ = self._locked(model, record_id)
        if if_version is not None and if_version != version:
            raise VersionMismatch()
        checked = check_change(model.rules, values, before, writable_fields(model.visible(self.access)), facts_of(self))
        _refuse(checked.errors)
        changed = self._with_hook(model, _changed(model, before, checked.values), before)
        changed = _changed(model, before, changed)
        if not changed:
            return self._as_seen(model, record_id, version)
        return self._update(model, record_id, changed)

    def delete(self, name: str, record_id: UUID, *, if_version: int | None = None) -> UUID:
        """Delete a record and what goes with it; returns the batch that restore() takes.

        Raises NotFound, Forbidden, VersionMismatch, StillReferenced.
        """
        model = self.table(name, DELETE)
        before, version, mark = self._locked(model, record_id)
        if if_version is not None and if_version != version:
            raise VersionMismatch()
        if self._hooked(model, "before_delete"):
            self._hooks().before(self, model.name, "before_delete", before, None)
        stamp = stamp_of(self)
        self._write(
            model,
            [
                compiled.delete_statement(model, record_id, stamp),
                *compiled.followed_statements(model, record_id, mark, stamp),
            ],
            deleting=True,
        )
        return self.batch

    def restore(self, batch: UUID) -> list[tuple[str, UUID]]:
        """Undo what a batch did; returns what came back or was changed, as (table, record id).

        Raises NotFound, ChangedSince, Invalid when the values no longer fit.
        """
        return undo(self, batch)

    def lock(self, name: str, record_id: UUID) -> Record:
        """The record, which nobody else can change until this transaction ends. Raises NotFound."""
        model = self.table(name, READ)
        _, version, _ = self._locked(model, record_id)
        return self._as_seen(model, record_id, version)

    def emit(self, event: str, data: Any, *, subject: str = "") -> None:
        """Tell the world of something the manifest declares as an event. Raises Invalid."""
        if event not in self.context.manifest.events:
            raise Invalid.field("event", f'the manifest declares no event "{event}"', "unknown_event")
        if len(json.dumps(data)) > MAX_EVENT_BYTES:
            raise Invalid.field("data", f"must be at most {MAX_EVENT_BYTES // 1000} kB", "max")
        self._send([compiled.event_statement(stamp_of(self), event, subject, data)])
        self.has_written()

    def next_number(self, series: str, *, start: int = 1) -> int:
        """The next of a gap-free series of the module's own, such as ctx.seq asks for."""
        if not 0 < len(series) <= 100 or "\x00" in series:
            raise Invalid.field("series", "must be a name of at most 100 characters")
        model = next(iter(self.model.tables.values()), None)
        if model is None:
            raise NotFound()
        [rows] = self._send([compiled.series_statement(model, self.context.site_id, f"own.{series}", start, 1)])
        number: int = rows[0][0]
        return number

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo only what is inside when it fails."""
        self._connection.begin(self._scope)
        self._connection.begin(self._scope)
        with self._connection.savepoint():
            yield

    def beside_tables(self, *statements: Statement) -> list[Rows]:
        """Statements on the platform's own tables (letters, accounts of runs) in this transaction, not as the module."""
        return self._connection.run(replace(self._scope, role=RUNTIME), *statements)

    # -- how

    def _insert(self, model: TableModel, rows: list[dict[str, Any]], *, single: bool) -> list[Record]:
        if not rows:
            return []
        rows = [dict(row) for row in rows]
        self._number(model, rows)
        prepare(self, model, rows)
        statement = compiled.insert_statement(model, self.access, rows, stamp_of(self), seen=self._sees(model))
        if single:
            [found] = self._write(model, [statement])
            return self._records(model, found)
        self._connection.begin(self._scope)
        try:
            with self._connection.savepoint():
                [found] = self._send([statement])
        except psycopg.Error as error:
            self._tell_each(model, rows, error)
        self.has_written()
        return self._records(model, found)

    def _tell_each(self, model: TableModel, rows: list[dict[str, Any]], error: psycopg.Error) -> None:
        """The database refused a batch: try each row alone to learn which, undo them all, and raise."""
        errors: list[FieldError] = []
        other: Exception | None = None
        for at, row in enumerate(rows):
            statement = compiled.insert_statement(model, self.access, [row], stamp_of(self), seen=False)
            try:
                with self._connection.savepoint():
                    self._send([statement])
            except psycopg.Error as one:
                told = refusal(one, self.context, self.model, (at,))
                if isinstance(told, Invalid):
                    errors += told.errors
                else:
                    other = other or told or one
        if errors:
            raise _invalid(errors) from error
        raise other or refusal(error, self.context, self.model) or error

    def _update(self, model: TableModel, record_id: UUID, changed: dict[str, Any]) -> Record:
        row = dict(changed)
        seal_secrets(model, row, record_id, self.keys)
        statements: list[Statement] = []
        for name in compiled.refs_of(model):
            if name in row:
                statements += compiled.relink_statements(model, name, self.context.site_id, record_id, row[name] or ())
        statements.append(
            compiled.update_statement(model, self.access, record_id, row, stamp_of(self), seen=self._sees(model))
        )
        return self._records(model, self._write(model, statements)[-1])[0]

    def _write(self, model: TableModel, statements: list[Statement], *, deleting: bool = False) -> list[Rows]:
        try:
            found = self._send(statements)
        except psycopg.Error as error:
            raise refusal(error, self.context, self.model, deleting=deleting) or error
        self.has_written()
        return found

    def _locked(self, model: TableModel, record_id: UUID) -> tuple[dict[str, Any], int, UUID]:
        [rows] = self._send([compiled.lock_statement(model, self.access, self.context.site_id, record_id)])
        if not rows:
            raise NotFound()
        return json.loads(rows[0][0]), rows[0][1], rows[0][2]

    def _as_seen(self, model: TableModel, record_id: UUID, version: int) -> Record:
        if self._sees(model):
            return self.get(model.name, record_id)
        return Record(record_id, version, json.dumps({"id": str(record_id)}))

    def _sees(self, model: TableModel) -> bool:
        return self.access.can(self.context.manifest, model.name, READ)

    def _number(self, model: TableModel, rows: list[dict[str, Any]]) -> None:
        """Give the number fields of new records the next of their series."""
        local = self.settings.now.astimezone(ZoneInfo(self.context.site.time_zone))
        for name, field in model.spec.fields.items():
            if not isinstance(field, NumberField):
                continue
            period = {"year": f":{local:%Y}", "month": f":{local:%Y-%m}"}.get(field.per or "", "")
            series = f"{model.layout.name}.{name}{period}"
            statement = compiled.series_statement(model, self.context.site_id, series, field.start, len(rows))
            [found] = self._send([statement])
            prefix = field.prefix.replace("{year}", f"{local:%Y}").replace("{month}", f"{local:%m}")
            first = found[0][0] - len(rows) + 1
            for at, row in enumerate(rows):
                row[name] = f"{prefix}{first + at:0{field.digits}d}"

    # -- hooks

    def _hooked(self, model: TableModel, event: str) -> bool:
        return hooked(self.context, model.name, event)

    def _hooks(self) -> Hooks:
        if self.settings.hooks is None:
            raise FunctionsMissing()
        return self.settings.hooks

    def _with_hook(
        self, model: TableModel, values: dict[str, Any], before: dict[str, Any] | None, *, at: tuple[int, ...] = ()
    ) -> dict[str, Any]:
        """What the module's function makes of the values, held to the manifest again."""
        event = "before_create" if before is None else "before_update"
        if not self._hooked(model, event) or (before is not None and not values):
            return values
        shown = json.loads(json.dumps({**(before or {}), **values}, default=compiled.plain))
        made = self._hooks().before(self, model.name, event, before, shown)
        if made is None:
            return values
        own = Access(Surface.FUNCTION)
        given = {name: value for name, value in made.items() if name in model.spec.fields and value != shown.get(name)}
        fields, rules, facts = writable_fields(model.visible(own)), model.rules, facts_of(self)
        merged = {**values, **given}
        checked = (
            check_change(rules, merged, before, fields, facts)
            if before
            else check_new(rules, merged, fields, facts, at=at)
        )
        _refuse(checked.errors)
        return checked.values


# -- shared with single writes that need no transaction of their own


class Writer(Protocol):
    """What validation and stamping need of a caller."""

    context: InstallContext
    access: Access
    settings: Settings


def facts_of(writer: Writer) -> Facts:
    site = writer.context.site
    return Facts(writer.settings.now, site.locale, site.time_zone)


def stamp_of(writer: Writer) -> compiled.Stamp:
    context, actor = writer.context, writer.access.actor
    return compiled.Stamp(
        context.agency_id, context.site_id, context.install_id, actor.ref, actor.request_id, writer.settings.depth
    )


def hooked(context: InstallContext, table: str, event: str) -> bool:
    """Whether a function of the module wants to see this change first."""
    return any(
        isinstance(function.on, TableHook) and function.on.table == table and function.on.event == event
        for function in context.manifest.functions.values()
    )


def check_one(writer: Writer, model: TableModel, values: Values) -> dict[str, Any]:
    checked = check_new(model.rules, values, writable_fields(model.visible(writer.access)), facts_of(writer))
    _refuse(checked.errors)
    return checked.values


def check_rows(writer: Writer, model: TableModel, rows: Sequence[Values]) -> list[dict[str, Any]]:
    if len(rows) > MAX_BATCH:
        detail = f"at most {MAX_BATCH} records at once"
        raise Invalid(detail, errors=[FieldError("", "max", detail)])
    rules, fields, facts = model.rules, writable_fields(model.visible(writer.access)), facts_of(writer)
    checked: list[Checked] = [check_new(rules, row, fields, facts, at=(at,)) for at, row in enumerate(rows)]
    _refuse([error for one in checked for error in one.errors])
    return [one.values for one in checked]


def prepare(writer: Writer, model: TableModel, rows: list[dict[str, Any]]) -> None:
    """Give new records their ids, ascending, and seal their secrets."""
    for row, record_id in zip(rows, sorted(uuid7() for _ in rows), strict=True):
        row["id"] = record_id
        seal_secrets(model, row, record_id, writer.settings.keys)


def _changed(model: TableModel, before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that differ from what is there. Secrets always do."""
    return {name: value for name, value in values.items() if not _same(model, name, before.get(name), value)}


def _same(model: TableModel, name: str, old: Any, new: Any) -> bool:
    field = model.spec.fields[name]
    if field.type == "secret":
        return old == {"set": False} and new is None
    if old in (None, []) or new in (None, []):
        return old in (None, []) and new in (None, [])
    kind = model.columns[name].kind
    try:
        return bool(read_value(kind, old) == read_value(kind, new)) if kind is not Kind.JSON else bool(old == new)
    except WrongValue:
        return False


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise _invalid(errors)


def _invalid(errors: list[FieldError]) -> Invalid:
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
