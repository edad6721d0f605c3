"""One install, opened for one person: its manifest, the records they may touch, the names of their colleagues."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.access.permissions import Permission
from app.installs.entitlement.rules import refusal
from app.installs.models import Install
from app.lib.ids import decode, encode
from app.modules.manifest import Manifest, Table
from app.runtime.context import InstallContext, load_install
from app.runtime.data import Access, Data, Surface
from app.runtime.trials.models import Trial
from app.workspace.queries import Colleague, colleagues

RIGHTS = {
    Permission.RECORDS_VIEW: ("read",),
    Permission.RECORDS_EDIT: ("create", "update"),
    Permission.RECORDS_DELETE: ("delete",),
}
_OTHERS = {"visitor": "A visitor", "system": "Dramac"}


@dataclass(frozen=True)
class Desk:
    """What every screen of the workspace starts from."""

    install_id: str  # public
    context: InstallContext
    data: Data
    colleagues: dict[UUID, Colleague]
    me: Actor

    @property
    def manifest(self) -> Manifest:
        return self.context.manifest

    @property
    def site_id(self) -> str:
        """The site's public id."""
        return encode("ste", self.context.site_id)

    @property
    def trial_id(self) -> str:
        """The public id of the trial this is the desk of, "" at an install."""
        return encode(Trial.public_prefix, self.context.install_id) if self.context.on_trial else ""

    @property
    def paused(self) -> bool:
        """Records can be looked at, not changed."""
        return self.context.status == "paused" or not self.context.entitled

    @property
    def refusal(self) -> str:
        """Why the agency may not use the module any more, and what to do; "" while it may."""
        return "" if self.context.entitled else refusal(self.context.entitlement)

    def table(self, name: str) -> Table:
        return self.manifest.tables[name]

    def can(self, table: str, right: str) -> bool:
        """Whether this person has a right on a table: their role in the agency and in the module both say so."""
        return self.data.access.can(self.manifest, table, right)

    def can_import(self, table: str) -> bool:
        return not self.trial_id and self.can(table, "create")

    def can_export(self, table: str) -> bool:
        """Nothing leaves a trial: its records are not the agency's."""
        return not self.trial_id and self.me.can(Permission.RECORDS_EXPORT) and self.can(table, "read")

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables this person may read, in the manifest's order."""
        return tuple(name for name in self.manifest.tables if self.can(name, "read"))

    def person_name(self, user_id: UUID | str) -> str:
        """The name of a member; what is left of somebody who is gone."""
        found = self.colleagues.get(UUID(str(user_id)))
        return found.name if found else "Former member"

    def actor_name(self, ref: str) -> str:
        """Who `usr_…`, `key_…`, `visitor` or `job:…` is, in words."""
        if ref.startswith("usr_"):
            return self.person_name(decode("usr", ref))
        if ref.startswith("key_"):
            return "An API key"
        return _OTHERS.get(ref, "The module" if ref else "Dramac")


def open_desk(db: Session, *, install: Install | Trial, actor: Actor) -> Desk:
    """The desk of a person at an install; at a paused one they only look. Raises NotFound (removed), InstallNotReady."""
    context = load_install(install.id, even_paused=True)
    people = {one.id: one for one in colleagues(db, agency_id=install.agency_id, install_id=install.id)}
    me = people.get(actor.id) if actor.id else None
    rights = frozenset(right for need, given in RIGHTS.items() if actor.can(need) for right in given)
    if context.status == "paused" or not context.entitled:
        rights &= {"read"}
    access = Access(Surface.STAFF, actor, role=me.module_role if me else None, rights=rights)
    return Desk(encode("ins", install.id), context, Data(context, access), people, actor)
