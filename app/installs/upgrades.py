"""Moving an install to another version of its module, and back. The rows are a job's business (jobs.provision)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, NotFound
from app.events.catalog import INSTALL_ROLLED_BACK, INSTALL_SETTLED, INSTALL_UPGRADED, EventType
from app.installs.actions import (
    KEPT,
    NotNow,
    VersionNotPublished,
    is_open_to,
    keep_secrets,
    must_be,
    order,
    tell,
)
from app.installs.carried import own_of, put_over, restored, unfit_settings
from app.installs.entitlement.actions import claim
from app.installs.levels import levels_of_site, own_levels
from app.installs.models import Install, Move
from app.installs.queries import move_to_undo
from app.installs.setting_values import ANYTHING
from app.installs.settings import CheckedSettings, SettingsInvalid, check_settings
from app.installs.surroundings import known_values, must_have_requirements
from app.lib.ids import uuid7
from app.modules.consent import grant_of
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest
from app.modules.models import Module, Registry, Version
from app.modules.signing.log import must_be_genuine
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.plan import Loss, losses
from app.tenancy.models import Site

WATCHED = timedelta(minutes=30)  # how long an upgrade is watched
Records = Literal["keep", "put_back"]


class TooLate(Conflict):
    """An upgrade can be taken back for 30 days; after that what the older version needs is deleted."""

    code = "too_late"


class WouldLoseData(Conflict):
    """This version has no place for some of the site's records."""

    code = "would_lose_data"

    def __init__(self, lost: list[str]) -> None:
        super().__init__(f"This version has no place for some of the site's records: {'; '.join(lost)}.")
        self.lost = lost


class ConsentNeeded(Conflict):
    """The new version asks for more than was agreed to. Read what it asks for, then agree."""

    code = "consent_needed"


def upgrade_losses(db: Session, *, install: Install, version: Version) -> list[Loss]:
    """What the site's records would lose by going to that version; [] when nothing."""
    registry = db.get(Registry, install.module_id)
    held = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
    union = Layout.from_dict(registry.layout) if registry else Layout()
    return losses(union.for_manifest(held), desired_layout(Manifest.from_dict(version.manifest)))


def checked_for(
    db: Session, *, install: Install, version: Version, settings: Mapping[str, Any] | None = None
) -> CheckedSettings:
    """The settings the install would have at that version, with these put over what it has.

    Raises SettingsInvalid, also for a value in force that the version cannot have and that `settings` does not replace.
    """
    known, given = known_values(db, install.agency_id, install.site_id), settings or {}
    held = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
    manifest = Manifest.from_dict(version.manifest)
    *above, own = own_levels(db, install=install)
    levels = [*above, own]
    errors = [one.error for name, one in unfit_settings(held, manifest, levels).items() if name not in given]
    try:
        checked = check_settings(
            manifest, given, known=known, before=install.settings, secrets_set=install.secrets, above=above
        )
    except SettingsInvalid as error:
        told = {one.pointer for one in errors}
        errors += [one for one in error.errors if one.pointer not in told]
    if errors:
        raise SettingsInvalid(" ".join(one.detail for one in errors), errors=errors)
    return checked


def upgrade_install(
    db: Session,
    *,
    install: Install,
    version: Version,
    consent: bool = False,
    lose: bool = False,
    settings: Mapping[str, Any] | None = None,
    keys: tuple[str, ...] = (),
    by: Actor,
    now: datetime,
) -> None:
    """Move the install to another published version; a job adds what its tables lack. Settings keep their values; where
    the version cannot have one, `settings` has to say what it is from then on.

    consent: a person has agreed to what the new version asks beyond the old one. lose: likewise to the fields and
    tables it has no place for, which are hidden with their values for 30 days; an option that records use is refused by
    the job all the same. settings: values put over those kept, secrets sealed under `keys`. Raises NotNow,
    VersionNotPublished, WouldLoseData, ConsentNeeded, RequirementsMissing, SettingsInvalid (such as a new required
    setting without a default, or a value the version cannot have), NotFound (a version the agency may not have), NotEntitled.
    """
    _must_be_another(install, version)
    if version.status != "published":
        raise VersionNotPublished()
    if not is_open_to(db, version, db.get_one(Site, install.site_id)):
        raise NotFound()
    claim(db, agency_id=install.agency_id, version=version, by=by, now=now)
    lost = upgrade_losses(db, install=install, version=version)
    if lost and not lose:
        raise WouldLoseData([one.sentence for one in lost])
    before = Manifest.from_dict(db.get_one(Version, install.version_id).manifest)
    if not consent and diff_manifests(before, Manifest.from_dict(version.manifest)).needs_consent:
        raise ConsentNeeded()
    checked = checked_for(db, install=install, version=version, settings=settings)
    _end_watch(db, install, now=now)
    move = Move(kind="upgrade", own_before=own_of(install))
    install.settings = put_over(install, Manifest.from_dict(version.manifest), checked.values)
    keep_secrets(install, checked, keys)
    move.own_after = own_of(install)
    _move(db, install, version, move, event=INSTALL_UPGRADED, lost=lost, by=by, now=now)


def rollback_install(
    db: Session,
    *,
    install: Install,
    records: Records = "keep",
    reason: str = "",
    by_itself: bool = False,
    by: Actor,
    now: datetime,
) -> None:
    """Take the last upgrade back, within 30 days of it. The job writes a file of what was written since.

    records "keep": they stay; what only the newer version has is hidden with its values for 30 days (an option that
    records use is no such thing: the job refuses then). "put_back": the tables the upgrade touched become what they were
    before it, and what was written to them since is in the file alone. Likewise the settings: what the site gave by itself
    before comes back, and with "keep" what people set since stays where the older version can have it. reason: why, in a
    sentence; by_itself: nobody asked for it. Raises as upgrade_install() but for WouldLoseData and ConsentNeeded; NotNow
    without an upgrade to take back, TooLate.
    """
    undone = move_to_undo(db, install=install)
    if undone is None or undone.moved_at is None:
        must_be(install, "active")
        raise NotNow("There is no upgrade to take back.")
    if undone.moved_at + KEPT <= now:
        raise TooLate()
    previous = db.get_one(Version, undone.from_version_id)
    _must_be_another(install, previous)
    lost = upgrade_losses(db, install=install, version=previous)
    move = Move(
        kind="rollback", undoes_id=undone.id, records=records, reason=reason[:1000], by_itself=by_itself,
        own_before=own_of(install),
    )  # fmt: skip
    _settings_back(db, install, undone, Manifest.from_dict(previous.manifest), keep=records == "keep")
    move.own_after = own_of(install)
    _move(db, install, previous, move, event=INSTALL_ROLLED_BACK, lost=lost, by=by, now=now)


def _settings_back(db: Session, install: Install, undone: Move, older: Manifest, *, keep: bool) -> None:
    """Give the site its own settings of before. Raises SettingsInvalid, such as for what a level above no longer gives."""
    own = restored(install, undone, older, keep=keep)
    above = levels_of_site(db, site=db.get_one(Site, install.site_id), module_id=install.module_id)
    checked = check_settings(older, {}, known=ANYTHING, before=own["settings"], secrets_set=own["secrets"], above=above)
    install.settings, install.secrets = own["settings"], own["secrets"]
    install.settings = put_over(install, older, checked.values)


def stop_watching(db: Session, *, install: Install, by: Actor, now: datetime) -> None:
    """Take the upgrade as it is: before its 30 minutes are over, or though it does worse and could not go back.

    Raises NotNow when there is none such.
    """
    if not _end_watch(db, install, now=now):
        raise NotNow("No upgrade is being watched.")
    version = db.get_one(Version, install.version_id)
    module = db.get_one(Module, install.module_id)
    tell(db, INSTALL_SETTLED, install, module, by=by, data={"version": version.version, "watched": False})


def _end_watch(db: Session, install: Install, *, now: datetime) -> bool:
    open_move = Move.state.in_(("watching", "unhealthy"))
    ended = db.execute(
        update(Move)
        .where(Move.agency_id == install.agency_id, Move.install_id == install.id, open_move)
        .values(state="settled", ended_at=now)
        .returning(Move.id)
    )
    found: list[UUID] = [row.id for row in ended]
    return bool(found)


def _must_be_another(install: Install, version: Version) -> None:
    must_be(install, "active")
    if version.module_id != install.module_id or version.id == install.version_id:
        raise NotNow("Choose another version of the same module.")


def _move(
    db: Session,
    install: Install,
    version: Version,
    move: Move,
    *,
    event: EventType,
    lost: list[Loss],
    by: Actor,
    now: datetime,
) -> None:
    module, site = db.get_one(Module, install.module_id), db.get_one(Site, install.site_id)
    old, after = db.get_one(Version, install.version_id), Manifest.from_dict(version.manifest)
    must_be_genuine(db, version)
    must_have_requirements(db, after, site)
    if any(one.kind != "option" for one in lost):
        install.parked_until = now + KEPT
    install.granted = {**grant_of(after), "by": by.ref, "at": now.isoformat()}
    install.previous_version_id, install.version_id = install.version_id, version.id
    move.id, move.agency_id, move.site_id, move.install_id = uuid7(), install.agency_id, install.site_id, install.id
    move.from_version_id, move.to_version_id = old.id, version.id
    move.ordered_at, move.ordered_by = now, by.ref
    db.add(move)
    order(db, install, status="provisioning", task=move.kind, now=now)
    said = {"reason": move.reason, "by_itself": True} if move.by_itself else {}
    tell(db, event, install, module, by=by, data={"from": old.version, "to": version.version, **said})
