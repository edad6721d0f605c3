"""Values of settings from one version to another: which cannot be carried over, and what they become on the way back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import FieldError
from app.installs.inheritance import Level, Lock, Resolved, resolve
from app.installs.models import Install, Move
from app.installs.setting_values import fits, label_of
from app.modules.manifest import Manifest

WHOSE = {"site": "This site has", "client": "The client gives", "agency": "The agency gives"}
MOST_SHOWN = 60
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Unfit:
    """A setting whose value in force another version cannot have. was: in force now; lock: that keeps the site from choosing."""

    name: str
    label: str
    was: Resolved
    lock: Lock | None

    @property
    def has(self) -> str:
        """What there is now and who gives it, as a sentence without its full stop."""
        return f"{WHOSE[self.was.source]} {told(self.was.value)}"

    @property
    def error(self) -> FieldError:
        """What keeps the install from moving until somebody has chosen."""
        said = f"{self.label}: {self.has[:1].lower()}{self.has[1:]}, which the other version cannot have."
        if self.lock:
            return FieldError(f"/{self.name}", "locked", f"{said} It is locked there: change or unlock it there first.")
        return FieldError(f"/{self.name}", "unfit", f"{said} Choose what it is from then on.")


def told(value: Any) -> str:
    """A value in a few words; None is a secret, which nobody is shown."""
    if value is None:
        return "a secret"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    text = text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 1]}…"
    return f"“{text}”" if isinstance(value, str) else text


def unfit_settings(old: Manifest, new: Manifest, levels: Sequence[Level]) -> dict[str, Unfit]:
    """{name: …} of settings of both versions that somebody has given a value which would not be in force any more.

    levels: from the agency downwards to the site. What a version has as its default is not looked at.
    """
    before, after = resolve(old, levels), resolve(new, levels)
    found = {}
    for name, spec in new.setting_fields.items():
        was = before.get(name)
        if was is None or was.source == "default" or not was.given:
            continue
        will = after[name]
        kept = will.sealed == was.sealed if was.sealed else not will.sealed and will.value == was.value
        if not kept:
            found[name] = Unfit(name, label_of(name, spec), was, will.lock)
    return found


def own_of(install: Install) -> dict[str, Any]:
    """What the site gives by itself, as a move keeps it."""
    return {"settings": dict(install.settings), "secrets": dict(install.secrets or {})}


def put_over(install: Install, manifest: Manifest, values: Mapping[str, Any]) -> dict[str, Any]:
    """The own settings with the checked `values` of a version; those of settings it does not have stay beside them."""
    fields = manifest.setting_fields
    return {**{name: value for name, value in install.settings.items() if name not in fields}, **values}


def restored(install: Install, undone: Move, manifest: Manifest, *, keep: bool) -> dict[str, Any]:
    """What the site gives by itself once `undone` is taken back: {settings, secrets}. manifest: of the older version.

    keep: what people have set since stays where that version can have it. A secret that was set since stays either way:
    it is in no file, and the one before may not be good any more.
    """
    now = own_of(install)
    if undone.own_before is None or undone.own_after is None:
        return now
    before, after = undone.own_before, undone.own_after
    settings = dict(before["settings"])
    if keep:
        for name in {*now["settings"], *after["settings"]}:
            spec, value = manifest.setting_fields.get(name), now["settings"].get(name, _NOTHING)
            if value == after["settings"].get(name, _NOTHING) and spec is not None:
                continue  # nobody has touched it since
            if value is _NOTHING:
                settings.pop(name, None)
            elif spec is None or (spec.type != "secret" and fits(spec, value)):
                settings[name] = value
    secrets = dict(before["secrets"])
    for name in {*now["secrets"], *after["secrets"]}:
        sealed = now["secrets"].get(name)
        if sealed == after["secrets"].get(name):
            continue
        if sealed is None:
            secrets.pop(name, None)
        else:
            secrets[name] = sealed
    return {"settings": settings, "secrets": secrets}


def set_since(undone: Move, back: Move, manifest: Manifest) -> list[dict[str, Any]]:
    """What the newer version had for settings that was another before the upgrade, for the file of a way back.

    back: the way back, with what there was when it was ordered and what there is after it. manifest: of the older version.
    Each {setting, before, value, stays, why}; a secret without its text.
    """
    if undone.own_before is None or back.own_before is None or back.own_after is None:
        return []
    found = []
    for kind in ("settings", "secrets"):
        before, now, after = undone.own_before[kind], back.own_before[kind], back.own_after[kind]
        for name in sorted({*now, *before}):
            if now.get(name, _NOTHING) == before.get(name, _NOTHING):
                continue
            shown = (lambda one: {"set": one is not None}) if kind == "secrets" else (lambda one: one)
            stays = now.get(name, _NOTHING) == after.get(name, _NOTHING)
            found.append(
                {"setting": name, "before": shown(before.get(name)), "value": shown(now.get(name)), "stays": stays,
                 "why": _why(manifest, name, now.get(name))}
            )  # fmt: skip
    return found


def _why(manifest: Manifest, name: str, value: Any) -> str:
    """Why the older version has no place for it; "" when it has."""
    spec = manifest.setting_fields.get(name)
    if spec is None:
        return "the older version has no such setting"
    if spec.type != "secret" and value is not None and not fits(spec, value):
        return "a value the older version cannot have"
    return ""
