"""One setting of a module over many installs: what it would be on which, before a run starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.fleet.planning import STATES, Refusal, installs_of, levels_of
from app.fleet.queries import Cell
from app.installs.inheritance import Level, resolve
from app.installs.levels import manifests
from app.installs.setting_values import label_of
from app.installs.settings import SettingsInvalid, check_settings
from app.installs.standing import short
from app.installs.surroundings import known_values
from app.modules.manifest import Manifest

# kinds that name something of one site, that nobody may read back for an undo, or that are a form of their own
UNSUITED = frozenset({"module", "page", "secret", "repeater"})


@dataclass(frozen=True, slots=True)
class Change:
    """What a run sets. back: the site's own value goes, and what comes from above counts again; else value, as forms send it."""

    name: str
    value: Any = None
    back: bool = False


@dataclass(frozen=True, slots=True)
class Moving:
    """An install on which another value would be in force, or be the site's own. was, will: in a few words."""

    cell: Cell
    was: str
    will: str


@dataclass(frozen=True, slots=True)
class SettingPlan:
    """same: installs that have it so already."""

    moving: tuple[Moving, ...]
    same: tuple[Cell, ...]
    refused: tuple[Refusal, ...]


def settable(manifest: Manifest) -> list[tuple[str, str]]:
    """(name, label) of the settings that can be set on many sites at once, in their order."""
    return [(name, label_of(name, spec)) for name, spec in manifest.setting_fields.items() if spec.type not in UNSUITED]


def plan_setting(db: Session, *, agency_id: UUID, cells: Iterable[Cell], change: Change) -> SettingPlan:
    """What the change would do on installs of one module. The number of statements does not go with the installs."""
    chosen = list(cells)
    installs = installs_of(db, [cell.id for cell in chosen])
    versions = manifests(db, version_ids={one.version_id for one in installs.values()})
    above = levels_of(db, {cell.module_id for cell in chosen})
    known = known_values(db, agency_id, None)
    moving, same, refused = list[Moving](), list[Cell](), list[Refusal]()
    for cell in chosen:
        install, manifest = installs[cell.id], versions[installs[cell.id].version_id]
        spec = manifest.setting_fields.get(change.name)
        if cell.status not in ("active", "paused"):
            refused.append(Refusal(cell, STATES.get(cell.status, "It is busy.")))
            continue
        if spec is None or spec.type in UNSUITED:
            refused.append(Refusal(cell, f"Its version, {cell.version}, has no such setting."))
            continue
        levels = [above[key] for key in ((cell.module_id, None), (cell.module_id, cell.client_id)) if key in above]
        try:
            checked = check_settings(
                manifest, {} if change.back else {change.name: change.value}, known=known, before=install.settings,
                secrets_set=install.secrets, above=levels, inherit=(change.name,) if change.back else (),
            )  # fmt: skip
        except SettingsInvalid as error:
            refused.append(Refusal(cell, error.message))
            continue
        if own_value(install.settings, change.name) == own_value(checked.values, change.name):
            same.append(cell)
            continue
        was = resolve(manifest, [*levels, Level("site", install.id, install.settings, install.secrets)])[change.name]
        moving.append(Moving(cell, short(spec, was.value), short(spec, checked.in_force[change.name])))
    return SettingPlan(tuple(moving), tuple(same), tuple(refused))


def own_value(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """{name: value} where the site has a value of its own, which may be "empty"; else {}."""
    return {name: settings[name]} if name in settings else {}


def said_of(manifest: Manifest, change: Change) -> str:
    """The change in a few words, such as "Accent colour: #3b46c8"."""
    spec = manifest.setting_fields[change.name]
    what = "back to what comes from above" if change.back else short(spec, change.value)
    return f"{label_of(change.name, spec)}: {what}"
