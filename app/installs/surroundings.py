"""What surrounds an install on its site: modules it needs, modules that need it, people and modules settings may name."""

from __future__ import annotations

from uuid import UUID

from semantic_version import NpmSpec
from semantic_version import Version as Semver
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import FieldError, Invalid
from app.installs.models import Install
from app.installs.settings import Known
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.tenancy.models import Membership, Site
from app.version import VERSION


class PlatformTooDifferent(Invalid):
    """The module does not run on this version of the platform."""

    code = "platform_version"


class RequirementsMissing(Invalid):
    """The module needs others that the site does not have."""

    code = "requirements_missing"


def must_run_here(manifest: Manifest) -> None:
    """Raises PlatformTooDifferent when the module's `platform` range leaves this version out."""
    if not NpmSpec(manifest.platform).match(Semver(VERSION)):
        raise PlatformTooDifferent(f"{manifest.name} runs on Dramac {manifest.platform}; this is {VERSION}.")


def must_have_requirements(db: Session, manifest: Manifest, site: Site) -> None:
    """Raises RequirementsMissing with one error for each required module that is missing or of another version."""
    must_run_here(manifest)
    query = select(Module.slug, Version.version).join(Install, Install.module_id == Module.id)
    rows = db.execute(
        query.join(Version, Version.id == Install.version_id).where(
            Install.site_id == site.id, Install.status.in_(("active", "paused", "provisioning"))
        )
    )
    there = {row.slug: row.version for row in rows}
    errors = []
    for needed in manifest.requires:
        found = there.get(needed.module)
        where = f"/requires/{needed.module}"
        if found is None and not needed.optional:
            errors.append(FieldError(where, "missing", f"{needed.module} {needed.version} must be installed first."))
        elif found is not None and not NpmSpec(needed.version).match(Semver(found)):
            detail = f"{needed.module} {found} is installed; this needs {needed.version}."
            errors.append(FieldError(where, "version", detail))
    if errors:
        raise RequirementsMissing(" ".join(error.detail for error in errors), errors=errors)


def dependents(db: Session, install: Install, module: Module) -> list[str]:
    """The names of the site's other modules that cannot be without this one."""
    query = select(Module.name, Version.manifest).join(Install, Install.module_id == Module.id)
    rows = db.execute(
        query.join(Version, Version.id == Install.version_id).where(
            Install.site_id == install.site_id,
            Install.id != install.id,
            Install.status.not_in(("removed", "removing", "failed")),
        )
    )
    return [
        row.name
        for row in rows
        if any(one.module == module.slug and not one.optional for one in Manifest.from_dict(row.manifest).requires)
    ]


def known_values(db: Session, agency_id: UUID, site_id: UUID | None) -> Known:
    """What settings of an install on this site may name; without a site, what those of all sites may."""
    people = db.scalars(select(Membership.user_id).where(Membership.agency_id == agency_id))
    if site_id is None:
        return Known(frozenset(people))
    modules = db.scalars(
        select(Module.slug)
        .join(Install, Install.module_id == Module.id)
        .where(Install.site_id == site_id, Install.status != "removed")
    )
    return Known(frozenset(people), frozenset(modules))
