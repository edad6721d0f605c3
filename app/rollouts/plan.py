"""What an upgrade would do to one install, before anything happens: for the screen and, as JSON, for the command line.

Words come from the difference of the two manifests, figures from the site's own rows and logs. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from semantic_version import Version as Semver
from sqlalchemy.orm import Session

from app.errors import AppError, Invalid
from app.installs.carried import Unfit, unfit_settings
from app.installs.levels import own_levels
from app.installs.models import Install
from app.installs.surroundings import must_have_requirements
from app.installs.upgrades import checked_for, upgrade_losses
from app.lib.clock import rfc3339
from app.modules.changes import Bump, Change, ManifestDiff
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest
from app.modules.models import Module, Version
from app.modules.queries import versions_of
from app.modules.storage.plan import Loss
from app.rollouts.affected import Affected, affected_by
from app.rollouts.files import FileChange, changed_files
from app.rollouts.tables import TablePlan, counted, table_plans
from app.rollouts.uses import UNKNOWN, Use, last_uses
from app.tenancy.models import Site

PartKind = Literal["added", "removed", "changed"]
PARTS = (
    ("pages", "Pages", ("pages.",)),
    ("views", "Screens", ("views.", "menu")),
    ("functions", "Functions and routes", ("functions.",)),
    ("events", "Events", ("events.",)),
    ("jobs", "Timed jobs", ("jobs.",)),
    ("roles", "Roles", ("roles.",)),
    ("needs", "What it needs", ("requires.", "platform")),
    ("listing", "About the module", ("name", "summary", "category", "icon", "license", "pricing", "locales", "type", "slug")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PermissionChange:
    """One permission more or less. use: when what is gone was used last."""

    added: bool
    sentence: str
    use: Use


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting. fill: it needs a value now, and there is none that would do. has: the value in force that the new
    version cannot have, and who gives it, as a sentence; "" when there is none such. locked: the site may not choose.
    """

    name: str
    kind: PartKind
    sentence: str
    fill: bool
    has: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class PartChange:
    """A page, function, event and the like. use: of a page or route that goes, its last call."""

    kind: PartKind
    sentence: str
    least_bump: Bump
    use: Use | None = None


@dataclass(frozen=True, slots=True)
class PlannedLoss:
    """What the new version hides. rows: of this site with a value in it, None where they could not be counted."""

    sentence: str
    rows: int | None
    blocks: bool  # records use an option: they have to be changed first


@dataclass(frozen=True, slots=True)
class Release:
    """One version on the way, with what its publisher says of it."""

    version: str
    changelog: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """Everything the screen shows. blocks: why it cannot be done now, () when it can."""

    module: str
    module_name: str
    site: str
    from_version: str
    to_version: str
    bump: Bump
    tables: tuple[TablePlan, ...]
    losses: tuple[PlannedLoss, ...]
    settings: tuple[SettingChange, ...]
    permissions: tuple[PermissionChange, ...]
    parts: tuple[tuple[str, str, tuple[PartChange, ...]], ...]  # (key, label, changes)
    files: tuple[FileChange, ...]
    releases: tuple[Release, ...]
    affected: Affected
    needs_consent: bool
    blocks: tuple[str, ...]

    @property
    def needs_agreement_to_losses(self) -> bool:
        return bool(self.losses)

    @property
    def to_fill(self) -> frozenset[str]:
        """The settings that need a value before the upgrade."""
        return frozenset(one.name for one in self.settings if one.fill and not one.locked)

    def to_dict(self) -> dict[str, Any]:
        """As JSON; moments in RFC 3339, counts null where they are not known."""
        return {
            "module": self.module,
            "site": self.site,
            "from": self.from_version,
            "to": self.to_version,
            "bump": self.bump,
            "tables": [asdict(table) for table in self.tables],
            "losses": [asdict(loss) for loss in self.losses],
            "settings": [asdict(setting) for setting in self.settings],
            "permissions": [
                {
                    "change": "added" if one.added else "removed",
                    "permission": one.sentence,
                    "last_use": one.use.to_dict(),
                }
                for one in self.permissions
            ],
            "parts": {
                key: [
                    {
                        "change": one.kind,
                        "what": one.sentence,
                        "least_bump": one.least_bump,
                        **({"last_use": one.use.to_dict()} if one.use else {}),
                    }
                    for one in changes
                ]
                for key, _, changes in self.parts
            },
            "files": [one.to_dict() for one in self.files],
            "releases": [
                {
                    "version": one.version,
                    "changelog": one.changelog,
                    "published_at": rfc3339(one.published_at) if one.published_at else None,
                }
                for one in self.releases
            ],
            "affected": asdict(self.affected),
            "needs_consent": self.needs_consent,
            "needs_agreement_to_losses": self.needs_agreement_to_losses,
            "fill_in": sorted(self.to_fill),
            "blocks": list(self.blocks),
        }


def newer_versions(db: Session, *, install: Install) -> list[Version]:
    """The published versions above the install's own that its agency sees, highest first."""
    held = Semver(db.get_one(Version, install.version_id).version)
    found = versions_of(db, module_id=install.module_id)
    return [one for one in found if one.status == "published" and Semver(one.version) > held]


def make_plan(
    db: Session, *, install: Install, version: Version, now: datetime, settings: Mapping[str, Any] | None = None
) -> UpgradePlan:
    """The plan for going to `version`. settings: values a person has entered so far. Needs the agency's scope."""
    module, site = db.get_one(Module, install.module_id), db.get_one(Site, install.site_id)
    held = db.get_one(Version, install.version_id)
    old, new = Manifest.from_dict(held.manifest), Manifest.from_dict(version.manifest)
    diff = diff_manifests(old, new)
    counts = counted(db, install=install, old=old, new=new)
    lost = upgrade_losses(db, install=install, version=version)
    losses = tuple(_loss(one, counts.of(one)) for one in lost)
    uses = last_uses(db, install=install, module=module, old=old, diff=diff, now=now)
    wrong = _settings_to_fill(db, install, version, settings)
    unfit = unfit_settings(old, new, own_levels(db, install=install))
    return UpgradePlan(
        module=module.slug,
        module_name=module.name,
        site=site.name,
        from_version=held.version,
        to_version=version.version,
        bump=diff.least_bump,
        tables=table_plans(old, new, diff, counts),
        losses=losses,
        settings=_settings(diff, wrong, new, unfit),
        permissions=_permissions(diff, uses),
        parts=_parts(diff, uses),
        files=changed_files(db, old=held, new=version, own=module.agency_id == install.agency_id),
        releases=_releases(db, install, held, version),
        affected=affected_by(db, install=install, counts=counts, now=now),
        needs_consent=diff.needs_consent,
        blocks=_blocks(db, install, new, site, losses, unfit),
    )


def _loss(one: Loss, rows: int | None) -> PlannedLoss:
    return PlannedLoss(one.sentence, rows, blocks=one.kind == "option" and bool(rows))


def _blocks(
    db: Session,
    install: Install,
    new: Manifest,
    site: Site,
    losses: tuple[PlannedLoss, ...],
    unfit: Mapping[str, Unfit],
) -> tuple[str, ...]:
    found = []
    if install.status != "active":
        found.append(f"The module is {install.status}. It can be upgraded when it is active.")
    try:
        must_have_requirements(db, new, site)
    except AppError as error:
        found.append(error.message)
    found += [one.error.detail for one in unfit.values() if one.lock]
    for one in losses:
        if one.blocks:
            records = "1 record uses it" if one.rows == 1 else f"{one.rows} records use it"
            found.append(f"{one.sentence[:1].upper()}{one.sentence[1:]}, and {records}. Give them another value first.")
    return tuple(found)


def _settings_to_fill(
    db: Session, install: Install, version: Version, settings: Mapping[str, Any] | None
) -> dict[str, str]:
    """{setting: what is wrong} of those that the new version would not take as they are."""
    try:
        checked_for(db, install=install, version=version, settings=settings)
    except Invalid as error:
        return {one.pointer.strip("/").split("/")[0]: one.detail for one in error.errors}
    return {}


def _settings(
    diff: ManifestDiff, wrong: dict[str, str], new: Manifest, unfit: Mapping[str, Unfit]
) -> tuple[SettingChange, ...]:
    kinds: dict[str, PartKind] = {"setting_added": "added", "setting_removed": "removed"}
    found = []
    for change in diff.changes:
        if change.path.startswith("settings."):
            name = change.path.removeprefix("settings.")
            has, locked = (unfit[name].has, unfit[name].lock is not None) if name in unfit else ("", False)
            kind = kinds.get(change.kind, "changed")
            found.append(SettingChange(name, kind, change.sentence, name in wrong or name in unfit, has, locked))
    told = {one.name for one in found}
    for name, detail in wrong.items():
        if name not in told and name in new.setting_fields:
            found.append(SettingChange(name, "changed", detail, fill=True))
    return tuple(found)


def _permissions(diff: ManifestDiff, uses: Mapping[str, Use]) -> tuple[PermissionChange, ...]:
    found = []
    for change in diff.changes:
        if change.path.startswith("permissions."):
            added = change.kind.endswith("added")
            use = UNKNOWN if added else uses.get(change.path.removeprefix("permissions."), UNKNOWN)
            found.append(PermissionChange(added, change.sentence, use))
    return tuple(found)


def _parts(diff: ManifestDiff, uses: Mapping[str, Use]) -> tuple[tuple[str, str, tuple[PartChange, ...]], ...]:
    found = []
    for key, label, prefixes in PARTS:
        changes = tuple(
            PartChange(_kind(change), change.sentence, change.least_bump, uses.get(change.path))
            for change in diff.changes
            if change.path.startswith(prefixes)
        )
        if changes:
            found.append((key, label, changes))
    return tuple(found)


def _kind(change: Change) -> PartKind:
    if change.kind.endswith("_added"):
        return "added"
    return "removed" if change.kind.endswith("_removed") else "changed"


def _releases(db: Session, install: Install, held: Version, version: Version) -> tuple[Release, ...]:
    low, high = Semver(held.version), Semver(version.version)
    return tuple(
        Release(one.version, one.changelog.strip(), one.published_at)
        for one in versions_of(db, module_id=install.module_id)
        if one.status == "published" and low < Semver(one.version) <= high
    )
