"""The way to the database: role and scope travel together with the statements they are for.

A read is one pipeline, which is one round trip and one implicit transaction: PostgreSQL ends it at the pipeline's only
Sync, and with it the local role and settings. A single write is one pipeline from BEGIN to COMMIT. Longer work is a
transaction of several pipelines on one connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg

from app.access.actors import Actor
from app.db.pools import runtime_pool
from app.errors import AppError, Conflict, Invalid, Unavailable
from app.runtime.context import InstallContext
from app.runtime.data.wire import Rows as Rows
from app.runtime.data.wire import Statement as Statement
from app.runtime.data.wire import exchange, exchange_apart

_PATIENCE = "SELECT set_config('statement_timeout', $1, true)"
_SCOPE = (
    "SELECT set_config('role', $1, true), set_config('app.site_id', $2, true), set_config('app.agency_id', $3, true), "
    "set_config('app.actor', $4, true), set_config('app.person', $5, true), set_config('app.batch', $6, true)"
)


class TooBusy(Unavailable):
    """The database took too long over this. Narrow the query, or try again."""

    code = "too_slow"


class TooLarge(Invalid):
    """A number came out larger than can be kept."""

    code = "number_too_large"


class Locked(Conflict):
    """Somebody else is changing the same records at this moment. Try again."""

    code = "locked"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows, as whom: what row-level security and the history triggers read."""

    role: str
    site_id: UUID
    agency_id: UUID
    actor: str
    person: str
    batch: str

    @classmethod
    def of(cls, context: InstallContext, actor: Actor, batch: UUID | None = None) -> Scope:
        """batch: what the history files changes under; None for reads."""
        person = str(actor.id) if actor.kind == "person" and actor.id else ""
        return cls(context.role, context.site_id, context.agency_id, actor.ref, person, str(batch or ""))

    @property
    def statement(self) -> Statement:
        return _SCOPE, [self.role, str(self.site_id), str(self.agency_id), self.actor, self.person, self.batch]


@contextmanager
def borrowed() -> Iterator[psycopg.Connection]:
    """A connection of the runtime's pool, which undoes what is left open on it."""
    pool = runtime_pool()
    connection = pool.getconn()
    try:
        yield connection
    finally:
        pool.putconn(connection)


def run(scope: Scope, statements: Sequence[Statement]) -> list[Rows]:
    """The rows of each statement, in one round trip. For reads: PostgreSQL's implicit transaction ends at the Sync."""
    with borrowed() as connection, translated():
        return exchange(connection, [scope.statement, *statements])[1:]


def run_apart(scope: Scope, groups: Sequence[Sequence[Statement]], each_ms: int) -> list[list[Rows] | AppError]:
    """The rows of each group's statements, or what became of it: all in one round trip, no statement longer than each_ms."""
    before: list[Statement] = [(_PATIENCE, [f"{each_ms}ms"]), scope.statement]
    with borrowed() as connection, translated():
        answers = exchange_apart(connection, before, groups)
    return [failure_of(one) if isinstance(one, psycopg.Error) else one for one in answers]


def failure_of(error: psycopg.Error) -> AppError:
    """An error of one group as what its asker is told. Raises it when it is a fault of ours."""
    try:
        with translated():
            raise error
    except AppError as told:
        return told
    except psycopg.errors.NumericValueOutOfRange:
        return TooLarge()


def run_and_commit(scope: Scope, statements: Sequence[Statement]) -> list[Rows]:
    """The same for writes, in one round trip and one transaction; COMMIT says itself what deferred rules refuse."""
    with borrowed() as connection, translated():
        try:
            return exchange(connection, [("BEGIN", []), scope.statement, *statements, ("COMMIT", [])])[2:-1]
        except BaseException:
            if not connection.closed:
                exchange(connection, [("ROLLBACK", [])])
            raise


@contextmanager
def translated() -> Iterator[None]:
    """What the database may answer to anybody at any time, as failures of ours."""
    try:
        yield
    except (psycopg.errors.QueryCanceled, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        raise TooBusy() from error
    except (
        psycopg.errors.LockNotAvailable,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.SerializationFailure,
    ) as error:
        raise Locked() from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable() from error


class Connection:
    """An explicit transaction, begun with its first statement. Shared by every table and module taking part in it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._scope: Scope | None = None
        self._begun = False
        self.wrote = False

    def run(self, scope: Scope, *statements: Statement) -> list[Rows]:
        """The rows of each statement, in one round trip, as the scope's role."""
        before: list[Statement] = []
        if not self._begun:
            before.append(("BEGIN", []))
        if self._scope != scope:
            before.append(scope.statement)
        with translated():
            self._begun = True
            found = exchange(self._connection, [*before, *statements])
        self._scope = scope
        return found[len(before) :]

    def forget_scope(self) -> None:
        """Somebody else has worked on the connection meanwhile: say the scope again with the next statement."""
        self._scope = None

    def begin(self, scope: Scope) -> None:
        """Begin now, where something must come before the first statement."""
        if not self._begun:
            self.run(scope)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo only what is inside when it fails. The transaction must have begun."""
        self._plain("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._plain("ROLLBACK TO SAVEPOINT part")
            self._scope = None  # settings made inside are undone with it
            raise
        finally:
            self._plain("RELEASE SAVEPOINT part")

    def commit(self) -> None:
        if self._begun:
            self._begun = False
            with translated():
                self._plain("COMMIT")

    def rollback(self) -> None:
        if self._begun and not self._connection.closed:
            self._plain("ROLLBACK")
        self._begun = False

    def _plain(self, text: str) -> None:
        exchange(self._connection, [(text, [])])
