"""What a run over a selection would do, before it starts: one plan of steps, and which installs cannot and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import AppError
from app.fleet.queries import Cell
from app.installs.carried import unfit_settings
from app.installs.inheritance import Level, resolve, site_level
from app.installs.levels import level_of
from app.installs.models import Install, ModuleSettings
from app.installs.settings import missing
from app.installs.surroundings import must_have_requirements
from app.modules.changes import ManifestDiff
from app.modules.diff import diff_manifests
from app.modules.manifest import Manifest
from app.modules.models import Module, Registry, Version
from app.modules.storage.desired import desired_layout
from app.modules.storage.layout import Layout
from app.modules.storage.plan import losses
from app.tenancy.models import Site

STATES = {
    "provisioning": "It is being set up.",
    "failed": "It was never set up.",
    "paused": "It is paused. Resume it first.",
    "removing": "It is being removed.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An install that is left out, and why in a sentence."""

    cell: Cell
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """All installs that go from one version of a module to another. consent: it asks for more than was agreed to.

    agreed: a person has agreed to that for the whole run. refused: installs that cannot, for a reason of their own.
    """

    key: str
    module_name: str
    module_slug: str
    module_icon: str
    from_version: str
    to_version: str
    to_version_id: UUID
    diff: ManifestDiff
    losses: tuple[str, ...]
    agreed: bool
    ready: tuple[Cell, ...]
    refused: tuple[Refusal, ...]

    @property
    def consent(self) -> bool:
        return bool(self.diff.needs_consent)


@dataclass(frozen=True, slots=True)
class Plan:
    """steps: by module and version. idle: installs that have nothing to do, such as those on the newest version."""

    steps: tuple[Step, ...]
    idle: tuple[Refusal, ...]

    @property
    def ready(self) -> int:
        return sum(len(step.ready) for step in self.steps)

    @property
    def refused(self) -> int:
        return sum(len(step.refused) for step in self.steps)


def plan_upgrade(db: Session, *, cells: Iterable[Cell], agreed: frozenset[str] = frozenset()) -> Plan:
    """The way of each install to the newest version of its module. agreed: keys of steps whose new permissions are
    agreed to. The number of statements goes with the modules and versions, not with the installs.
    """
    chosen = list(cells)
    installs = installs_of(db, [cell.id for cell in chosen])
    modules = {
        one.id: one for one in db.scalars(select(Module).where(Module.id.in_({cell.module_id for cell in chosen})))
    }
    wanted = {one.version_id for one in installs.values()} | {one.latest_version_id for one in modules.values()}
    versions = {one.id: one for one in db.scalars(select(Version).where(Version.id.in_(wanted)))}
    above = levels_of(db, {cell.module_id for cell in chosen})
    idle: list[Refusal] = []
    moving: dict[tuple[UUID, UUID, UUID], list[Cell]] = {}
    for cell in chosen:
        install, module = installs[cell.id], modules[cell.module_id]
        target = versions.get(module.latest_version_id) if module.latest_version_id else None
        held = versions[install.version_id]
        if target is None or _order(target) <= _order(held):
            idle.append(Refusal(cell, f"{held.version} is the newest version."))
        else:
            moving.setdefault((cell.module_id, held.id, target.id), []).append(cell)
    steps = [
        _step(db, modules[module_id], versions[old], versions[new], found, installs, above, agreed)
        for (module_id, old, new), found in moving.items()
    ]
    return Plan(tuple(sorted(steps, key=lambda one: (one.module_name.lower(), one.from_version))), tuple(idle))


def plan_switch(cells: Iterable[Cell], *, kind: str) -> tuple[list[Cell], list[Refusal]]:
    """Those that can be paused, or resumed, and those that cannot."""
    right = "active" if kind == "pause" else "paused"
    ready, refused = [], []
    for cell in cells:
        if cell.status == right:
            ready.append(cell)
        else:
            said = {"active": "It is running.", "paused": "It is paused."} if right != cell.status else {}
            refused.append(Refusal(cell, said.get(cell.status) or STATES.get(cell.status, "It is busy.")))
    return ready, refused


def _order(version: Version) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch


def installs_of(db: Session, ids: list[UUID]) -> dict[UUID, Install]:
    """These installs by id."""
    return {one.id: one for one in db.scalars(select(Install).where(Install.id.in_(ids)))}


def levels_of(db: Session, modules: set[UUID]) -> Mapping[tuple[UUID, UUID | None], Level]:
    """Every level of these modules by module and client, None for the agency."""
    rows = db.scalars(select(ModuleSettings).where(ModuleSettings.module_id.in_(modules)))
    return {(row.module_id, row.client_id): level_of(row) for row in rows}


def _step(
    db: Session,
    module: Module,
    old: Version,
    new: Version,
    cells: list[Cell],
    installs: Mapping[UUID, Install],
    above: Mapping[tuple[UUID, UUID | None], Level],
    agreed: frozenset[str],
) -> Step:
    before, after = Manifest.from_dict(old.manifest), Manifest.from_dict(new.manifest)
    diff, key = diff_manifests(before, after), f"{old.public_id}-{new.public_id}"
    registry = db.get(Registry, module.id)
    union = Layout.from_dict(registry.layout) if registry else Layout()
    lost = tuple(one.sentence for one in losses(union.for_manifest(before), desired_layout(after)))
    common = ""
    if lost:
        common = f"It has no place for some records ({'; '.join(lost)}). Upgrade it from its own plan."
    elif diff.needs_consent and key not in agreed:
        common = "It asks for more than was agreed to. Agree to that below, or upgrade it from its own plan."
    ready, refused = [], []
    for cell in cells:
        reason = STATES.get(cell.status) or common or _lacks(db, cell, installs[cell.id], before, after, above)
        if reason:
            refused.append(Refusal(cell, reason))
        else:
            ready.append(cell)
    return Step(
        key, module.name, module.slug, module.icon, old.version, new.version, new.id, diff, lost, key in agreed,
        tuple(ready), tuple(refused),
    )  # fmt: skip


def _lacks(
    db: Session,
    cell: Cell,
    install: Install,
    before: Manifest,
    after: Manifest,
    above: Mapping[tuple[UUID, UUID | None], Level],
) -> str:
    """Why this install cannot take the version: a required setting or another module is missing, or the version cannot have
    a value that a setting has; "" when it can.
    """
    levels = [above[key] for key in ((cell.module_id, None), (cell.module_id, cell.client_id)) if key in above]
    levels.append(site_level(install.id, install.settings, install.secrets))
    unfit = unfit_settings(before, after, levels)
    errors = [one.error for one in unfit.values()]
    errors += [one for one in missing(after, resolve(after, levels)) if one.pointer.strip("/") not in unfit]
    if errors:
        return f"{' '.join(one.detail for one in errors)} Fill it in on its own plan, or for all sites."
    if after.requires:
        try:
            must_have_requirements(db, after, db.get_one(Site, install.site_id))
        except AppError as error:
            return error.message
    return ""
