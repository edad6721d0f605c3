"""Where the value of a setting comes from: the site's own, else its client's, else the agency's, else the default.

A level may lock a setting: what it comes to there is then what it is on every level below, whatever those say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.installs.setting_values import fits
from app.modules.manifest import Manifest

LEVELS = ("agency", "client", "site")
SITE_ALONE = frozenset({"module"})  # kinds of settings that name something of one site, which no other site may have


@dataclass(frozen=True, slots=True)
class Lock:
    """level: agency or client. name: of the person who locked it; at: RFC 3339; reason: "" when none was given."""

    level: str
    name: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Level:
    """What one level says of a module. id: of the row that holds it, which its secrets are sealed for.

    settings: {name: value}, a name that is not there is left to the level above; sealed: the same of secrets.
    """

    kind: str
    id: UUID
    settings: Mapping[str, Any]
    sealed: Mapping[str, str] = field(default_factory=dict, repr=False)
    locks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resolved:
    """One setting as it is in force. source: default, agency, client or site. value: None of a secret.

    sealed: of a secret that is given, with what it was sealed for. aside: the lowest level gives a value that a lock
    keeps from being used.
    """

    value: Any
    source: str
    lock: Lock | None = None
    sealed: str = field(default="", repr=False)
    sealed_for: str = ""
    aside: bool = False

    @property
    def given(self) -> bool:
        """Whether there is a value to work with."""
        return bool(self.sealed) or self.value not in (None, [], {})


def sealed_setting(install_id: UUID, name: str) -> str:
    """What a sealed setting of an install is bound to: its install and name."""
    return f"modules_v2.secrets|{name}|{install_id}"


def sealed_level(level_id: UUID, name: str) -> str:
    """What a sealed setting of an agency or client is bound to: the row that holds it and the name."""
    return f"module_settings.secrets|{name}|{level_id}"


def can_inherit(spec: Any) -> bool:
    """Whether levels above the site may give a value."""
    return bool(spec.inherit) and spec.type not in SITE_ALONE


def can_lock(spec: Any) -> bool:
    """Whether a level above the site may lock it."""
    return bool(spec.lock) and can_inherit(spec)


def resolve(manifest: Manifest, levels: Sequence[Level]) -> dict[str, Resolved]:
    """Every setting of the version as it is in force at the last of the levels, given from the agency downwards.

    A value that this version cannot have (another kind, out of range) is passed over, from wherever it is: versions side
    by side share what the agency gives, and an own value may be from another version of the module.
    """
    return {name: _resolve(name, spec, levels) for name, spec in manifest.setting_fields.items()}


def level_from_row(row: Mapping[str, Any]) -> Level:
    """A level as runtime_setting_levels() tells it."""
    return Level(row["kind"], UUID(row["id"]), row["settings"], row["secrets"], row["locks"])


def site_level(install_id: UUID, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> Level:
    """The install's own level."""
    return Level("site", install_id, settings, secrets)


def with_own(above: Iterable[Level], own: Level) -> list[Level]:
    """The levels down to this one."""
    return [*above, own]


def _resolve(name: str, spec: Any, levels: Sequence[Level]) -> Resolved:
    found = Resolved(None if spec.type == "secret" else spec.default, "default")
    lock: Lock | None = None
    for level in levels:
        if level.kind != "site" and not can_inherit(spec):
            continue
        gives = _gives(name, spec, level)
        if lock is not None:
            if gives and level is levels[-1]:
                return Resolved(found.value, found.source, lock, found.sealed, found.sealed_for, aside=True)
            continue
        if gives and spec.type == "secret":
            bound = sealed_setting(level.id, name) if level.kind == "site" else sealed_level(level.id, name)
            found = Resolved(None, level.kind, None, level.sealed[name], bound)
        elif gives:
            found = Resolved(level.settings[name], level.kind)
        if level.kind != "site" and name in level.locks and can_lock(spec):
            said = level.locks[name]
            lock = Lock(level.kind, said.get("name", ""), said.get("at", ""), said.get("reason", ""))
    return Resolved(found.value, found.source, lock, found.sealed, found.sealed_for) if lock else found


def _gives(name: str, spec: Any, level: Level) -> bool:
    if spec.type == "secret":
        return name in level.sealed
    return name in level.settings and fits(spec, level.settings[name])
