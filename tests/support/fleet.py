"""An agency whose sites have a module in different versions, and runs that are worked off where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from app.config import Config
from app.db.base import db
from app.db.scope import tenant_scope
from app.db.session import transaction
from app.fleet.jobs import work
from app.fleet.models import Run, RunItem
from app.installs.models import Install
from app.modules.models import Version
from app.tenancy.models import Agency, Site
from tests.support.packages import notes
from tests.support.publishing import installed, new_slug, released
from tests.support.world import Person, World


@dataclass
class Fleet:
    """Sites with one module. versions: by number, released one after the other."""

    world: World
    config: Config
    agency: Agency
    ada: Person
    slug: str = field(default_factory=new_slug)
    versions: dict[str, Version] = field(default_factory=dict)

    def release(self, number: str, *, extra: str = "", more: str = "", files: dict[str, str] | None = None) -> Version:
        """A published version. extra: fields of the table; more: further lines of the manifest."""
        read = notes(self.slug, version=number, extra=extra, files=files)
        read["module.yaml"] += more.encode()
        self.versions[number] = released(self.ada, read)
        return self.versions[number]

    def put_on(self, name: str, number: str = "1.0.0", **settings: str) -> Install:
        """The module on a new site, in that version."""
        site: Site = self.world.site(self.agency, name=name)
        return installed(self.config, self.ada, site, self.versions[number], settings)

    def now(self, install: Install) -> Install:
        """The install as it stands."""
        with tenant_scope(self.agency.id), transaction(db.session()) as session:
            return session.get_one(Install, install.id)

    def version_of(self, install: Install) -> str:
        """The number of its version now."""
        found = self.now(install).version_id
        return next(number for number, version in self.versions.items() if version.id == found)

    def runs(self) -> list[Run]:
        """The agency's runs, oldest first."""
        with tenant_scope(self.agency.id), transaction(db.session()) as session:
            return list(session.query(Run).filter_by(agency_id=self.agency.id).order_by(Run.id))

    def items(self, run_id: UUID) -> list[RunItem]:
        """The installs of a run in their order."""
        with tenant_scope(self.agency.id), transaction(db.session()) as session:
            return list(session.query(RunItem).filter_by(run_id=run_id).order_by(RunItem.position))

    def work(self, run: Run) -> Run:
        """Work a run off, as its job does."""
        with tenant_scope(self.agency.id):
            work(str(run.id))
            db.session.remove()
        return next(one for one in self.runs() if one.id == run.id)


def new_fleet(world: World, config: Config) -> Fleet:
    """An agency with its owner Ada and version 1.0.0 of a module."""
    agency = world.agency()
    fleet = Fleet(world, config, agency, world.person(agency))
    fleet.release("1.0.0")
    return fleet
