"""Answers what a function asks of the platform. Every right is checked here, in the parent, whatever the guest says."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

import psycopg

from app.access.actors import Actor
from app.errors import AppError, Invalid, NotFound
from app.runtime.context import InstallContext
from app.runtime.data import Transaction
from app.runtime.functions import files, records, services
from app.runtime.sandbox.pool import HostError, SandboxError

log = logging.getLogger(__name__)


class Session(Protocol):
    """What the host needs of the run it serves."""

    context: InstallContext
    actor: Actor
    cause: str
    request_id: str

    running: str
    """The function that asks."""

    @property
    def tx(self) -> Transaction:
        """The current transaction, as the function; begun when first asked for."""

    made_files: dict[UUID, bytes]
    """The files this run has made, by id."""

    keeps_files: bool
    """Whether their bytes are kept beyond the run."""

    holds_locks: bool
    """Whether the transaction may hold locks that others wait for."""

    def call(self, name: str, given: Any) -> Any:
        """Run another function of the module inside this one."""

    def after_commit(self, wake: str) -> None:
        """Wake this job once the transaction is in."""


Handler = Callable[..., Any]

CALLS: dict[str, Handler] = {
    "db.find": records.find,
    "db.get": records.get,
    "db.insert": records.insert,
    "db.update": records.update,
    "db.remove": records.remove,
    "db.count": records.count,
    "db.sum": records.total,
    "db.lock": records.lock,
    "emit": services.emit,
    "seq": services.sequence,
    "mail": services.mail,
    "http.request": services.http_request,
    "call": services.call,
    "files.get": files.get,
    "files.read": files.read,
    "files.put": files.put,
}
_LOCKING = {"db.insert", "db.update", "db.remove", "db.lock", "seq", "files.put"}
_SIGNATURES = {name: inspect.signature(handler) for name, handler in CALLS.items()}


class Host:
    """The host of one run: host(name, args) gives plain JSON or raises HostError."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __call__(self, name: str, args: list[Any]) -> Any:
        handler = CALLS.get(name)
        if handler is None:
            raise HostError("unknown_call", None, f"There is no ctx.{name[:60]} here.")
        try:
            _SIGNATURES[name].bind(self.session, *args)
        except TypeError:
            raise HostError("invalid_argument", None, f"ctx.{name} was given too many or too few arguments.") from None
        self.session.holds_locks |= name in _LOCKING
        return told(lambda: handler(self.session, *args))


def told(action: Callable[[], Any]) -> Any:
    """The result of a host call; expected failures as the HostError an author may catch."""
    try:
        return action()
    except (HostError, SandboxError):
        raise
    except Invalid as error:
        first = error.errors[0] if error.errors else None
        field = first.pointer.strip("/").replace("/", ".") if first else ""
        raise HostError("invalid", field or None, first.detail if first else error.message) from None
    except NotFound:
        raise HostError("not_found", None, "There is no such record, table or series.") from None
    except AppError as error:
        raise HostError(error.code, None, error.message) from None
    except psycopg.DataError as error:
        log.info("a function's values do not fit: %s", error)
        raise HostError("invalid_argument", None, "A value does not fit its column.") from None
