"""Writing records: validation, hooks, the write with its event, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from app.db.roles import RUNTIME
from app.errors import FieldError, Invalid, NotFound, Unavailable, VersionMismatch
from app.modules.manifest.fields import NumberField
from app.runtime.context import InstallContext
from app.runtime.data import compile_writes as compiled
from app.runtime.data import trees
from app.runtime.data.access import CREATE, DELETE, READ, UPDATE, Access, Surface
from app.runtime.data.attach import describe_files, hold_files
from app.runtime.data.compile import Statement
from app.runtime.data.faults import refusal
from app.runtime.data.model import TableModel
from app.runtime.data.preparing import (
    MAX_BATCH as MAX_BATCH,
)
from app.runtime.data.preparing import (
    Hooks as Hooks,
)
from app.runtime.data.preparing import Settings as Settings
from app.runtime.data.preparing import Values, changed_values, check_one, check_rows, hooked, invalid, prepare, refuse
from app.runtime.data.preparing import facts_of as facts_of
from app.runtime.data.preparing import foreign_access as foreign_access
from app.runtime.data.preparing import stamp_of as stamp_of
from app.runtime.data.reads import Reader, Tried
from app.runtime.data.results import Record
from app.runtime.data.scoped import Connection, Scope
from app.runtime.data.secret_fields import seal_secrets
from app.runtime.data.undo import undo
from app.runtime.data.wire import Rows
from app.runtime.validation.problems import pointer
from app.runtime.validation.record import check_change, check_new, writable_fields

MAX_EVENT_BYTES = 256_000


STRANGERS = "SELECT p FROM unnest($2::uuid[]) AS p WHERE NOT runtime_is_member($1, p)"


class FunctionsMissing(Unavailable):
    """This change has to pass a function of the module, and functions do not run here."""

    code = "functions_missing"


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
        if isinstance(values, Mapping) and any(values.get(above) for above in model.above_fields):
            self._send([trees.lock_statement(model, self.context.site_id)])  # before the record's own lock, always
        before, version, _ = self._locked(model, record_id)
        if if_version is not None and if_version != version:
            raise VersionMismatch()
        checked = check_change(model.rules, values, before, writable_fields(model.visible(self.access)), facts_of(self))
        refuse(checked.errors)
        changed = self._with_hook(model, changed_values(model, before, checked.values), before)
        changed = changed_values(model, before, changed)
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
        with self._connection.savepoint():
            yield

    def beside_tables(self, *statements: tuple[str, Sequence[Any]]) -> list[Rows]:
        """Statements on the platform's own tables (letters, accounts of runs) in this transaction, not as the module."""
        return self._connection.run(replace(self._scope, role=RUNTIME), *statements)

    # -- how

    def _insert(
        self, model: TableModel, rows: list[dict[str, Any]], *, single: bool, ids: Sequence[UUID] | None = None
    ) -> list[Record]:
        if not rows:
            return []
        rows = [dict(row) for row in rows]
        self._number(model, rows)
        self._people_are_members(model, rows, single=single)
        prepare(self, model, rows, ids=ids)
        hold_files(self, model, rows, single=single)
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
            raise invalid(errors) from error
        raise other or refusal(error, self.context, self.model) or error

    def _people_are_members(self, model: TableModel, rows: list[dict[str, Any]], *, single: bool) -> None:
        """Refuse people who do not belong to the site's agency. One statement for all rows, none without people."""
        named = [(at, name, row[name]) for at, row in enumerate(rows) for name in model.user_fields if row.get(name)]
        if not named:
            return
        wanted = list({person for _, _, person in named})
        [strangers] = self.beside_tables((STRANGERS, [self.context.site_id, wanted]))
        unknown = {str(person) for (person,) in strangers}
        errors = [
            FieldError(pointer(*(() if single else (at,)), name), "unknown_person", "names nobody of the agency")
            for at, name, person in named
            if str(person) in unknown
        ]
        refuse(errors)

    def _update(self, model: TableModel, record_id: UUID, changed: dict[str, Any]) -> Record:
        row = dict(changed)
        self._not_above_itself(model, record_id, row)
        self._people_are_members(model, [row], single=True)
        if any(row.get(name) for name in model.file_fields):
            hold_files(self, model, [held := {**row, "id": record_id}], single=True)
            row = {name: held[name] for name in row}
        seal_secrets(model, row, record_id, self.keys)
        statements: list[Statement] = []
        for name in compiled.refs_of(model):
            if name in row:
                statements += compiled.relink_statements(model, name, self.context.site_id, record_id, row[name] or ())
        statements.append(
            compiled.update_statement(model, self.access, record_id, row, stamp_of(self), seen=self._sees(model))
        )
        return self._records(model, self._write(model, statements)[-1])[0]

    def _not_above_itself(self, model: TableModel, record_id: UUID, row: dict[str, Any]) -> None:
        """Refuse a circle in a tree of records. A new record is above nothing, so only changes are asked about."""
        moved = {name: row[name] for name in model.above_fields if row.get(name)}
        for name, above in moved.items():
            lock = trees.lock_statement(model, self.context.site_id)  # held already, but where a function changed it
            [_, [[circle]]] = self._send(
                [lock, trees.below_statement(model, self.context.site_id, name, record_id, above)]
            )
            if circle:
                raise Invalid.field(name, "cannot be the record itself or one below it", "circle")

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
            if not isinstance(field, NumberField) or all(name in row for row in rows):
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
        describe_files(self, model, values)
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
        refuse(checked.errors)
        return checked.values
