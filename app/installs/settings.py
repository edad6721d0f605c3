"""The settings of an install, or of a level above it, against its manifest: what may be given, what must be there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.errors import FieldError, Invalid
from app.installs.inheritance import Level, Lock, Resolved, can_inherit, resolve
from app.installs.inheritance import sealed_setting as sealed_setting
from app.installs.setting_values import Known as Known
from app.installs.setting_values import WrongValue, fits, label_of, read_value
from app.modules.conditions import matches, parse_condition
from app.modules.kinds import Column
from app.modules.manifest import Manifest
from app.modules.manifest.checks.code import SETTING_KINDS

NO_ID = UUID(int=0)  # of a level that is not in the database yet; only its values are looked at


class SettingsInvalid(Invalid):
    """Some settings are not acceptable."""

    code = "settings_invalid"


@dataclass(frozen=True, slots=True)
class CheckedSettings:
    """values: what the level gives by itself, without secrets; in_force: every setting but the secrets as it then is.

    secrets: {name: new text}; forgotten: names of secrets to remove.
    """

    values: dict[str, Any]
    in_force: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()


def check_settings(
    manifest: Manifest,
    given: Mapping[str, Any],
    *,
    known: Known,
    before: Mapping[str, Any] | None = None,
    secrets_set: Collection[str] = (),
    above: Sequence[Level] = (),
    inherit: Collection[str] = (),
) -> CheckedSettings:
    """The site's own settings after `given` is put over `before` (those kept so far; none for a new install).

    Of `before`, what this version cannot have is left out.

    above: the agency's and the client's level; inherit: names that go back to what those or the default say. An empty
    text is no value, for a secret "as it was"; None takes a value away, also one from above. A setting hidden by its
    condition is not required. Raises SettingsInvalid with one error per setting; of one that is locked too.
    """
    fields = manifest.setting_fields
    own = {
        name: value
        for name, value in (before or {}).items()
        if name in fields and name not in inherit and fits(fields[name], value)
    }
    upper = resolve(manifest, above)
    errors, secrets, forgotten = [], dict[str, str](), {name for name in inherit if name in secrets_set}
    for name, value in given.items():
        spec = fields.get(name)
        if spec is None:
            errors.append(FieldError(f"/{name}", "unknown_setting", f'The module has no setting "{name}".'))
        elif lock := upper[name].lock:
            errors.append(locked_error(name, spec, lock))
        elif spec.type == "secret" and value is None:
            forgotten.add(name)
        else:
            try:
                read = read_value(spec, value, known)
            except WrongValue as wrong:
                errors.append(FieldError(f"/{name}{wrong.at}", wrong.code, f"{label_of(name, spec)} {wrong}."))
                continue
            if spec.type == "secret":
                secrets |= {name: read} if read else {}
            else:
                own[name] = read
    sealed = dict.fromkeys({*secrets_set, *secrets} - forgotten, "x")  # what is in them does not matter here
    found = resolve(manifest, [*above, Level("site", NO_ID, own, sealed)])
    if not errors:
        errors = missing(manifest, found)
    if errors:
        raise SettingsInvalid("; ".join(error.detail for error in errors), errors=errors)
    in_force = {name: one.value for name, one in found.items() if fields[name].type != "secret"}
    return CheckedSettings(own, in_force, secrets, frozenset(forgotten))


def check_level(
    manifest: Manifest, given: Mapping[str, Any], *, known: Known, above: Sequence[Level] = ()
) -> tuple[dict[str, Any], dict[str, str]]:
    """What an agency or client gives, as it is kept: (values, new texts of secrets). Nothing is required of a level.

    above: the agency's level, of a client. Raises SettingsInvalid with one error per setting.
    """
    errors: list[FieldError] = []
    values, secrets = dict[str, Any](), dict[str, str]()
    upper = resolve(manifest, above)
    for name, value in given.items():
        spec = manifest.setting_fields.get(name)
        if spec is None:
            errors.append(FieldError(f"/{name}", "unknown_setting", f'The module has no setting "{name}".'))
        elif not can_inherit(spec):
            errors.append(FieldError(f"/{name}", "site_alone", f"{label_of(name, spec)} is set on each site alone."))
        elif lock := upper[name].lock:
            errors.append(locked_error(name, spec, lock))
        else:
            try:
                read = read_value(spec, value, known)
            except WrongValue as wrong:
                errors.append(FieldError(f"/{name}{wrong.at}", wrong.code, f"{label_of(name, spec)} {wrong}."))
                continue
            if spec.type != "secret":
                values[name] = read
            elif read:
                secrets[name] = read
    if errors:
        raise SettingsInvalid("; ".join(error.detail for error in errors), errors=errors)
    return values, secrets


def locked_error(name: str, spec: Any, lock: Lock) -> FieldError:
    """Somebody above has locked it."""
    return FieldError(f"/{name}", "locked", f"{label_of(name, spec)} is locked: {lock_sentence(lock)}")


def lock_sentence(lock: Lock) -> str:
    """By whom, for which sites and why, as a sentence."""
    whose = "all sites of the agency" if lock.level == "agency" else "all sites of the client"
    why = f": {lock.reason.rstrip('.')}." if lock.reason else "."
    return f"{lock.name or 'Somebody'} locked it for {whose}{why}"


def missing(manifest: Manifest, found: Mapping[str, Resolved]) -> list[FieldError]:
    """Required settings that are shown and have no value on any level."""
    columns = {
        name: Column(SETTING_KINDS[spec.type], getattr(spec, "options", ()))
        for name, spec in manifest.setting_fields.items()
        if spec.type in SETTING_KINDS
    }
    values = {name: one.value for name, one in found.items() if manifest.setting_fields[name].type != "secret"}
    return [
        FieldError(f"/{name}", "required", f"{label_of(name, spec)} is required.")
        for group in manifest.settings
        for name, spec in group.fields.items()
        if spec.required
        and not found[name].given
        and all(
            matches(parse_condition(condition, columns), values)
            for condition in (group.visible_if, spec.visible_if)
            if condition
        )
    ]
