"""Who may do what with which records: the one place where a surface, a manifest and a role are put together.

Deny by default. Keys and roles narrow what the surface gives, never widen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from app.access.actors import SYSTEM, Actor
from app.modules.manifest import FieldBase, Manifest

READ, CREATE, UPDATE, DELETE = "read", "create", "update", "delete"
ALL_RIGHTS = frozenset({READ, CREATE, UPDATE, DELETE})
# What a scope of a key allows; one that is not here (events, functions) allows nothing with records.
SCOPE_RIGHTS: Mapping[str, frozenset[str]] = {
    "read": frozenset({READ}),
    "write": frozenset({CREATE, UPDATE}),
    "delete": frozenset({DELETE}),
}


class Surface(StrEnum):
    """Where a call comes in."""

    PUBLIC = "public"  # visitors, publishable keys
    STAFF = "staff"  # people of the agency
    API = "api"  # secret keys, OAuth tokens
    FUNCTION = "function"  # the module's own code
    SYSTEM = "system"  # the platform: export, tests of a package, jobs


@dataclass(frozen=True)
class Access:
    """One caller's way to the records of an install.

    role: the manifest's role of this person, None when the agency's role decides. rights: what the agency's role or
    the key's scopes leave over. foreign: set for another module's tables, {table: (fields, rights)} of the consent.
    """

    surface: Surface
    actor: Actor = SYSTEM
    role: str | None = None
    rights: frozenset[str] = ALL_RIGHTS
    foreign: Mapping[str, tuple[frozenset[str], frozenset[str]]] | None = None

    @classmethod
    def for_key(cls, actor: Actor, *, scopes: frozenset[str] | set[str], publishable: bool) -> Access:
        """The access of an API key: a publishable one sees what visitors see."""
        rights = frozenset().union(*(SCOPE_RIGHTS.get(scope, frozenset()) for scope in scopes))
        return cls(Surface.PUBLIC if publishable else Surface.API, actor, rights=rights)

    def allowed(self, manifest: Manifest, table: str) -> frozenset[str]:
        """The rights on a table; none for a table that is not there."""
        spec = manifest.tables.get(table)
        if spec is None:
            return frozenset()
        if self.foreign is not None:
            return self.foreign.get(table, (frozenset(), frozenset()))[1] & self.rights
        if self.surface in (Surface.FUNCTION, Surface.SYSTEM):
            return ALL_RIGHTS & self.rights
        if self.surface is Surface.STAFF and self.role is not None:
            role = manifest.roles.get(self.role)
            return frozenset(role.tables.get(table, ())) & self.rights if role else frozenset()
        granted = {Surface.PUBLIC: spec.access.public, Surface.STAFF: spec.access.staff, Surface.API: spec.access.api}
        return frozenset(granted[self.surface]) & self.rights

    def can(self, manifest: Manifest, table: str, right: str) -> bool:
        """Whether one right is there."""
        return right in self.allowed(manifest, table)

    def own_only(self, manifest: Manifest, table: str) -> bool:
        """Whether only records the person made, or is a user of, may be touched."""
        role = manifest.roles.get(self.role) if self.role is not None and self.surface is Surface.STAFF else None
        return role is not None and role.rows.get(table, "all") == "own"

    def sees(self, table: str, name: str, field: FieldBase) -> bool:
        """Whether a field is there for this caller; private ones and secrets are staff's and the module's own."""
        if self.foreign is not None:
            return name in self.foreign.get(table, (frozenset(), frozenset()))[0] and field.type != "secret"  # type: ignore[attr-defined]  # each member of the union has it
        inside = self.surface in (Surface.STAFF, Surface.FUNCTION, Surface.SYSTEM)
        return inside or not (field.private or field.type == "secret")  # type: ignore[attr-defined]  # as above

    @property
    def opens_secrets(self) -> bool:
        """Whether secrets are given in the open: to the module's own functions, and to nobody else."""
        return self.surface is Surface.FUNCTION and self.foreign is None

    @cached_property
    def view(self) -> tuple[object, ...]:
        """What of this caller shapes the columns of an answer; equal views may share statements."""
        foreign = tuple(sorted((table, tuple(sorted(fields))) for table, (fields, _) in (self.foreign or {}).items()))
        return (self.surface, self.role, self.rights, self.foreign is not None, foreign)
