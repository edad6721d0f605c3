"""What people do with an install: put a module on a site, set it up, pause, upgrade, roll back, remove, bring back.

The rows of the module itself are the business of jobs: these only say what is wanted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from redis import RedisError
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.db.session import after_commit
from app.errors import Conflict, Invalid, NotFound
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
from app.installs.settings import CheckedSettings, check_settings, sealed_setting
from app.installs.steps import waiting_steps
from app.installs.surroundings import RequirementsMissing as RequirementsMissing
from app.installs.surroundings import dependents, known_values, must_have_requirements
from app.lib.crypto import seal
from app.lib.ids import encode, uuid7
from app.modules.consent import grant_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest
from app.modules.models import Module, Registry, Version
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.plan import Loss, losses
from app.queue.enqueue import enqueue, redis
from app.tenancy.models import Membership, Site

log = logging.getLogger(__name__)

CHANGED = "dramac:install-changed"  # runtime processes hear which install to read anew
KEY_CHANGED = "dramac:key-changed"
KEPT = timedelta(days=30)  # how long a removed module's records can be brought back


class AlreadyInstalled(Conflict):
    """The site already has this module."""

    code = "already_installed"


class VersionNotPublished(Conflict):
    """Only a published version can be installed."""

    code = "version_not_published"


class NotNow(Conflict):
    """The module is busy or not in a state that allows this. Try again when it is ready."""

    code = "not_now"


class WouldLoseData(Conflict):
    """This version has no place for some of the site's records."""

    code = "would_lose_data"

    def __init__(self, lost: list[str]) -> None:
        super().__init__(f"This version has no place for some of the site's records: {'; '.join(lost)}.")
        self.lost = lost


class ConsentNeeded(Conflict):
    """The new version asks for more than was agreed to. Read what it asks for, then agree."""

    code = "consent_needed"


class GoneForGood(Conflict):
    """The records of this module were kept for 30 days and are deleted now. Install it anew."""

    code = "gone_for_good"


def install_module(
    db: Session,
    *,
    site: Site,
    version: Version,
    settings: Mapping[str, Any],
    keys: tuple[str, ...],
    by: Actor,
    now: datetime,
) -> Install:
    """Put one published version of a module on a site.

    settings: {name: value}; absent ones take their default. keys: what secrets are sealed under. Returns the install
    with status "provisioning"; a job makes its tables after commit (about a second). Raises VersionNotPublished,
    RequirementsMissing, SettingsInvalid, AlreadyInstalled, NotFound (a module the agency may not have).
    """
    module = db.get_one(Module, version.module_id)
    _must_be_open_to(db, version, site)
    manifest = Manifest.from_dict(version.manifest)
    must_have_requirements(db, manifest, site)
    checked = check_settings(manifest, settings, known=known_values(db, site.agency_id, site.id))
    install = Install(
        id=uuid7(),
        agency_id=site.agency_id,
        site_id=site.id,
        module_id=module.id,
        version_id=version.id,
        status="provisioning",
        task="install",
        settings=checked.values,
        granted={**grant_of(manifest), "by": by.ref, "at": now.isoformat()},
        steps=waiting_steps("install"),
        installed_by=by.id if by.kind == "person" else None,
        installed_at=now,
        changed_at=now,
    )
    _keep_secrets(install, checked, keys)
    try:
        with db.begin_nested():  # two clicks can race: the unique index decides, not a query before it
            db.add(install)
            db.flush()
    except IntegrityError as error:
        raise AlreadyInstalled(f"{site.name} already has {module.name}.") from error
    _tell(db, MODULE_INSTALLED, install, module, by=by, data={"version": version.version})
    enqueue(db, "installs.provision", install_id=install.id)
    return install


def configure_install(
    db: Session, *, install: Install, settings: Mapping[str, Any], keys: tuple[str, ...], by: Actor, now: datetime
) -> None:
    """Change settings; absent ones stay, None takes a value away. Raises SettingsInvalid, NotNow."""
    _must_be(install, "active", "paused")
    version, module = db.get_one(Version, install.version_id), db.get_one(Module, install.module_id)
    checked = check_settings(
        Manifest.from_dict(version.manifest),
        settings,
        known=known_values(db, install.agency_id, install.site_id),
        before=install.settings,
        secrets_set=install.secrets,
    )
    changes = changed(install.settings, checked.values)
    changes |= {name: ["••••", "••••"] for name in (*checked.secrets, *checked.forgotten)}
    install.settings = {**install.settings, **checked.values}
    _keep_secrets(install, checked, keys)
    install.changed_at = now
    _tell(db, INSTALL_CONFIGURED, install, module, by=by, data={"settings": sorted(changes)}, changes=changes)


def pause_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Stop serving it: pages, API, hooks and jobs and the screens of its records answer "paused". Raises NotNow."""
    _must_be(install, "active")
    install.status, install.changed_at = "paused", now
    _tell(db, INSTALL_PAUSED, install, db.get_one(Module, install.module_id), by=by)


def resume_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Serve it again. Raises NotNow."""
    _must_be(install, "paused")
    install.status, install.changed_at = "active", now
    _tell(db, INSTALL_RESUMED, install, db.get_one(Module, install.module_id), by=by)


def retry_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Try once more to set up an install that failed. Raises NotNow."""
    _must_be(install, "failed")
    _order(db, install, status="provisioning", task=install.task, now=now)


def remove_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Take the module off the site. It stops at once; a job exports its records, kept for 30 days, and removes them.

    Raises NotNow; also when another installed module requires this one.
    """
    _must_be(install, "active", "paused", "failed")
    module = db.get_one(Module, install.module_id)
    needed_by = dependents(db, install, module)
    if needed_by:
        raise NotNow(f"{', '.join(needed_by)} on this site needs {module.name}. Remove that first.")
    _order(db, install, status="removing", task="remove", now=now)
    install.removed_at = now
    _revoke_keys(db, install, now)
    _tell(db, INSTALL_REMOVED, install, module, by=by, data={"restorable_until": (now + KEPT).isoformat()})


def restore_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Bring a removed module back with its records, within 30 days. API keys stay revoked.

    Raises NotNow, GoneForGood, AlreadyInstalled, RequirementsMissing.
    """
    _must_be(install, "removed")
    if install.purge_after is None or install.purge_after <= now:
        raise GoneForGood()
    module, site = db.get_one(Module, install.module_id), db.get_one(Site, install.site_id)
    must_have_requirements(db, Manifest.from_dict(db.get_one(Version, install.version_id).manifest), site)
    try:
        with db.begin_nested():
            _order(db, install, status="provisioning", task="restore", now=now)
            install.removed_at = install.purge_after = None
            db.flush()
    except IntegrityError as error:
        raise AlreadyInstalled(f"{site.name} has {module.name} again already. Remove that first.") from error
    _tell(db, INSTALL_RESTORED, install, module, by=by)


def upgrade_losses(db: Session, *, install: Install, version: Version) -> list[Loss]:
    """What the site's records would lose by going to that version; [] when nothing."""
    registry = db.get(Registry, install.module_id)
    held = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
    union = Layout.from_dict(registry.layout) if registry else Layout()
    return losses(union.for_manifest(held), desired_layout(Manifest.from_dict(version.manifest)))


def upgrade_install(
    db: Session, *, install: Install, version: Version, consent: bool = False, by: Actor, now: datetime
) -> None:
    """Move the install to another published version; a job adds what its tables lack. Settings keep their values.

    consent: a person has agreed to what the new version asks beyond the old one. Raises NotNow, VersionNotPublished,
    WouldLoseData, ConsentNeeded, RequirementsMissing, SettingsInvalid (a new required setting without a default).
    """
    _move(db, install, version, task="upgrade", event=INSTALL_UPGRADED, consent=consent, by=by, now=now)


def rollback_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Go back to the version before the last upgrade. What only the newer one has is hidden with its values and kept
    for 30 days: upgrading again brings it back. An option that records use is no such thing: the job refuses then.

    Raises as upgrade_install() but for WouldLoseData; NotNow when there is no version to go back to.
    """
    if install.previous_version_id is None:
        raise NotNow("There is no version to go back to.")
    previous = db.get_one(Version, install.previous_version_id)
    _move(db, install, previous, task="rollback", event=INSTALL_ROLLED_BACK, consent=True, by=by, now=now)


def give_role(db: Session, *, install: Install, user_id: UUID, role: str | None, by: Actor) -> None:
    """Give a member a role of the module, or with None leave it to the agency role. Raises Invalid."""
    manifest = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
    if role is not None and role not in manifest.roles:
        raise Invalid.field("role", f'The module has no role "{role}".', "unknown_role")
    if (
        db.scalar(select(Membership.id).where(Membership.agency_id == install.agency_id, Membership.user_id == user_id))
        is None
    ):
        raise Invalid.field("user", "Choose a member of the agency.", "unknown_person")
    kept = db.get(MemberRole, (install.id, user_id))
    before = kept.role if kept else None
    if before == role:
        return
    if role is None:
        db.delete(kept)
    elif kept is None:
        db.add(MemberRole(agency_id=install.agency_id, install_id=install.id, user_id=user_id, role=role))
    else:
        kept.role = role
    module = db.get_one(Module, install.module_id)
    data = {"user": encode("usr", user_id), "role": role}
    _tell(db, MODULE_ROLE_GIVEN, install, module, by=by, data=data, changes={"role": [before, role]})


def _move(
    db: Session,
    install: Install,
    version: Version,
    *,
    task: str,
    event: EventType,
    consent: bool,
    by: Actor,
    now: datetime,
) -> None:
    _must_be(install, "active")
    module, site = db.get_one(Module, install.module_id), db.get_one(Site, install.site_id)
    old = db.get_one(Version, install.version_id)
    if version.module_id != install.module_id or version.id == install.version_id:
        raise NotNow("Choose another version of the same module.")
    if version.status == "draft" or (version.status == "yanked" and task == "upgrade"):
        raise VersionNotPublished()
    if task == "upgrade" and not _is_open_to(db, version, site):
        raise NotFound()
    before, after = Manifest.from_dict(old.manifest), Manifest.from_dict(version.manifest)
    lost = upgrade_losses(db, install=install, version=version)
    if lost and task == "upgrade":
        raise WouldLoseData([one.sentence for one in lost])
    if any(one.kind != "option" for one in lost):
        install.parked_until = now + KEPT
    if not consent and diff_manifests(before, after).needs_consent:
        raise ConsentNeeded()
    must_have_requirements(db, after, site)
    known = known_values(db, install.agency_id, install.site_id)
    checked = check_settings(after, {}, known=known, before=install.settings, secrets_set=install.secrets)
    install.settings = {**install.settings, **checked.values}  # values of settings that are gone stay, for the way back
    install.granted = {**grant_of(after), "by": by.ref, "at": now.isoformat()}
    install.previous_version_id, install.version_id = install.version_id, version.id
    _order(db, install, status="provisioning", task=task, now=now)
    _tell(db, event, install, module, by=by, data={"from": old.version, "to": version.version})


def _order(db: Session, install: Install, *, status: str, task: str, now: datetime) -> None:
    """Set the state that a job works off, and order the job."""
    install.status, install.task, install.changed_at = status, task, now
    install.steps, install.failure = waiting_steps(task), ""
    enqueue(db, "installs.deprovision" if task == "remove" else "installs.provision", install_id=install.id)
    announce(db, install)


def _must_be(install: Install, *statuses: str) -> None:
    if install.status not in statuses:
        raise NotNow(f"The module is {install.status}; this needs it to be {' or '.join(statuses)}.")


def _must_be_open_to(db: Session, version: Version, site: Site) -> None:
    if version.status != "published":
        raise VersionNotPublished()
    if not _is_open_to(db, version, site):
        raise NotFound()
    if site.archived_at is not None:
        raise NotNow("The site is archived. Restore it first.")


def _is_open_to(db: Session, version: Version, site: Site) -> bool:
    """Whether the site's agency may have the version: its own, public, or of a beta programme it is enrolled in."""
    return bool(db.scalar(select(func.version_open_to(version.id, site.agency_id))))


def _keep_secrets(install: Install, checked: CheckedSettings, keys: tuple[str, ...]) -> None:
    sealed = {name: seal(keys, plain, sealed_setting(install.id, name)) for name, plain in checked.secrets.items()}
    kept = {name: value for name, value in (install.secrets or {}).items() if name not in checked.forgotten}
    install.secrets = {**kept, **sealed}


def _revoke_keys(db: Session, install: Install, now: datetime) -> None:
    """End the API keys of this install alone. As SQL text: keys belong to a package above this one."""
    statement = text(
        "UPDATE api_keys SET revoked_at = :now WHERE agency_id = :agency AND install_id = :install"
        " AND revoked_at IS NULL RETURNING token_hash"
    )
    values = {"now": now, "agency": install.agency_id, "install": install.id}
    for digest in db.scalars(statement, values).all():
        _say(db, KEY_CHANGED, bytes(digest).hex())


def _tell(
    db: Session,
    event: EventType,
    install: Install,
    module: Module,
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
        target=install.public_id,
        target_name=module.name,
        site_id=install.site_id,
        install_id=install.id,
        data={"module": module.slug, "site": encode("ste", install.site_id), **(data or {})},
        changes=changes,
    )
    announce(db, install)


def announce(db: Session, install: Install) -> None:
    """Tell the processes that serve it, once this is committed, to read the install anew."""
    _say(db, CHANGED, str(install.id))


def _say(db: Session, channel: str, message: str) -> None:
    """Tell the other processes once this is committed; without Valkey they notice within seconds by themselves."""

    def send() -> None:
        try:
            redis().publish(channel, message)
        except RedisError as error:
            log.warning("could not announce on %s: %s", channel, error)

    after_commit(db, send)
