"""What people do with an install: put a module on a site, set it up, pause, remove, bring back.

The rows of the module itself are the business of jobs: these only say what is wanted.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
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
    MODULE_INSTALLED,
    MODULE_ROLE_GIVEN,
    EventType,
)
from app.events.outbox import changed, publish
from app.installs.entitlement.actions import claim
from app.installs.levels import levels_of_site
from app.installs.models import Install, MemberRole
from app.installs.settings import CheckedSettings, check_settings, sealed_setting
from app.installs.steps import waiting_steps
from app.installs.surroundings import RequirementsMissing as RequirementsMissing
from app.installs.surroundings import dependents, known_values, must_have_requirements
from app.lib.crypto import seal
from app.lib.ids import encode, uuid7
from app.modules.consent import grant_of
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.modules.signing.log import must_be_genuine
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

    settings: {name: value} of the site's own; absent ones are as the client, the agency or the default has them.
    keys: what secrets are sealed under. Returns the install
    with status "provisioning"; a job makes its tables after commit (about a second). Raises VersionNotPublished,
    RequirementsMissing, SettingsInvalid, AlreadyInstalled, NotEntitled, NotFound (a module the agency may not have).
    """
    module = db.get_one(Module, version.module_id)
    _must_be_open_to(db, version, site)
    must_be_genuine(db, version)
    manifest = Manifest.from_dict(version.manifest)
    must_have_requirements(db, manifest, site)
    claim(db, agency_id=site.agency_id, version=version, by=by, now=now)
    checked = check_settings(
        manifest,
        settings,
        known=known_values(db, site.agency_id, site.id),
        above=levels_of_site(db, site=site, module_id=module.id),
    )
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
    keep_secrets(install, checked, keys)
    try:
        with db.begin_nested():  # two clicks can race: the unique index decides, not a query before it
            db.add(install)
            db.flush()
    except IntegrityError as error:
        raise AlreadyInstalled(f"{site.name} already has {module.name}.") from error
    tell(db, MODULE_INSTALLED, install, module, by=by, data={"version": version.version})
    enqueue(db, "installs.provision", install_id=install.id)
    return install


def configure_install(
    db: Session,
    *,
    install: Install,
    settings: Mapping[str, Any],
    inherit: Collection[str] = (),
    keys: tuple[str, ...],
    by: Actor,
    now: datetime,
) -> None:
    """Change the site's own settings; absent ones stay, None takes a value away.

    inherit: names that are no longer the site's own. Raises SettingsInvalid (also for one that is locked above), NotNow.
    """
    must_be(install, "active", "paused")
    version, module = db.get_one(Version, install.version_id), db.get_one(Module, install.module_id)
    checked = check_settings(
        Manifest.from_dict(version.manifest),
        settings,
        known=known_values(db, install.agency_id, install.site_id),
        before=install.settings,
        secrets_set=install.secrets,
        above=levels_of_site(db, site=db.get_one(Site, install.site_id), module_id=install.module_id),
        inherit=inherit,
    )
    changes = changed(install.settings, checked.values)
    changes |= {name: [install.settings[name], "inherited"] for name in inherit if name in install.settings}
    changes |= {name: ["••••", "••••"] for name in (*checked.secrets, *checked.forgotten)}
    kept = {name: value for name, value in install.settings.items() if name not in inherit}
    install.settings = {**kept, **checked.values}
    keep_secrets(install, checked, keys)
    install.changed_at = now
    tell(db, INSTALL_CONFIGURED, install, module, by=by, data={"settings": sorted(changes)}, changes=changes)


def pause_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Stop serving it: pages, API, hooks and jobs and the screens of its records answer "paused". Raises NotNow."""
    must_be(install, "active")
    install.status, install.changed_at = "paused", now
    tell(db, INSTALL_PAUSED, install, db.get_one(Module, install.module_id), by=by)


def resume_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Serve it again. Raises NotNow."""
    must_be(install, "paused")
    install.status, install.changed_at = "active", now
    tell(db, INSTALL_RESUMED, install, db.get_one(Module, install.module_id), by=by)


def retry_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Try once more to set up an install that failed. Raises NotNow."""
    must_be(install, "failed")
    order(db, install, status="provisioning", task=install.task, now=now)


def remove_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Take the module off the site. It stops at once; a job exports its records, kept for 30 days, and removes them.

    Raises NotNow; also when another installed module requires this one.
    """
    must_be(install, "active", "paused", "failed")
    module = db.get_one(Module, install.module_id)
    needed_by = dependents(db, install, module)
    if needed_by:
        raise NotNow(f"{', '.join(needed_by)} on this site needs {module.name}. Remove that first.")
    order(db, install, status="removing", task="remove", now=now)
    install.removed_at = now
    _revoke_keys(db, install, now)
    tell(db, INSTALL_REMOVED, install, module, by=by, data={"restorable_until": (now + KEPT).isoformat()})


def restore_install(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Bring a removed module back with its records, within 30 days. API keys stay revoked.

    Raises NotNow, GoneForGood, AlreadyInstalled, RequirementsMissing, NotEntitled.
    """
    must_be(install, "removed")
    if install.purge_after is None or install.purge_after <= now:
        raise GoneForGood()
    module, site = db.get_one(Module, install.module_id), db.get_one(Site, install.site_id)
    version = db.get_one(Version, install.version_id)
    must_have_requirements(db, Manifest.from_dict(version.manifest), site)
    claim(db, agency_id=install.agency_id, version=version, by=by, now=now)
    try:
        with db.begin_nested():
            order(db, install, status="provisioning", task="restore", now=now)
            install.removed_at = install.purge_after = None
            db.flush()
    except IntegrityError as error:
        raise AlreadyInstalled(f"{site.name} has {module.name} again already. Remove that first.") from error
    tell(db, INSTALL_RESTORED, install, module, by=by)


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
    tell(db, MODULE_ROLE_GIVEN, install, module, by=by, data=data, changes={"role": [before, role]})


def order(db: Session, install: Install, *, status: str, task: str, now: datetime) -> None:
    """Set the state that a job works off, and order the job."""
    install.status, install.task, install.changed_at = status, task, now
    install.steps, install.failure = waiting_steps(task), ""
    enqueue(db, "installs.deprovision" if task == "remove" else "installs.provision", install_id=install.id)
    announce(db, install)


def must_be(install: Install, *statuses: str) -> None:
    """Raises NotNow unless the install is in one of these states."""
    if install.status not in statuses:
        raise NotNow(f"The module is {install.status}; this needs it to be {' or '.join(statuses)}.")


def _must_be_open_to(db: Session, version: Version, site: Site) -> None:
    if version.status != "published":
        raise VersionNotPublished()
    if not is_open_to(db, version, site):
        raise NotFound()
    if site.archived_at is not None:
        raise NotNow("The site is archived. Restore it first.")


def is_open_to(db: Session, version: Version, site: Site) -> bool:
    """Whether the site's agency may have the version: its own, public, or of a beta programme it is enrolled in."""
    return bool(db.scalar(select(func.version_open_to(version.id, site.agency_id))))


def keep_secrets(install: Install, checked: CheckedSettings, keys: tuple[str, ...]) -> None:
    """Seal what came in, forget what was taken away."""
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


def tell(
    db: Session,
    event: EventType,
    install: Install,
    module: Module,
    *,
    by: Actor,
    data: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> None:
    """Publish an event about the install, and tell the processes that serve it."""
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


def announce_all(db: Session, install_ids: Collection[UUID]) -> None:
    """The same of many installs, in one message."""
    if install_ids:
        _say(db, CHANGED, ",".join(str(install_id) for install_id in install_ids))


def _say(db: Session, channel: str, message: str) -> None:
    """Tell the other processes once this is committed; without Valkey they notice within seconds by themselves."""

    def send() -> None:
        try:
            redis().publish(channel, message)
        except RedisError as error:
            log.warning("could not announce on %s: %s", channel, error)

    after_commit(db, send)
