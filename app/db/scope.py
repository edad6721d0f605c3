"""On whose behalf the database is asked. Every transaction is bound to exactly one scope; without one it does not start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.errors import AppError

log = logging.getLogger(__name__)


class ScopeMissing(AppError):
    """The database was asked outside tenant_scope, identity_scope or platform_scope."""

    code = "scope_missing"


class ScopeMixed(AppError):
    """A transaction begun in one scope was used in another; commit or close it before changing scope."""

    code = "scope_mixed"


@dataclass(frozen=True, slots=True)
class Scope:
    """kind "tenant": one agency's rows · "identity": finding out who somebody is · "platform": all rows, with a reason ·
    "support": one agency's rows for platform staff, only to read, while the leave of `access_id` holds.
    """

    kind: Literal["tenant", "identity", "platform", "support"]
    agency_id: UUID | None = None
    user_id: UUID | None = None
    reason: str = ""
    access_id: UUID | None = None

    @property
    def engine(self) -> Literal["app", "staff"]:
        return "staff" if self.kind == "platform" else "app"

    def settings(self) -> dict[str, str]:
        """The values that row-level security reads, for set_config(…, true)."""
        return {
            "app.agency_id": str(self.agency_id or ""),
            "app.user_id": str(self.user_id or ""),
            "app.identifying": "on" if self.kind == "identity" and self.user_id is None else "",
        }


_current: ContextVar[Scope | None] = ContextVar("scope", default=None)


def current_scope() -> Scope:
    """The open scope. Raises ScopeMissing."""
    scope = _current.get()
    if scope is None:
        raise ScopeMissing()
    return scope


@contextmanager
def _open(scope: Scope) -> Iterator[Scope]:
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)


def tenant_scope(agency_id: UUID, *, user_id: UUID | None = None) -> AbstractContextManager[Scope]:
    """Rows of one agency; `user_id` adds the person's own rows (sessions, memberships)."""
    return _open(Scope("tenant", agency_id=agency_id, user_id=user_id))


def identity_scope(user_id: UUID | None = None) -> AbstractContextManager[Scope]:
    """Without a person: accounts, to find out who it is. With one: that person's own rows and nothing else."""
    return _open(Scope("identity", user_id=user_id))


def joining_scope(agency_id: UUID) -> AbstractContextManager[Scope]:
    """Somebody with an invitation becomes a member: accounts as in identity_scope(), and the one agency's rows."""
    return _open(Scope("identity", agency_id=agency_id))


def support_scope(agency_id: UUID, *, access_id: UUID, user_id: UUID) -> AbstractContextManager[Scope]:
    """One agency's rows for one of the platform's staff. The database looks at each transaction whether the leave still
    holds, and lets nothing be written."""
    return _open(Scope("support", agency_id=agency_id, user_id=user_id, access_id=access_id))


def reopened(scope: Scope) -> AbstractContextManager[Scope]:
    """The scope of an answer again, for the part of it that is sent after the view has returned."""
    return _open(scope)


def platform_scope(reason: str) -> AbstractContextManager[Scope]:
    """Every agency's rows, for sweeps and platform staff; the reason goes to the log."""
    log.debug("platform scope: %s", reason)
    return _open(Scope("platform", reason=reason))
