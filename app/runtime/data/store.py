"""Data: the records of one install, for one caller. What the gateway, the screens, pages and functions hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import psycopg

from app.db.pools import runtime_pool
from app.db.roles import RUNTIME
from app.errors import AppError
from app.lib.clock import utcnow
from app.lib.ids import uuid7
from app.modules.manifest.fields import NumberField
from app.runtime.context import InstallContext
from app.runtime.data import compile_writes as compiled
from app.runtime.data.access import CREATE, Access
from app.runtime.data.faults import refusal
from app.runtime.data.model import TableModel
from app.runtime.data.preparing import (
    Hooks,
    Settings,
    Values,
    check_one,
    foreign_access,
    hooked,
    prepare,
    stamp_of,
)
from app.runtime.data.reads import Reader, Tried
from app.runtime.data.results import Record
from app.runtime.data.scoped import Connection, Scope, Statement, run, run_and_commit, run_apart
from app.runtime.data.wakeup import wake_dispatcher
from app.runtime.data.wire import Rows
from app.runtime.data.writes import Transaction

Kind = TypeVar("Kind", bound=Transaction)

_wired: dict[str, tuple[str, ...]] = {"keys": ()}
_hooks: dict[str, Hooks] = {}


def configure_data(*, secret_keys: tuple[str, ...], hooks: Hooks | None = None) -> None:
    """Once per process: the keys that seal secret fields, and what runs before_* functions."""
    _wired["keys"] = secret_keys
    _hooks.clear()
    if hooks is not None:
        _hooks["hooks"] = hooks


class Data(Reader):
    """Reads in one round trip each; single writes likewise where no function or series takes part.

    depth: 0 for people and calls, the event's depth plus one for work that a hook of an event does.
    """

    def __init__(
        self,
        context: InstallContext,
        access: Access,
        *,
        now: datetime | None = None,
        hooks: Hooks | None = None,
        depth: int = 0,
    ) -> None:
        super().__init__(context, access)
        self.settings = Settings(now or utcnow(), uuid7(), _wired["keys"], hooks or _hooks.get("hooks"), depth)

    @property
    def keys(self) -> tuple[str, ...]:
        return self.settings.keys

    def _send(self, statements: Tried) -> list[Rows]:
        return run(Scope.of(self.context, self.access.actor), statements)

    def _send_apart(self, groups: Sequence[Tried], each_ms: int) -> Sequence[list[Rows] | AppError]:
        return run_apart(Scope.of(self.context, self.access.actor), groups, each_ms)

    def beside_tables(self, *statements: Statement) -> list[Rows]:
        """What statements answer of the platform's own tables for this site, not as the module. For reads."""
        return run(replace(Scope.of(self.context, self.access.actor), role=RUNTIME), statements)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Reads and writes that happen together: committed at the end, undone by any error."""
        with self.transaction_of(Transaction, uuid7()) as tx:
            yield tx

    @contextmanager
    def transaction_of(self, kind: type[Kind], batch: UUID) -> Iterator[Kind]:
        """A transaction of another kind. batch: what the history files it under, where several are undone as one."""
        given = self.settings
        again = Settings(given.now, batch, given.keys, given.hooks, given.depth)
        with runtime_pool().connection() as plain:
            connection = Connection(plain)
            tx = kind(self.context, self.access, connection, again)
            try:
                yield tx
                self._commit(connection)
            except BaseException:
                connection.rollback()
                raise
        if connection.wrote:
            wake_dispatcher()

    def _commit(self, connection: Connection) -> None:
        try:
            connection.commit()
        except psycopg.Error as error:
            raise refusal(error, self.context, self.model) or error

    # -- single writes

    def insert(self, name: str, values: Values) -> Record:
        """Make one record. Raises NotFound, Forbidden, Invalid with every wrong field."""
        model = self.table(name, CREATE)
        if self._needs_transaction(model, values):
            with self.transaction() as tx:
                return tx.insert(name, values)
        row = check_one(self, model, values)
        prepare(self, model, [row])
        seen = self.access.can(self.context.manifest, name, "read")
        statement = compiled.insert_statement(model, self.access, [row], stamp_of(self), seen=seen)
        scope = Scope.of(self.context, self.access.actor, uuid7())
        try:
            [found] = run_and_commit(scope, [statement])
        except psycopg.Error as error:
            raise refusal(error, self.context, self.model) or error
        wake_dispatcher()
        return self._records(model, found)[0]

    def insert_many(self, name: str, rows: Sequence[Values]) -> list[Record]:
        """Make up to 500 records, all or none. Raises Invalid with every wrong field of every row: /index/field."""
        with self.transaction() as tx:
            return tx.insert_many(name, rows)

    def update(self, name: str, record_id: UUID, values: Values, *, if_version: int | None = None) -> Record:
        """Change some fields of a record. Raises NotFound, Forbidden, VersionMismatch, Invalid with every wrong field."""
        with self.transaction() as tx:
            return tx.update(name, record_id, values, if_version=if_version)

    def delete(self, name: str, record_id: UUID, *, if_version: int | None = None) -> UUID:
        """Delete a record and what goes with it; returns the batch that restore() takes."""
        with self.transaction() as tx:
            return tx.delete(name, record_id, if_version=if_version)

    def restore(self, batch: UUID) -> list[tuple[str, UUID]]:
        """Undo what a batch did; returns what came back or was changed, as (table, record id)."""
        with self.transaction() as tx:
            return tx.restore(batch)

    def _needs_transaction(self, model: TableModel, values: Values) -> bool:
        # people and files are looked up first; what is no object at all is refused where records are checked
        if isinstance(values, Mapping) and any(values.get(name) for name in (*model.user_fields, *model.file_fields)):
            return True
        numbered = any(isinstance(field, NumberField) for field in model.spec.fields.values())
        return numbered or hooked(self.context, model.name, "before_create")

    # -- other modules

    def foreign(self, module_slug: str) -> Data:
        """The tables of another module that the site consented to. Raises NotFound for any other, or one not installed."""
        context, access = foreign_access(self.context, self.access, module_slug)
        return Data(context, access, now=self.settings.now, hooks=self.settings.hooks, depth=self.settings.depth)
