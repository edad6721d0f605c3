"""Sessions that know their scope: the engine is chosen by it and every transaction starts by binding it.

A transaction begins with one statement that hands the scope to row-level security. Outside a scope nothing is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask_sqlalchemy.session import Session as FlaskSession
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.orm import Session, SessionTransaction

from app.db.scope import ScopeMixed, current_scope
from app.errors import Forbidden

BIND_SCOPE = text(
    "SELECT set_config('app.agency_id', :agency, true), set_config('app.user_id', :person, true), "
    "set_config('app.identifying', :identifying, true)"
)
# whose rows they are is what the database says, not what we do: nothing once the leave is over
BIND_SUPPORT = text(
    "SELECT set_config('app.agency_id', coalesce(support_agency(CAST(:access AS uuid), CAST(:person AS uuid))::text, ''), true), "
    "set_config('app.user_id', CAST(:person AS text), true), set_config('app.identifying', '', true)"
)


class SupportOver(Forbidden):
    """Your access to this agency is over. Ask again if you need to."""

    code = "support_over"


class ScopedSession(FlaskSession):
    """A session whose every transaction belongs to the scope that was open when it began."""

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **kwargs: Any) -> Engine | Connection:
        """The engine of the open scope. Raises ScopeMissing, or ScopeMixed inside another scope's transaction."""
        scope = current_scope()
        begun_in = self.info.get("scope")
        if begun_in is not None and begun_in != scope:
            raise ScopeMixed(f"begun in {begun_in.kind}, used in {scope.kind}")
        engines = self._db.engines
        return engines["staff"] if scope.engine == "staff" else engines[None]


@event.listens_for(ScopedSession, "after_begin")
def _bind_scope(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    scope = current_scope()
    session.info["scope"] = scope
    settings = scope.settings()
    if scope.kind == "support":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        bound = connection.execute(BIND_SUPPORT, {"access": scope.access_id, "person": settings["app.user_id"]}).one()
        if bound[0] != settings["app.agency_id"]:
            raise SupportOver()
        return
    connection.execute(
        BIND_SCOPE,
        {
            "agency": settings["app.agency_id"],
            "person": settings["app.user_id"],
            "identifying": settings["app.identifying"],
        },
    )


@event.listens_for(ScopedSession, "after_transaction_end")
def _forget_scope(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop("scope", None)


@event.listens_for(ScopedSession, "after_commit")
def _run_after_commit(session: Session) -> None:
    for callback in session.info.pop("after_commit", []):
        callback()


@event.listens_for(ScopedSession, "after_rollback")
def _drop_after_commit(session: Session) -> None:
    session.info.pop("after_commit", None)


def after_commit(db: Session, callback: Callable[[], None]) -> None:
    """Run something once the outermost transaction is in the database, and not at all when it is not."""
    db.info.setdefault("after_commit", []).append(callback)


@contextmanager
def transaction(db: Session) -> Iterator[Session]:
    """Commit at the end, roll back on any error, and give the connection back either way."""
    try:
        yield db
        db.commit()
    except BaseException:
        db.rollback()
        raise
    finally:
        db.close()
