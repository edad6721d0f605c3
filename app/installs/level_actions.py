"""What an agency or a client gives to all its installs of a module: what a change would touch, and the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.actors import Actor
from app.errors import Conflict, FieldError
from app.events.catalog import MODULE_SETTINGS_CHANGED
from app.events.outbox import changed, publish
from app.installs.actions import announce_all
from app.installs.inheritance import Level, Resolved, can_lock, resolve, sealed_level
from app.installs.levels import Concerned, client_levels, concerned, kept_level, level_of, levels_above, manifests
from app.installs.models import ModuleSettings
from app.installs.setting_values import label_of
from app.installs.settings import NO_ID, SettingsInvalid, check_level, locked_error
from app.installs.standing import short
from app.installs.surroundings import known_values
from app.lib.clock import rfc3339
from app.lib.crypto import seal
from app.lib.ids import uuid7
from app.modules.manifest import Manifest
from app.modules.models import Module
from app.tenancy.models import Client

MOST_REASON = 200


class SettingsRaced(Conflict):
    """Somebody else changed these settings at the same moment. Look at them and try again."""

    code = "settings_raced"


@dataclass(frozen=True, slots=True)
class LevelChange:
    """What a person wants of one level. give: {name: value}; take: names it no longer gives.

    lock: {name: why}, also of one that is locked already, to say it anew; unlock: names.
    """

    give: Mapping[str, Any] = field(default_factory=dict)
    take: frozenset[str] = frozenset()
    lock: Mapping[str, str] = field(default_factory=dict)
    unlock: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Touch:
    """What a change means for one setting. before, after: at the level itself, in a few words.

    sites: where another value will be in force; aside: where a value of a lower level stops counting because of a lock;
    unlike: where the site's version has no such setting, or none of that kind.
    """

    name: str
    label: str
    before: str
    after: str
    secret: bool
    sites: int
    aside: int
    unlike: int


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """touches: of each setting that the change names; sites: on how many something changes; installs: of all below."""

    touches: tuple[Touch, ...]
    sites: tuple[Concerned, ...]
    installs: int


def plan_level(
    db: Session, *, manifest: Manifest, agency_id: UUID, client: Client | None, module_id: UUID, change: LevelChange
) -> LevelPlan:
    """What a change would touch; nothing is written. Raises SettingsInvalid, also where a site would lack what it needs."""
    client_id = client.id if client else None
    row = kept_level(db, agency_id=agency_id, client_id=client_id, module_id=module_id)
    _, plan = _checked(db, manifest, agency_id, client_id, module_id, change, row)
    return plan


def save_level(
    db: Session,
    *,
    manifest: Manifest,
    agency_id: UUID,
    client: Client | None,
    module: Module,
    change: LevelChange,
    keys: tuple[str, ...],
    by: Actor,
    now: datetime,
) -> LevelPlan:
    """Make the change. All processes read the touched installs anew. Raises as plan_level(), and SettingsRaced."""
    client_id = client.id if client else None
    row = kept_level(db, agency_id=agency_id, client_id=client_id, module_id=module.id, lock=True)
    checked, plan = _checked(db, manifest, agency_id, client_id, module.id, change, row)
    if row is None:
        row = ModuleSettings(
            id=uuid7(), agency_id=agency_id, client_id=client_id, module_id=module.id, settings={}, secrets={}, locks={}
        )
        try:
            with db.begin_nested():  # two people can begin a level at once: the unique key decides
                db.add(row)
                db.flush()
        except IntegrityError as error:
            raise SettingsRaced() from error
    changes = _changes(row, checked, change)
    _write(row, checked, change, keys=keys, by=by, now=now)
    publish(
        db,
        MODULE_SETTINGS_CHANGED,
        by=by,
        agency_id=agency_id,
        target=client.public_id if client else module.public_id,
        target_name=f"{module.name} · {client.name}" if client else module.name,
        data={
            "module": module.slug, "settings": sorted({*change.give, *change.take, *change.lock, *change.unlock}),
            "installs": len(plan.sites), **({"client": client.public_id} if client else {}),
        },
        changes=changes,
    )  # fmt: skip
    announce_all(db, [one.id for one in plan.sites])
    return plan


@dataclass(frozen=True, slots=True)
class _Checked:
    values: dict[str, Any]
    secrets: dict[str, str]


def _checked(
    db: Session,
    manifest: Manifest,
    agency_id: UUID,
    client_id: UUID | None,
    module_id: UUID,
    change: LevelChange,
    row: ModuleSettings | None,
) -> tuple[_Checked, LevelPlan]:
    above = levels_above(db, agency_id=agency_id, client_id=None, module_id=module_id) if client_id else []
    known = known_values(db, agency_id, None)
    values, secrets = check_level(manifest, change.give, known=known, above=above)
    _must_be_lockable(manifest, change, above)
    checked = _Checked(values, secrets)
    before = level_of(row) if row else Level("client" if client_id else "agency", NO_ID, {})
    after = _after(before, checked, change)
    return checked, _plan(db, manifest, agency_id, client_id, module_id, above, before, after, change)


def _must_be_lockable(manifest: Manifest, change: LevelChange, above: list[Level]) -> None:
    upper, errors = resolve(manifest, above), []
    for name in {*change.take, *change.lock, *change.unlock}:
        spec = manifest.setting_fields.get(name)
        if spec is None:
            continue  # of an earlier version: it may be taken away
        if lock := upper[name].lock:
            errors.append(locked_error(name, spec, lock))
        elif name in change.lock and not can_lock(spec):
            errors.append(FieldError(f"/{name}", "not_lockable", f"{label_of(name, spec)} cannot be locked."))
        elif len(change.lock.get(name, "")) > MOST_REASON:
            detail = f"The reason may have at most {MOST_REASON} characters."
            errors.append(FieldError(f"/{name}", "length", detail))
    if errors:
        raise SettingsInvalid("; ".join(error.detail for error in errors), errors=errors)


def _after(before: Level, checked: _Checked, change: LevelChange) -> Level:
    gone = change.take
    settings = {name: value for name, value in {**before.settings, **checked.values}.items() if name not in gone}
    sealed = {name: value for name, value in {**before.sealed, **checked.secrets}.items() if name not in gone}
    locks = {name: said for name, said in before.locks.items() if name not in change.unlock}
    locks |= {name: {"reason": reason} for name, reason in change.lock.items()}
    return Level(before.kind, before.id, settings, sealed, locks)


def _plan(
    db: Session,
    manifest: Manifest,
    agency_id: UUID,
    client_id: UUID | None,
    module_id: UUID,
    above: list[Level],
    before: Level,
    after: Level,
    change: LevelChange,
) -> LevelPlan:
    installs = concerned(db, agency_id=agency_id, module_id=module_id, client_id=client_id)
    known = manifests(db, version_ids={one.version_id for one in installs})
    below = {} if client_id else client_levels(db, agency_id=agency_id, module_id=module_id)
    names = sorted({*change.give, *change.take, *change.lock, *change.unlock})
    counts = {name: {"sites": 0, "aside": 0, "unlike": 0} for name in names}
    touched, lacking = [], dict[str, list[str]]()
    for one in installs:
        lower = [*([below[one.client_id]] if one.client_id in below else []), one.level]
        was = resolve(known[one.version_id], [*above, before, *lower])
        will = resolve(known[one.version_id], [*above, after, *lower])
        fields = known[one.version_id].setting_fields
        for name in names:
            if name not in fields or fields[name].type != getattr(manifest.setting_fields.get(name), "type", None):
                counts[name]["unlike"] += 1
                continue
            counts[name]["sites"] += _differs(was[name], will[name], name in change.give)
            counts[name]["aside"] += will[name].aside and not was[name].aside
            if fields[name].required and was[name].given and not will[name].given:
                lacking.setdefault(name, []).append(one.site_name)
        if any(name in fields and _differs(was[name], will[name], name in change.give) for name in names):
            touched.append(one)
    if lacking:
        raise _would_lack(manifest, lacking)
    level_was, level_will = resolve(manifest, [*above, before]), resolve(manifest, [*above, after])
    touches = tuple(
        Touch(
            name,
            label_of(name, spec),
            short(spec, level_was[name].value),
            short(spec, level_will[name].value),
            spec.type == "secret",
            **counts[name],
        )
        for name in names
        if (spec := manifest.setting_fields.get(name)) is not None
    )
    return LevelPlan(touches, tuple(touched), len(installs))


def _differs(was: Resolved, will: Resolved, given: bool) -> bool:
    """Whether another value is in force, or another lock. A new text of a secret is another value though none is seen."""
    same = (was.value, was.sealed, was.lock is None) == (will.value, will.sealed, will.lock is None)
    return not same or (given and bool(will.sealed) and will.source != "site")


def _would_lack(manifest: Manifest, lacking: dict[str, list[str]]) -> SettingsInvalid:
    errors = []
    for name, sites in lacking.items():
        spec = manifest.setting_fields.get(name)
        label = label_of(name, spec) if spec else name
        more = f" and {len(sites) - 3} more" if len(sites) > 3 else ""
        detail = f"{label} is required and {', '.join(sites[:3])}{more} would have no value left. Give the sites their own first."
        errors.append(FieldError(f"/{name}", "required", detail))
    return SettingsInvalid("; ".join(error.detail for error in errors), errors=errors)


def _changes(row: ModuleSettings, checked: _Checked, change: LevelChange) -> dict[str, Any]:
    """For the audit trail: values before and after, secrets as dots, locks by their reason."""
    found = changed(row.settings, checked.values)
    found |= {name: [row.settings[name], None] for name in change.take if name in row.settings}
    found |= {name: ["••••" if name in row.secrets else None, "••••"] for name in checked.secrets}
    found |= {name: ["••••", None] for name in change.take if name in row.secrets}
    found |= {f"lock of {name}": [_said(row, name), reason or "locked"] for name, reason in change.lock.items()}
    found |= {f"lock of {name}": [_said(row, name), None] for name in change.unlock if name in row.locks}
    return found


def _said(row: ModuleSettings, name: str) -> str | None:
    lock = row.locks.get(name)
    return (lock.get("reason") or "locked") if lock else None


def _write(
    row: ModuleSettings, checked: _Checked, change: LevelChange, *, keys: tuple[str, ...], by: Actor, now: datetime
) -> None:
    sealed = {name: seal(keys, plain, sealed_level(row.id, name)) for name, plain in checked.secrets.items()}
    row.settings = {k: v for k, v in {**row.settings, **checked.values}.items() if k not in change.take}
    row.secrets = {k: v for k, v in {**row.secrets, **sealed}.items() if k not in change.take}
    said = {"by": by.ref, "name": by.name, "at": rfc3339(now)}
    locks = {name: lock for name, lock in row.locks.items() if name not in change.unlock}
    row.locks = locks | {name: {**said, "reason": reason.strip()} for name, reason in change.lock.items()}
    row.changed_at = now
