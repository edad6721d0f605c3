"""Everything that can be done with an install. What takes long is ordered as a job; the row says where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from semantic_version import NpmSpec
from semantic_version import Version as Semver
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.errors import Conflict, Invalid
from app.events.catalog import (
    INSTALL_CONFIGURED,
    INSTALL_PAUSED,
    INSTALL_REMOVED,
    INSTALL_RESTORED,
    INSTALL_RESUMED,
    INSTALL_ROLLED_BACK,
    INSTALL_UPGRADED,
    MODULE_INSTALLED,
    MODULE_ROLE_GIVEN,
    EventType,
)
from app.events.outbox import changed, publish
from app.installs.models import Install, MemberRole
from app.installs.queries import installed_modules, people_of
from app.installs.settings import Known, Settings, judge
from app.lib.ids import encode, uuid7
from app.modules.consent import grant_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.queue.enqueue import enqueue, redis
from app.tenancy.models import Site

KEPT_DAYS = 30
CHANGED_CHANNEL = "dramac:install-changed"


class AlreadyInstalled(Conflict):
    """The site already has this module."""

    code = "already_installed"


class VersionNotPublished(Invalid):
    """This version cannot be installed: it is a draft or was withdrawn."""

    code = "version_not_published"


class ModulesMissing(Invalid):
    """The module needs others that the site does not have."""

    code = "modules_missing"


class SiteArchived(Conflict):
    """The site is archived. Restore it first."""

    code = "site_archived"


class NotNow(Conflict):
    """The install is in another state than this needs."""

    code = "wrong_state"


class NeedsConsent(Conflict):
    """The new version asks for more than was agreed to. Read it and agree."""

    code = "needs_consent"


def install_module(
    db: Session,
    *,
    site: Site,
    version: Version,
    settings: Mapping[str, Any],
    by: Actor,
    now: datetime,
    keys: tuple[str, ...],
) -> Install:
    """Put one published version of a module on a site.

    settings: {setting: value} as sent; absent ones take their default. keys: Config.secret_keys, for secret settings.
    Returns the install with status "provisioning"; a job makes its tables after commit.
    Raises AlreadyInstalled, VersionNotPublished, ModulesMissing, SiteArchived, SettingsInvalid.
    """
    manifest = _installable(db, site, version)
    install_id = uuid7()
    kept = judge(manifest, settings, install_id=install_id, keys=keys, known=_known(db, site))
    install = Install(
        id=install_id,
        agency_id=site.agency_id,
        site_id=site.id,
        module_id=version.module_id,
        version_id=version.id,
        status="provisioning",
        settings=kept.values,
        secrets=kept.secrets,
        granted=grant_of(manifest),
        steps=[],
        installed_by=by.id if by.kind == "person" else None,
        installed_at=now,
        changed_at=now,
    )
    try:
        with db.begin_nested():  # two clicks can race: the unique key decides, not a query before it
            db.add(install)
            db.flush()
    except IntegrityError as error:
        raise AlreadyInstalled(f"{site.name} already has {manifest.name}.") from error
    _tell(db, MODULE_INSTALLED, install, manifest.name, by=by, data={"version": version.version})
    enqueue(db, "installs.provision", install_id=install.id)
    return install


def retry_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Try a failed install again. Raises NotNow."""
    _must_be(install, "failed")
    install.status, install.failure, install.changed_at = "provisioning", "", now
    enqueue(db, "installs.provision", install_id=install.id)


def configure_install(
    db: Session, *, install: Install, settings: Mapping[str, Any], by: Actor, now: datetime, keys: tuple[str, ...]
) -> None:
    """Change settings; absent ones stay. Raises SettingsInvalid, NotNow."""
    _must_be(install, "active", "paused", "failed")
    version, site = db.get_one(Version, install.version_id), db.get_one(Site, install.site_id)
    manifest = Manifest.from_dict(version.manifest)
    before = dict(install.settings)
    kept = judge(
        manifest,
        settings,
        install_id=install.id,
        keys=keys,
        known=_known(db, site),
        kept=Settings(dict(install.settings), dict(install.secrets)),
    )
    secrets_changed = sorted(name for name, sealed in kept.secrets.items() if install.secrets.get(name) != sealed)
    install.settings, install.secrets, install.changed_at = kept.values, kept.secrets, now
    changes = {**changed(before, kept.values), **{name: ["secret", "secret"] for name in secrets_changed}}
    _tell(db, INSTALL_CONFIGURED, install, manifest.name, by=by, changes=changes)
    _forget_caches(db, install)


def pause_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Stop serving visitors, the API and timed jobs; staff keep seeing nothing of it either. Raises NotNow."""
    _must_be(install, "active")
    _set_status(db, install, "paused", INSTALL_PAUSED, by=by, now=now)


def resume_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Serve again. Raises NotNow."""
    _must_be(install, "paused")
    _set_status(db, install, "active", INSTALL_RESUMED, by=by, now=now)


def remove_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Take the module off the site. Its rows are exported and kept for 30 days; keys of this install end at once.

    Raises NotNow, and Conflict when another module of the site needs this one.
    """
    _must_be(install, "active", "paused", "failed")
    _nobody_needs(db, install)
    install.steps = []
    _set_status(db, install, "removing", INSTALL_REMOVED, by=by, now=now)
    enqueue(db, "installs.deprovision", install_id=install.id)


def restore_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Bring a removed install back with its rows, within 30 days. Raises NotNow, AlreadyInstalled."""
    _must_be(install, "removed")
    if install.purge_after is None or install.purge_after <= now:
        raise NotNow("Its data was kept for 30 days and is gone.")
    install.steps = []
    try:
        with db.begin_nested():
            _set_status(db, install, "provisioning", INSTALL_RESTORED, by=by, now=now)
            db.flush()
    except IntegrityError as error:
        raise AlreadyInstalled() from error
    enqueue(db, "installs.provision", install_id=install.id)


def upgrade_install(
    db: Session, *, install: Install, version: Version, consent: bool, by: Actor, now: datetime
) -> None:
    """Move to a higher published version. consent: the person agreed to what it asks for besides.

    Raises NotNow, VersionNotPublished, NeedsConsent, and Conflict when the version would take fields or tables away.
    """
    _must_be(install, "active", "paused")
    manifest = _change_version(db, install, version, consent=consent, now=now)
    _tell(db, INSTALL_UPGRADED, install, manifest.name, by=by, data={"version": version.version})


def rollback_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Go back to the version before. Raises NotNow when there is none, Conflict when rows would not fit."""
    _must_be(install, "active", "paused", "failed")
    if install.previous_version_id is None:
        raise NotNow("There is no version before this one on the site.")
    version = db.get_one(Version, install.previous_version_id)
    manifest = Manifest.from_dict(version.manifest)
    install.version_id, install.previous_version_id = version.id, install.version_id
    install.status, install.steps, install.failure, install.changed_at = "provisioning", [], "", now
    enqueue(db, "installs.provision", install_id=install.id)
    _tell(db, INSTALL_ROLLED_BACK, install, manifest.name, by=by, data={"version": version.version})
    _forget_caches(db, install)


def give_role(db: Session, *, install: Install, user_id: UUID, role: str | None, by: Actor) -> None:
    """Give a member a role of the module, or none again. Raises Invalid."""
    manifest = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
    if role is not None and role not in manifest.roles:
        raise Invalid.field("role", f"{manifest.name} has no role {role}.")
    if str(user_id) not in dict(people_of(db, agency_id=install.agency_id)):
        raise Invalid.field("user", "Choose somebody of the agency.")
    row = db.get(MemberRole, (install.id, user_id))
    before = row.role if row else None
    if role is None and row is not None:
        db.delete(row)
    elif role is not None and row is not None:
        row.role = role
    elif role is not None:
        db.add(MemberRole(agency_id=install.agency_id, install_id=install.id, user_id=user_id, role=role))
    changes = {"role": [before, role], "person": encode("usr", user_id)}
    _tell(db, MODULE_ROLE_GIVEN, install, manifest.name, by=by, changes=changes)


def _installable(db: Session, site: Site, version: Version) -> Manifest:
    if site.archived_at is not None:
        raise SiteArchived()
    if version.status != "published":
        raise VersionNotPublished()
    manifest = Manifest.from_dict(version.manifest)
    _needs_met(db, site.id, manifest)
    return manifest


def _needs_met(db: Session, site_id: UUID, manifest: Manifest) -> None:
    query = select(Module.slug, Version.version).join(Install, Install.module_id == Module.id)
    query = query.join(Version, Version.id == Install.version_id)
    have = {row[0]: row[1] for row in db.execute(query.where(Install.site_id == site_id, Install.status != "removed"))}
    missing = [
        f"{need.module} {need.version}"
        for need in manifest.requires
        if not need.optional and (need.module not in have or not NpmSpec(need.version).match(Semver(have[need.module])))
    ]
    if missing:
        raise ModulesMissing(f"Install these on the site first: {', '.join(missing)}.")


def _nobody_needs(db: Session, install: Install) -> None:
    slug = db.get_one(Module, install.module_id).slug
    query = select(Version.manifest).join(Install, Install.version_id == Version.id)
    query = query.where(Install.site_id == install.site_id, Install.status != "removed", Install.id != install.id)
    for (data,) in db.execute(query):
        other = Manifest.from_dict(data)
        if any(need.module == slug and not need.optional for need in other.requires):
            raise Conflict(f"{other.name} on this site needs it. Remove {other.name} first.")


def _change_version(db: Session, install: Install, version: Version, *, consent: bool, now: datetime) -> Manifest:
    if version.module_id != install.module_id or version.id == install.version_id:
        raise Invalid.field("version", "Choose another version of this module.")
    manifest = _installable(db, db.get_one(Site, install.site_id), version)
    current = db.get_one(Version, install.version_id)
    if Semver(version.version) <= Semver(current.version):
        raise Invalid.field("version", "Choose a higher version; going back is done by rolling back.")
    diff = diff_manifests(Manifest.from_dict(current.manifest), manifest)
    taken = diff.of_kind("table_removed", "field_removed", "field_narrowed", "field_type_changed")
    if taken:
        raise Conflict(f"{version.version} would take something away: {'; '.join(c.sentence for c in taken)}.")
    if diff.needs_consent and not consent:
        raise NeedsConsent()
    install.previous_version_id, install.version_id = install.version_id, version.id
    install.status, install.steps, install.failure, install.changed_at = "provisioning", [], "", now
    install.granted = grant_of(manifest)
    enqueue(db, "installs.provision", install_id=install.id)
    _forget_caches(db, install)
    return manifest


def _known(db: Session, site: Site) -> Known:
    return Known(
        people=frozenset(user_id for user_id, _ in people_of(db, agency_id=site.agency_id)),
        modules=frozenset(slug for slug, _ in installed_modules(db, site_id=site.id)),
    )


def _must_be(install: Install, *states: str) -> None:
    if install.status not in states:
        raise NotNow(f"This install is {install.status}; that needs it to be {' or '.join(states)}.")


def _set_status(db: Session, install: Install, status: str, event: EventType, *, by: Actor, now: datetime) -> None:
    install.status, install.changed_at = status, now
    _tell(db, event, install, db.get_one(Module, install.module_id).name, by=by)
    _forget_caches(db, install)


def _tell(
    db: Session,
    event: EventType,
    install: Install,
    name: str,
    *,
    by: Actor,
    data: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    publish(
        db,
        event,
        by=by,
        agency_id=install.agency_id,
        site_id=install.site_id,
        install_id=install.id,
        target=install.public_id,
        target_name=name,
        data={"install": install.public_id, "site": encode("ste", install.site_id), **(data or {})},
        changes=changes,
    )


def _forget_caches(db: Session, install: Install) -> None:
    """Tell every runtime process, after commit, that what it keeps of this install is old."""
    after_commit(db, lambda: redis().publish(CHANGED_CHANNEL, str(install.id)))


def kept_until(now: datetime) -> datetime:
    """Until when the export of an install removed now is kept."""
    return now + timedelta(days=KEPT_DAYS)
