"""Who does something: a person, an API key, an application that a person let in, a visitor, a job or the platform itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from app.access.permissions import ROLE_PERMISSIONS, STAFF_PERMISSIONS, Permission, Role, StaffPermission
from app.lib.ids import encode

_PREFIXES = {"person": "usr", "key": "key", "grant": "gnt"}


@dataclass(frozen=True, slots=True)
class Actor:
    """One who acts, with what they may do. `ip`, `user_agent` and `request_id` go into the audit trail."""

    kind: Literal["person", "key", "grant", "visitor", "job", "system"]
    id: UUID | None = None
    name: str = ""
    agency_id: UUID | None = None
    role: Role | None = None
    staff_role: str | None = None
    permissions: frozenset[Permission] = field(default_factory=frozenset)
    ip: str | None = None
    user_agent: str = ""
    request_id: str = ""

    @property
    def ref(self) -> str:
        """`usr_…`, `key_…`, `gnt_…`, `job:installs.provision`, `visitor` or `system`."""
        if self.kind in _PREFIXES and self.id is not None:
            return encode(_PREFIXES[self.kind], self.id)
        return f"job:{self.name}" if self.kind == "job" else self.kind

    def can(self, permission: Permission) -> bool:
        return permission in self.permissions

    def can_staff(self, permission: StaffPermission) -> bool:
        return permission in STAFF_PERMISSIONS.get(self.staff_role or "", frozenset())


def member(*, user_id: UUID, name: str, agency_id: UUID, role: Role, **request: str | None) -> Actor:
    """A person acting as a member of one agency."""
    return Actor(
        kind="person",
        id=user_id,
        name=name,
        agency_id=agency_id,
        role=role,
        permissions=ROLE_PERMISSIONS[role],
        **request,  # type: ignore[arg-type]  # ip, user_agent, request_id as given by the web layer
    )


def job(name: str, *, agency_id: UUID | None = None) -> Actor:
    """A background job acting by itself."""
    return Actor(kind="job", name=name, agency_id=agency_id)


SYSTEM = Actor(kind="system", name="Dramac")
