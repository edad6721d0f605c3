"""Where each setting stands at one level: its own or from above, locked or not, and what it would be without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.installs.inheritance import Level, Lock, can_inherit, can_lock, resolve
from app.installs.settings import lock_sentence
from app.modules.manifest import Manifest

MOST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a setting stands at one level.

    level: agency, client or site: whose form it is. own: the level gives a value. value: in force here, None of a secret;
    set: a secret is given. source: where it comes from. upper: what it would be without the level's own, as a short text.
    upper_source: where that comes from. lock: of a level above; own_lock: of this level. givable, lockable: by the manifest.
    """

    level: str
    own: bool
    value: Any
    set: bool
    source: str
    upper: str
    upper_source: str
    lock: Lock | None = None
    own_lock: Mapping[str, str] | None = None
    givable: bool = True
    lockable: bool = False
    aside: bool = False

    @property
    def lock_text(self) -> str:
        """Who locked it above and why; "" when nobody did."""
        return lock_sentence(self.lock) if self.lock else ""


def standings(manifest: Manifest, *, above: Sequence[Level], own: Level) -> dict[str, Standing]:
    """Each setting as it stands at the level `own`, below `above`."""
    upper, here = resolve(manifest, above), resolve(manifest, [*above, own])
    found = {}
    for name, spec in manifest.setting_fields.items():
        one, over = here[name], upper[name]
        secret = spec.type == "secret"
        found[name] = Standing(
            level=own.kind,
            own=name in (own.sealed if secret else own.settings),
            value=one.value,
            set=bool(one.sealed),
            source=one.source,
            upper=("set" if over.sealed else "not set") if secret else short(spec, over.value),
            upper_source=over.source,
            lock=over.lock,
            own_lock=own.locks.get(name) if own.kind != "site" else None,
            givable=own.kind == "site" or can_inherit(spec),
            lockable=own.kind != "site" and can_lock(spec),
            aside=one.aside,
        )
    return found


def short(spec: Any, value: Any) -> str:
    """A value in a few words, for "back to …"."""
    if value is None or value in ("", [], {}):
        return "empty"
    if spec.type == "boolean":
        return "on" if value else "off"
    if spec.type == "money" and isinstance(value, int):
        return f"{value / 100:.2f}"
    if spec.type == "enum":
        return str((spec.labels or {}).get(value, value))
    if spec.type == "hours":
        return "hours for " + ", ".join(day.capitalize() for day in value)
    if spec.type == "repeater":
        return f"{len(value)} rows" if len(value) != 1 else "1 row"
    text = " ".join(str(value).split())
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
