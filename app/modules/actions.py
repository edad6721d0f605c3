"""Writing modules: upload, publish, audience, withdrawal. A published version never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from semantic_version import Version as Semver
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, Invalid
from app.events.catalog import (
    MODULE_DRAFT_DELETED,
    MODULE_PUBLISHED,
    MODULE_TIER_CHANGED,
    MODULE_UPLOADED,
    MODULE_YANKED,
)
from app.events.outbox import publish
from app.lib.ids import uuid7
from app.modules.diff import check_bump, diff_manifests
from app.modules.manifest import Manifest, Problem
from app.modules.models import Blob, Module, NamingConflict, Version, VersionFile
from app.modules.naming import clash_short_id, short_id
from app.modules.package import Package
from app.modules.queries import latest_published, module_by_slug, versions_of
from app.modules.signing.log import enter

TIERS = ("internal", "alpha", "beta", "public")
Checker = Callable[[Package], Sequence[Problem]]
"""Further checks before a version is published (its acceptance tests); errors among the problems refuse it."""


class SlugTaken(Conflict):
    """Another publisher has a module with this slug. Choose another one in module.yaml."""

    code = "slug_taken"


class AlreadyPublished(Conflict):
    """This version is published and cannot change. Raise the version number."""

    code = "already_published"


class VersionTooLow(Invalid):
    """The version number does not allow these changes."""

    code = "version_too_low"


class ChecksFailed(Invalid):
    """The package did not pass its checks."""

    code = "checks_failed"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} checks failed: {problems[0].message}")
        self.problems = list(problems)


class ReviewNeeded(Conflict):
    """A release of the module was published for its own agency alone, and must be looked at before others get it."""

    code = "review_needed"

    def __init__(self, waiting: Sequence[Version]) -> None:
        super().__init__(f"{', '.join(one.version for one in waiting)} must be looked at before others get it.")
        self.waiting = list(waiting)


def uncleared(db: Session, *, module_id: UUID) -> list[Version]:
    """Releases that only their own agency may have, the last first."""
    query = select(Version).where(
        Version.module_id == module_id, Version.status == "published", Version.cleared_at.is_(None)
    )
    return list(db.scalars(query.order_by(Version.published_at.desc(), Version.id)))


def upload_package(db: Session, *, package: Package, agency_id: UUID, by: Actor, now: datetime) -> Version:
    """Keep a package that was read as a draft: of a new module, or of one the agency has. A draft is replaced.

    Raises SlugTaken, AlreadyPublished.
    """
    module = module_by_slug(db, package.manifest.slug)
    if module is not None and module.agency_id != agency_id:
        raise SlugTaken()
    if module is None:
        module = _new_module(db, package.manifest, agency_id=agency_id)
    version = _draft(db, module, package, by=by, now=now)
    _keep_files(db, version, package)
    module.updated_at = now
    if module.latest_version_id is None:
        _describe(module, package.manifest)
    publish(
        db,
        MODULE_UPLOADED,
        by=by,
        agency_id=agency_id,
        target=version.public_id,
        target_name=f"{module.name} {version.version}",
        data={"module": module.slug, "version": version.version, "digest": version.digest},
    )
    return version


def bump_problems(db: Session, *, version: Version) -> list[Problem]:
    """Why this version cannot follow the latest published one: nothing, or a problem per reason."""
    before = latest_published(db, module_id=version.module_id)
    if before is None:
        return []
    diff = diff_manifests(Manifest.from_dict(before.manifest), Manifest.from_dict(version.manifest))
    return check_bump(before.version, version.version, diff)


def publish_version(
    db: Session,
    *,
    version: Version,
    package: Package,
    by: Actor,
    now: datetime,
    check: Checker | None = None,
    cleared: bool = True,
) -> Version:
    """Make a draft a release: it can be installed and never changes again.

    package: the draft's files, read anew. cleared: others than its publisher may get it; otherwise set_tier() refuses
    until it is. Raises AlreadyPublished, VersionTooLow, ChecksFailed.
    """
    if version.status != "draft":
        raise AlreadyPublished()
    if problems := bump_problems(db, version=version):
        raise VersionTooLow("; ".join(problem.message for problem in problems))
    if package.digest != version.digest:
        raise Conflict("The draft's files changed while it was checked. Upload it again.")
    failed = [problem for problem in (check(package) if check else ()) if problem.severity == "error"]
    if failed:
        raise ChecksFailed(failed)
    module = db.get_one(Module, version.module_id, with_for_update=True)
    version.status, version.published_at = "published", now
    version.cleared_at = now if cleared else None
    enter(db, version=version, module=module, kind="release", now=now)
    latest = latest_published(db, module_id=module.id)
    module.latest_version_id = latest.id if latest else None
    module.updated_at = now
    if latest is not None and latest.id == version.id:
        _describe(module, package.manifest)
    publish(
        db,
        MODULE_PUBLISHED,
        by=by,
        agency_id=module.agency_id,
        target=version.public_id,
        target_name=f"{module.name} {version.version}",
        data={"module": module.slug, "version": version.version, "digest": version.digest},
    )
    return version


def set_tier(db: Session, *, module: Module, tier: str, by: Actor, now: datetime) -> None:
    """Who may see and install it: internal (the agency), alpha and beta (those it enrolled, too), public (everybody)."""
    if tier not in TIERS:
        raise Invalid.field("tier", f"Choose one of {', '.join(TIERS)}.")
    if tier != "internal" and (waiting := uncleared(db, module_id=module.id)):
        raise ReviewNeeded(waiting)
    before, module.tier, module.updated_at = module.tier, tier, now
    publish(
        db,
        MODULE_TIER_CHANGED,
        by=by,
        agency_id=module.agency_id,
        target=module.public_id,
        target_name=module.name,
        data={"module": module.slug, "tier": tier},
        changes={"tier": [before, tier]},
    )


def yank_version(db: Session, *, version: Version, by: Actor, now: datetime, reason: str = "") -> None:
    """Withdraw a release for good: nobody can install it any more; sites that have it keep it, and are offered the
    release before it, or one after it when there is none before. Raises Conflict for a draft."""
    if version.status != "published":
        raise Conflict("Only a published version can be withdrawn.")
    module = db.get_one(Module, version.module_id, with_for_update=True)
    version.status, version.yanked_at = "yanked", now
    version.yank_reason = reason
    version.offered_version_id = offered.id if (offered := offered_for(db, version=version)) else None
    enter(db, version=version, module=module, kind="yank", now=now)
    latest = latest_published(db, module_id=module.id)
    module.latest_version_id = latest.id if latest else None
    publish(
        db,
        MODULE_YANKED,
        by=by,
        agency_id=module.agency_id,
        target=version.public_id,
        target_name=f"{module.name} {version.version}",
        data={"module": module.slug, "version": version.version, "reason": reason},
    )


def offered_for(db: Session, *, version: Version) -> Version | None:
    """What the sites of a version that is withdrawn are offered: the highest release below it, else the highest."""
    others = [
        one
        for one in versions_of(db, module_id=version.module_id)
        if one.status == "published" and one.id != version.id
    ]
    below = [one for one in others if Semver(one.version) < Semver(version.version)]
    return next(iter(below or others), None)


def delete_draft(db: Session, *, version: Version, by: Actor) -> None:
    """Take a draft away. Raises AlreadyPublished."""
    if version.status != "draft":
        raise AlreadyPublished()
    module = db.get_one(Module, version.module_id)
    publish(
        db,
        MODULE_DRAFT_DELETED,
        by=by,
        agency_id=module.agency_id,
        target=version.public_id,
        target_name=f"{module.name} {version.version}",
    )
    db.delete(version)


def _new_module(db: Session, manifest: Manifest, *, agency_id: UUID) -> Module:
    module_id = uuid4()
    wanted = short_id(module_id)
    given = clash_short_id(str(agency_id), manifest.slug) if db.scalar(select(func.short_id_taken(wanted))) else wanted
    module = Module(id=module_id, agency_id=agency_id, slug=manifest.slug, short_id=given, type=manifest.type)
    _describe(module, manifest)
    try:
        with db.begin_nested():  # another publisher may take the slug at this moment: the unique key decides
            db.add(module)
            db.flush()
    except IntegrityError as error:
        raise SlugTaken() from error
    if given != wanted:
        db.add(NamingConflict(id=uuid7(), module_id=module_id, wanted_short_id=wanted, given_short_id=given))
    return module


def _describe(module: Module, manifest: Manifest) -> None:
    module.name, module.summary, module.category = manifest.name, manifest.summary, manifest.category
    module.icon, module.type = manifest.icon or "package", manifest.type


def _draft(db: Session, module: Module, package: Package, *, by: Actor, now: datetime) -> Version:
    number = Semver(package.manifest.version)
    for old in versions_of(db, module_id=module.id, drafts=True):
        if old.version == package.manifest.version:
            if old.status != "draft":
                raise AlreadyPublished(f"{old.version} is published and cannot change. Raise the version number.")
            db.delete(old)
            db.flush()
    version = Version(
        id=uuid7(),
        module_id=module.id,
        agency_id=module.agency_id,
        version=package.manifest.version,
        major=number.major,
        minor=number.minor,
        patch=number.patch,
        prerelease=".".join(number.prerelease),
        manifest=package.manifest.to_dict(),
        listing=package.listing.model_dump(mode="json"),
        capabilities=sorted(package.manifest.capabilities),
        readme=package.readme,
        changelog=package.changelog,
        digest=package.digest,
        size_bytes=package.size_bytes,
        report=[problem.to_dict() for problem in package.warnings],
        created_by=by.id if by.kind == "person" else None,
        created_at=now,
    )
    db.add(version)
    db.flush()
    return version


def _keep_files(db: Session, version: Version, package: Package) -> None:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in package.files.items()}
    known = set(db.scalars(select(func.blob_known(list(digests.values())))))
    new = {digests[path]: content for path, content in package.files.items() if digests[path] not in known}
    if new:
        rows = [{"sha256": sha256, "content": content} for sha256, content in new.items()]
        db.execute(insert(Blob).on_conflict_do_nothing(), rows)
    db.execute(
        insert(VersionFile),
        [
            {
                "version_id": version.id,
                "agency_id": version.agency_id,
                "path": path,
                "sha256": digests[path],
                "size_bytes": len(content),
            }
            for path, content in package.files.items()
        ],
    )
